#include "data/stream_group.h"

namespace tandem {

void StreamGroup::assign(StreamId id, StreamConsumer& consumer, int64_t delivery_time_ms,
                         uint64_t delivery_count) {
  const PendingEntry wanted{.id = id,
                            .consumer = consumer.name().place(),
                            .delivery_time_ms = delivery_time_ms,
                            .delivery_count = delivery_count};
  const auto [entry, is_new] = pending_.insert(wanted);
  if (!is_new) {
    const std::string* before = std::exchange(*entry, wanted).consumer;
    if (before == wanted.consumer) return;
    consumers_.write(*before)->pending_.erase(id);
  }
  consumer.pending_.insert(id);
}

bool StreamGroup::acknowledge(StreamId id) {
  const std::optional<PendingEntry> entry = pending_.take(id);
  if (!entry) return false;
  consumers_.write(*entry->consumer)->pending_.erase(id);
  return true;
}

// Entries that are a small part of the group's are taken out one by one; else the others are put
// together anew, which is a matter of copying them.
std::optional<StreamGroup::Removed> StreamGroup::remove_consumer(Bytes name) {
  constexpr size_t kSmallPart = 8;
  std::optional<StreamConsumer> consumer = consumers_.take(name);
  if (!consumer) return std::nullopt;
  Removed removed{.consumer = std::move(*consumer), .pending = {}};
  const StreamConsumer::Pending& its = removed.consumer.pending_;
  if (its.size() < pending_.size() / kSmallPart) {
    for (auto id = its.first(); id; id.next()) pending_.erase(*id);
    return removed;
  }
  Pending others;
  for (auto entry = pending_.first(); entry; entry.next()) {
    if (entry->consumer != removed.consumer.name().place()) others.insert(*entry);
  }
  removed.pending = std::exchange(pending_, std::move(others));
  return removed;
}

bool StreamGroup::load_pending(StreamId id, int64_t delivery_time_ms, uint64_t delivery_count) {
  return pending_
      .insert({.id = id,
               .consumer = nullptr,
               .delivery_time_ms = delivery_time_ms,
               .delivery_count = delivery_count})
      .second;
}

bool StreamGroup::load_owner(StreamId id, StreamConsumer& consumer) {
  PendingEntry* entry = pending_.write(id);
  if (entry == nullptr || entry->consumer != nullptr) return false;
  entry->consumer = consumer.name().place();
  consumer.pending_.insert(id);
  return true;
}

}  // namespace tandem
