#include "data/stream_node.h"

#include <limits>
#include <utility>

#include "base/check.h"
#include "base/number.h"

namespace tandem {

std::optional<StreamId> StreamId::next() const {
  if (seq != kStreamIdMax.seq) return StreamId{ms, seq + 1};
  if (ms != kStreamIdMax.ms) return StreamId{ms + 1, 0};
  return std::nullopt;
}

std::optional<StreamId> StreamId::previous() const {
  if (seq != 0) return StreamId{ms, seq - 1};
  if (ms != 0) return StreamId{ms - 1, kStreamIdMax.seq};
  return std::nullopt;
}

std::string StreamId::text() const {
  char out[2 * kInt64TextMax + 1];
  size_t size = write_uint64(out, ms);
  out[size++] = '-';
  size += write_uint64(out + size, seq);
  return std::string(out, size);
}

std::string StreamId::big_endian() const {
  std::string key(kStreamIdBytes, '\0');
  for (size_t i = 0; i < 8; ++i) {
    key[i] = static_cast<char>(ms >> (56 - 8 * i));
    key[8 + i] = static_cast<char>(seq >> (56 - 8 * i));
  }
  return key;
}

StreamId StreamId::from_big_endian(Bytes key) {
  CHECK(key.size() == kStreamIdBytes, "a stream id has 16 bytes");
  StreamId id;
  for (size_t i = 0; i < 8; ++i) {
    id.ms = id.ms << 8 | static_cast<uint8_t>(key[i]);
    id.seq = id.seq << 8 | static_cast<uint8_t>(key[8 + i]);
  }
  return id;
}

// Positions are reached by counting elements from the master entry or, backwards, from piece-count.

namespace {

using Position = Listpack::Position;

constexpr uint64_t kPiecesSame = 3;  // piece-count beyond the values
constexpr uint64_t kPiecesOwn = 4;   // piece-count beyond the fields and values

int64_t integer_at(ListpackView entries, Position at) { return entries.get(at).integer(); }

Position skip(ListpackView entries, Position at, uint64_t count) {
  while (count-- > 0) at = entries.next(at);
  return at;
}

StreamId id_from(StreamId master, int64_t ms_difference, int64_t seq_difference) {
  return {master.ms + static_cast<uint64_t>(ms_difference),
          master.seq + static_cast<uint64_t>(seq_difference)};
}

// Reads a node that nobody has checked yet, an element at a time.
class NodeCheck {
 public:
  NodeCheck(StreamId master, Bytes blob) : entries_(blob), at_(entries_.first()), master_(master) {}

  bool run() {
    uint64_t live = 0;
    uint64_t deleted = 0;
    uint64_t zero = 0;
    if (!number(live) || !number(deleted) || !number(fields_) || !pass(fields_) || !number(zero) ||
        zero != 0) {
      return false;
    }
    while (at_ != entries_.end()) {
      if (!entry()) return false;
    }
    return live == live_ && deleted == deleted_ && live_ + deleted_ > 0;
  }

 private:
  bool integer(int64_t& out) {
    if (at_ == entries_.end()) return false;
    const Element element = entries_.get(at_);
    if (!element.is_integer()) return false;
    out = element.integer();
    at_ = entries_.next(at_);
    return true;
  }
  bool number(uint64_t& out) {
    int64_t value = 0;
    if (!integer(value) || value < 0) return false;
    out = static_cast<uint64_t>(value);
    return true;
  }
  bool pass(uint64_t count) {
    for (; count > 0; --count) {
      if (at_ == entries_.end()) return false;
      at_ = entries_.next(at_);
    }
    return true;
  }

  bool entry() {
    uint64_t flags = 0;
    int64_t ms = 0;
    int64_t seq = 0;
    if (!number(flags) || flags > (kStreamEntryDeleted | kStreamEntrySameFields)) return false;
    if (!integer(ms) || !integer(seq)) return false;
    const StreamId id = id_from(master_, ms, seq);
    if (id < master_ || (live_ + deleted_ > 0 && id <= last_)) return false;
    last_ = id;
    ((flags & kStreamEntryDeleted) != 0 ? deleted_ : live_) += 1;
    uint64_t pieces = fields_ + kPiecesSame;
    if ((flags & kStreamEntrySameFields) != 0) {
      if (!pass(fields_)) return false;
    } else {
      uint64_t own = 0;
      constexpr uint64_t kFieldsMax = std::numeric_limits<uint32_t>::max();
      if (!number(own) || own > kFieldsMax || !pass(2 * own)) return false;
      pieces = 2 * own + kPiecesOwn;
    }
    uint64_t stated = 0;
    return number(stated) && stated == pieces;
  }

  ListpackView entries_;
  Position at_;
  StreamId master_;
  StreamId last_;
  uint64_t fields_ = 0;
  uint64_t live_ = 0;
  uint64_t deleted_ = 0;
};

}  // namespace

bool StreamNode::validate(StreamId master, Bytes blob) {
  return ListpackView::validate(blob) && NodeCheck(master, blob).run();
}

StreamNode::StreamNode(StreamId master, std::span<const Bytes> fields_and_values)
    : master_(master) {
  Listpack& pack = pack_.write();
  pack.append_integer(0);
  pack.append_integer(0);
  pack.append_integer(static_cast<int64_t>(fields_and_values.size() / 2));
  for (size_t i = 0; i < fields_and_values.size(); i += 2) pack.append(fields_and_values[i]);
  pack.append_integer(0);
}

uint64_t StreamNode::live() const {
  return static_cast<uint64_t>(integer_at(pack_->view(), pack_->view().first()));
}

uint64_t StreamNode::deleted() const {
  const ListpackView entries = pack_->view();
  return static_cast<uint64_t>(integer_at(entries, entries.next(entries.first())));
}

Listpack::Position StreamNode::first_entry() const {
  const ListpackView entries = pack_->view();
  const Position field_count = skip(entries, entries.first(), 2);
  const auto fields = static_cast<uint64_t>(integer_at(entries, field_count));
  return skip(entries, field_count, fields + 2);
}

StreamNode::Entry StreamNode::entry_at(Listpack::Position at) const {
  const ListpackView entries = pack_->view();
  Entry entry{};
  entry.at = at;
  const int64_t flags = integer_at(entries, at);
  entry.is_deleted = (flags & kStreamEntryDeleted) != 0;
  entry.same_fields = (flags & kStreamEntrySameFields) != 0;
  const Position ms = entries.next(at);
  const Position seq = entries.next(ms);
  entry.id = id_from(master_, integer_at(entries, ms), integer_at(entries, seq));
  entry.body = entries.next(seq);
  const Position counted = entry.same_fields ? skip(entries, entries.first(), 2) : entry.body;
  entry.field_count = static_cast<uint64_t>(integer_at(entries, counted));
  const uint64_t pieces = entry.same_fields ? entry.field_count : 2 * entry.field_count + 1;
  entry.after = skip(entries, entry.body, pieces + 1);
  return entry;
}

// The start of the entry that ends where `after` stands.
Listpack::Position StreamNode::start_before(Listpack::Position after) const {
  const ListpackView entries = pack_->view();
  Position at = entries.previous(after);
  for (int64_t pieces = integer_at(entries, at); pieces > 0; --pieces) at = entries.previous(at);
  return at;
}

StreamId StreamNode::last_id() const { return entry_at(start_before(pack_->view().end())).id; }

void StreamNode::append(StreamId id, std::span<const Bytes> fields_and_values) {
  DCHECK(id >= master_, "a stream entry before its node");
  const ListpackView before = pack_->view();
  const size_t fields = fields_and_values.size() / 2;
  Position at = skip(before, before.first(), 2);
  bool same = static_cast<uint64_t>(integer_at(before, at)) == fields;
  for (size_t i = 0; i < fields && same; ++i) {
    at = before.next(at);
    same = before.matches(at, fields_and_values[2 * i]);
  }
  Listpack& pack = pack_.write();
  pack.replace_integer(pack.view().first(), static_cast<int64_t>(live() + 1));
  pack.append_integer(same ? kStreamEntrySameFields : 0);
  pack.append_integer(static_cast<int64_t>(id.ms - master_.ms));
  pack.append_integer(static_cast<int64_t>(id.seq - master_.seq));
  if (!same) pack.append_integer(static_cast<int64_t>(fields));
  for (size_t i = 0; i < fields_and_values.size(); i += 2) {
    if (!same) pack.append(fields_and_values[i]);
    pack.append(fields_and_values[i + 1]);
  }
  const uint64_t pieces = same ? fields + kPiecesSame : 2 * fields + kPiecesOwn;
  pack.append_integer(static_cast<int64_t>(pieces));
}

void StreamNode::walk(bool backwards, FunctionRef<bool(const Entry&)> visit) const {
  const Position first = first_entry();
  const Position end = pack_->view().end();
  if (backwards) {
    for (Position at = end; at != first;) {
      at = start_before(at);
      if (!visit(entry_at(at))) return;
    }
    return;
  }
  for (Position at = first; at != end;) {
    const Entry entry = entry_at(at);
    if (!visit(entry)) return;
    at = entry.after;
  }
}

void StreamNode::read_fields(const Entry& entry, std::vector<Element>& out) const {
  out.clear();
  const ListpackView entries = pack_->view();
  Position at = entry.body;
  Position field = skip(entries, entries.first(), 3);
  if (!entry.same_fields) at = entries.next(at);
  for (uint64_t i = 0; i < entry.field_count; ++i) {
    if (entry.same_fields) {
      out.push_back(entries.get(field));
      field = entries.next(field);
    } else {
      out.push_back(entries.get(at));
      at = entries.next(at);
    }
    out.push_back(entries.get(at));
    at = entries.next(at);
  }
}

void StreamNode::set_flag_deleted(const Entry& entry) {
  DCHECK(!entry.is_deleted, "a stream entry deleted twice");
  const int64_t flags = entry.same_fields ? kStreamEntrySameFields : 0;
  pack_.write().replace_integer(entry.at, flags | kStreamEntryDeleted);
}

void StreamNode::count_deleted(uint64_t entries) {
  const auto left = static_cast<int64_t>(live() - entries);
  const auto gone = static_cast<int64_t>(deleted() + entries);
  Listpack& pack = pack_.write();
  const Position first = pack.view().first();
  pack.replace_integer(first, left);
  pack.replace_integer(pack.view().next(first), gone);
}

void StreamNode::mark_deleted(const Entry& entry) {
  set_flag_deleted(entry);
  count_deleted(1);
}

uint64_t StreamNode::mark_deleted_while(FunctionRef<bool(StreamId)> wanted) {
  uint64_t marked = 0;
  for (Position at = first_entry(); at != pack_->view().end();) {
    const Entry entry = entry_at(at);
    if (!entry.is_deleted) {
      if (!wanted(entry.id)) break;
      set_flag_deleted(entry);
      ++marked;
    }
    at = entry_at(at).after;
  }
  if (marked != 0) count_deleted(marked);
  return marked;
}

}  // namespace tandem
