// Mechanism: a primary walks round all partitions, a few at a call, and deletes what is over;
// partitions without any expiry are stepped over in one go. The deletion is an execution like any
// other, so replicas and blocked clients hear of it. A replica deletes nothing of its primary's: it
// only looks at the keys that its own clients let expire (engine/own_expiries.h).
#include "engine/active_expiry.h"

#include <utility>

namespace tandem {

uint64_t ActiveExpiry::expire_some(int64_t budget_us) {
  static constexpr uint32_t kOff =
      Gate::kPausedWrites | Gate::kPausedAll | Gate::kDatasetLoading | Gate::kActiveExpireOff;
  const uint32_t bits = engine_.gate.bits();
  if ((bits & kOff) != 0) return 0;
  const int64_t begun_us = clock_.monotonic_us();
  const bool replica = (bits & Gate::kReplica) != 0;
  if (!replica) engine_.own_expiries.clear();
  const uint64_t expired =
      replica ? expire_own(begun_us + budget_us) : expire_all(begun_us + budget_us);
  const int64_t duration_us = engine_.clock.monotonic_us() - begun_us;
  accounts_.counters.expire_us.add(static_cast<uint64_t>(duration_us));
  accounts_.step("expire-cycle", duration_us, clock_.unix_us());
  step_.end();
  serving_.serve_later(step_.ready());
  if (serving_.has_more()) serving_.finish();
  return expired;
}

bool ActiveExpiry::is_past(int64_t deadline_us) {
  if (engine_.clock.monotonic_us() <= deadline_us) return false;
  accounts_.counters.expire_cut_short.add(1);
  return true;
}

uint64_t ActiveExpiry::expire_all(int64_t deadline_us) {
  constexpr int kPartitionsPerLook = 16;  // at the clock
  uint64_t expired = 0;
  // At most once around all partitions of all databases a call.
  const int databases = engine_.keyspace.database_count();
  for (int64_t visits = int64_t{kPartitions} * databases; visits > 0;) {
    const int idle_partitions = partitions_without_expiry();
    const bool idle = idle_partitions > 0;
    const int visited = idle ? idle_partitions : 1;
    if (!idle) expired += expire_partition(database_, partition_);
    visits -= visited;
    partition_ += visited;
    if (partition_ == kPartitions) end_round();
    if (!idle && partition_ % kPartitionsPerLook == 0 && is_past(deadline_us)) break;
  }
  return expired;
}

// About once around all of them a call.
uint64_t ActiveExpiry::expire_own(int64_t deadline_us) {
  static constexpr size_t kAtATime = 64;
  uint64_t expired = 0;
  for (size_t left = engine_.own_expiries.size() / kAtATime + 1; left > 0; --left) {
    const std::vector<OwnExpiry> some = engine_.own_expiries.behind(own_, kAtATime);
    for (const OwnExpiry& own : some) expired += expire_if_still_own(own) ? 1 : 0;
    own_ = some.size() < kAtATime ? OwnExpiries::before_all() : some.back().name;
    if (is_past(deadline_us)) break;
  }
  return expired;
}

bool ActiveExpiry::expire_if_still_own(const OwnExpiry& own) {
  step_.declare_nothing();
  step_.declare_key(own.name.key);
  KeyLocks locks(engine_.keyspace);
  return locks.take_if_free(step_.stripes()) && engine_.gate.is(Gate::kReplica) &&
         expire_own_held(locks, own);
}

bool ActiveExpiry::expire_own_held(const KeyLocks& locks, const OwnExpiry& own) {
  step_.begin(locks, Tracking::kNobody, clock_.unix_ms(), ExpiryMode::kIgnore);
  View view(step_.access(), own.name.database);
  const Entry* entry = view.find_about(own.name.key);
  const bool still_own = entry != nullptr && entry->expiry_ms() == own.expiry_ms;
  const bool over = still_own && entry->expired_at(step_.access().now_ms());
  if (over) {
    step_.access().set_mode(ExpiryMode::kClear);
    view.find(own.name.key);
    accounts_.counters.expired_keys.add(1);
    step_.commit();
  }
  if (over || !still_own) engine_.own_expiries.forget(own.name);
  return over;
}

// From where the round is: to the end of the database or of the stripe, if nothing there can
// expire.
int ActiveExpiry::partitions_without_expiry() const {
  const Keyspace& keyspace = engine_.keyspace;
  if (partition_ == 0 && keyspace.expiring(database_) == 0) return kPartitions;
  const int stripe = partition_ / kPartitionsPerStripe;
  if (keyspace.expiring_in(database_, stripe) > 0) return 0;
  return (stripe + 1) * kPartitionsPerStripe - partition_;
}

void ActiveExpiry::end_round() {
  const double average_ms = ttl_count_ == 0 ? 0 : ttl_sum_ms_ / static_cast<double>(ttl_count_);
  engine_.keyspace.set_average_ttl_ms(database_, static_cast<int64_t>(average_ms));
  ttl_sum_ms_ = 0;
  ttl_count_ = 0;
  partition_ = 0;
  database_ = (database_ + 1) % engine_.keyspace.database_count();
}

uint64_t ActiveExpiry::expire_partition(int database, int partition) {
  step_.declare_nothing();
  step_.declare_partition(partition);
  KeyLocks locks(engine_.keyspace);
  if (!locks.take_if_free(step_.stripes())) return 0;
  DatabaseTables* tables = engine_.keyspace.tables(database);
  if (tables == nullptr || tables->partition(partition).flagged() == 0) return 0;
  // The role or a pause may have come since the call began.
  const ClientState nobody(ClientKind::kNormal);
  const ExpiryMode mode = expiry_mode(engine_.gate, nobody, false);
  if (mode != ExpiryMode::kDelete) return 0;
  step_.begin(locks, Tracking::kNobody, clock_.unix_ms(), mode);
  const std::vector<std::string> over = keys_over(tables->partition(partition));
  View view(step_.access(), database);
  for (const std::string& key : over) view.find(key);
  step_.commit();
  accounts_.keys(step_.access().counters());
  return over.size();
}

std::vector<std::string> ActiveExpiry::keys_over(PartitionTable& table) {
  const int64_t now_ms = step_.access().now_ms();
  std::vector<std::string> over;
  for (uint32_t i = 0; i < table.bucket_count(); ++i) {
    PartitionTable::for_each_in_chain(table.bucket_at(i), [&](Entry* entry, bool expiring) {
      if (!expiring) return;
      if (entry->expired_at(now_ms)) return void(over.emplace_back(entry->key()));
      ttl_sum_ms_ += static_cast<double>(entry->expiry_ms() - now_ms);
      ++ttl_count_;
    });
  }
  return over;
}

}  // namespace tandem
