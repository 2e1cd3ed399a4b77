// In listpack form the work is done right here on the one listpack; in quicklist form it is handed
// on. The forms change only in grow_for (before a write) and shrink (after one).
#include "data/list.h"

#include <algorithm>
#include <limits>

#include "data/quicklist.h"

namespace tandem {

namespace {

std::optional<size_t> absolute_index(int64_t index, size_t size) {
  const auto signed_size = static_cast<int64_t>(size);
  if (index < -signed_size || index >= signed_size) return std::nullopt;
  return static_cast<size_t>(index < 0 ? index + signed_size : index);
}

}  // namespace

List::List() = default;
List::~List() = default;
List::List(List&& other) noexcept = default;
List& List::operator=(List&& other) noexcept = default;

Result<List> List::from_listpack(Bytes blob, const EncodingLimits& limits) {
  Result<Listpack> pack = Listpack::from_bytes(blob);
  if (!pack) return std::unexpected(pack.error());
  if (pack->empty()) return fail(ErrorCode::kInvalid, "empty list");
  List list;
  list.pack_ = std::move(*pack);
  list.grow_for(0, 0, limits);
  return list;
}

Result<void> List::append_packed_node(Bytes blob) {
  Result<Listpack> pack = Listpack::from_bytes(blob);
  if (!pack) return std::unexpected(pack.error());
  if (pack->empty()) return {};
  become_quicklist();
  quicklist_->append_packed(std::move(*pack));
  return {};
}

void List::append_plain_node(Bytes element) {
  become_quicklist();
  quicklist_->append_plain(element);
}

void List::finish_loading(const EncodingLimits& limits) { shrink(limits, /*halved=*/false); }

size_t List::size() const { return quicklist_ ? quicklist_->size() : pack_.count(); }

size_t List::node_count() const { return quicklist_ ? quicklist_->node_count() : 1; }

Bytes List::encoding_name() const { return quicklist_ ? "quicklist" : "listpack"; }

size_t List::memory_bytes() const {
  return sizeof(*this) + pack_.memory_bytes() + (quicklist_ ? quicklist_->memory_bytes() : 0);
}

List List::copy() const {
  List copied;
  if (quicklist_) {
    copied.quicklist_ = std::make_unique<Quicklist>(quicklist_->copy());
  } else {
    copied.pack_ = pack_.copy();
  }
  return copied;
}

void List::become_quicklist() {
  if (quicklist_) return;
  quicklist_ = std::make_unique<Quicklist>();
  if (!pack_.empty()) quicklist_->append_packed(std::exchange(pack_, Listpack()));
}

void List::grow_for(size_t values, uint64_t value_bytes, const EncodingLimits& limits) {
  if (quicklist_) return;
  const ListNodeLimit limit = ListNodeLimit::of(limits);
  if (limit.exceeded_by(pack_.total_bytes() + value_bytes, uint64_t{pack_.count()} + values)) {
    become_quicklist();
  }
}

// Half the limit when elements went, so that a list at the border does not change with every push
// and pop.
void List::shrink(const EncodingLimits& limits, bool halved) {
  const Listpack* only = quicklist_ ? quicklist_->only_pack() : nullptr;
  if (only == nullptr) {
    if (quicklist_ && quicklist_->size() == 0) quicklist_.reset();
    return;
  }
  ListNodeLimit limit = ListNodeLimit::of(limits);
  const bool by_entries = limit.entries_max != std::numeric_limits<uint64_t>::max();
  if (by_entries) limit.bytes_max = std::numeric_limits<uint64_t>::max();
  if (halved) {
    limit.bytes_max /= 2;
    limit.entries_max /= 2;
  }
  if (limit.exceeded_by(only->total_bytes(), quicklist_->size())) return;
  pack_ = quicklist_->take_only_pack();
  quicklist_.reset();
}

void List::push(ListEnd end, std::span<const Bytes> values, const EncodingLimits& limits) {
  uint64_t bytes = 0;
  for (const Bytes value : values) bytes += value.size();
  grow_for(values.size(), bytes, limits);
  const ListNodeLimit limit = ListNodeLimit::of(limits);
  for (const Bytes value : values) {
    if (!quicklist_) {
      end == ListEnd::kHead ? pack_.prepend(value) : pack_.append(value);
    } else if (end == ListEnd::kHead) {
      quicklist_->push_head(value, limit);
    } else {
      quicklist_->push_tail(value, limit);
    }
  }
}

std::optional<std::string> List::pop(ListEnd end, const EncodingLimits& limits) {
  std::string popped;
  if (quicklist_) {
    popped = end == ListEnd::kHead ? quicklist_->pop_head() : quicklist_->pop_tail();
    shrink(limits, /*halved=*/true);
    return popped;
  }
  const ListpackView entries = pack_.view();
  if (entries.empty()) return std::nullopt;
  const auto at = end == ListEnd::kHead ? entries.first() : entries.last();
  popped = entries.get(at).copy();
  pack_.erase(at);
  return popped;
}

std::optional<Element> List::at(int64_t index) const {
  if (quicklist_) {
    const std::optional<size_t> absolute = absolute_index(index, quicklist_->size());
    return absolute ? quicklist_->at(*absolute) : std::nullopt;
  }
  const ListpackView entries = pack_.view();
  const auto at = entries.seek(index);
  if (at == entries.end()) return std::nullopt;
  return entries.get(at);
}

bool List::set(int64_t index, Bytes value, const EncodingLimits& limits) {
  const std::optional<size_t> absolute = absolute_index(index, size());
  if (!absolute) return false;
  grow_for(1, value.size(), limits);
  if (quicklist_) {
    quicklist_->set(*absolute, value, ListNodeLimit::of(limits));
    shrink(limits, /*halved=*/true);
  } else {
    pack_.replace(pack_.view().seek(index), value);
  }
  return true;
}

bool List::insert(Bytes pivot, bool before, Bytes value, const EncodingLimits& limits) {
  grow_for(1, value.size(), limits);
  if (quicklist_) return quicklist_->insert(pivot, before, value, ListNodeLimit::of(limits));
  const ListpackView entries = pack_.view();
  const auto found = entries.find(pivot, entries.first());
  if (found == entries.end()) return false;
  pack_.insert(before ? found : entries.next(found), value);
  return true;
}

size_t List::remove(Bytes value, int64_t count, const EncodingLimits& limits) {
  const bool backwards = count < 0;
  const size_t most = count == 0  ? std::numeric_limits<size_t>::max()
                      : backwards ? static_cast<size_t>(-(count + 1)) + 1
                                  : static_cast<size_t>(count);
  if (quicklist_) {
    const size_t removed = quicklist_->remove(value, most, backwards);
    if (removed != 0) shrink(limits, /*halved=*/true);
    return removed;
  }
  size_t removed = 0;
  auto at = backwards ? pack_.view().end() : pack_.view().first();
  while (removed < most) {
    if (backwards) {
      if (at == pack_.view().first()) break;
      at = pack_.view().previous(at);
      if (!pack_.view().matches(at, value)) continue;
    } else {
      at = pack_.view().find(value, at);
      if (at == pack_.view().end()) break;
    }
    pack_.erase(at);
    ++removed;
  }
  return removed;
}

void List::keep(size_t first, size_t count, const EncodingLimits& limits) {
  const size_t total = size();
  first = std::min(first, total);
  count = std::min(count, total - first);
  const size_t after = total - first - count;
  if (quicklist_) {
    quicklist_->drop_tail(after);
    quicklist_->drop_head(first);
    shrink(limits, /*halved=*/true);
    return;
  }
  if (after > 0) {
    const ListpackView entries = pack_.view();
    pack_.erase_range(entries.seek(-static_cast<int64_t>(after)), entries.end());
  }
  if (first > 0) pack_.erase(pack_.view().first(), static_cast<uint32_t>(first));
}

void List::for_each(size_t first, size_t count, bool backwards,
                    FunctionRef<bool(Bytes)> visit) const {
  if (quicklist_) return quicklist_->for_each(first, count, backwards, visit);
  const ListpackView entries = pack_.view();
  auto at = entries.seek(static_cast<int64_t>(first));
  while (at != entries.end() && count-- > 0) {
    const Element element = entries.get(at);
    if (!visit(element.text())) return;
    if (backwards && at == entries.first()) return;
    at = backwards ? entries.previous(at) : entries.next(at);
  }
}

void List::for_each_node(FunctionRef<void(bool plain, Bytes blob)> visit) const {
  if (quicklist_) {
    quicklist_->for_each_node(
        [&](const CopyOnWrite<ListNodeBody>& node) { visit(node->plain(), node->bytes()); });
  } else {
    visit(false, pack_.bytes());
  }
}

std::vector<CopyOnWrite<ListNodeBody>> List::share_nodes() const {
  std::vector<CopyOnWrite<ListNodeBody>> nodes;
  if (!quicklist_) return nodes;
  nodes.reserve(quicklist_->node_count());
  quicklist_->for_each_node(
      [&](const CopyOnWrite<ListNodeBody>& node) { nodes.push_back(node.share()); });
  return nodes;
}

}  // namespace tandem
