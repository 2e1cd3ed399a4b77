#include "io/timer_heap.h"

#include "base/check.h"

namespace tandem {

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
