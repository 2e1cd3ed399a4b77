// Consumer groups of a stream, as plain data. The entries that were delivered and not yet
// acknowledged (the PEL) stand once, in the group, with the consumer that has each; a consumer's
// own list is the part of it that names the consumer.
//
// Invariant: every PendingEntry::consumer is a key of StreamGroup::consumers.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "data/stream_id.h"

namespace tandem {

struct PendingEntry {
  std::string consumer;
  int64_t delivery_time_ms = 0;  // Unix time of the last delivery
  uint64_t delivery_count = 0;
};

struct StreamConsumer {
  int64_t seen_time_ms = 0;     // Unix time of the last attempt to read
  int64_t active_time_ms = -1;  // Unix time of the last successful read; -1: never
};

struct StreamGroup {
  static constexpr int64_t kEntriesReadUnknown = -1;

  StreamId last_id = {};
  int64_t entries_read = kEntriesReadUnknown;
  std::map<StreamId, PendingEntry> pending;
  std::map<std::string, StreamConsumer, std::less<>> consumers;
};

using StreamGroups = std::map<std::string, StreamGroup, std::less<>>;

}  // namespace tandem
