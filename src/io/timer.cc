#include "io/timer.h"

#include <algorithm>

#include "base/clock.h"
#include "io/loop.h"

namespace tandem {

void TimerNode::arm_at_us(int64_t monotonic_us) {
  disarm();
  deadline_us_ = monotonic_us;
  loop_->arm(*this);
}

void TimerNode::arm_after_us(int64_t delay_us) {
  arm_at_us(loop_->clock().monotonic_us() + std::max<int64_t>(delay_us, 0));
}

void TimerNode::disarm() noexcept {
  if (armed()) loop_->disarm(*this);
}

Sleep::Sleep(Loop& loop, int64_t delay_us, StopToken stop)
    : Wait(loop.ready(), stop), TimerNode(loop), delay_us_(delay_us) {}

bool Sleep::await_suspend(std::coroutine_handle<> waiter) {
  if (!begin(waiter)) return false;
  arm_after_us(delay_us_);
  return true;
}

Result<void> Sleep::await_resume() const {
  if (stopped()) return stop_error();
  return {};
}

void Timer::once_after_ms(int64_t delay_ms) {
  period_us_ = 0;
  arm_after_us(delay_ms * 1000);
}

void Timer::every_ms(int64_t period_ms) {
  CHECK(period_ms > 0, "a period is positive");
  period_us_ = period_ms * 1000;
  arm_after_us(period_us_);
}

void Timer::cancel() noexcept {
  period_us_ = 0;
  disarm();
}

void Timer::on_timer() {
  if (period_us_ > 0) {
    const int64_t now_us = loop().clock().monotonic_us();
    const int64_t next_us = deadline_us() + period_us_;
    arm_at_us(next_us > now_us ? next_us : now_us + period_us_);
  }
  callback_();
}

Deadline::Deadline(Loop& loop, int64_t delay_ms, StopToken parent)
    : TimerNode(loop), stop_(parent) {
  arm_after_us(delay_ms * 1000);
}

}  // namespace tandem
