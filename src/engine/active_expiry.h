// Active expiry: what is over is deleted though nobody asks for it.
//
// On a primary, by a walk over the partitions. On a replica that is the primary's to say, but for
// the keys of which it does not know: those of a writable replica's own clients
// (engine/own_expiries.h).
//
// Whoever holds a stripe may hold it for long (a script), and the thread has clients to serve: what
// is not free is passed over, and the next round comes by again.
//
// Confined to the executor's thread.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/accounts.h"
#include "engine/execution.h"
#include "engine/serving.h"

namespace tandem {

class ActiveExpiry {
 public:
  ActiveExpiry(Engine& engine, BatchClock& clock, Accounts& accounts, Serving& serving)
      : engine_(engine), clock_(clock), accounts_(accounts), serving_(serving), step_(engine) {}

  // For up to `budget_us`, going on where the last call stopped. Gives the number of keys deleted.
  uint64_t expire_some(int64_t budget_us);

 private:
  uint64_t expire_all(int64_t deadline_us);
  uint64_t expire_own(int64_t deadline_us);
  bool expire_if_still_own(const OwnExpiry& own);
  bool expire_own_held(const KeyLocks& locks, const OwnExpiry& own);
  uint64_t expire_partition(int database, int partition);
  std::vector<std::string> keys_over(PartitionTable& table);
  int partitions_without_expiry() const;
  void end_round();
  bool is_past(int64_t deadline_us);

  Engine& engine_;
  BatchClock& clock_;
  Accounts& accounts_;
  Serving& serving_;
  Execution step_;

  int partition_ = 0;
  int database_ = 0;
  KeyName own_ = OwnExpiries::before_all();  // the last that was looked at
  // Of the keys with an expiry that the running round over the database has met so far.
  double ttl_sum_ms_ = 0;
  int64_t ttl_count_ = 0;
};

}  // namespace tandem
