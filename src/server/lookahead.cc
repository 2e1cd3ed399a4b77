// The second argument is the first key of nearly every command that has keys; no command is
// resolved here. A table may change under another worker's hands, so each step holds the stripe,
// and skips the key if it is not free.
#include "server/lookahead.h"

namespace tandem {

template <class Prefetch>
void Lookahead::for_each_table(int database, Prefetch prefetch) {
  for (size_t at = 0; at < place_count_; ++at) {
    const KeyPlace& place = places_[at];
    Lock& stripe = keyspace_.stripe(place.stripe());
    if (!stripe.try_lock()) continue;
    if (DatabaseTables* tables = keyspace_.tables(database)) {
      prefetch(tables->partition(place.partition), place.hash);
    }
    stripe.unlock();
  }
}

int Lookahead::prepare(int database, Bytes bytes) {
  const int requests = parse(bytes);
  if (place_count_ < 2) return requests;
  for_each_table(database,
                 [](const PartitionTable& table, uint64_t) { __builtin_prefetch(&table); });
  for_each_table(database,
                 [](const PartitionTable& table, uint64_t) { table.prefetch_directory(); });
  for_each_table(database,
                 [](const PartitionTable& table, uint64_t hash) { table.prefetch(hash); });
  for_each_table(database,
                 [](const PartitionTable& table, uint64_t hash) { table.prefetch_entry(hash); });
  return requests;
}

int Lookahead::parse(Bytes bytes) {
  parser_.reset();
  place_count_ = 0;
  int requests = 0;
  while (requests < kRequestsMax && parser_.next(bytes) == ParseStatus::kRequest) {
    ++requests;
    if (parser_.args().size() > 1) places_[place_count_++] = keyspace_.place(parser_.args()[1]);
    bytes.remove_prefix(parser_.raw().size());
  }
  return requests;
}

}  // namespace tandem
