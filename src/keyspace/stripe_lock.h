// Stripes: the keyspace's locks, all of them at once, and sets of them.
#pragma once

#include <array>
#include <atomic>
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

// All stripes at once, for a small part of what 256 locks cost: a script takes them with each call.
// Who wants them shuts the door and then sees each stripe let go of; who takes stripes looks at the
// door once it has them, and if it is shut lets go of them and comes in by the door.
//
//   one or several   lock 7, 30, 99; shut? unlock them; enter, lock 7, 30, 99, leave
//   all              enter, shut; see that nobody has 0, 1, ... 255; do it; open, leave
//
// One at a time stands in the door. Nobody goes there who holds a stripe, so nobody waits in a
// circle; and who stands there gets stripes, however often somebody wants all of them.
//
// Each side writes before it looks, in an order that is the same for all threads
// (memory_order_seq_cst, here and in Lock): so one of the two sees the other.
class StripeDoorway {
 public:
  bool is_shut() const { return shut_.load(); }
  void enter() TANDEM_ACQUIRE(turn_) { turn_.lock(); }
  // Gives up after about so long. False: somebody else stands there.
  bool enter_within(int64_t wait_ms) TANDEM_TRY_ACQUIRE(true, turn_) {
    return turn_.lock_within(wait_ms);
  }
  void leave() TANDEM_RELEASE(turn_) { turn_.unlock(); }

  // For who stands in it.
  void shut() { shut_.store(true); }
  void open() { shut_.store(false); }

 private:
  Lock turn_;
  std::atomic<bool> shut_{false};
};

class TANDEM_CAPABILITY("stripe") StripeLock {
 public:
  // Once, before anybody takes it.
  void set_doorway(StripeDoorway& doorway) { doorway_ = &doorway; }

  void lock() TANDEM_ACQUIRE() TANDEM_NO_ANALYSIS {
    note_stripe_taken(false);
    lock_.lock();
    if (doorway_->is_shut()) [[unlikely]]
      lock_by_the_door([this]() TANDEM_NO_ANALYSIS { lock_.lock(); });
  }
  void lock_behind_others(Lock::Purpose purpose) TANDEM_ACQUIRE() TANDEM_NO_ANALYSIS {
    note_stripe_taken(false);
    lock_.lock_behind_others(purpose);
    if (doorway_->is_shut()) [[unlikely]]
      lock_by_the_door([&]() TANDEM_NO_ANALYSIS { lock_.lock_behind_others(purpose); });
  }
  bool try_lock() TANDEM_TRY_ACQUIRE(true) { return try_lock(/*one_of_several=*/false); }
  void unlock() TANDEM_RELEASE() TANDEM_NO_ANALYSIS {
    lock_.unlock();
    note_stripe_let_go();
  }
  void unlock_to_others(Lock::Purpose purpose) TANDEM_RELEASE() TANDEM_NO_ANALYSIS {
    lock_.unlock_to_others(purpose);
    note_stripe_let_go();
  }

  // Somebody waits for it, or is about to.
  bool contended() const { return lock_.contended() || doorway_->is_shut(); }

  // For who takes several; the door is to be looked at once all of them are held.
  void lock_in_order() TANDEM_ACQUIRE() TANDEM_NO_ANALYSIS {
    note_stripe_taken(true);
    lock_.lock();
  }
  void lock_in_order_behind_others(Lock::Purpose purpose) TANDEM_ACQUIRE() TANDEM_NO_ANALYSIS {
    note_stripe_taken(true);
    lock_.lock_behind_others(purpose);
  }
  bool lock_in_order_within(int64_t wait_ms) TANDEM_TRY_ACQUIRE(true) TANDEM_NO_ANALYSIS {
    if (!lock_.lock_within(wait_ms)) return false;
    note_stripe_taken(true);
    return true;
  }
  // In any order, for it waits for nobody; looks at the door by itself.
  bool try_lock_one_more() TANDEM_TRY_ACQUIRE(true) { return try_lock(/*one_of_several=*/true); }

  // For who has shut the door: nobody has the stripe any more. Gives up after about so long.
  bool is_left_within(int64_t wait_ms) TANDEM_NO_ANALYSIS {
    if (!lock_.is_held()) [[likely]]
      return true;
    if (!lock_.lock_within(wait_ms)) return false;
    lock_.unlock();
    return true;
  }

 private:
  bool try_lock(bool one_of_several) TANDEM_TRY_ACQUIRE(true) TANDEM_NO_ANALYSIS {
    if (!lock_.try_lock()) return false;
    if (doorway_->is_shut()) [[unlikely]] {
      lock_.unlock();
      return false;
    }
    note_stripe_taken(one_of_several);
    return true;
  }
  template <class Take>
  void lock_by_the_door(Take&& take) TANDEM_NO_ANALYSIS {
    lock_.unlock();
    doorway_->enter();
    take();
    doorway_->leave();
  }

  Lock lock_;
  StripeDoorway* doorway_ = nullptr;
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
