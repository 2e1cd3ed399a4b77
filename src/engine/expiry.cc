// Active expiry: what is over is deleted though nobody asks for it.
//
// On a primary, by a walk over the partitions. On a replica that is the primary's to say, but for
// the keys of which it does not know: those of a writable replica's own clients.

#include <utility>

#include "engine/executor.h"

namespace tandem {

uint64_t Executor::expire_some(int64_t budget_us) {
  begin_batch();
  static constexpr uint32_t kOff =
      Gate::kPausedWrites | Gate::kPausedAll | Gate::kDatasetLoading | Gate::kActiveExpireOff;
  const uint32_t bits = engine_.gate.bits();
  if ((bits & kOff) != 0) return 0;
  const int64_t deadline = now_monotonic_us_ + budget_us;
  const bool replica = (bits & Gate::kReplica) != 0;
  if (!replica) engine_.own_expiries.clear();
  const uint64_t expired = replica ? expire_own(deadline) : expire_all(deadline);
  counters_.expire_us.add(static_cast<uint64_t>(engine_.clock.monotonic_us() - now_monotonic_us_));
  release_garbage();
  later_.insert(later_.end(), ready_.begin(), ready_.end());
  ready_.clear();
  if (!later_.empty()) finish_serving();
  return expired;
}

uint64_t Executor::expire_all(int64_t deadline_us) {
  uint64_t expired = 0;
  // At most once around all partitions of all databases a call.
  const int databases = engine_.keyspace.database_count();
  for (int64_t visits = int64_t{kPartitions} * databases; visits > 0;) {
    const int idle_partitions = partitions_without_expiry();
    const bool idle = idle_partitions > 0;
    const int visited = idle ? idle_partitions : 1;
    if (!idle) expired += expire_partition(expire_database_, expire_partition_);
    visits -= visited;
    expire_partition_ += visited;
    if (expire_partition_ == kPartitions) end_expire_round();
    if (idle || expire_partition_ % 16 != 0 || engine_.clock.monotonic_us() <= deadline_us)
      continue;
    counters_.expire_cut_short.add(1);
    break;
  }
  return expired;
}

// About once around all of them a call.
uint64_t Executor::expire_own(int64_t deadline_us) {
  static constexpr size_t kAtATime = 64;
  uint64_t expired = 0;
  for (size_t left = engine_.own_expiries.size() / kAtATime + 1; left > 0; --left) {
    const std::vector<OwnExpiry> some = engine_.own_expiries.behind(own_expiry_, kAtATime);
    for (const OwnExpiry& own : some) expired += expire_if_still_own(own) ? 1 : 0;
    own_expiry_ = some.size() < kAtATime ? OwnExpiries::before_all() : some.back().name;
    if (engine_.clock.monotonic_us() <= deadline_us) continue;
    counters_.expire_cut_short.add(1);
    break;
  }
  return expired;
}

bool Executor::expire_if_still_own(const OwnExpiry& own) {
  const KeyPlace place = engine_.keyspace.place(own.name.key);
  Lock& stripe = engine_.keyspace.stripe(place.stripe());
  if (!stripe.try_lock()) return false;
  const bool expired = engine_.gate.is(Gate::kReplica) && expire_own_held(own, place);
  stripe.unlock();
  return expired;
}

bool Executor::expire_own_held(const OwnExpiry& own, const KeyPlace& place) {
  declared_.assign(1, DeclaredKey{own.name.key, place});
  effects_.begin(false);
  access_.begin(now_unix_us() / 1000, ExpiryMode::kIgnore, declared_, false);
  View view(access_, own.name.database);
  const Entry* entry = view.find(own.name.key);
  const bool still_own = entry != nullptr && entry->expiry_ms() == own.expiry_ms;
  const bool over = still_own && entry->expired_at(access_.now_ms());
  if (over) {
    access_.set_mode(ExpiryMode::kClear);
    view.find(own.name.key);
    counters_.expired_keys.add(1);
    note_changes();
  }
  if (over || !still_own) engine_.own_expiries.forget(own.name);
  return over;
}

// From where the round is: to the end of the database or of the stripe, if nothing there can
// expire.
int Executor::partitions_without_expiry() const {
  const Keyspace& keyspace = engine_.keyspace;
  if (expire_partition_ == 0 && keyspace.expiring(expire_database_) == 0) return kPartitions;
  const int stripe = expire_partition_ / kPartitionsPerStripe;
  if (keyspace.expiring_in(expire_database_, stripe) > 0) return 0;
  return (stripe + 1) * kPartitionsPerStripe - expire_partition_;
}

void Executor::end_expire_round() {
  const double average_ms = ttl_count_ == 0 ? 0 : ttl_sum_ms_ / static_cast<double>(ttl_count_);
  engine_.keyspace.set_average_ttl_ms(expire_database_, static_cast<int64_t>(average_ms));
  ttl_sum_ms_ = 0;
  ttl_count_ = 0;
  expire_partition_ = 0;
  expire_database_ = (expire_database_ + 1) % engine_.keyspace.database_count();
}

// Whoever holds the stripe may hold it for long (a script), and this thread has clients to serve:
// the next round comes by again.
uint64_t Executor::expire_partition(int database, int partition) {
  Lock& stripe = engine_.keyspace.stripe(partition / kPartitionsPerStripe);
  if (!stripe.try_lock()) return 0;
  const uint64_t expired = expire_held(database, partition);
  stripe.unlock();
  return expired;
}

uint64_t Executor::expire_held(int database, int partition) {
  const int stripe = partition / kPartitionsPerStripe;
  declared_.assign(1, DeclaredKey{{}, KeyPlace{static_cast<uint16_t>(partition), 0}});
  uint64_t expired = 0;
  DatabaseTables* tables = engine_.keyspace.tables(database);
  if (tables != nullptr && tables->expiring_in(stripe) > 0 &&
      tables->partition(partition).flagged() > 0) {
    const ClientState nobody(ClientKind::kNormal);
    effects_.begin(engine_.log.active());
    access_.begin(now_unix_us() / 1000, expiry_mode(nobody, false), declared_, false);
    std::vector<std::string> over;
    PartitionTable& table = tables->partition(partition);
    for (uint32_t i = 0; i < table.bucket_count(); ++i) {
      PartitionTable::for_each_in_chain(table.bucket_at(i), [&](Entry* entry, bool expiring) {
        if (!expiring) return;
        if (entry->expired_at(access_.now_ms())) return void(over.emplace_back(entry->key()));
        ttl_sum_ms_ += static_cast<double>(entry->expiry_ms() - access_.now_ms());
        ++ttl_count_;
      });
    }
    View view(access_, database);
    for (const std::string& key : over) view.find(key);
    expired = over.size();
    if (effects_.count() != 0) {
      engine_.log.append(effects_.record(), static_cast<uint32_t>(database),
                         select_command(database));
    }
    counters_.expired_keys.add(access_.counters().expired);
    note_changes();
  }
  return expired;
}

}  // namespace tandem
