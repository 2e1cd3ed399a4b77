// The armed timers of one loop, soonest first; equal deadlines in the order they were armed. A
// binary heap whose nodes know their place, so that disarming costs a logarithm. Not thread safe.
#pragma once

#include <cstdint>
#include <vector>

#include "io/timer.h"

namespace tandem {

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
