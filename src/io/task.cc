// A child is a small coroutine around the task. When it ends it takes itself out of the scope,
// destroys its own frame and transfers to the joiner if it was the last; nothing of the scope is
// touched after that.
#include "io/task.h"

#include <utility>

#include "base/check.h"

namespace tandem {

class Scope::Child {
 public:
  struct promise_type : ChildNode {
    struct Final {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(
          std::coroutine_handle<promise_type> ended) const noexcept {
        std::coroutine_handle<> next = ended.promise().scope->remove(ended.promise());
        ended.destroy();
        return next;
      }
      void await_resume() const noexcept {}
    };
    Child get_return_object() noexcept {
      return Child{std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept {
      check_failed(__FILE__, __LINE__, "no exception", "an exception left a task");
    }
  };

  std::coroutine_handle<promise_type> handle;
};

Scope::Child Scope::run(Task<void> task) { co_await std::move(task); }

Scope::~Scope() {
  // The youngest first, as locals are destroyed.
  while (!children_.empty()) {
    ChildNode& child = children_.back();
    child.unlink();
    live_count_--;
    child.handle.destroy();
  }
}

void Scope::spawn(Task<void> task) {
  std::coroutine_handle<Child::promise_type> handle = run(std::move(task)).handle;
  Child::promise_type& child = handle.promise();
  child.scope = this;
  child.handle = handle;
  children_.push_back(child);
  live_count_++;
  handle.resume();
}

std::coroutine_handle<> Scope::remove(ChildNode& child) noexcept {
  child.unlink();
  live_count_--;
  if (live_count_ > 0 || !joiner_) return std::noop_coroutine();
  return std::exchange(joiner_, {});
}

}  // namespace tandem
