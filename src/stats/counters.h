// Numbers that the server keeps of itself: rates, and errors by their first word.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>

#include "base/bytes.h"
#include "base/lock.h"
#include "base/metric.h"

namespace tandem {

// How fast one counter grows with another, over the last sixteen samples: bytes with the time, an
// event loop's time with its turns.
//
// Threads: sample() belongs to one; the rest to any.
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

// How often each error code was answered ("ERR", "WRONGTYPE").
//
// Threads: any; an error costs a lock.
class ErrorCounts {
 public:
  // Codes counted apart; others beyond them are not counted, for scripts can make up their own.
  static constexpr size_t kCodesMax = 128;
  static constexpr size_t kCodeBytesMax = 32;

  // `reply` begins with the error's minus. A text of one word, as scripts may answer, has no code
  // of its own.
  void count(Bytes reply) {
    const size_t end = reply.substr(0, kCodeBytesMax).find_first_of(" \r");
    const bool coded = end != Bytes::npos && reply[end] == ' ';
    const Bytes code = coded ? reply.substr(1, end - 1) : "ERR";
    const Guard guard(lock_);
    ++total_;
    auto found = counts_.find(code);
    if (found == counts_.end()) {
      if (counts_.size() >= kCodesMax) return;
      found = counts_.emplace(std::string(code), 0).first;
    }
    ++found->second;
  }
  // Of all codes.
  uint64_t total() const {
    const Guard guard(lock_);
    return total_;
  }
  std::map<std::string, uint64_t, std::less<>> list() const {
    const Guard guard(lock_);
    return counts_;
  }
  void reset() {
    const Guard guard(lock_);
    counts_.clear();
    total_ = 0;
  }

  // Sections: stats, errorstats. This outlives the tables.
  MetricTables metrics();

 private:
  mutable Lock lock_;
  uint64_t total_ TANDEM_GUARDED_BY(lock_) = 0;
  std::map<std::string, uint64_t, std::less<>> counts_ TANDEM_GUARDED_BY(lock_);
};

}  // namespace tandem
