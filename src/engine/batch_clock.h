// An executor's time: read once at the start of a batch and after each command, so that a command
// sees it stand still and no command reads the wall clock.
//
// Confined to the executor's thread.
#pragma once

#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace tandem {

class BatchClock {
 public:
  explicit BatchClock(const Clock& clock) : clock_(clock) { begin_batch(); }

  void begin_batch() {
    monotonic_us_ = clock_.monotonic_us();
    // Between two looks at the wall clock the monotonic one serves as well, at half the price.
    if (monotonic_us_ - batch_monotonic_us_ < kWallClockPeriodUs) return;
    batch_unix_us_ = clock_.unix_us();
    batch_monotonic_us_ = monotonic_us_;
  }
  // Moves on to this moment; gives the time that has passed since the last look.
  int64_t advance() {
    const int64_t now = clock_.monotonic_us();
    const int64_t passed = now - monotonic_us_;
    monotonic_us_ = now;
    return passed;
  }

  // When the last command ended, or the batch began.
  int64_t monotonic_us() const { return monotonic_us_; }
  int64_t unix_us() const { return batch_unix_us_ + monotonic_us_ - batch_monotonic_us_; }
  int64_t unix_ms() const { return unix_us() / 1000; }

 private:
  static constexpr int64_t kWallClockPeriodUs = 500;

  const Clock& clock_;
  int64_t monotonic_us_ = 0;
  int64_t batch_unix_us_ = 0;
  int64_t batch_monotonic_us_ = std::numeric_limits<int64_t>::min() / 2;
};

}  // namespace tandem
