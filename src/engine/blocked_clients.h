// The clients that wait for keys, by key, in the order of their arrival.
//
// Threads: any; each call takes short locks of its own and no stripe, so that a wait can end while
// somebody holds every stripe for long. A push cannot slip in between a look at a key and the
// registration, for add() is called under the stripes of the keys, and so is claim_next().
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/registrations.h"
#include "engine/waiter.h"
#include "keyspace/view.h"

namespace tandem {

class BlockedClients {
 public:
  explicit BlockedClients(Keyspace& keyspace) : keyspace_(keyspace), queues_(keyspace) {}

  // REQUIRES: the stripes of all its keys held.
  void add(const std::shared_ptr<Waiter>& waiter);
  // Once, when it is over.
  void remove(const Waiter& waiter);

  // The first who waits for a value of this type in the key and came after `arrival`, claimed.
  // Null: there is none. Costs the same however many wait.
  std::shared_ptr<Waiter> claim_next(int database, Bytes key, ValueType type, uint64_t arrival);
  // Adds the stripes that those who are first in a key's queue need besides the key's: of some
  // dozen, or all stripes where more than that need any.
  void add_further_stripes(int database, Bytes key, StripeSet& out);
  // Every key of a database that somebody waits for: SWAPDB may have made them ready.
  std::vector<std::string> keys_waited_for(int database);
  // Ends all waits with this reply and closes the connections. REQUIRES: all stripes held.
  void end_all(const std::string& reply);

  int64_t count() const { return count_.load(std::memory_order_relaxed); }
  // Keys that are waited for, and waiters with a deadline.
  int64_t key_count() const { return key_count_.load(std::memory_order_relaxed); }
  int64_t timed_count() const { return timed_count_.load(std::memory_order_relaxed); }

 private:
  using Order = std::pair<ValueType, uint64_t>;
  struct Queue {
    std::map<Order, std::shared_ptr<Waiter>> waiters;
    std::map<uint64_t, const Waiter*> with_further;  // those whose WaitTerms::further is not empty
  };

  Keyspace& keyspace_;
  Registrations<Queue> queues_;
  std::atomic<uint64_t> arrivals_{0};
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> key_count_{0};
  std::atomic<int64_t> timed_count_{0};
};

}  // namespace tandem
