// Loop: one thread's event loop, and all the waiting that is not about sockets. Implemented by
// libuv (io/uv_loop.h) and by the simulated world (sim/).
//
// Threads: confined to the thread that calls run(), but for post(), stop() and Doorbell::ring().
// Before run() it belongs to the thread that made it. Lifetime: everything that names a loop
// (timers, streams, scopes of tasks that wait) dies before it does.
//
// A turn: timers and sockets that are due resume their tasks; what those make ready runs in the
// same turn; then the BeforeSleep hooks run, and the loop waits in the kernel for the next event.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/lock.h"
#include "base/result.h"
#include "io/timer.h"
#include "io/wait.h"

namespace tandem {

class Doorbell;
class BeforeSleep;
class RestOfTurn;

// Work off the loop: run() on some other thread, then done() on the loop's, then it is destroyed.
class Work {
 public:
  virtual ~Work() = default;
  virtual void run() = 0;
  virtual void done() = 0;
};

// Holding it keeps a signal's callback; destroying it gives the signal its default action back.
class SignalHandler {
 public:
  virtual ~SignalHandler() = default;
};

template <class Function>
class Offload;

class Loop {
 public:
  Loop() = default;
  virtual ~Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  virtual const Clock& clock() const = 0;

  // Turns until stop(). May be called again afterwards.
  virtual void run() = 0;
  // Any thread: run() returns soon; a stop before run() makes it return after its first turn.
  void stop();
  // Any thread: calls `callback` on the loop's thread, soon, in the order of posting. Those not
  // called yet when the loop dies are dropped.
  void post(Callback callback);

  // co_await: Result<void>, an error only when stopped. sleep_us(0) lets a whole turn pass.
  Sleep sleep_us(int64_t delay_us, StopToken stop = {}) { return Sleep(*this, delay_us, stop); }
  Sleep sleep_ms(int64_t delay_ms, StopToken stop = {}) {
    return Sleep(*this, delay_ms * 1000, stop);
  }

  // co_await: Result<void>, an error only when stopped. Lets the sockets and timers that are due in
  // this turn come first; before the hooks and the sleep the task goes on.
  RestOfTurn rest_of_turn(StopToken stop = {}) noexcept;

  // co_await: Result of function(), called on another thread. When the wait is stopped or destroyed
  // the function still runs to its end, so it owns what it touches.
  template <class Function>
  Offload<Function> offload(Function function, StopToken stop = {});

  // One handler a signal and program (SIGTERM, SIGINT, SIGHUP), on one loop.
  virtual std::unique_ptr<SignalHandler> handle_signal(int signal, Callback callback) = 0;

  // For the awaitables of io/.
  ReadyQueue& ready() noexcept { return ready_; }
  virtual void arm(TimerNode& timer) = 0;
  virtual void disarm(TimerNode& timer) noexcept = 0;
  virtual void submit(std::unique_ptr<Work> work) = 0;

 protected:
  // Any thread: the inbox has something; the loop must not sleep on it.
  virtual void wake() = 0;

  // Runs what other threads (or this one) posted and rang up to now.
  void run_inbox();
  bool inbox_empty() const noexcept { return inbox_count_.load(std::memory_order_seq_cst) == 0; }
  // Resumes what is ready and runs the hooks, until nothing is ready.
  void settle();
  // True once for each stop().
  bool take_stop() noexcept { return stop_requested_.exchange(false); }
  bool stop_pending() const noexcept { return stop_requested_.load(); }
  // Forgets hooks, posted callbacks and ready tasks: a simulated crash.
  void forget_all();

 private:
  friend class Doorbell;
  friend class BeforeSleep;

  void count_in() noexcept { inbox_count_.fetch_add(1, std::memory_order_seq_cst); }

  ReadyQueue ready_;
  IntrusiveList<BeforeSleep> hooks_;

  std::atomic<bool> stop_requested_{false};
  std::atomic<uint32_t> inbox_count_{0};
  Lock inbox_lock_;
  std::vector<Callback> posted_ TANDEM_GUARDED_BY(inbox_lock_);
  IntrusiveList<Doorbell> rung_ TANDEM_GUARDED_BY(inbox_lock_);
};

// A callback of the loop's thread that any thread can ring for. Rings before the callback has run
// coalesce; a ring when already rung costs a fence and one load. What was published (by its own
// atomics or lock) before ring() is seen by the callback. Made and destroyed on the loop's thread;
// whoever rings is gone before that.
class Doorbell final : public ListNode {
 public:
  Doorbell(Loop& loop, Callback on_ring) : loop_(loop), on_ring_(std::move(on_ring)) {}
  ~Doorbell();
  void ring() {
    // Orders the caller's publishing before the load: without it a ring could pass unseen between
    // the two.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!rung_.load(std::memory_order_relaxed)) ring_first();
  }

 private:
  friend class Loop;
  void ring_first();
  void answer();

  Loop& loop_;
  Callback on_ring_;
  std::atomic<bool> rung_{false};
};

// A hook that runs each turn before the loop sleeps, as long as it lives: sessions flush their
// replies there. What it makes ready still runs in this turn, and the hooks run again after it.
class BeforeSleep final : public ListNode {
 public:
  BeforeSleep(Loop& loop, Callback hook) : hook_(std::move(hook)) { loop.hooks_.push_back(*this); }

 private:
  friend class Loop;
  Callback hook_;
};

class RestOfTurn final : public Wait {
 public:
  RestOfTurn(Loop& loop, StopToken stop) noexcept : Wait(loop.ready(), stop) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) noexcept {
    if (!begin(waiter)) return false;
    complete_soon();
    return true;
  }
  Result<void> await_resume() const {
    if (stopped()) return stop_error();
    return {};
  }

 private:
  void abandon() noexcept override {}
};

inline RestOfTurn Loop::rest_of_turn(StopToken stop) noexcept { return RestOfTurn(*this, stop); }

template <class Function>
class Offload final : public Wait {
 public:
  using Value = std::invoke_result_t<Function&>;

  Offload(Loop& loop, Function function, StopToken stop)
      : Wait(loop.ready(), stop), loop_(loop), function_(std::move(function)) {}
  ~Offload() {
    if (waiting()) abandon();
  }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    if (!begin(waiter)) return false;
    auto item = std::make_unique<Item>(std::move(function_), *this);
    item_ = item.get();
    loop_.submit(std::move(item));
    return true;
  }
  Result<Value> await_resume() {
    if (stopped()) return stop_error();
    if constexpr (std::is_void_v<Value>) {
      return {};
    } else {
      return std::move(*value_);
    }
  }

 private:
  using Kept = std::conditional_t<std::is_void_v<Value>, bool, Value>;

  struct Item final : Work {
    Item(Function f, Offload& waiter) : function(std::move(f)), owner(&waiter) {}
    void run() override {
      if constexpr (std::is_void_v<Value>) {
        function();
      } else {
        value.emplace(function());
      }
    }
    void done() override {
      if (!owner) return;
      owner->value_ = std::move(value);
      owner->complete();
    }
    Function function;
    Offload* owner;
    std::optional<Kept> value;
  };

  void abandon() noexcept override { item_->owner = nullptr; }

  Loop& loop_;
  Function function_;
  Item* item_ = nullptr;
  std::optional<Kept> value_;
};

template <class Function>
Offload<Function> Loop::offload(Function function, StopToken stop) {
  return Offload<Function>(*this, std::move(function), stop);
}

}  // namespace tandem
