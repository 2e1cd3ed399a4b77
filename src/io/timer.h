// What hangs on a loop's clock: the node that loops understand, and the three things made of it.
// sleep_us and sleep_ms are on the Loop itself. Confined to the loop's thread; the loop outlives
// them; each disarms itself when destroyed. A real loop's timers fire up to a millisecond late,
// never early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "io/wait.h"

namespace tandem {

class Loop;
using Callback = std::move_only_function<void()>;

// Something due at a time of the loop's monotonic clock. `slot` and `order` are the loop's own
// bookkeeping.
class TimerNode {
 public:
  static constexpr size_t kUnarmed = SIZE_MAX;

  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;
  bool armed() const noexcept { return slot != kUnarmed; }
  void arm_at_us(int64_t monotonic_us);
  void arm_after_us(int64_t delay_us);
  void disarm() noexcept;
  Loop& loop() const noexcept { return *loop_; }
  int64_t deadline_us() const noexcept { return deadline_us_; }

  // Called by the loop once the node is disarmed again; may destroy the node.
  virtual void on_timer() = 0;

  size_t slot = kUnarmed;
  uint64_t order = 0;

 protected:
  explicit TimerNode(Loop& loop) noexcept : loop_(&loop) {}
  ~TimerNode() { disarm(); }

 private:
  Loop* loop_;
  int64_t deadline_us_ = 0;
};

// co_await: Result<void>, an error only when stopped.
class Sleep final : public Wait, private TimerNode {
 public:
  Sleep(Loop& loop, int64_t delay_us, StopToken stop);
  ~Sleep() {
    if (waiting()) abandon();
  }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter);
  Result<void> await_resume() const;

 private:
  void abandon() noexcept override { disarm(); }
  void on_timer() override { complete(); }

  int64_t delay_us_;
};

// Calls back once or again and again, for work that is no task. The callback must not destroy the
// timer.
class Timer final : private TimerNode {
 public:
  Timer(Loop& loop, Callback callback) : TimerNode(loop), callback_(std::move(callback)) {}
  void once_after_ms(int64_t delay_ms);
  // First after one period. A period that could not be kept is skipped, not made up for.
  void every_ms(int64_t period_ms);
  void cancel() noexcept;

 private:
  void on_timer() override;

  Callback callback_;
  int64_t period_us_ = 0;
};

// A stop that requests itself when its time is over: waits that hold its token end with kTimeout
// then, and with the parent's reason when the parent is asked to stop.
//   Deadline deadline(loop, 5000, stop);
//   auto count = co_await stream.read(buffer, deadline.token());
class Deadline final : private TimerNode {
 public:
  Deadline(Loop& loop, int64_t delay_ms, StopToken parent = {});
  StopToken token() noexcept { return stop_.token(); }
  // Starts the time anew; without effect once it was over.
  void restart_ms(int64_t delay_ms) { arm_after_us(delay_ms * 1000); }
  bool expired() const noexcept {
    return stop_.requested() && stop_.reason() == ErrorCode::kTimeout;
  }

 private:
  void on_timer() override { stop_.request(ErrorCode::kTimeout); }

  Stop stop_;
};

// The armed timers of one loop, soonest first; equal deadlines in the order they were armed. A
// binary heap whose nodes know their place, so that disarming costs a logarithm. Not thread safe.
class TimerHeap {
 public:
  bool empty() const noexcept { return nodes_.empty(); }
  TimerNode& soonest() const noexcept { return *nodes_.front(); }
  void insert(TimerNode& node);
  void remove(TimerNode& node) noexcept;
  // What the next timer to be armed gets as its `order`.
  uint64_t next_order() const noexcept { return next_order_; }

 private:
  static bool before(const TimerNode& a, const TimerNode& b) noexcept;
  void place(size_t slot, TimerNode* node) noexcept;
  void sift_up(size_t slot) noexcept;
  void sift_down(size_t slot) noexcept;

  std::vector<TimerNode*> nodes_;
  uint64_t next_order_ = 0;
};

}  // namespace tandem
