// How a key was used, in 24 bits of its entry: how recently, or how often. Which of the two they
// tell depends on the server's rule (UseRules), for all keys alike.
//
//   by recency     second{24}              of the last use; the clock comes round after 194 days
//   by frequency   minute{16} counter{8}   of the last decay, and how often, by a logarithm
//
// The counter goes up by chance, the less likely the higher it is, so that 255 stands for some
// million uses; each `decay_minutes` that pass take one from it. It is brought up to date when it
// is looked at. A new key begins with kNewKeyFrequency, so that it gets a chance to be used again.
//
// A rule that changes at run time leaves the bits as they are: they mean something else then, and
// are worth nothing until the keys are used again. Redis does the same, with the same bits.
//
// Pure, but for the chance that is handed in.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/random.h"

namespace tandem {

inline constexpr int kUseBits = 24;
inline constexpr uint32_t kUseMask = (uint32_t{1} << kUseBits) - 1;
inline constexpr uint8_t kNewKeyFrequency = 5;

// Shared by all keys. Written by the configuration, read by any thread.
struct UseRules {
  std::atomic<bool> by_frequency{false};
  std::atomic<int64_t> log_factor{10};    // how much steeper each step of the counter is
  std::atomic<int64_t> decay_minutes{1};  // 0: counters stay
};

// By recency. What was used a little later than `now_s`, by a clock that was set back, counts as
// just used.
inline uint32_t use_by_recency(int64_t now_s) { return static_cast<uint32_t>(now_s) & kUseMask; }
inline uint32_t idle_seconds(uint32_t use, int64_t now_s) {
  constexpr uint32_t kSecondsBackMax = 24 * 60 * 60;
  const uint32_t passed = (static_cast<uint32_t>(now_s) - use) & kUseMask;
  return passed > kUseMask - kSecondsBackMax ? 0 : passed;
}
// The use of a key that has been idle for so long, as far as the bits reach.
inline uint32_t use_of_idle(uint64_t idle_s, int64_t now_s) {
  constexpr uint64_t kIdleMax = kUseMask - 24 * 60 * 60;
  const auto idle = static_cast<uint32_t>(std::min(idle_s, kIdleMax));
  return (static_cast<uint32_t>(now_s) - idle) & kUseMask;
}

// By frequency.
inline uint32_t use_by_frequency(uint8_t counter, int64_t now_s) {
  constexpr int64_t kSecondsPerMinute = 60;
  return (static_cast<uint32_t>(now_s / kSecondsPerMinute) & 0xffff) << 8 | counter;
}
// The counter as it is now.
uint8_t frequency(uint32_t use, int64_t now_s, int64_t decay_minutes);
// Once more used.
uint32_t used_again(uint32_t use, int64_t now_s, const UseRules& rules, Random& random);

// Of a key that comes from elsewhere (RESTORE, a file), by what is told there; if that does not fit
// the rule, as of a new key.
inline uint32_t use_as_told(std::optional<uint64_t> idle_s, std::optional<uint8_t> use_frequency,
                            int64_t now_s, bool by_frequency) {
  if (by_frequency) return use_by_frequency(use_frequency.value_or(kNewKeyFrequency), now_s);
  return use_of_idle(idle_s.value_or(0), now_s);
}

}  // namespace tandem
