#include "keyspace/keyspace.h"

#include <algorithm>

#include "base/check.h"

namespace tandem {

DatabaseTables::~DatabaseTables() {
  for (PartitionTable& table : partitions_) {
    table.clear([](Entry* entry) { Entry::destroy(entry); });
  }
}

void DatabaseTables::count(int stripe, int64_t keys, int64_t expiring) {
  // Only the stripe's holder writes, so no read-modify-write instruction is needed.
  const auto add = [](std::atomic<int64_t>& counter, int64_t delta) {
    counter.store(counter.load(std::memory_order_relaxed) + delta, std::memory_order_relaxed);
  };
  const auto index = static_cast<size_t>(stripe);
  if (keys != 0) add(keys_[index], keys);
  if (expiring != 0) add(expiring_[index], expiring);
}

int64_t DatabaseTables::keys() const {
  int64_t sum = 0;
  for (const auto& counter : keys_) sum += counter.load(std::memory_order_relaxed);
  return sum;
}

int64_t DatabaseTables::expiring() const {
  int64_t sum = 0;
  for (const auto& counter : expiring_) sum += counter.load(std::memory_order_relaxed);
  return sum;
}

std::optional<int> DatabaseTables::draw_stripe(Random& random, Which which) const {
  const bool all = which == Which::kAll;
  const int64_t total = all ? keys() : expiring();
  if (total <= 0) return std::nullopt;
  // The stripe in which the key of this number would be, were they counted through.
  auto number = static_cast<int64_t>(random.below(static_cast<uint64_t>(total)));
  std::optional<int> drawn;
  for (int stripe = 0; stripe < kStripes && number >= 0; ++stripe) {
    const int64_t keys_here = all ? keys_in(stripe) : expiring_in(stripe);
    if (keys_here > 0) drawn = stripe;
    number -= keys_here;
  }
  return drawn;  // if keys have left meanwhile, the last that has any
}

Entry* DatabaseTables::random_entry(int stripe, Random& random) const {
  if (keys_in(stripe) == 0) return nullptr;
  auto number = random.below(static_cast<uint64_t>(keys_in(stripe)));
  size_t partition = static_cast<size_t>(stripe) * kPartitionsPerStripe;
  while (number >= partitions_[partition].size()) number -= partitions_[partition++].size();
  return partitions_[partition].random_entry(random);
}

Keyspace::Keyspace(const Options& options)
    : traits_{options.hash_seed},
      stripes_(kStripes),
      databases_(static_cast<size_t>(options.databases)) {
  for (Stripe& stripe : stripes_) stripe.lock.set_doorway(doorway_);
}

Keyspace::~Keyspace() = default;

void Keyspace::lock_all() {
  lock_all_unless([] { return false; });
}

bool Keyspace::lock_all_unless(FunctionRef<bool()> gives_up) TANDEM_NO_ANALYSIS {
  note_stripe_taken(false);
  while (!doorway_.enter_within(kPatienceMs)) {
    if (!gives_up()) continue;
    note_stripe_let_go();
    return false;
  }
  doorway_.shut();
  for (Stripe& stripe : stripes_) {
    while (!stripe.lock.is_left_within(kPatienceMs)) {
      if (!gives_up()) continue;
      unlock_all();
      return false;
    }
  }
  return true;
}

void Keyspace::unlock_all() TANDEM_NO_ANALYSIS {
  doorway_.open();
  doorway_.leave();
  note_stripe_let_go();
}

DatabaseTables& Keyspace::tables_for_writing(int database) {
  Database& slot = databases_[static_cast<size_t>(database)];
  DatabaseTables* tables = slot.tables.load(std::memory_order_acquire);
  if (tables != nullptr) [[likely]]
    return *tables;
  // Two holders of different stripes may meet here.
  const Guard guard(slot.creating);
  tables = slot.tables.load(std::memory_order_acquire);
  if (tables == nullptr) {
    slot.owner = std::make_shared<DatabaseTables>();
    slot.owner->cut_index = database;
    tables = slot.owner.get();
    slot.tables.store(tables, std::memory_order_release);
  }
  return *tables;
}

const Entry* Keyspace::find_in(DatabaseTables* tables, Bytes key) const {
  if (tables == nullptr) return nullptr;
  const KeyPlace at = place(key);
  return tables->partition(at.partition).find(traits_, at.hash, key);
}

TablesRef Keyspace::take_tables(const AllStripes& /*all*/, int database) {
  Database& slot = databases_[static_cast<size_t>(database)];
  const Guard guard(slot.creating);
  slot.tables.store(nullptr, std::memory_order_release);
  return std::move(slot.owner);
}

TablesRef Keyspace::share_tables(const AllStripes& /*all*/, int database) const {
  const Database& slot = databases_[static_cast<size_t>(database)];
  const Guard guard(slot.creating);
  return slot.owner;
}

void Keyspace::put_tables(const AllStripes& /*all*/, int database, TablesRef tables) {
  Database& slot = databases_[static_cast<size_t>(database)];
  const Guard guard(slot.creating);
  slot.owner = std::move(tables);
  slot.tables.store(slot.owner.get(), std::memory_order_release);
}

void Keyspace::swap_databases(const AllStripes& all, int a, int b) {
  TablesRef first = take_tables(all, a);
  put_tables(all, a, take_tables(all, b));
  put_tables(all, b, std::move(first));
}

int64_t Keyspace::keys(int database) const {
  const Database& slot = databases_[static_cast<size_t>(database)];
  // Readers hold no stripe: the owner's lock keeps the tables alive meanwhile.
  const Guard guard(slot.creating);
  return slot.owner == nullptr ? 0 : slot.owner->keys();
}

int64_t Keyspace::expiring(int database) const {
  const Database& slot = databases_[static_cast<size_t>(database)];
  const Guard guard(slot.creating);
  return slot.owner == nullptr ? 0 : slot.owner->expiring();
}

int64_t Keyspace::expiring_in(int database, int stripe) const {
  const Database& slot = databases_[static_cast<size_t>(database)];
  const Guard guard(slot.creating);
  return slot.owner == nullptr ? 0 : slot.owner->expiring_in(stripe);
}

int64_t Keyspace::keys_in(int database, int stripe) const {
  const Database& slot = databases_[static_cast<size_t>(database)];
  const Guard guard(slot.creating);
  return slot.owner == nullptr ? 0 : slot.owner->keys_in(stripe);
}

std::optional<int> Keyspace::draw_stripe(int database, Random& random, Which which) const {
  const Database& slot = databases_[static_cast<size_t>(database)];
  const Guard guard(slot.creating);
  return slot.owner == nullptr ? std::nullopt : slot.owner->draw_stripe(random, which);
}

int64_t Keyspace::average_ttl_ms(int database) const {
  const Database& slot = databases_[static_cast<size_t>(database)];
  const Guard guard(slot.creating);
  return slot.owner == nullptr ? 0 : slot.owner->average_ttl_ms.load(std::memory_order_relaxed);
}

void Keyspace::set_average_ttl_ms(int database, int64_t average_ms) {
  const Database& slot = databases_[static_cast<size_t>(database)];
  const Guard guard(slot.creating);
  if (slot.owner != nullptr) {
    slot.owner->average_ttl_ms.store(average_ms, std::memory_order_relaxed);
  }
}

void SnapshotHook::capture(TableBucket& home) {
  state_.sink->capture_chain(tables_.cut_index, home);
  home.set_epoch(state_.epoch);
}

}  // namespace tandem
