// Every operation finds its node by adding up counts from the nearer end, then works inside one
// listpack of a few kilobytes.
#include "data/quicklist.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/check.h"

namespace tandem {

namespace {

constexpr uint64_t kSafeNodeBytes = 8192;  // of a node that is limited by its entries

}  // namespace

ListNodeLimit ListNodeLimit::of(const EncodingLimits& limits) {
  constexpr uint64_t kClassBytes[] = {4096, 8192, 16384, 32768, 65536};
  const int64_t setting = limits.list_max_listpack_size;
  if (setting >= 0) {
    return {kSafeNodeBytes, std::max<uint64_t>(1, static_cast<uint64_t>(setting))};
  }
  const int64_t index = std::min<int64_t>(-(setting + 1), std::ssize(kClassBytes) - 1);
  return {kClassBytes[index], std::numeric_limits<uint64_t>::max()};
}

bool Quicklist::Node::has_room(Bytes value, ListNodeLimit limit) const {
  return !plain() && !limit.exceeded_by(pack().total_bytes() + Listpack::entry_bytes(value),
                                        uint64_t{count} + 1);
}

Quicklist::Node Quicklist::node_of(Bytes value, ListNodeLimit limit) {
  if (value.size() > limit.bytes_max) {
    return Node{CopyOnWrite(ListNodeBody{std::string(value)}), 1};
  }
  Listpack pack;
  pack.append(value);
  return packed(std::move(pack));
}

Quicklist::Node Quicklist::packed(Listpack pack) {
  const uint32_t count = pack.count();
  return Node{CopyOnWrite(ListNodeBody{std::move(pack)}), count};
}

Quicklist Quicklist::copy() const {
  Quicklist copied;
  for (const Node& node : nodes_) copied.nodes_.push_back({node.body.share(), node.count});
  copied.size_ = size_;
  return copied;
}

size_t Quicklist::memory_bytes() const {
  size_t bytes = sizeof(*this) + nodes_.size() * sizeof(Node);
  for (const Node& node : nodes_) {
    bytes += sizeof(ListNodeBody) +
             (node.plain() ? node.element().size() + 1 : node.pack().memory_bytes());
  }
  return bytes;
}

void Quicklist::push_head(Bytes value, ListNodeLimit limit) {
  if (!nodes_.empty() && nodes_.front().has_room(value, limit)) {
    nodes_.front().pack_to_change().prepend(value);
    ++nodes_.front().count;
  } else {
    nodes_.push_front(node_of(value, limit));
  }
  ++size_;
}

void Quicklist::push_tail(Bytes value, ListNodeLimit limit) {
  if (!nodes_.empty() && nodes_.back().has_room(value, limit)) {
    nodes_.back().pack_to_change().append(value);
    ++nodes_.back().count;
  } else {
    nodes_.push_back(node_of(value, limit));
  }
  ++size_;
}

std::string Quicklist::pop_head() {
  std::string popped = at(0)->copy();
  drop_head(1);
  return popped;
}

std::string Quicklist::pop_tail() {
  std::string popped = at(size_ - 1)->copy();
  drop_tail(1);
  return popped;
}

Quicklist::Place Quicklist::place_of(size_t index) const {
  DCHECK(index < size_, "a list index past the end");
  size_t node = 0;
  if (index < size_ / 2) {
    while (index >= nodes_[node].count) index -= nodes_[node++].count;
  } else {
    size_t start = size_;
    node = nodes_.size();
    while (start > index) start -= nodes_[--node].count;
    index -= start;
  }
  const Node& found = nodes_[node];
  if (found.plain()) return {node, 0};
  const auto from_tail = static_cast<int64_t>(index) - found.count;
  const bool near_tail = index > found.count / 2;
  return {node, found.pack().view().seek(near_tail ? from_tail : static_cast<int64_t>(index))};
}

std::optional<Element> Quicklist::at(size_t index) const {
  if (index >= size_) return std::nullopt;
  const Place place = place_of(index);
  const Node& node = nodes_[place.node];
  if (node.plain()) return Element(node.element());
  return node.pack().view().get(place.at);
}

void Quicklist::set(size_t index, Bytes value, ListNodeLimit limit) {
  const Place place = place_of(index);
  Node& node = nodes_[place.node];
  if (node.count == 1) {
    node = node_of(value, limit);
    return;
  }
  Listpack& pack = node.pack_to_change();
  const uint64_t old_bytes = pack.view().next(place.at) - place.at;
  const uint64_t new_bytes = pack.total_bytes() - old_bytes + Listpack::entry_bytes(value);
  if (new_bytes <= std::max<uint64_t>(limit.bytes_max, pack.total_bytes())) {
    pack.replace(place.at, value);
    return;
  }
  pack.erase(place.at);
  --node.count;
  --size_;
  insert_at(place, value, limit);
}

void Quicklist::split_at(Place place) {
  Node& left = nodes_[place.node];
  const ListpackView entries = left.pack().view();
  Listpack tail;
  tail.append_entries(entries, place.at, entries.end());
  left.pack_to_change().erase_range(place.at, entries.end());
  Node right = packed(std::move(tail));
  left.count -= right.count;
  nodes_.insert(nodes_.begin() + static_cast<std::ptrdiff_t>(place.node) + 1, std::move(right));
}

void Quicklist::insert_at(Place place, Bytes value, ListNodeLimit limit) {
  Node& node = nodes_[place.node];
  ++size_;
  if (node.has_room(value, limit)) {
    node.pack_to_change().insert(place.at, value);
    ++node.count;
    return;
  }
  // Beside the node: in the neighbour if it has room, else in a node of its own. In the middle the
  // node is cut first.
  size_t right = place.node;  // the node that the value comes before
  if (!node.plain() && place.at != node.pack().view().first()) {
    if (place.at != node.pack().view().end()) split_at(place);
    ++right;
  }
  if (right > 0 && nodes_[right - 1].has_room(value, limit)) {
    nodes_[right - 1].pack_to_change().append(value);
    ++nodes_[right - 1].count;
  } else if (right < nodes_.size() && nodes_[right].has_room(value, limit)) {
    nodes_[right].pack_to_change().prepend(value);
    ++nodes_[right].count;
  } else {
    nodes_.insert(nodes_.begin() + static_cast<std::ptrdiff_t>(right), node_of(value, limit));
  }
}

bool Quicklist::insert(Bytes pivot, bool before, Bytes value, ListNodeLimit limit) {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if (node.plain()) {
      if (node.element() != pivot) continue;
      if (!before && i + 1 == nodes_.size()) {
        push_tail(value, limit);
      } else {
        const size_t beside = before ? i : i + 1;
        const Node& right = nodes_[beside];
        insert_at({beside, right.plain() ? 0 : right.pack().view().first()}, value, limit);
      }
      return true;
    }
    const ListpackView entries = node.pack().view();
    const Listpack::Position found = entries.find(pivot, entries.first());
    if (found == entries.end()) continue;
    insert_at({i, before ? found : entries.next(found)}, value, limit);
    return true;
  }
  return false;
}

size_t Quicklist::remove_from_node(Node& node, Bytes value, size_t most, bool backwards) {
  if (node.plain()) {
    if (node.element() != value) return 0;
    node.count = 0;
    return 1;
  }
  if (node.pack().view().find(value, node.pack().view().first()) == node.pack().view().end()) {
    return 0;  // nothing to change: a node that is shared stays so
  }
  Listpack& pack = node.pack_to_change();
  size_t removed = 0;
  if (backwards) {
    Listpack::Position at = pack.view().end();
    while (removed < most && at != pack.view().first()) {
      at = pack.view().previous(at);
      if (!pack.view().matches(at, value)) continue;
      pack.erase(at);
      ++removed;
    }
  } else {
    Listpack::Position at = pack.view().first();
    while (removed < most && (at = pack.view().find(value, at)) != pack.view().end()) {
      pack.erase(at);
      ++removed;
    }
  }
  node.count -= static_cast<uint32_t>(removed);
  return removed;
}

size_t Quicklist::remove(Bytes value, size_t most, bool backwards) {
  size_t removed = 0;
  for (size_t i = 0; i < nodes_.size() && removed < most; ++i) {
    Node& node = backwards ? nodes_[nodes_.size() - 1 - i] : nodes_[i];
    removed += remove_from_node(node, value, most - removed, backwards);
  }
  if (removed != 0) std::erase_if(nodes_, [](const Node& node) { return node.count == 0; });
  size_ -= removed;
  return removed;
}

void Quicklist::drop_head(size_t count) {
  size_ -= count;
  while (count > 0 && nodes_.front().count <= count) {
    count -= nodes_.front().count;
    nodes_.pop_front();
  }
  if (count == 0) return;
  Node& node = nodes_.front();
  Listpack& pack = node.pack_to_change();
  pack.erase(pack.view().first(), static_cast<uint32_t>(count));
  node.count -= static_cast<uint32_t>(count);
}

void Quicklist::drop_tail(size_t count) {
  size_ -= count;
  while (count > 0 && nodes_.back().count <= count) {
    count -= nodes_.back().count;
    nodes_.pop_back();
  }
  if (count == 0) return;
  Node& node = nodes_.back();
  Listpack& pack = node.pack_to_change();
  pack.erase_range(pack.view().seek(-static_cast<int64_t>(count)), pack.view().end());
  node.count -= static_cast<uint32_t>(count);
}

// Skips `skip` entries from the side where the walk enters, then shows up to `left` of them.
bool Quicklist::visit_node(const Node& node, size_t skip, size_t& left, bool backwards,
                           FunctionRef<bool(Bytes)> visit) {
  if (node.plain()) {
    --left;
    return visit(node.element());
  }
  const ListpackView entries = node.pack().view();
  const auto index = static_cast<int64_t>(skip);
  auto at = entries.seek(backwards ? -index - 1 : index);
  for (; at != entries.end() && left > 0; --left) {
    const Element element = entries.get(at);
    if (!visit(element.text())) return false;
    if (backwards && at == entries.first()) {
      --left;
      break;
    }
    at = backwards ? entries.previous(at) : entries.next(at);
  }
  return true;
}

void Quicklist::for_each(size_t first, size_t count, bool backwards,
                         FunctionRef<bool(Bytes)> visit) const {
  if (first >= size_) return;
  size_t skip = backwards ? size_ - 1 - first : first;
  size_t left = count;
  for (size_t i = 0; i < nodes_.size() && left > 0; ++i) {
    const Node& node = backwards ? nodes_[nodes_.size() - 1 - i] : nodes_[i];
    if (skip >= node.count) {
      skip -= node.count;
      continue;
    }
    if (!visit_node(node, skip, left, backwards, visit)) return;
    skip = 0;
  }
}

void Quicklist::for_each_node(FunctionRef<void(const CopyOnWrite<ListNodeBody>&)> visit) const {
  for (const Node& node : nodes_) visit(node.body);
}

void Quicklist::append_packed(Listpack pack) {
  nodes_.push_back(packed(std::move(pack)));
  CHECK(nodes_.back().count != 0, "an empty node");
  size_ += nodes_.back().count;
}

void Quicklist::append_plain(Bytes element) {
  nodes_.push_back(Node{CopyOnWrite(ListNodeBody{std::string(element)}), 1});
  ++size_;
}

const Listpack* Quicklist::only_pack() const {
  return nodes_.size() == 1 && !nodes_.front().plain() ? &nodes_.front().pack() : nullptr;
}

Listpack Quicklist::take_only_pack() {
  Listpack pack = std::move(nodes_.front().pack_to_change());
  nodes_.clear();
  size_ = 0;
  return pack;
}

}  // namespace tandem
