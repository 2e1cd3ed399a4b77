// Scope: the owner of tasks. Each task of the program belongs to one; a scope can ask its tasks to
// stop, wait for them, and destroys those that are still suspended when it dies itself. Confined to
// one loop's thread. Must not be destroyed from inside one of its own tasks.
#pragma once

#include <coroutine>
#include <cstddef>

#include "io/list.h"
#include "io/stop.h"
#include "io/task.h"

namespace tandem {

class Scope {
 public:
  class Join;
  class Child;

  Scope() = default;
  // Its tasks are asked to stop when `parent` is, too.
  explicit Scope(StopToken parent) : stop_(parent) {}
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Starts the task; it runs until it first suspends before spawn returns. Whatever the task refers
  // to must outlive the scope. A task spawned after the stop was requested finds its first wait
  // cancelled.
  void spawn(Task<void> task);

  // Every wait that was given token() ends with kCancelled, soon and from now on. The tasks then
  // run to their ends.
  void request_stop() { stop_.request(); }
  bool stop_requested() const noexcept { return stop_.requested(); }
  StopToken token() noexcept { return stop_.token(); }

  // co_await scope.join(): goes on once no task is left (at once when there is none). One joiner at
  // a time; not from inside a task of the same scope.
  Join join() noexcept;
  size_t live_count() const noexcept { return live_count_; }

 private:
  struct ChildNode : ListNode {
    Scope* scope = nullptr;
    std::coroutine_handle<> handle;
  };

  static Child run(Task<void> task);
  // Takes the ended child away; gives back who goes on now.
  std::coroutine_handle<> remove(ChildNode& child) noexcept;

  Stop stop_;
  IntrusiveList<ChildNode> children_;
  size_t live_count_ = 0;
  std::coroutine_handle<> joiner_;
};

class Scope::Join {
 public:
  explicit Join(Scope& scope) noexcept : scope_(&scope) {}
  ~Join() {
    if (waiting_) scope_->joiner_ = {};
  }
  Join(const Join&) = delete;
  Join& operator=(const Join&) = delete;
  bool await_ready() const noexcept { return scope_->live_count_ == 0; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    CHECK(!scope_->joiner_, "a scope has one joiner");
    scope_->joiner_ = waiter;
    waiting_ = true;
  }
  // The scope may be destroyed from here on, even before this awaiter is.
  void await_resume() noexcept { waiting_ = false; }

 private:
  Scope* scope_;
  bool waiting_ = false;
};

inline Scope::Join Scope::join() noexcept { return Join(*this); }

}  // namespace tandem
