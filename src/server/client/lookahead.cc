// The second argument is the first key of nearly every command that has keys; no command is
// resolved here. A table may change under another worker's hands, so each step holds the stripe,
// and skips the key if it is not free.
#include "server/client/lookahead.h"

#include <optional>

#include "resp/request.h"

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

void Lookahead::add(int database, Bytes key) {
  if (key.empty() || key.size() > kKeyBytesMax) return;
  const KeyPlace place = keyspace_.place(key);
  const Target target{database, place};
  if (count_ > 0 && targets_[count_ - 1] == target) return;  // the same once more: a queue
  if (count_ == targets_.size()) fetch();
  targets_[count_++] = target;
  keyspace_.interest().prefetch(place.hash);
  // The first step looks at nothing, so it needs no lock.
  if (DatabaseTables* tables = keyspace_.tables(database)) {
    tables->partition(place.partition).prefetch_step(0, place.hash);
  }
}

void Lookahead::fetch() {
  if (count_ > 1) {  // one alone has nothing to overlap with
    for (int step = 1; step < PartitionTable::kLookupSteps; ++step) {
      for_each_table(
          [step](const PartitionTable& table, uint64_t hash) { table.prefetch_step(step, hash); });
    }
  }
  count_ = 0;
}

int Lookahead::prepare(int database, Bytes pipeline) {
  int requests = 0;
  for (; requests < kRequestsMax; ++requests) {
    const std::optional<Bytes> key = skip_request(pipeline);
    if (!key) break;
    add(database, *key);
  }
  fetch();
  return requests;
}

}  // namespace tandem
