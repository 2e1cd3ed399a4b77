// A four-byte lock: free in about 10 ns, tries briefly when taken, then sleeps in the kernel (a
// futex). Annotated for clang's thread safety analysis; use Guard, or lock() and unlock() in
// matching functions.
#pragma once

#include <atomic>
#include <cstdint>

#define TANDEM_CAPABILITY(x) __attribute__((capability(x)))
#define TANDEM_SCOPED_CAPABILITY __attribute__((scoped_lockable))
#define TANDEM_GUARDED_BY(x) __attribute__((guarded_by(x)))
#define TANDEM_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define TANDEM_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#define TANDEM_TRY_ACQUIRE(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
#define TANDEM_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define TANDEM_NO_ANALYSIS __attribute__((no_thread_safety_analysis))

namespace tandem {

// Taking it is sequentially consistent, and so is is_held(): for who takes it, looks at something
// else and then may let go of it again (keyspace/stripe_lock.h). That costs nothing on x86.
class TANDEM_CAPABILITY("mutex") Lock {
 public:
  // What a thread takes it again and again for.
  enum class Purpose : uint8_t { kSnapshot, kStream };

  void lock() TANDEM_ACQUIRE() {
    uint32_t expected = kFree;
    if (state_.compare_exchange_weak(expected, kHeld)) return;
    lock_slow();
  }
  bool try_lock() TANDEM_TRY_ACQUIRE(true) {
    uint32_t expected = kFree;
    return state_.compare_exchange_strong(expected, kHeld);
  }
  // As lock(), but gives up once it has slept for about `wait_ms`. False: not taken.
  bool lock_within(int64_t wait_ms) TANDEM_TRY_ACQUIRE(true) {
    return try_lock() || lock_slow_within(wait_ms);
  }
  void unlock() TANDEM_RELEASE() {
    if (state_.fetch_sub(kHeld, std::memory_order_release) >= kSleeper) wake_one();
  }

  // For a thread that takes the lock again and again in a row: these two let another thread go
  // first if one slept when it was let go. (With the plain two it would be taken again long before
  // anybody is awake.) For each purpose one thread at a time may use them on a lock.
  void lock_behind_others(Purpose purpose) TANDEM_ACQUIRE() {
    uint32_t expected = kFree;
    if (!state_.compare_exchange_strong(expected, kHeld)) {
      lock_behind(purpose);
    }
  }
  void unlock_to_others(Purpose purpose) TANDEM_RELEASE();
  bool is_held() const { return (state_.load() & kHeld) != 0; }
  // Somebody sleeps, or is about to.
  bool contended() const { return state_.load(std::memory_order_relaxed) >= kSleeper; }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kReserved = 2 | 4;  // free, for others than who let it go: a bit each
  static constexpr uint32_t kSleeper = 8;       // counts those who sleep, or are about to
  static constexpr int64_t kForEver = -1;

  bool lock_briefly();
  void lock_slow();
  bool lock_slow_within(int64_t wait_ms);
  void lock_behind(Purpose purpose);
  bool sleep_and_take(int64_t wait_ms);
  void wake_one();

  std::atomic<uint32_t> state_{kFree};
};

// Holds a lock as long as it lives: a Lock, or what has the same methods.
template <class L>
class TANDEM_SCOPED_CAPABILITY Guard {
 public:
  explicit Guard(L& lock) TANDEM_ACQUIRE(lock) : lock_(lock) { lock_.lock(); }
  ~Guard() TANDEM_RELEASE() { lock_.unlock(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  L& lock_;
};

// Proof that the one who has it holds every stripe of the keyspace: nobody else executes anything.
// Only who has taken them all makes one (ExclusiveGuard, KeyLocks), and what must not happen beside
// a command asks for it. It stands here, below the keyspace, because the log asks for it, too.
class AllStripes {
 public:
  AllStripes(const AllStripes&) = delete;
  AllStripes& operator=(const AllStripes&) = delete;

 protected:
  AllStripes() = default;
  ~AllStripes() = default;
};

// Holds in a row, each behind those who wait.
template <class L>
class TANDEM_SCOPED_CAPABILITY PatientGuard {
 public:
  PatientGuard(L& lock, Lock::Purpose purpose) TANDEM_ACQUIRE(lock)
      : lock_(lock), purpose_(purpose) {
    lock_.lock_behind_others(purpose_);
  }
  ~PatientGuard() TANDEM_RELEASE() { lock_.unlock_to_others(purpose_); }
  PatientGuard(const PatientGuard&) = delete;
  PatientGuard& operator=(const PatientGuard&) = delete;

 private:
  L& lock_;
  const Lock::Purpose purpose_;
};

}  // namespace tandem
