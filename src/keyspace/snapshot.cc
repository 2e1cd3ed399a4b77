// Mechanism: each chain of the table bears the number of the walk that last captured it, its epoch.
// A new walk takes the next number, so at its cut every chain counts as not captured without being
// touched. Whoever comes to a chain first, the walker or a writer about to change it, captures it
// and marks it. A chain that moves when the table grows or shrinks takes its mark along.
#include "keyspace/snapshot.h"

#include <algorithm>

#include "base/check.h"

namespace tandem {

namespace {

// Chains that no walk has come to for so many walks still bear another epoch than the next one's.
constexpr int kUnfinishedWalksMax = 100;
static_assert(kUnfinishedWalksMax + 2 < TableBucket::kEpochMask);
// Marking a chain takes some nanoseconds.
constexpr int kChainsMarkedPerHold = 512;

}  // namespace

SnapshotWalk::SnapshotWalk(const AllStripes& all, Keyspace& keyspace, SnapshotSink& sink)
    : keyspace_(keyspace) {
  Keyspace::SnapshotState& state = keyspace.snapshot();
  CHECK(state.sink == nullptr, "one snapshot at a time");
  for (int i = 0; i < keyspace.database_count(); ++i) {
    TablesRef tables = keyspace.share_tables(all, i);
    if (tables == nullptr) continue;
    tables->cut_index = i;
    if (tables->keys() > 0) sizes_at_cut_.push_back({i, tables->keys(), tables->expiring()});
    tables_.push_back(std::move(tables));
  }
  state.epoch = static_cast<uint8_t>(state.epoch % TableBucket::kEpochMask + 1);
  state.sink = &sink;
}

int64_t SnapshotWalk::keys_at_cut() const {
  int64_t keys = 0;
  for (const Size& size : sizes_at_cut_) keys += size.keys;
  return keys;
}

void SnapshotWalk::end(const AllStripes& /*all*/) {
  Keyspace::SnapshotState& state = keyspace_.snapshot();
  state.sink = nullptr;
  state.unfinished = complete_ ? 0 : state.unfinished + 1;
}

bool SnapshotWalk::abandon() {
  return !complete_ && keyspace_.snapshot().unfinished >= kUnfinishedWalksMax;
}

bool SnapshotWalk::mark() {
  return step({.chains = kChainsMarkedPerHold, .bytes = 1},
              [](int, const TableBucket&) { return size_t{0}; });
}

bool SnapshotWalk::step(const Hold& hold, Capture capture) {
  if (partition_ >= kPartitions || tables_.empty()) {
    complete_ = true;
    return false;
  }
  const int stripe = partition_ / kPartitionsPerStripe;
  const PatientGuard guard(keyspace_.stripe(stripe), Lock::Purpose::kSnapshot);
  bring_near_next(hold.chains);
  Hold left = hold;
  while (left.chains > 0 && left.bytes > 0 && partition_ / kPartitionsPerStripe == stripe) {
    if (!step_table(*tables_[table_], partition_, left, capture)) continue;
    bucket_ = 0;
    if (++table_ < tables_.size()) continue;
    table_ = 0;
    ++partition_;
  }
  if (partition_ / kPartitionsPerStripe == stripe) look_ahead(hold.chains);
  complete_ = partition_ >= kPartitions;
  return !complete_;
}

// The next chains of the stripe that is held.
template <class Fn>
void SnapshotWalk::for_each_ahead(int chains, Fn&& fn) const {
  uint32_t bucket = bucket_;
  size_t table = table_;
  const int end = (partition_ / kPartitionsPerStripe + 1) * kPartitionsPerStripe;
  for (int partition = partition_; partition < end; ++partition) {
    for (; table < tables_.size(); ++table) {
      const PartitionTable& chains_of = tables_[table]->partition(partition);
      for (; bucket < chains_of.bucket_count(); ++bucket) {
        if (chains-- == 0) return;
        fn(chains_of.bucket_at(bucket));
      }
      bucket = 0;
    }
    table = 0;
  }
}

// The next hold is short if its cache misses pass while nobody waits for them.
void SnapshotWalk::look_ahead(int chains) const {
  for_each_ahead(2 * chains, [](const TableBucket& home) { __builtin_prefetch(&home); });
  for_each_ahead(chains, [](const TableBucket& home) { PartitionTable::prefetch_chain(home); });
}

// And if those that must be waited for are waited for together.
void SnapshotWalk::bring_near_next(int chains) const {
  for_each_ahead(chains, [](const TableBucket& home) {
    PartitionTable::for_each_in_chain(home, [](Entry* entry, bool) { entry->prefetch_payload(); });
  });
  for_each_ahead(chains, [](const TableBucket& home) {
    PartitionTable::for_each_in_chain(home, [](Entry* entry, bool) { entry->prefetch_content(); });
  });
}

void SnapshotWalk::bring_near(const TableBucket& home) {
  PartitionTable::prefetch_chain(home);
  PartitionTable::for_each_in_chain(home, [](Entry* entry, bool) { entry->prefetch_payload(); });
  PartitionTable::for_each_in_chain(home, [](Entry* entry, bool) { entry->prefetch_content(); });
}

// True when the table is done. A chain that a split moved behind the walk's place bears the epoch
// of the bucket that it came from, which was captured before it was split; one that a merge moved
// before it, likewise.
bool SnapshotWalk::step_table(DatabaseTables& tables, int partition, Hold& left, Capture capture) {
  PartitionTable& table = tables.partition(partition);
  const uint8_t epoch = keyspace_.snapshot().epoch;
  for (; bucket_ < table.bucket_count(); ++bucket_) {
    if (left.chains == 0 || left.bytes == 0) return false;
    TableBucket& home = table.bucket_at(bucket_);
    if (home.epoch() == epoch) continue;
    left.bytes -= std::min(left.bytes, capture(tables.cut_index, home));
    home.set_epoch(epoch);
    --left.chains;
  }
  return true;
}

}  // namespace tandem
