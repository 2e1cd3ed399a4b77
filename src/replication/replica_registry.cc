#include "replication/replica_registry.h"

#include <algorithm>
#include <utility>

namespace tandem {

void ReplicaRegistry::add(std::shared_ptr<ReplicaRecord> record, Doorbell& bell) {
  const Guard guard(lock_);
  members_.push_back({.record = std::move(record), .bell = &bell});
  count_.store(members_.size());
}

void ReplicaRegistry::remove(const ReplicaRecord& record) {
  {
    const Guard guard(lock_);
    std::erase_if(members_, [&](const Member& member) { return member.record.get() == &record; });
    count_.store(members_.size());
  }
  acknowledged_.forget(record.key);
}

void ReplicaRegistry::wake_all() {
  if (count() == 0) return;
  const Guard guard(lock_);
  for (const Member& member : members_) member.bell->ring();
}

void ReplicaRegistry::drop_all() {
  const Guard guard(lock_);
  for (const Member& member : members_) {
    member.record->dropped.store(true);
    acknowledged_.forget(member.record->key);
    member.bell->ring();
  }
}

bool ReplicaRegistry::drop_killed(uint64_t key) {
  const Guard guard(lock_);
  const auto found =
      std::ranges::find(members_, key, [](const Member& member) { return member.record->key; });
  if (found == members_.end()) return false;
  found->record->killed.store(true);
  found->record->dropped.store(true);
  acknowledged_.forget(key);
  found->bell->ring();
  members_.erase(found);
  count_.store(members_.size());
  return true;
}

std::vector<std::shared_ptr<const ReplicaRecord>> ReplicaRegistry::list() const {
  const Guard guard(lock_);
  std::vector<std::shared_ptr<const ReplicaRecord>> records;
  records.reserve(members_.size());
  for (const Member& member : members_) records.push_back(member.record);
  return records;
}

size_t ReplicaRegistry::good_count(int64_t now_ms, int64_t lag_ms_max) const {
  const Guard guard(lock_);
  return static_cast<size_t>(std::count_if(members_.begin(), members_.end(), [&](const Member& m) {
    return m.record->state.load() == ReplicaState::kStreaming && !m.record->dropped.load() &&
           now_ms - m.record->acknowledged_at_ms.load() <= lag_ms_max;
  }));
}

void ReplicaRegistry::set_streaming(ReplicaRecord& record, int64_t now_ms) {
  record.acknowledged_at_ms.store(now_ms);
  record.state.store(ReplicaState::kStreaming);
  acknowledged_.admit(record.key, record.acknowledged.load());
  // It may have been dropped just before: then it speaks of a former history, or has no say.
  if (record.dropped.load()) acknowledged_.forget(record.key);
}

void ReplicaRegistry::acknowledge(ReplicaRecord& record, uint64_t offset, int64_t now_ms) {
  record.acknowledged_at_ms.store(now_ms);
  if (offset <= record.acknowledged.load()) return;
  record.acknowledged.store(offset);
  acknowledged_.acknowledge(record.key, offset);
}

}  // namespace tandem
