// The best candidates for eviction that were met so far, by a score: the higher, the sooner it
// goes. Pure; confined to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace tandem {

struct EvictionCandidate {
  uint64_t score = 0;
  int database = 0;
  std::string key;
};

class EvictionPool {
 public:
  static constexpr size_t kCandidatesMax = 16;

  // Keeps it if it is better than the worst, or if there is room. A key that is in already gets the
  // new score.
  void offer(uint64_t score, int database, Bytes key);
  // The best, which leaves the pool. REQUIRES: not empty.
  EvictionCandidate take_best();
  bool empty() const { return candidates_.empty(); }
  void clear() { candidates_.clear(); }

 private:
  std::vector<EvictionCandidate> candidates_;  // the best is the last
};

}  // namespace tandem
