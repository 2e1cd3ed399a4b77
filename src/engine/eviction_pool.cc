#include "engine/eviction_pool.h"

#include <algorithm>

#include "base/check.h"

namespace tandem {

void EvictionPool::offer(uint64_t score, int database, const KeyPlace& place) {
  if (!takes(score)) return;
  const auto same = std::ranges::find_if(candidates_, [&](const EvictionCandidate& other) {
    return other.database == database && other.place == place;
  });
  if (same != candidates_.end()) {
    candidates_.erase(same);
  } else if (candidates_.size() == kCandidatesMax) {
    candidates_.erase(candidates_.begin());
  }
  const auto before = std::ranges::lower_bound(candidates_, score, {}, &EvictionCandidate::score);
  candidates_.insert(before, {score, database, place});
}

EvictionCandidate EvictionPool::take_best() {
  CHECK(!candidates_.empty(), "the best of none");
  const EvictionCandidate best = candidates_.back();
  candidates_.pop_back();
  return best;
}

}  // namespace tandem
