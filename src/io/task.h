// Task<T>: a coroutine that somebody awaits. Lazy: it starts when awaited (or spawned into a Scope,
// io/task.h), and hands its result to exactly one awaiter. Move-only; the Task owns its frame.
// Destroying a Task that is suspended destroys its frame and everything in it, innermost first;
// that is safe because every awaitable of io/ takes itself away from its source in its destructor.
// Destroying one that is running is a mistake of the program. Threads: a task runs on the thread of
// the loop that resumes it and stays there. There are no exceptions: one that escapes a coroutine
// ends the program. Parameters of a coroutine are taken by value, or by reference to what its
// Scope's owner keeps alive; a lambda with captures is never a coroutine.
#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/check.h"
#include "io/wait.h"

namespace tandem {

template <class T = void>
class Task;

// What promises of all result types share; not for use outside this file.
class TaskPromiseBase {
 public:
  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      return ended.promise().continuation();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept {
    check_failed(__FILE__, __LINE__, "no exception", "an exception left a coroutine");
  }
  std::coroutine_handle<> continuation() const noexcept { return continuation_; }
  void set_continuation(std::coroutine_handle<> handle) noexcept { continuation_ = handle; }

 private:
  std::coroutine_handle<> continuation_ = std::noop_coroutine();
};

template <class T>
class TaskPromise final : public TaskPromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() const noexcept {}
};

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  class Awaiter {
   public:
    explicit Awaiter(Handle handle) noexcept : handle_(handle) {}
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) const noexcept {
      handle_.promise().set_continuation(waiter);
      return handle_;
    }
    T await_resume() const { return handle_.promise().take(); }

   private:
    Handle handle_;
  };

  Task() noexcept = default;
  explicit Task(Handle handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() { reset(); }

  Awaiter operator co_await() && {
    CHECK(handle_ && !handle_.done(), "a task is awaited once");
    return Awaiter(handle_);
  }

 private:
  void reset() noexcept {
    if (handle_) std::exchange(handle_, {}).destroy();
  }

  Handle handle_;
};

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

// Scope: the owner of tasks. Each task of the program belongs to one; a scope can ask its tasks to
// stop, wait for them, and destroys those that are still suspended when it dies itself. Confined to
// one loop's thread. Must not be destroyed from inside one of its own tasks.
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
