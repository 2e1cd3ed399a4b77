// Events a second over the last second and a half, from samples of a growing counter. Sampled by
// one thread, read by any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace tandem {

class Rate {
 public:
  // About every 100 ms.
  void sample(uint64_t total, int64_t monotonic_ms) {
    const int64_t elapsed_ms = monotonic_ms - last_ms_;
    if (last_ms_ != 0 && elapsed_ms > 0) {
      constexpr uint64_t kMsPerSecond = 1000;
      const uint64_t grown = total > last_total_ ? total - last_total_ : 0;
      sum_ -= samples_[next_];
      samples_[next_] = grown * kMsPerSecond / static_cast<uint64_t>(elapsed_ms);
      sum_ += samples_[next_];
      next_ = (next_ + 1) % samples_.size();
      per_second_.store(sum_ / samples_.size(), std::memory_order_relaxed);
    }
    last_ms_ = monotonic_ms;
    last_total_ = total;
  }
  uint64_t per_second() const { return per_second_.load(std::memory_order_relaxed); }

 private:
  std::array<uint64_t, 16> samples_{};
  size_t next_ = 0;
  uint64_t sum_ = 0;
  uint64_t last_total_ = 0;
  int64_t last_ms_ = 0;
  std::atomic<uint64_t> per_second_{0};
};

}  // namespace tandem
