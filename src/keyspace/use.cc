#include "keyspace/use.h"

namespace tandem {

uint8_t frequency(uint32_t use, int64_t now_s, int64_t decay_minutes) {
  constexpr int64_t kSecondsPerMinute = 60;
  const auto counter = static_cast<uint8_t>(use & 0xff);
  if (decay_minutes <= 0) return counter;
  const auto passed = static_cast<uint16_t>(now_s / kSecondsPerMinute - (use >> 8));
  constexpr uint16_t kPassedMax = 0xffff - 24 * 60;  // more: the clock was set back
  const int64_t periods = passed > kPassedMax ? 0 : passed / decay_minutes;
  return periods >= counter ? 0 : static_cast<uint8_t>(counter - periods);
}

uint32_t used_again(uint32_t use, int64_t now_s, const UseRules& rules, Random& random) {
  constexpr uint8_t kMost = 255;
  const int64_t decay_minutes = rules.decay_minutes.load(std::memory_order_relaxed);
  uint8_t counter = frequency(use, now_s, decay_minutes);
  if (counter < kMost) {
    // One of so many uses counts.
    const int64_t above = std::max(0, counter - kNewKeyFrequency);
    const auto uses =
        static_cast<uint64_t>(above * rules.log_factor.load(std::memory_order_relaxed) + 1);
    if (random.below(uses) == 0) ++counter;
  }
  return use_by_frequency(counter, now_s);
}

}  // namespace tandem
