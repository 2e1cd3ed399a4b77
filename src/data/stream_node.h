// What a stream is made of: ids, and the nodes that hold its entries.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/copy_on_write.h"
#include "base/function_ref.h"
#include "data/element.h"
#include "data/listpack.h"

namespace tandem {

inline constexpr size_t kStreamIdBytes = 16;  // of an id as a sequence of bytes

// The id of a stream entry: milliseconds and a sequence number, ordered by both.
struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  auto operator<=>(const StreamId&) const = default;

  // The neighbours; nothing beyond 0-0 and the greatest id.
  std::optional<StreamId> next() const;
  std::optional<StreamId> previous() const;

  std::string text() const;  // "ms-seq"
  // kStreamIdBytes that sort as the ids do: the key of a node in RDB.
  std::string big_endian() const;
  static StreamId from_big_endian(Bytes key);
};

inline constexpr StreamId kStreamIdMin{};
inline constexpr StreamId kStreamIdMax{std::numeric_limits<uint64_t>::max(),
                                       std::numeric_limits<uint64_t>::max()};

// A node of a stream: a listpack of entries in Redis's layout, which RDB carries verbatim under the
// big-endian id of the node. All ids in it are stored as differences to that id.
//
//   node   = count deleted field-count field* 0 entry*    the master entry, then the entries
//   entry  = flags ms-difference seq-difference body piece-count
//   body   = value*                                  as many as field-count, where flags has
//                                                    kSameFields
//          | field-count (field value)*              otherwise
//
// count and deleted are how many entries live and how many carry kDeleted; the sequence difference
// is to the node's own sequence number, modulo 2^64. piece-count is the number of elements of the
// entry without itself: field-count + 3 in the first form, 2 * field-count + 4 in the second; it
// lets a reader walk backwards.

inline constexpr int64_t kStreamEntryDeleted = 1;
inline constexpr int64_t kStreamEntrySameFields = 2;

class StreamNode {
 public:
  // Deep check of bytes from outside: the layout above, and the ids ascending.
  static bool validate(StreamId master, Bytes blob);

  // A node whose first entry, with these fields, will have the id `master`; it is not in it yet.
  StreamNode(StreamId master, std::span<const Bytes> fields_and_values);
  // Of bytes that passed validate().
  StreamNode(StreamId master, Listpack valid) : master_(master), pack_(std::move(valid)) {}
  // A copy costs a count, and stays what it was.
  StreamNode(const StreamNode& other) : master_(other.master_), pack_(other.pack_.share()) {}
  StreamNode(StreamNode&&) noexcept = default;
  StreamNode& operator=(StreamNode&&) noexcept = default;
  ~StreamNode() = default;

  const StreamId& master() const { return master_; }
  const Listpack& pack() const { return *pack_; }
  uint64_t live() const;
  uint64_t deleted() const;
  // The id of the last entry, deleted or not; the node has entries.
  StreamId last_id() const;

  void append(StreamId id, std::span<const Bytes> fields_and_values);

  // An entry found by a walk. `at` is where its flags stand.
  struct Entry {
    StreamId id;
    bool is_deleted;
    bool same_fields;
    Listpack::Position at;
    Listpack::Position body;  // field-count, or the first value
    Listpack::Position after;
    uint64_t field_count;
  };
  // Walks the entries, deleted ones too, until visit returns false.
  void walk(bool backwards, FunctionRef<bool(const Entry&)> visit) const;
  // Field, value, field, value, ...; the Elements view into the node.
  void read_fields(const Entry& entry, std::vector<Element>& out) const;
  // Marks a live entry as deleted. Positions may move: the counters can change their width.
  void mark_deleted(const Entry& entry);
  // Marks the live entries from the start on as long as `wanted`; returns how many.
  uint64_t mark_deleted_while(FunctionRef<bool(StreamId)> wanted);

 private:
  void set_flag_deleted(const Entry& entry);
  void count_deleted(uint64_t entries);
  Listpack::Position first_entry() const;
  Entry entry_at(Listpack::Position at) const;
  Listpack::Position start_before(Listpack::Position after) const;

  StreamId master_;
  CopyOnWrite<Listpack> pack_;
};

struct ByMaster {
  using Key = StreamId;
  using Stored = StreamId;
  static const StreamId& of(const StreamNode& node) { return node.master(); }
};

}  // namespace tandem
