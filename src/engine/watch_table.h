// WATCH: which keys are watched, and whom to tell. A changed key marks its watchers dirty; EXEC
// looks at the mark.
//
// Threads: any; no call takes a stripe. A change cannot slip in between a look at a key and its
// registration, for add() and the marking happen under the key's stripe.
#pragma once

#include <memory>

#include <absl/container/flat_hash_set.h>

#include "base/function_ref.h"
#include "engine/client_state.h"
#include "engine/registrations.h"

namespace tandem {

class WatchTable {
 public:
  explicit WatchTable(Keyspace& keyspace) : watches_(keyspace) {}

  // REQUIRES: the key's stripe held.
  void add(int database, Bytes key, const std::shared_ptr<WatchMark>& mark);
  void remove(int database, Bytes key, const std::shared_ptr<WatchMark>& mark);
  // REQUIRES: the key's stripe held.
  void mark_dirty(int database, Bytes key);
  // A database was flushed, swapped or loaded anew, which concerns the watched keys for which
  // `concerned` is true. REQUIRES: all stripes held.
  void mark_database_dirty(int database, FunctionRef<bool(Bytes key)> concerned);

 private:
  using Marks = absl::flat_hash_set<std::shared_ptr<WatchMark>>;
  Registrations<Marks> watches_;
};

}  // namespace tandem
