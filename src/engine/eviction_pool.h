// The best candidates for eviction that were met so far, by a score: the higher, the sooner it
// goes. Pure; confined to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "keyspace/keyspace.h"

namespace tandem {

// The key itself may be long, so it is known by its place. Two keys with the same 64 bits there are
// taken for one, and either may go.
struct EvictionCandidate {
  uint64_t score = 0;
  int database = 0;
  KeyPlace place;
};

static_assert(std::is_trivially_copyable_v<EvictionCandidate>);

class EvictionPool {
 public:
  static constexpr size_t kCandidatesMax = 16;

  // Whether it would be kept: if it is better than the worst, or if there is room.
  bool takes(uint64_t score) const {
    return candidates_.size() < kCandidatesMax || score > candidates_.front().score;
  }
  // Keeps it if it takes it. A key that is in already gets the new score.
  void offer(uint64_t score, int database, const KeyPlace& place);
  // The best, which leaves the pool. REQUIRES: not empty.
  EvictionCandidate take_best();
  bool empty() const { return candidates_.empty(); }
  void clear() { candidates_.clear(); }

 private:
  std::vector<EvictionCandidate> candidates_;  // the best is the last
};

}  // namespace tandem
