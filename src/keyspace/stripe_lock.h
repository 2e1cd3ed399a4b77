// The lock of one stripe: a Lock that, in debug builds, knows the rule of stripes.
//
// A thread takes all the stripes that it needs at once, in ascending order (engine/key_locks.h,
// ExclusiveGuard), or a single one. Who holds some and takes another would wait for itself, or for
// somebody who waits for it. A debug build refuses that outright, wherever it is tried.
#pragma once

#include "base/lock.h"

namespace tandem {

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
  void lock_behind_others() TANDEM_ACQUIRE() TANDEM_NO_ANALYSIS {
    note_stripe_taken(false);
    lock_.lock_behind_others();
  }
  void unlock_to_others() TANDEM_RELEASE() TANDEM_NO_ANALYSIS {
    lock_.unlock_to_others();
    note_stripe_let_go();
  }

  // Somebody sleeps, or is about to.
  bool contended() const { return lock_.contended(); }

  // For who takes several.
  void lock_in_order() TANDEM_ACQUIRE() TANDEM_NO_ANALYSIS {
    note_stripe_taken(true);
    lock_.lock();
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

}  // namespace tandem
