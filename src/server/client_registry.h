// Every client of the server, across workers, and how one of them is ended by another.
//
// Threads: any; a connection costs one lock when it opens and one when it closes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <absl/container/btree_map.h>

#include "base/lock.h"
#include "server/client_card.h"

namespace tandem {

class ClientRegistry {
 public:
  using Card = std::shared_ptr<ClientCard>;
  // What others know a client by (subscriptions and the like) lets go of it. Any thread, and
  // perhaps twice for one client.
  using Leaving = std::function<void(ClientCard&)>;

  explicit ClientRegistry(Leaving leaving = nullptr) : leaving_(std::move(leaving)) {}

  // Ids grow and are never used twice.
  uint64_t next_id() { return last_id_.fetch_add(1, std::memory_order_relaxed) + 1; }

  void add(Card card);
  // Its connection is over.
  void remove(ClientCard& card);
  // Ends a client: when this returns it is listed no more, receives nothing, and whatever it sends
  // is not executed. Its connection closes soon after. False: it is ended already.
  bool kill(ClientCard& card);

  // In the order of ids.
  std::vector<Card> list() const;
  // In the order given and as often; ids that are not there are left out.
  std::vector<Card> list(std::span<const uint64_t> ids) const;
  size_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  const Leaving leaving_;
  std::atomic<uint64_t> last_id_{0};
  std::atomic<size_t> count_{0};
  mutable Lock lock_;
  absl::btree_map<uint64_t, Card> cards_ TANDEM_GUARDED_BY(lock_);
};

}  // namespace tandem
