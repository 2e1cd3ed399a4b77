// The value of a stream key: entries of fields and values, appended under ascending ids, in nodes
// of data/stream_node.h ordered by their first id; and the consumer groups that read them
// (data/stream_group.h).
//
// A copy costs a count, however large the stream is, and stays what it was, readable on any thread:
// nodes and groups lie in trees whose parts are shared until somebody changes them. Whoever changes
// a stream that is shared copies what the change touches: some nodes of these trees, one node of
// the stream.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "data/copy_on_write_tree.h"
#include "data/element.h"
#include "data/stream_group.h"
#include "data/stream_node.h"

namespace tandem {

struct StreamTrim {
  enum class By : uint8_t { kMaxLength, kMinId };

  By by;
  uint64_t max_length = 0;
  StreamId min_id = {};      // entries below it go
  bool approximate = false;  // "~": only whole nodes
  uint64_t limit = 0;  // most entries to remove, 0 for no limit; only whole nodes count against it
};

// Invariants: a node has at least one live entry; all ids of a node are below the next node's;
// length() is the sum of the live entries; last_id() is never below an entry and never goes back
// except by restore(). Not thread safe. Views are valid until the stream changes.
class Stream {
 public:
  using Nodes = CopyOnWriteTree<StreamNode, ByMaster>;
  using Groups = CopyOnWriteTree<StreamGroup, ByName>;

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
  // Whether it has at least so many nodes, groups, consumers and pending entries together. Looks at
  // no more groups than that.
  bool has_parts(size_t count) const;

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

  const Groups& groups() const { return groups_; }
  // Null: there is none of this name. It stays where it is until a group comes or goes.
  StreamGroup* write_group(Bytes name) { return groups_.write(name); }
  // False: the name is taken.
  bool add_group(StreamGroup group) { return groups_.insert(std::move(group)).second; }
  // May take long to free.
  std::optional<StreamGroup> take_group(Bytes name) { return groups_.take(name); }

  // How far groups have read is counted in all entries that the stream ever had. The count is kept
  // as long as no XDEL has removed an entry that was still to be read; else it is known only at the
  // stream's ends.

  // How many entries there were up to this id; StreamGroup::kEntriesReadUnknown where nobody can
  // say.
  int64_t entries_up_to(StreamId id) const;
  // Entries that the group has still to read.
  std::optional<int64_t> lag(const StreamGroup& group) const;
  // The group goes on to an entry that is delivered, the next one above its last id.
  void note_delivery(StreamGroup& group, StreamId id) const;

  // For RDB: the nodes in order, and the way back. kInvalid: malformed, out of order, or without a
  // live entry.
  const Nodes& nodes() const { return nodes_; }
  Result<void> append_node(StreamId master, Bytes blob);
  // Sets the counters as they stand in a file, a RESTORE or an XSETID. The caller has checked
  // last_id.
  void restore(const Counters& counters) { counters_ = counters; }

 private:
  StreamNode& node_for_append(StreamId id, std::span<const Bytes> fields_and_values,
                              uint64_t value_bytes, const EncodingLimits& limits);
  void find_first_id();
  uint64_t trim_first_node(const StreamTrim& trim);
  bool has_tombstones() const;
  bool has_tombstone_from(StreamId id) const;

  Nodes nodes_;
  uint64_t length_ = 0;
  StreamId first_id_;
  Counters counters_;
  Groups groups_;
};

}  // namespace tandem
