// The keys of all databases, cut into partitions, and the locks that cover them.
//
//   key --unseeded hash--> one of 16,384 partitions --64 in a row--> one of 256 stripes (a lock)
//   (database, partition) --> a HashTable of entries, seeded against crafted keys
//
// The partition of a key is the same on every node; the hash inside it is not.
//
// Threads: everything about a partition's keys, in all databases, belongs to whoever holds its
// stripe. Holding all stripes (ExclusiveGuard) is "everything": change of role, the cut of a
// snapshot, FLUSHALL, SWAPDB.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include <xxhash.h>

#include "base/function_ref.h"
#include "base/random.h"
#include "data/element.h"
#include "data/hash_table.h"
#include "keyspace/entry.h"
#include "keyspace/interest.h"
#include "keyspace/stripe_lock.h"
#include "keyspace/use.h"

namespace tandem {

inline constexpr int kPartitions = 16384;
inline constexpr int kPartitionsPerStripe = kPartitions / kStripes;

// Where a key lies. Computed once a command.
struct KeyPlace {
  uint16_t partition = 0;
  uint64_t hash = 0;  // inside the partition
  int stripe() const { return partition / kPartitionsPerStripe; }
  bool operator==(const KeyPlace&) const = default;
};

struct EntryTraits {
  using Entry = tandem::Entry;
  using Key = Bytes;
  uint64_t seed = 0;
  uint64_t hash_key(Bytes key) const { return XXH3_64bits_withSeed(key.data(), key.size(), seed); }
  uint64_t hash(const Entry& entry) const { return hash_key(entry.key()); }
  bool equals(const Entry& entry, Bytes key) const { return entry.key() == key; }
};

using PartitionTable = HashTable<EntryTraits>;

// The tables of one database. FLUSHDB replaces them as a whole, so that a snapshot that still walks
// them, or a thread that frees them, can hold on to the old ones. Freed with the last reference.
class DatabaseTables {
 public:
  DatabaseTables() = default;
  DatabaseTables(const DatabaseTables&) = delete;
  DatabaseTables& operator=(const DatabaseTables&) = delete;
  ~DatabaseTables();

  PartitionTable& partition(int index) { return partitions_[static_cast<size_t>(index)]; }

  // Keys and keys with an expiry, by stripe; written under the stripe, read by anyone as an
  // estimate that is exact when nothing runs.
  void count(int stripe, int64_t keys, int64_t expiring);
  int64_t keys() const;
  int64_t keys_in(int stripe) const {
    return keys_[static_cast<size_t>(stripe)].load(std::memory_order_relaxed);
  }
  int64_t expiring() const;
  // All keys, or those with an expiry alone.
  enum class Which : bool { kAll, kExpiring };
  // Each stripe with the chance of its share of the keys, by the estimate; none if there is no key.
  std::optional<int> draw_stripe(Random& random, Which which = Which::kAll) const;
  // Each key of the stripe with the same chance, but for very long chains; null if there is none.
  // REQUIRES: the stripe held.
  Entry* random_entry(int stripe, Random& random) const;
  // Some keys of the stripe for fn(const Entry&), at least `count` of them if there are so many:
  // neighbours in a table from a random place on, which their hashes have put together. They come
  // by whole chains, for the rest of one costs next to nothing more. REQUIRES: the stripe held.
  template <class Fn>
  void sample(int stripe, Which which, int count, Random& random, Fn&& fn) const;
  int64_t expiring_in(int stripe) const {
    return expiring_[static_cast<size_t>(stripe)].load(std::memory_order_relaxed);
  }

  // Of the keys with an expiry, as the expirer found it last.
  std::atomic<int64_t> average_ttl_ms{0};

  // The number under which a running snapshot writes these keys: SWAPDB may have moved them since
  // the cut.
  int cut_index = 0;

 private:
  std::array<PartitionTable, kPartitions> partitions_;
  std::array<std::atomic<int64_t>, kStripes> keys_{};
  std::array<std::atomic<int64_t>, kStripes> expiring_{};
};

using TablesRef = std::shared_ptr<DatabaseTables>;

// Told of each chain of entries that changes before the walker came to it, as it was at the cut
// (keyspace/snapshot.h). Called under the chain's stripe by writers, from several threads at once:
// internally synchronized, and quick.
class SnapshotSink {
 public:
  virtual ~SnapshotSink() = default;
  virtual void capture_chain(int database, const TableBucket& home) = 0;
  // An entry whose container the sink still walks (Entry::is_walked) has left its table: it belongs
  // to the sink from here on.
  virtual void adopt(Entry* entry) = 0;
  // A container that the sink still walks goes on in an entry of this stripe. Called with both
  // stripes held, the former and this.
  virtual void moved(const void* container, int stripe) = 0;
};

class Keyspace {
 public:
  struct Options {
    int databases = 16;
    uint64_t hash_seed = 0;
  };

  explicit Keyspace(const Options& options);
  ~Keyspace();

  int database_count() const { return static_cast<int>(databases_.size()); }
  const EntryTraits& traits() const { return traits_; }

  KeyPlace place(Bytes key) const {
    const uint64_t spread = XXH3_64bits(key.data(), key.size());
    return {static_cast<uint16_t>(spread >> 50), traits_.hash_key(key)};
  }

  StripeLock& stripe(int index) { return stripes_[static_cast<size_t>(index)].lock; }
  // By which who takes several stripes takes them, if it found them shut (engine/key_locks.h).
  StripeDoorway& doorway() { return doorway_; }
  void lock_all();
  void unlock_all();
  // Asks `gives_up` about every kPatienceMs while it waits. False: it said yes, and none is held.
  static constexpr int64_t kPatienceMs = 20;
  bool lock_all_unless(FunctionRef<bool()> gives_up);

  // Registrations (WATCH, blocked clients) on keys, by KeyPlace::hash.
  Interest& interest() { return interest_; }
  const Interest& interest() const { return interest_; }

  // REQUIRES: the key's stripe held. Null tables hold nothing.
  bool holds(DatabaseTables* tables, Bytes key) const { return find_in(tables, key) != nullptr; }
  // As it lies there, its time over or not. REQUIRES: the key's stripe held.
  const Entry* find(int database, Bytes key) const { return find_in(tables(database), key); }

  // The tables of a database, or null while nothing was ever written to it. REQUIRES: any stripe
  // held.
  DatabaseTables* tables(int database) const {
    return databases_[static_cast<size_t>(database)].tables.load(std::memory_order_acquire);
  }
  DatabaseTables& tables_for_writing(int database);

  // take_tables empties a database and hands its contents over.
  TablesRef take_tables(const AllStripes& all, int database);
  TablesRef share_tables(const AllStripes& all, int database) const;
  void swap_databases(const AllStripes& all, int a, int b);
  void put_tables(const AllStripes& all, int database, TablesRef tables);

  int64_t keys(int database) const;
  int64_t expiring(int database) const;
  int64_t expiring_in(int database, int stripe) const;
  int64_t keys_in(int database, int stripe) const;
  using Which = DatabaseTables::Which;
  std::optional<int> draw_stripe(int database, Random& random, Which which = Which::kAll) const;
  int64_t average_ttl_ms(int database) const;
  void set_average_ttl_ms(int database, int64_t average_ms);

  // The snapshot that runs, if any. Changed under all stripes, read under any.
  struct SnapshotState {
    SnapshotSink* sink = nullptr;
    uint8_t epoch = 1;  // 1 to 127; buckets that bear it are captured or younger than the cut
    // How many walks in a row were given up and left buckets behind that bear older epochs.
    int unfinished = 0;
  };
  SnapshotState& snapshot() { return snapshot_; }

  // How it is noted that keys are used.
  UseRules& use_rules() { return use_rules_; }
  const UseRules& use_rules() const { return use_rules_; }

  // How often everything was thrown away by FLUSHALL; read by anyone.
  void count_flush(const AllStripes& /*all*/) { flushes_.fetch_add(1, std::memory_order_relaxed); }
  uint64_t flushes() const { return flushes_.load(std::memory_order_relaxed); }

 private:
  const Entry* find_in(DatabaseTables* tables, Bytes key) const;

  struct alignas(64) Stripe {
    StripeLock lock;
  };
  struct Database {
    std::atomic<DatabaseTables*> tables{nullptr};  // the same as `owner`, readable without its lock
    TablesRef owner;
    mutable Lock creating;
  };

  const EntryTraits traits_;
  alignas(64) StripeDoorway doorway_;
  std::vector<Stripe> stripes_;
  Interest interest_;
  std::vector<Database> databases_;
  SnapshotState snapshot_;
  UseRules use_rules_;
  std::atomic<uint64_t> flushes_{0};
};

// All stripes.
class ExclusiveGuard final : public AllStripes {
 public:
  explicit ExclusiveGuard(Keyspace& keyspace) : keyspace_(keyspace) { keyspace_.lock_all(); }
  ~ExclusiveGuard() { keyspace_.unlock_all(); }

 private:
  Keyspace& keyspace_;
};

template <class Fn>
void DatabaseTables::sample(int stripe, Which which, int count, Random& random, Fn&& fn) const {
  const bool all = which == Which::kAll;
  const int64_t there = all ? keys_in(stripe) : expiring_in(stripe);
  if (there <= 0) return;
  const auto size = [all](const PartitionTable& table) {
    return all ? table.size() : table.flagged();
  };
  // The partition of a random key; from there on until there are enough.
  auto number = random.below(static_cast<uint64_t>(there));
  int partition = 0;
  const PartitionTable* tables = &partitions_[static_cast<size_t>(stripe) * kPartitionsPerStripe];
  while (number >= size(tables[partition])) number -= size(tables[partition++]);
  auto left = static_cast<int>(std::min<int64_t>(count, there));
  for (int visited = 0; left > 0 && visited < kPartitionsPerStripe; ++visited) {
    const PartitionTable& table = tables[(partition + visited) % kPartitionsPerStripe];
    if (size(table) == 0) continue;
    const uint32_t buckets = table.bucket_count();
    const auto first = static_cast<uint32_t>(random.below(buckets));
    for (uint32_t i = 0; i < buckets && left > 0; ++i) {
      const TableBucket& home = table.bucket_at((first + i) % buckets);
      if (all) PartitionTable::prefetch_chain(home);
      PartitionTable::for_each_in_chain(home, [&](const Entry* entry, bool expiring) {
        if (!all && !expiring) return;
        --left;
        fn(*entry);
      });
    }
  }
}

// The table hook of every change to a database: while a snapshot runs, a chain that changes for the
// first time after the cut is captured first.
class SnapshotHook {
 public:
  SnapshotHook(Keyspace& keyspace, DatabaseTables& tables)
      : state_(keyspace.snapshot()), tables_(tables) {}
  void before_change(TableBucket& home) {
    if (state_.sink != nullptr && home.epoch() != state_.epoch) capture(home);
  }
  uint8_t birth_epoch() const { return state_.epoch; }

 private:
  void capture(TableBucket& home);

  Keyspace::SnapshotState& state_;
  DatabaseTables& tables_;
};

}  // namespace tandem
