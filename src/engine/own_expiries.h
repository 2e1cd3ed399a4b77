// Keys to which the clients of a writable replica gave an expiry. Nobody else will delete them, for
// the primary does not know of them: the replica's active expiry goes through this list, round and
// round. A key counts as such only while it has that very expiry; what the primary's stream has set
// since is the primary's to delete.
//
// Threads: any. The place of a key in it belongs to whoever holds the key's stripe.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/container/btree_map.h>

#include "base/lock.h"
#include "keyspace/view.h"

namespace tandem {

class OwnExpiries {
 public:
  void note(OwnExpiry expiry);
  void forget(const KeyName& name);
  void clear();
  size_t size() const;
  // Comes before all names.
  static KeyName before_all() { return {-1, {}}; }
  // Up to `count` of them in order, from the first behind `name` on. Fewer: these are the last.
  std::vector<OwnExpiry> behind(const KeyName& name, size_t count) const;

 private:
  mutable Lock lock_;
  absl::btree_map<KeyName, int64_t> expiries_ TANDEM_GUARDED_BY(lock_);
};

}  // namespace tandem
