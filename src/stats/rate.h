// How fast one counter grows with another, over the last sixteen samples: bytes with the time, an
// event loop's time with its turns.
//
// Threads: sample() belongs to one; the rest to any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <numeric>

namespace tandem {

class Rate {
 public:
  // About every 100 ms. A counter that is smaller than before was reset: it has not grown.
  void sample(int64_t total, int64_t base) {
    if (forget_.exchange(false)) {
      samples_ = {};
      sampled_ = false;
    }
    const int64_t passed = base - last_base_;
    if (sampled_ && passed > 0) {
      const int64_t grown = total > last_total_ ? total - last_total_ : 0;
      samples_[next_] = static_cast<double>(grown) / static_cast<double>(passed);
      next_ = (next_ + 1) % samples_.size();
      value_.store(std::accumulate(samples_.begin(), samples_.end(), 0.0) /
                   static_cast<double>(samples_.size()));
    }
    sampled_ = true;
    last_base_ = base;
    last_total_ = total;
  }
  // CONFIG RESETSTAT.
  void reset() {
    forget_.store(true);
    value_.store(0);
  }
  double value() const { return value_.load(); }

 private:
  std::array<double, 16> samples_{};
  size_t next_ = 0;
  bool sampled_ = false;
  int64_t last_total_ = 0;
  int64_t last_base_ = 0;
  std::atomic<bool> forget_{false};
  std::atomic<double> value_{0};
};

}  // namespace tandem
