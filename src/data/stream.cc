// The nodes are found by their first id: an id belongs to the last node that does not start above
// it.
#include "data/stream.h"

#include <utility>
#include <vector>

#include "data/listpack_format.h"

namespace tandem {

size_t Stream::memory_bytes() const {
  size_t bytes = sizeof(*this) + nodes_.memory_bytes() + groups_.memory_bytes();
  for (auto node = nodes_.first(); node; node.next()) bytes += node->memory_bytes();
  for (auto group = groups_.first(); group; group.next()) {
    bytes += Bytes(group->name()).size() + group->pending().memory_bytes() +
             group->consumers().memory_bytes();
    for (auto consumer = group->consumers().first(); consumer; consumer.next()) {
      bytes += Bytes(consumer->name()).size() + consumer->pending().memory_bytes();
    }
  }
  return bytes;
}

bool Stream::has_parts(size_t count) const {
  size_t parts = nodes_.size() + groups_.size();
  for (auto group = groups_.first(); group && parts < count; group.next()) {
    parts += group->consumers().size() + group->pending().size();
  }
  return parts >= count;
}

std::optional<StreamId> Stream::next_id(uint64_t now_ms) const {
  if (now_ms > counters_.last_id.ms) return StreamId{now_ms, 0};
  return counters_.last_id.next();
}

Result<void> Stream::append(StreamId id, std::span<const Bytes> fields_and_values,
                            const EncodingLimits& limits) {
  if (id <= counters_.last_id) {
    return fail(ErrorCode::kInvalid, "the id is not greater than the last one");
  }
  uint64_t value_bytes = 0;
  for (const Bytes bytes : fields_and_values) value_bytes += bytes.size();
  if (value_bytes > listpack_format::kBytesMax) {
    return fail(ErrorCode::kLimit, "the entry is too large for a stream");
  }
  node_for_append(id, fields_and_values, value_bytes, limits).append(id, fields_and_values);
  if (length_ == 0) first_id_ = id;
  ++length_;
  ++counters_.entries_added;
  counters_.last_id = id;
  return {};
}

StreamNode& Stream::node_for_append(StreamId id, std::span<const Bytes> fields_and_values,
                                    uint64_t value_bytes, const EncodingLimits& limits) {
  if (!nodes_.empty()) {
    StreamNode& last = nodes_.write_last();
    uint64_t bytes_max = limits.stream_node_max_bytes;
    if (bytes_max == 0 || bytes_max > listpack_format::kBytesMax) {
      bytes_max = listpack_format::kBytesMax;
    }
    const bool entries_full = limits.stream_node_max_entries != 0 &&
                              last.live() + last.deleted() >= limits.stream_node_max_entries;
    if (!entries_full && last.listpack_bytes() + value_bytes < bytes_max) return last;
    last.shrink_to_fit();
  }
  return *nodes_.insert(StreamNode(id, fields_and_values)).first;
}

bool Stream::contains(StreamId id) const {
  bool found = false;
  for_each(id, id, false, [&](StreamId, std::span<const Element>) {
    found = true;
    return false;
  });
  return found;
}

bool Stream::erase(StreamId id) {
  const auto found = nodes_.at_or_before(id);
  if (!found) return false;
  std::optional<StreamNode::Entry> target;
  found->walk(false, [&](const StreamNode::Entry& entry) {
    if (entry.id == id && !entry.is_deleted) target = entry;
    return entry.id < id;
  });
  if (!target) return false;
  const StreamId master = found->master();
  if (found->live() == 1) {
    nodes_.erase(master);
  } else {
    nodes_.write(master)->mark_deleted(*target);
  }
  --length_;
  if (id > counters_.max_deleted_id) counters_.max_deleted_id = id;
  if (id == first_id_) find_first_id();
  return true;
}

void Stream::find_first_id() {
  first_id_ = kStreamIdMin;
  for_each(kStreamIdMin, kStreamIdMax, false, [&](StreamId id, std::span<const Element>) {
    first_id_ = id;
    return false;
  });
}

std::optional<StreamId> Stream::last_live_id() const {
  std::optional<StreamId> last;
  for_each(kStreamIdMin, kStreamIdMax, true, [&](StreamId id, std::span<const Element>) {
    last = id;
    return false;
  });
  return last;
}

uint64_t Stream::trim(const StreamTrim& trim) {
  uint64_t removed = 0;
  const bool by_length = trim.by == StreamTrim::By::kMaxLength;
  while (!nodes_.empty()) {
    if (by_length && length_ <= trim.max_length) break;
    const StreamNode& node = *nodes_.first();
    const uint64_t live = node.live();
    if (trim.limit != 0 && removed + live > trim.limit) break;
    const bool whole = by_length ? length_ - live >= trim.max_length : node.last_id() < trim.min_id;
    if (!whole) {
      if (!trim.approximate) removed += trim_first_node(trim);
      break;
    }
    nodes_.erase(StreamId(node.master()));
    length_ -= live;
    removed += live;
  }
  if (removed != 0) find_first_id();
  return removed;
}

// Marks entries from the start of the node, which has some to keep; returns how many.
uint64_t Stream::trim_first_node(const StreamTrim& trim) {
  const StreamId master = nodes_.first()->master();
  StreamNode& node = *nodes_.write(master);
  const uint64_t removed = node.mark_deleted_while([&](StreamId id) {
    if (trim.by == StreamTrim::By::kMinId) {
      if (id >= trim.min_id) return false;
    } else if (length_ <= trim.max_length) {
      return false;
    }
    --length_;
    return true;
  });
  if (node.live() == 0) nodes_.erase(master);
  return removed;
}

void Stream::for_each(StreamId first, StreamId last, bool backwards, Visit visit) const {
  if (first > last || nodes_.empty()) return;
  std::vector<Element> fields;
  bool go_on = true;
  const auto visit_node = [&](const StreamNode& node) {
    node.walk(backwards, [&](const StreamNode::Entry& entry) {
      if (backwards ? entry.id < first : entry.id > last) return go_on = false;
      if (entry.is_deleted || (backwards ? entry.id > last : entry.id < first)) return true;
      node.read_fields(entry, fields);
      return go_on = visit(entry.id, fields);
    });
  };
  if (backwards) {
    for (auto node = nodes_.at_or_before(last); node && go_on; node.previous()) visit_node(*node);
    return;
  }
  auto node = nodes_.at_or_before(first);
  if (!node) node = nodes_.first();
  for (; node && go_on; node.next()) visit_node(*node);
}

// Whether XDEL has removed an entry behind the first one. Of the removed ones only the last is
// known.
bool Stream::has_tombstones() const {
  const StreamId deleted = counters_.max_deleted_id;
  return length_ != 0 && deleted != kStreamIdMin && deleted >= first_id_;
}

// The same, of an entry at or above this id.
bool Stream::has_tombstone_from(StreamId id) const {
  return has_tombstones() && id <= counters_.max_deleted_id;
}

// Counters come from commands and files, and may be anything: they wrap around.
int64_t Stream::entries_up_to(StreamId id) const {
  const uint64_t added = counters_.entries_added;
  if (added == 0) return 0;
  const bool is_last = id == last_id() || (length_ == 0 && id < last_id());
  if (is_last) return static_cast<int64_t>(added);
  if (id > first_id_ || has_tombstones()) return StreamGroup::kEntriesReadUnknown;
  return static_cast<int64_t>(added - length_ + (id == first_id_ ? 1 : 0));
}

std::optional<int64_t> Stream::lag(const StreamGroup& group) const {
  if (counters_.entries_added == 0) return 0;
  int64_t read = group.entries_read();
  if (read == StreamGroup::kEntriesReadUnknown || has_tombstone_from(group.last_id())) {
    read = entries_up_to(group.last_id());
  }
  if (read == StreamGroup::kEntriesReadUnknown) return std::nullopt;
  return static_cast<int64_t>(counters_.entries_added - static_cast<uint64_t>(read));
}

void Stream::note_delivery(StreamGroup& group, StreamId id) const {
  int64_t read = group.entries_read();
  if (read != StreamGroup::kEntriesReadUnknown && !has_tombstone_from(id)) {
    read = static_cast<int64_t>(static_cast<uint64_t>(read) + 1);
  } else if (counters_.entries_added != 0) {
    read = entries_up_to(id);
  }
  group.move_to(id, read);
}

Result<void> Stream::append_node(StreamId master, Bytes blob) {
  std::optional<StreamNode> node = StreamNode::from_listpack(master, blob);
  if (!node) return fail(ErrorCode::kInvalid, "malformed stream node");
  if (node->live() == 0) return fail(ErrorCode::kInvalid, "a stream node without entries");
  if (const auto last = nodes_.last(); last && last->last_id() >= master) {
    return fail(ErrorCode::kInvalid, "stream nodes out of order");
  }
  length_ += node->live();
  const bool is_first = nodes_.empty();
  nodes_.insert(std::move(*node));
  if (is_first) find_first_id();
  return {};
}

}  // namespace tandem
