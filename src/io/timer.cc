#include "io/timer.h"

#include <algorithm>

#include "base/check.h"
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

bool TimerHeap::before(const TimerNode& a, const TimerNode& b) noexcept {
  if (a.deadline_us() != b.deadline_us()) return a.deadline_us() < b.deadline_us();
  return a.order < b.order;
}

void TimerHeap::place(size_t slot, TimerNode* node) noexcept {
  nodes_[slot] = node;
  node->slot = slot;
}

void TimerHeap::insert(TimerNode& node) {
  CHECK(!node.armed(), "a timer is armed once");
  node.order = next_order_++;
  node.slot = nodes_.size();
  nodes_.push_back(&node);
  sift_up(node.slot);
}

void TimerHeap::remove(TimerNode& node) noexcept {
  const size_t slot = node.slot;
  CHECK(slot < nodes_.size() && nodes_[slot] == &node, "the timer is armed here");
  node.slot = TimerNode::kUnarmed;
  TimerNode* last = nodes_.back();
  nodes_.pop_back();
  if (last == &node) return;
  place(slot, last);
  sift_up(slot);
  sift_down(last->slot);
}

void TimerHeap::sift_up(size_t slot) noexcept {
  TimerNode* node = nodes_[slot];
  while (slot > 0) {
    const size_t parent = (slot - 1) / 2;
    if (!before(*node, *nodes_[parent])) break;
    place(slot, nodes_[parent]);
    slot = parent;
  }
  place(slot, node);
}

void TimerHeap::sift_down(size_t slot) noexcept {
  TimerNode* node = nodes_[slot];
  for (;;) {
    size_t child = slot * 2 + 1;
    if (child >= nodes_.size()) break;
    if (child + 1 < nodes_.size() && before(*nodes_[child + 1], *nodes_[child])) child++;
    if (!before(*nodes_[child], *node)) break;
    place(slot, nodes_[child]);
    slot = child;
  }
  place(slot, node);
}

}  // namespace tandem
