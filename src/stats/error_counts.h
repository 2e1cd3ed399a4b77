// How often each error code was answered ("ERR", "WRONGTYPE").
//
// Threads: any; an error costs a lock.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/lock.h"
#include "base/metric.h"

namespace tandem {

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
