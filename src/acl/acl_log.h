// What was denied lately, for ACL LOG, and how often anything was, for INFO.
//
// Threads: any. What is denied costs a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/lock.h"
#include "base/metric.h"
#include "engine/rights.h"

namespace tandem {

// The first three as DenialReason.
enum class AclEventKind : uint8_t { kCommand, kKey, kChannel, kAuthentication };

struct AclEvent {
  AclEventKind kind = AclEventKind::kCommand;
  DenialContext context = DenialContext::kAlone;
  std::string object = {};       // the command, key or channel; of a login the word asked with
  std::string user = {};         // who was denied, or wanted to be it
  std::string client_info = {};  // CLIENT LIST's line
  int64_t unix_ms = 0;
};

class AclLog {
 public:
  // Events in a row, told as one.
  struct Entry {
    AclEvent last;
    int64_t count = 1;
    int64_t id = 0;  // grows, and is never used twice
    int64_t created_ms = 0;
  };

  // What is the same but for the client, and about as old, becomes a part of an entry that is among
  // the newest. At most `entries_max` are kept, the newest.
  void add(AclEvent event, size_t entries_max);
  // The newest first.
  std::vector<Entry> entries(size_t count) const;
  void reset();
  uint64_t count(AclEventKind kind) const {
    return counts_[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
  }

 private:
  static constexpr size_t kKinds = 4;
  std::array<std::atomic<uint64_t>, kKinds> counts_{};
  mutable Lock lock_;
  std::deque<Entry> entries_ TANDEM_GUARDED_BY(lock_);
  int64_t next_id_ TANDEM_GUARDED_BY(lock_) = 0;
};

// Section: stats. It outlives the table.
MetricTable acl_metrics(const AclLog& log);

}  // namespace tandem
