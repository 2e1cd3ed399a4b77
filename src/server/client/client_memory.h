// maxmemory-clients: a limit for what clients hold together, in requests, replies, messages and
// names (ClientCard::memory_bytes). Where they hold more, those who hold the most are ended until
// the rest fits.
//
// Each session counts anew what its client holds after a batch of requests and after it has sent.
// Whose count makes the sum too large ends the largest ones, be it itself. While there is no limit,
// a count costs a branch.
//
// Replicas and the primary are neither counted nor ended: they have limits of their own. Who has
// said CLIENT NO-EVICT is counted, but stays.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "base/lock.h"
#include "base/metric.h"
#include "base/option.h"
#include "server/client/client_registry.h"

namespace tandem {

class ClientMemory {
 public:
  // With less nobody could say anything any more.
  static constexpr int64_t kLimitBytesMin = 128 * 1024;

  // All outlive this. `configured`: bytes; below 0: percent of `memory_bytes` (maxmemory), which is
  // no limit where that is 0; 0: no limit.
  ClientMemory(ClientRegistry& clients, const Option<int64_t>& configured,
               const Option<uint64_t>& memory_bytes)
      : clients_(clients), configured_(configured), memory_bytes_(memory_bytes) {}
  ClientMemory(const ClientMemory&) = delete;
  ClientMemory& operator=(const ClientMemory&) = delete;

  // What is configured of both holds from here on, and ends whom it ends.
  void apply();
  // What the client holds may have changed.
  void recount(ClientCard& card) {
    if (limit_bytes_.load(std::memory_order_relaxed) != 0) [[unlikely]]
      count(card);
  }
  // It is ended, and listed no more.
  void forget(ClientCard& card);

  int64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }
  void reset_evicted() { evicted_.store(0); }

 private:
  void count(ClientCard& card);
  void put_down(ClientCard& card, int64_t bytes, bool may_be_ended);
  void evict();
  bool is_over(int64_t limit_bytes) const {
    return limit_bytes != 0 && total_bytes_.load(std::memory_order_relaxed) > limit_bytes;
  }

  ClientRegistry& clients_;
  const Option<int64_t>& configured_;
  const Option<uint64_t>& memory_bytes_;
  std::atomic<int64_t> limit_bytes_{0};  // 0: none
  std::atomic<int64_t> total_bytes_{0};
  std::atomic<int64_t> evictable_{0};  // clients counted that may be ended
  std::atomic<int64_t> evicted_{0};
  Lock evicting_;
};

// Section: stats. It outlives the table.
MetricTable client_memory_metrics(ClientMemory& memory);

}  // namespace tandem
