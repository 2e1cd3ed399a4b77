#include "engine/eviction_pool.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tandem {

void EvictionPool::offer(uint64_t score, int database, Bytes key) {
  const bool full = candidates_.size() == kCandidatesMax;
  if (full && score <= candidates_.front().score) return;
  const auto same = std::ranges::find_if(candidates_, [&](const EvictionCandidate& other) {
    return other.database == database && other.key == key;
  });
  if (same != candidates_.end()) {
    candidates_.erase(same);
  } else if (full) {
    candidates_.erase(candidates_.begin());
  }
  const auto place = std::ranges::lower_bound(candidates_, score, {}, &EvictionCandidate::score);
  candidates_.insert(place, {score, database, std::string(key)});
}

EvictionCandidate EvictionPool::take_best() {
  CHECK(!candidates_.empty(), "the best of none");
  EvictionCandidate best = std::move(candidates_.back());
  candidates_.pop_back();
  return best;
}

}  // namespace tandem
