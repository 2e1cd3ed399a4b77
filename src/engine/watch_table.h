// WATCH: which keys are watched, and whom to tell. A changed key marks its watchers dirty; EXEC
// looks at the mark.
//
// Threads: the registrations of a key belong to whoever holds the key's stripe.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/function_ref.h"
#include "engine/client_state.h"
#include "keyspace/keyspace.h"

namespace tandem {

class WatchTable {
 public:
  explicit WatchTable(Keyspace& keyspace) : keyspace_(keyspace) {}

  // REQUIRES: the key's stripe held.
  void add(int database, Bytes key, const std::shared_ptr<WatchMark>& mark);
  // Takes the stripe itself.
  void remove(int database, Bytes key, const std::shared_ptr<WatchMark>& mark);
  // REQUIRES: the key's stripe held.
  void mark_dirty(int database, Bytes key);
  // A database was flushed, swapped or loaded anew, which concerns the watched keys for which
  // `concerned` is true. REQUIRES: all stripes held.
  void mark_database_dirty(int database, FunctionRef<bool(Bytes key)> concerned);

 private:
  using Marks = std::vector<std::shared_ptr<WatchMark>>;
  using Watches = absl::flat_hash_map<std::string, Marks>;
  Watches& watches_of(Bytes key) {
    return watches_[static_cast<size_t>(keyspace_.place(key).stripe())];
  }

  Keyspace& keyspace_;
  std::array<Watches, kStripes> watches_;
};

}  // namespace tandem
