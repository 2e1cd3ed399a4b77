// Every client of the server, across workers. Threads: any; a connection costs one lock when it
// opens and one when it closes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <absl/container/btree_map.h>

#include "base/lock.h"
#include "server/client_card.h"

namespace tandem {

class ClientRegistry {
 public:
  using Card = std::shared_ptr<ClientCard>;

  // Ids grow and are never used twice.
  uint64_t next_id() { return last_id_.fetch_add(1, std::memory_order_relaxed) + 1; }

  void add(Card card);
  void remove(uint64_t id);

  // In the order of ids.
  std::vector<Card> list() const;
  // In the order given and as often; ids that are not there are left out.
  std::vector<Card> list(std::span<const uint64_t> ids) const;
  size_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> last_id_{0};
  std::atomic<size_t> count_{0};
  mutable Lock lock_;
  absl::btree_map<uint64_t, Card> cards_ TANDEM_GUARDED_BY(lock_);
};

}  // namespace tandem
