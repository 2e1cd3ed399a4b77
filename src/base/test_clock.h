// The clock of tests. For tests only.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace tandem {

// Stands still until the test moves it; with a step, it goes on by itself at each look at the
// monotonic time. Wall time and monotonic time are the same number.
//
// Thread safety: any thread may look at it and move it; the step is set before threads share it.
class TestClock final : public Clock {
 public:
  static constexpr int64_t kStartUs = 1'000'000'000;  // Unix time 1,000,000 ms

  explicit TestClock(int64_t start_us = kStartUs) : now_us(start_us) {}

  int64_t unix_us() const override { return now_us.load(); }
  int64_t monotonic_us() const override {
    ++looks;
    return now_us.fetch_add(step_us);
  }

  mutable std::atomic<int64_t> now_us;
  mutable std::atomic<int64_t> looks{0};  // at the monotonic time
  int64_t step_us = 0;
};

}  // namespace tandem
