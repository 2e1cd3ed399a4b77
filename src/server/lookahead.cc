// The second argument is the first key of nearly every command that has keys; no command is
// resolved here. A table may change under another worker's hands, so each step holds the stripe,
// and skips the key if it is not free.
#include "server/lookahead.h"

namespace tandem {

template <class Prefetch>
void Lookahead::for_each_table(Prefetch prefetch) {
  for (size_t at = 0; at < count_; ++at) {
    const auto& [database, place] = targets_[at];
    StripeLock& stripe = keyspace_.stripe(place.stripe());
    if (!stripe.try_lock()) continue;
    if (DatabaseTables* tables = keyspace_.tables(database)) {
      prefetch(tables->partition(place.partition), place.hash);
    }
    stripe.unlock();
  }
}

void Lookahead::add(int database, std::span<const Bytes> args) {
  if (args.size() < 2 || args[1].size() > kKeyBytesMax) return;
  if (count_ == targets_.size()) fetch();
  targets_[count_++] = {database, keyspace_.place(args[1])};
}

void Lookahead::fetch() {
  if (count_ > 1) {  // one alone has nothing to overlap with
    for_each_table([](const PartitionTable& table, uint64_t) { __builtin_prefetch(&table); });
    for_each_table([](const PartitionTable& table, uint64_t) { table.prefetch_directory(); });
    for_each_table([](const PartitionTable& table, uint64_t hash) { table.prefetch(hash); });
    for_each_table([](const PartitionTable& table, uint64_t hash) { table.prefetch_entry(hash); });
  }
  count_ = 0;
}

int Lookahead::prepare(int database, Bytes pipeline) {
  parser_.reset();
  int requests = 0;
  while (requests < kRequestsMax && parser_.next(pipeline) == ParseStatus::kRequest) {
    ++requests;
    add(database, parser_.args());
    pipeline.remove_prefix(parser_.raw().size());
  }
  fetch();
  return requests;
}

}  // namespace tandem
