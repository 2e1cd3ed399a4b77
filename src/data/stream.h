// A stream, and its consumer groups.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/copy_on_write.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "data/element.h"
#include "data/stream_node.h"

namespace tandem {

// Consumer groups of a stream, as plain data. The entries that were delivered and not yet
// acknowledged (the PEL) stand once, in the group, with the consumer that has each; a consumer's
// own list is the part of it that names the consumer.
//
// Invariant: every PendingEntry::consumer is a key of StreamGroup::consumers.

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

// The value of a stream key: entries of fields and values, appended under ascending ids, in nodes
// of data/stream_node.h ordered by their first id; and the consumer groups as plain data.
//
// Invariants: a node has at least one live entry; all ids of a node are below the next node's;
// length() is the sum of the live entries; last_id() is never below an entry and never goes back
// except by restore(). Not thread safe. Views are valid until the stream changes.

struct StreamTrim {
  enum class By : uint8_t { kMaxLength, kMinId };

  By by;
  uint64_t max_length = 0;
  StreamId min_id = {};      // entries below it go
  bool approximate = false;  // "~": only whole nodes
  uint64_t limit = 0;  // most entries to remove, 0 for no limit; only whole nodes count against it
};

class Stream {
 public:
  // The counters that are not implied by the entries, as XSETID and RDB set them.
  struct Counters {
    StreamId last_id = {};
    StreamId max_deleted_id = {};  // the greatest id that XDEL removed
    uint64_t entries_added = 0;
  };

  uint64_t length() const { return length_; }
  bool empty() const { return length() == 0; }
  StreamId last_id() const { return counters_.last_id; }
  StreamId first_id() const { return first_id_; }  // of a live entry; 0-0 when empty
  StreamId max_deleted_id() const { return counters_.max_deleted_id; }
  uint64_t entries_added() const { return counters_.entries_added; }
  size_t memory_bytes() const;

  // The id that XADD * takes at this time: never at or below last_id(); nothing when the ids are
  // used up.
  std::optional<StreamId> next_id(uint64_t now_ms) const;
  // field, value, field, value ... (not empty). kInvalid: the id is not above last_id(); kLimit:
  // the entry is too big.
  Result<void> append(StreamId id, std::span<const Bytes> fields_and_values,
                      const EncodingLimits& limits);
  bool erase(StreamId id);  // false: not there
  uint64_t trim(const StreamTrim& trim);

  // Visits the live entries with first <= id <= last, the greatest first if `backwards`; ends early
  // when visit returns false. fields_and_values alternates as in append and lives during the call
  // only.
  using Visit = FunctionRef<bool(StreamId id, std::span<const Element> fields_and_values)>;
  void for_each(StreamId first, StreamId last, bool backwards, Visit visit) const;
  bool contains(StreamId id) const;
  std::optional<StreamId> last_live_id() const;

  StreamGroups& groups() { return groups_; }
  const StreamGroups& groups() const { return groups_; }

  // For RDB: the nodes in order, and the way back. kInvalid: malformed, out of order, or without a
  // live entry.
  size_t node_count() const { return nodes_.size(); }
  void for_each_node(FunctionRef<void(StreamId master, Bytes blob)> visit) const;
  struct SharedNode {
    StreamId master;
    CopyOnWrite<Listpack> pack;
  };
  // The nodes as they are now, readable on any thread whatever becomes of the stream.
  std::vector<SharedNode> share_nodes() const;
  Result<void> append_node(StreamId master, Bytes blob);
  // Sets the counters as they stand in a file, a RESTORE or an XSETID. The caller has checked
  // last_id.
  void restore(const Counters& counters) { counters_ = counters; }

 private:
  using Nodes = std::map<StreamId, StreamNode>;

  Nodes::const_iterator node_for(StreamId id) const;
  StreamNode& node_for_append(StreamId id, std::span<const Bytes> fields_and_values,
                              uint64_t value_bytes, const EncodingLimits& limits);
  void find_first_id();
  uint64_t trim_node(StreamNode& node, const StreamTrim& trim);

  Nodes nodes_;
  uint64_t length_ = 0;
  StreamId first_id_;
  Counters counters_;
  StreamGroups groups_;
};

}  // namespace tandem
