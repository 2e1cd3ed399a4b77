// Mechanism: stripes are always taken in ascending order, and all of them by shutting the door,
// where nobody waits who holds any (keyspace/stripe_lock.h): so two executions can never wait for
// each other in a circle. More stripes are had in two ways only: those that are free at the moment,
// without waiting; or by letting all go and taking the larger set from the start.
#include "engine/key_locks.h"

#include <utility>

#include "base/check.h"

namespace tandem {

// `take_each(stripe)`: false where it gave up.
template <class TakeEach>
bool KeyLocks::take_in_order(const StripeSet& stripes, TakeEach&& take_each) TANDEM_NO_ANALYSIS {
  return stripes.for_each([&](int stripe) TANDEM_NO_ANALYSIS {
    if (!take_each(stripe)) return false;
    held_.add(stripe);
    return true;
  });
}

void KeyLocks::take(const StripeSet& stripes) {
  take_unless(stripes, [] { return false; });
}

void KeyLocks::take_behind_others(const StripeSet& stripes,
                                  Lock::Purpose purpose) TANDEM_NO_ANALYSIS {
  DCHECK(held_.empty(), "stripes are taken all at once");
  const auto take_each = [&](int stripe) TANDEM_NO_ANALYSIS {
    keyspace_.stripe(stripe).lock_in_order_behind_others(purpose);
    return true;
  };
  take_in_order(stripes, take_each);
  if (!keyspace_.doorway().is_shut()) [[likely]]
    return;
  release();
  keyspace_.doorway().enter();
  take_in_order(stripes, take_each);
  keyspace_.doorway().leave();
}

void KeyLocks::release_to_others(Lock::Purpose purpose) {
  DCHECK(!by_shutting_, "they were taken behind others");
  held_.for_each([this, purpose](int stripe) TANDEM_NO_ANALYSIS {
    keyspace_.stripe(stripe).unlock_to_others(purpose);
    return true;
  });
  held_.clear();
}

bool KeyLocks::lock_in_order_unless(int stripe, FunctionRef<bool()> gives_up) TANDEM_NO_ANALYSIS {
  StripeLock& lock = keyspace_.stripe(stripe);
  while (!lock.lock_in_order_within(Keyspace::kPatienceMs)) {
    if (gives_up()) return false;
  }
  return true;
}

bool KeyLocks::take_unless(const StripeSet& stripes,
                           FunctionRef<bool()> gives_up) TANDEM_NO_ANALYSIS {
  DCHECK(held_.empty(), "stripes are taken all at once");
  if (stripes.is_all()) {
    by_shutting_ = keyspace_.lock_all_unless(gives_up);
    if (by_shutting_) held_ = stripes;
    return by_shutting_;
  }
  const auto take_each = [&](int stripe) { return lock_in_order_unless(stripe, gives_up); };
  bool taken = take_in_order(stripes, take_each);
  StripeDoorway& doorway = keyspace_.doorway();
  if (taken && !doorway.is_shut()) [[likely]]
    return true;
  release();
  if (!taken) return false;
  while (!doorway.enter_within(Keyspace::kPatienceMs)) {
    if (gives_up()) return false;
  }
  taken = take_in_order(stripes, take_each);
  doorway.leave();
  if (!taken) release();
  return taken;
}

bool KeyLocks::take_if_free(const StripeSet& stripes) {
  DCHECK(held_.empty(), "stripes are taken all at once");
  const bool taken = take_in_order(stripes, [this](int stripe) TANDEM_NO_ANALYSIS {
    return keyspace_.stripe(stripe).try_lock_one_more();
  });
  if (!taken) release();
  return taken;
}

void KeyLocks::add_free(const StripeSet& more) {
  if (cover(more)) return;
  more.for_each([&](int stripe) TANDEM_NO_ANALYSIS {
    if (!held_.has(stripe) && keyspace_.stripe(stripe).try_lock_one_more()) held_.add(stripe);
    return true;
  });
}

bool KeyLocks::extend_unless(const StripeSet& more, FunctionRef<bool()> gives_up) {
  if (cover(more)) return true;
  StripeSet all = held_;
  all.add(more);
  release();
  return take_unless(all, gives_up);
}

void KeyLocks::release() {
  if (std::exchange(by_shutting_, false)) {
    keyspace_.unlock_all();
  } else {
    held_.for_each([this](int stripe) TANDEM_NO_ANALYSIS {
      keyspace_.stripe(stripe).unlock();
      return true;
    });
  }
  held_.clear();
}

}  // namespace tandem
