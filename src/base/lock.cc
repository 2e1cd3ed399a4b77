// Who sleeps counts itself in the lock, so only unlocks that somebody sleeps on pay for a wake, and
// a lock is reserved only when somebody will take it. Who gives up leaves the count only while the
// lock is held: the holder's unlock then wakes one of those who are left, so no wake is lost.
// A reservation keeps away only who made it. If two who take the lock in a row kept away from each
// other's, both would wait for the other.
//
// std::atomic::wait has no time limit; so the futex is called by name.
#include "base/lock.h"

#include <cerrno>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tandem {
namespace {

uint32_t reserved_by(Lock::Purpose purpose) {
  return uint32_t{2} << static_cast<uint32_t>(purpose);
}

// Until woken, or the word differs from `expected`, or the time is over; also for no reason at all.
// False: the time is over.
bool futex_wait(std::atomic<uint32_t>& word, uint32_t expected, const timespec* limit) {
  const long done = ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, limit, nullptr, 0);
  return done == 0 || errno != ETIMEDOUT;
}

timespec in_timespec(int64_t ms) {
  constexpr int64_t kMsPerSecond = 1000;
  constexpr int64_t kNsPerMs = 1000000;
  return {.tv_sec = ms / kMsPerSecond, .tv_nsec = ms % kMsPerSecond * kNsPerMs};
}

}  // namespace

void Lock::wake_one() { ::syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0); }

bool Lock::lock_briefly() {
  static constexpr int kTries = 32;
  for (int i = 0; i < kTries; ++i) {
    uint32_t state = state_.load(std::memory_order_relaxed);
    if ((state & kHeld) == 0 && state_.compare_exchange_weak(state, (state & ~kReserved) | kHeld)) {
      return true;
    }
    __builtin_ia32_pause();
  }
  return false;
}

void Lock::lock_slow() {
  if (lock_briefly()) return;
  state_.fetch_add(kSleeper, std::memory_order_relaxed);
  sleep_and_take(kForEver);
}

bool Lock::lock_slow_within(int64_t wait_ms) {
  if (lock_briefly()) return true;
  state_.fetch_add(kSleeper, std::memory_order_relaxed);
  return sleep_and_take(wait_ms);
}

// The caller has counted itself as one who sleeps. False: gave up, and counts no more.
bool Lock::sleep_and_take(int64_t wait_ms) {
  const timespec limit = in_timespec(wait_ms == kForEver ? 0 : wait_ms);
  bool in_time = true;
  uint32_t state = state_.load(std::memory_order_relaxed);
  for (;;) {
    if ((state & kHeld) == 0) {
      if (state_.compare_exchange_weak(state, ((state - kSleeper) & ~kReserved) | kHeld)) {
        return true;
      }
    } else if (in_time) {
      in_time = futex_wait(state_, state, wait_ms == kForEver ? nullptr : &limit);
      state = state_.load(std::memory_order_relaxed);
    } else if (state_.compare_exchange_weak(state, state - kSleeper, std::memory_order_relaxed)) {
      return false;
    }
  }
}

// Counted while it waits for the other to come and go, whose unlock then wakes it.
void Lock::lock_behind(Purpose purpose) {
  uint32_t state = state_.fetch_add(kSleeper, std::memory_order_relaxed) + kSleeper;
  while ((state & reserved_by(purpose)) != 0) {
    futex_wait(state_, state, nullptr);
    state = state_.load(std::memory_order_relaxed);
  }
  sleep_and_take(kForEver);
}

void Lock::unlock_to_others(Purpose purpose) {
  uint32_t state = state_.load(std::memory_order_relaxed);
  const auto free = [&] {
    return (state - kHeld) | (state >= kSleeper ? reserved_by(purpose) : 0);
  };
  while (!state_.compare_exchange_weak(state, free(), std::memory_order_release)) {
  }
  if (state >= kSleeper) wake_one();
}

}  // namespace tandem
