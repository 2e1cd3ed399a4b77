// What can be configured about the limit of memory. Defaults are Redis 7.2's; any thread may read,
// config writes.
#pragma once

#include <cstdint>

#include "base/option.h"

namespace tandem {

// What is evicted when memory runs out. In the numbering of the directive's table.
enum class MemoryPolicy : int {
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
  kAllKeysLru,
  kAllKeysLfu,
  kAllKeysRandom,
  kNoEviction,
};

// Only keys with an expiry are evicted.
constexpr bool is_volatile(MemoryPolicy policy) { return policy <= MemoryPolicy::kVolatileTtl; }
constexpr bool goes_by_recency(MemoryPolicy policy) {
  return policy == MemoryPolicy::kVolatileLru || policy == MemoryPolicy::kAllKeysLru;
}
constexpr bool goes_by_frequency(MemoryPolicy policy) {
  return policy == MemoryPolicy::kVolatileLfu || policy == MemoryPolicy::kAllKeysLfu;
}
constexpr bool goes_by_chance(MemoryPolicy policy) {
  return policy == MemoryPolicy::kVolatileRandom || policy == MemoryPolicy::kAllKeysRandom;
}

struct MemoryOptions {
  Option<uint64_t> limit_bytes = 0;  // maxmemory, 0: none
  Option<MemoryPolicy> policy = MemoryPolicy::kNoEviction;
  Option<int64_t> samples = 5;
  Option<int64_t> tenacity = 10;                // maxmemory-eviction-tenacity, 0 to 100
  Option<int64_t> frequency_log_factor = 10;    // lfu-log-factor
  Option<int64_t> frequency_decay_minutes = 1;  // lfu-decay-time
  Option<bool> lazy = false;                    // lazyfree-lazy-eviction: replicas are told UNLINK
  Option<bool> replica_ignores = true;          // replica-ignore-maxmemory
};

}  // namespace tandem
