// Stripes: the keyspace's locks, and sets of them.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/lock.h"

namespace tandem {

// The lock of one stripe: a Lock that, in debug builds, knows the rule of stripes.
//
// A thread takes all the stripes that it needs at once, in ascending order (engine/key_locks.h,
// ExclusiveGuard), or a single one. Who holds some and takes another would wait for itself, or for
// somebody who waits for it. A debug build refuses that outright, wherever it is tried.

#ifdef NDEBUG
inline void note_stripe_taken(bool /*one_of_several*/) {}
inline void note_stripe_let_go() {}
#else
// `one_of_several`: the caller takes several in ascending order and holds none but these.
void note_stripe_taken(bool one_of_several);
void note_stripe_let_go();
#endif

class TANDEM_CAPABILITY("stripe") StripeLock {
 public:
  void lock() TANDEM_ACQUIRE() TANDEM_NO_ANALYSIS {
    note_stripe_taken(false);
    lock_.lock();
  }
  bool try_lock() TANDEM_TRY_ACQUIRE(true) TANDEM_NO_ANALYSIS {
    if (!lock_.try_lock()) return false;
    note_stripe_taken(false);
    return true;
  }
  void unlock() TANDEM_RELEASE() TANDEM_NO_ANALYSIS {
    lock_.unlock();
    note_stripe_let_go();
  }
  void lock_behind_others(Lock::Purpose purpose) TANDEM_ACQUIRE() TANDEM_NO_ANALYSIS {
    note_stripe_taken(false);
    lock_.lock_behind_others(purpose);
  }
  void unlock_to_others(Lock::Purpose purpose) TANDEM_RELEASE() TANDEM_NO_ANALYSIS {
    lock_.unlock_to_others(purpose);
    note_stripe_let_go();
  }

  // Somebody sleeps, or is about to.
  bool contended() const { return lock_.contended(); }

  // For who takes several.
  void lock_in_order() TANDEM_ACQUIRE() TANDEM_NO_ANALYSIS {
    note_stripe_taken(true);
    lock_.lock();
  }
  void lock_in_order_behind_others(Lock::Purpose purpose) TANDEM_ACQUIRE() TANDEM_NO_ANALYSIS {
    note_stripe_taken(true);
    lock_.lock_behind_others(purpose);
  }
  bool try_lock_in_order() TANDEM_TRY_ACQUIRE(true) TANDEM_NO_ANALYSIS {
    if (!lock_.try_lock()) return false;
    note_stripe_taken(true);
    return true;
  }
  bool lock_in_order_within(int64_t wait_ms) TANDEM_TRY_ACQUIRE(true) TANDEM_NO_ANALYSIS {
    if (!lock_.lock_within(wait_ms)) return false;
    note_stripe_taken(true);
    return true;
  }

 private:
  Lock lock_;
};

// A set of stripes, as bits: cheap to fill, to compare and to go through in ascending order, which
// is the order in which stripes are locked.

inline constexpr int kStripes = 256;

class StripeSet {
 public:
  static StripeSet all() {
    StripeSet every;
    every.words_.fill(~uint64_t{0});
    return every;
  }

  void add(int stripe) { word(stripe) |= bit(stripe); }
  void add(const StripeSet& others) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= others.words_[i];
  }
  bool has(int stripe) const { return (words_[index(stripe)] & bit(stripe)) != 0; }
  bool contains(const StripeSet& others) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      if ((others.words_[i] & ~words_[i]) != 0) return false;
    }
    return true;
  }
  bool empty() const { return (words_[0] | words_[1] | words_[2] | words_[3]) == 0; }
  int count() const {
    int bits = 0;
    for (const uint64_t word : words_) bits += std::popcount(word);
    return bits;
  }
  bool is_all() const { return contains(all()); }
  void clear() { words_.fill(0); }
  bool operator==(const StripeSet&) const = default;

  // In ascending order; ends early when `act` gives false.
  template <class Act>
  bool for_each(Act&& act) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t left = words_[i]; left != 0; left &= left - 1) {
        if (!act(static_cast<int>(i * kBits) + std::countr_zero(left))) return false;
      }
    }
    return true;
  }

 private:
  static constexpr size_t kBits = 64;
  static size_t index(int stripe) { return static_cast<size_t>(stripe) / kBits; }
  static uint64_t bit(int stripe) { return uint64_t{1} << (static_cast<size_t>(stripe) % kBits); }
  uint64_t& word(int stripe) { return words_[index(stripe)]; }

  std::array<uint64_t, kStripes / kBits> words_{};
};

static_assert(kStripes == 256, "empty() names four words");

}  // namespace tandem
