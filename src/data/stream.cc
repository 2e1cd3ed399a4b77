// The nodes are found by their first id: an id belongs to the last node that does not start above
// it.
#include "data/stream.h"

#include <iterator>
#include <utility>
#include <vector>

namespace tandem {
namespace {

// A map's node has three pointers and a colour beside what it holds.
constexpr size_t kMapNodeBytes = 4 * sizeof(void*);

}  // namespace

size_t Stream::memory_bytes() const {
  size_t bytes = sizeof(*this);
  for (const auto& [master, node] : nodes_) {
    bytes += kMapNodeBytes + sizeof(Nodes::value_type) + node.pack().memory_bytes();
  }
  for (const auto& [name, group] : groups_) {
    bytes += kMapNodeBytes + sizeof(StreamGroups::value_type) + name.size();
    for (const auto& [id, pending] : group.pending) {
      bytes += kMapNodeBytes + sizeof(id) + sizeof(pending) + pending.consumer.size();
    }
    for (const auto& [consumer_name, consumer] : group.consumers) {
      bytes += kMapNodeBytes + sizeof(std::string) + consumer_name.size() + sizeof(consumer);
    }
  }
  return bytes;
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
    StreamNode& last = std::prev(nodes_.end())->second;
    uint64_t bytes_max = limits.stream_node_max_bytes;
    if (bytes_max == 0 || bytes_max > listpack_format::kBytesMax) {
      bytes_max = listpack_format::kBytesMax;
    }
    const bool entries_full = limits.stream_node_max_entries != 0 &&
                              last.live() + last.deleted() >= limits.stream_node_max_entries;
    if (!entries_full && last.pack().total_bytes() + value_bytes < bytes_max) return last;
  }
  return nodes_.try_emplace(nodes_.end(), id, id, fields_and_values)->second;
}

Stream::Nodes::const_iterator Stream::node_for(StreamId id) const {
  auto node = nodes_.upper_bound(id);
  return node == nodes_.begin() ? nodes_.end() : std::prev(node);
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
  const auto found = node_for(id);
  if (found == nodes_.end()) return false;
  StreamNode& node = nodes_.find(found->first)->second;
  std::optional<StreamNode::Entry> target;
  node.walk(false, [&](const StreamNode::Entry& entry) {
    if (entry.id == id && !entry.is_deleted) target = entry;
    return entry.id < id;
  });
  if (!target) return false;
  if (node.live() == 1) {
    nodes_.erase(found);
  } else {
    node.mark_deleted(*target);
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
    StreamNode& node = nodes_.begin()->second;
    const uint64_t live = node.live();
    if (trim.limit != 0 && removed + live > trim.limit) break;
    const bool whole = by_length ? length_ - live >= trim.max_length : node.last_id() < trim.min_id;
    if (!whole) {
      if (!trim.approximate) removed += trim_node(node, trim);
      break;
    }
    nodes_.erase(nodes_.begin());
    length_ -= live;
    removed += live;
  }
  if (removed != 0) find_first_id();
  return removed;
}

// Marks entries from the start of the node that has some to keep; returns how many.
uint64_t Stream::trim_node(StreamNode& node, const StreamTrim& trim) {
  const uint64_t removed = node.mark_deleted_while([&](StreamId id) {
    if (trim.by == StreamTrim::By::kMinId) {
      if (id >= trim.min_id) return false;
    } else if (length_ <= trim.max_length) {
      return false;
    }
    --length_;
    return true;
  });
  if (node.live() == 0) nodes_.erase(node.master());
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
  if (!backwards) {
    auto node = node_for(first);
    if (node == nodes_.end()) node = nodes_.begin();
    for (; node != nodes_.end() && go_on; ++node) visit_node(node->second);
    return;
  }
  auto node = nodes_.upper_bound(last);
  while (node != nodes_.begin() && go_on) visit_node((--node)->second);
}

void Stream::for_each_node(FunctionRef<void(StreamId master, Bytes blob)> visit) const {
  for (const auto& [master, node] : nodes_) visit(master, node.pack().bytes());
}

std::vector<Stream::SharedNode> Stream::share_nodes() const {
  std::vector<SharedNode> nodes;
  nodes.reserve(nodes_.size());
  for (const auto& [master, node] : nodes_) nodes.push_back({master, node.share()});
  return nodes;
}

Result<void> Stream::append_node(StreamId master, Bytes blob) {
  if (!StreamNode::validate(master, blob)) {
    return fail(ErrorCode::kInvalid, "malformed stream node");
  }
  StreamNode node(master, Listpack::from_valid(blob));
  if (node.live() == 0) return fail(ErrorCode::kInvalid, "a stream node without entries");
  if (!nodes_.empty() && std::prev(nodes_.end())->second.last_id() >= master) {
    return fail(ErrorCode::kInvalid, "stream nodes out of order");
  }
  length_ += node.live();
  const bool is_first = nodes_.empty();
  nodes_.try_emplace(nodes_.end(), master, std::move(node));
  if (is_first) find_first_id();
  return {};
}

}  // namespace tandem
