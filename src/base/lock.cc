#include "base/lock.h"

namespace tandem {

// Three states after Drepper, "Futexes are tricky": a waiter marks the lock contended, so that only
// contended unlocks pay for a wake.
void Lock::lock_slow() {
  static constexpr int kTries = 32;
  for (int i = 0; i < kTries; ++i) {
    uint32_t expected = kFree;
    if (state_.load(std::memory_order_relaxed) == kFree &&
        state_.compare_exchange_weak(expected, kHeld, std::memory_order_acquire)) {
      return;
    }
    __builtin_ia32_pause();
  }
  while (state_.exchange(kContended, std::memory_order_acquire) != kFree) {
    state_.wait(kContended, std::memory_order_relaxed);
  }
}

}  // namespace tandem
