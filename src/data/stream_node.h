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

// A node of a stream: entries that follow each other, in one piece of memory. All ids in it are
// stored as differences to the id of the node, its master id. The first entry's fields stand at the
// start, once for all entries that have the same.
//
//   node   = field* entry*
//   entry  = flags ms-difference seq-difference body length
//   body   = value*                                  of the node's fields, where flags has
//                                                    kSameFields
//          | field-count (field value)*              otherwise
//
// Fields and values are encoded as in a listpack (data/encoded_element.h), differences and counts
// as numbers of 7 bits a byte, the lowest first; the sequence difference, which is modulo 2^64,
// with its sign in the lowest bit. length is that of the entry without itself, and is read from
// right to left, as a listpack's backlen: it lets a reader walk backwards.
//
// Redis has a listpack here, which takes half as much again; RDB carries that one (listpack() and
// from_listpack(), stream_node_listpack.cc). How full a node may be is counted in its bytes, so
// that entries lie in the same nodes as in Redis, which clients see when a stream is trimmed.
class StreamNode {
 public:
  // A node whose first entry, with these fields, will have the id `master`; it is not in it yet.
  StreamNode(StreamId master, std::span<const Bytes> fields_and_values);
  // Of bytes from outside. Nothing: they are not well formed, or the ids in them do not ascend.
  static std::optional<StreamNode> from_listpack(StreamId master, Bytes blob);
  // A copy costs a count, and stays what it was.
  StreamNode(const StreamNode& other) : master_(other.master_), body_(other.body_.share()) {}
  StreamNode(StreamNode&&) noexcept = default;
  StreamNode& operator=(StreamNode&&) noexcept = default;
  ~StreamNode() = default;

  const StreamId& master() const { return master_; }
  uint64_t live() const { return body_->live; }
  uint64_t deleted() const { return body_->deleted; }
  // The id of the last entry, deleted or not; the node has entries.
  StreamId last_id() const;
  size_t memory_bytes() const { return sizeof(Body) + body_->bytes.capacity(); }

  std::string listpack() const;
  // How long it is.
  uint64_t listpack_bytes() const;

  void append(StreamId id, std::span<const Bytes> fields_and_values);
  // No more entries are to come.
  void shrink_to_fit();

  using Position = uint32_t;  // an offset into the node's bytes, until it changes

  // An entry found by a walk. `at` is where it begins.
  struct Entry {
    StreamId id;
    bool is_deleted;
    bool same_fields;
    Position at;
    Position body;  // the first value, or the first field of its own
    uint64_t field_count;
  };
  // Walks the entries, deleted ones too, until visit returns false.
  void walk(bool backwards, FunctionRef<bool(const Entry&)> visit) const;
  // Field, value, field, value, ...; the Elements view into the node.
  void read_fields(const Entry& entry, std::vector<Element>& out) const;
  // Marks a live entry as deleted.
  void mark_deleted(const Entry& entry);
  // Marks the live entries from the start on as long as `wanted`; returns how many.
  uint64_t mark_deleted_while(FunctionRef<bool(StreamId)> wanted);

 private:
  class Writer;
  class Reader;

  struct Body {
    uint32_t live = 0;
    uint32_t deleted = 0;
    uint32_t field_count = 0;
    Position entries_at = 0;
    uint64_t listpack_bytes = 0;  // without the two counts of entries
    std::vector<uint8_t> bytes;

    Body copy() const { return *this; }
  };

  explicit StreamNode(StreamId master) : master_(master) {}

  const uint8_t* byte(Position at) const { return body_->bytes.data() + at; }
  Position end() const { return static_cast<Position>(body_->bytes.size()); }
  bool has_same_fields(std::span<const Bytes> fields_and_values) const;
  Entry entry_at(Position at) const;
  Position after(const Entry& entry) const;
  Position start_before(Position after) const;
  void end_fields(uint64_t count);
  void begin_entry(Writer& out, uint8_t flags, StreamId id) const;

  StreamId master_;
  CopyOnWrite<Body> body_;
};

struct ByMaster {
  using Key = StreamId;
  using Stored = StreamId;
  static const StreamId& of(const StreamNode& node) { return node.master(); }
};

}  // namespace tandem
