// Sleepers are counted in the lock itself, so only unlocks that somebody sleeps on pay for a wake,
// and a lock is reserved only when somebody will take it.
#include "base/lock.h"

namespace tandem {

void Lock::lock_slow() {
  static constexpr int kTries = 32;
  for (int i = 0; i < kTries; ++i) {
    uint32_t state = state_.load(std::memory_order_relaxed);
    if ((state & kHeld) == 0 && state_.compare_exchange_weak(state, (state & ~kReserved) | kHeld,
                                                             std::memory_order_acquire)) {
      return;
    }
    __builtin_ia32_pause();
  }
  state_.fetch_add(kSleeper, std::memory_order_relaxed);
  sleep_and_take();
}

// As one who is counted.
void Lock::sleep_and_take() {
  uint32_t state = state_.load(std::memory_order_relaxed);
  for (;;) {
    if ((state & kHeld) != 0) {
      state_.wait(state, std::memory_order_relaxed);
      state = state_.load(std::memory_order_relaxed);
    } else if (state_.compare_exchange_weak(state, ((state - kSleeper) & ~kReserved) | kHeld,
                                            std::memory_order_acquire)) {
      return;
    }
  }
}

// Counted while it waits for the other to come and go, whose unlock then wakes it.
void Lock::lock_behind() {
  uint32_t state = state_.fetch_add(kSleeper, std::memory_order_relaxed) + kSleeper;
  while ((state & kReserved) != 0) {
    state_.wait(state, std::memory_order_relaxed);
    state = state_.load(std::memory_order_relaxed);
  }
  sleep_and_take();
}

void Lock::unlock_to_others() {
  uint32_t state = state_.load(std::memory_order_relaxed);
  while (!state_.compare_exchange_weak(state, (state - kHeld) | (state >= kSleeper ? kReserved : 0),
                                       std::memory_order_release)) {
  }
  if (state >= kSleeper) state_.notify_one();
}

}  // namespace tandem
