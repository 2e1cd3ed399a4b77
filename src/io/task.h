// Task<T>: a coroutine that somebody awaits. Lazy: it starts when awaited (or spawned into a Scope,
// io/scope.h), and hands its result to exactly one awaiter. Move-only; the Task owns its frame.
// Destroying a Task that is suspended destroys its frame and everything in it, innermost first;
// that is safe because every awaitable of io/ takes itself away from its source in its destructor.
// Destroying one that is running is a mistake of the program. Threads: a task runs on the thread of
// the loop that resumes it and stays there. There are no exceptions: one that escapes a coroutine
// ends the program. Parameters of a coroutine are taken by value, or by reference to what its
// Scope's owner keeps alive; a lambda with captures is never a coroutine.
#pragma once

#include <coroutine>
#include <optional>
#include <utility>

#include "base/check.h"

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

}  // namespace tandem
