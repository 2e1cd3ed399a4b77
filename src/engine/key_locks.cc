// Mechanism: stripes are always taken in ascending order, so two executions can never wait for each
// other in a circle. More stripes are had in two ways only: those that are free at the moment,
// without waiting; or by letting all go and taking the larger set from the start.
#include "engine/key_locks.h"

#include "base/check.h"

namespace tandem {

void KeyLocks::take(const StripeSet& stripes) TANDEM_NO_ANALYSIS {
  DCHECK(held_.empty(), "stripes are taken all at once");
  held_ = stripes;
  held_.for_each([this](int stripe) TANDEM_NO_ANALYSIS {
    keyspace_.stripe(stripe).lock_in_order();
    return true;
  });
}

void KeyLocks::take_behind_others(const StripeSet& stripes,
                                  Lock::Purpose purpose) TANDEM_NO_ANALYSIS {
  DCHECK(held_.empty(), "stripes are taken all at once");
  held_ = stripes;
  held_.for_each([this, purpose](int stripe) TANDEM_NO_ANALYSIS {
    keyspace_.stripe(stripe).lock_in_order_behind_others(purpose);
    return true;
  });
}

void KeyLocks::release_to_others(Lock::Purpose purpose) {
  held_.for_each([this, purpose](int stripe) TANDEM_NO_ANALYSIS {
    keyspace_.stripe(stripe).unlock_to_others(purpose);
    return true;
  });
  held_.clear();
}

bool KeyLocks::take_unless(const StripeSet& stripes, FunctionRef<bool()> gives_up) {
  DCHECK(held_.empty(), "stripes are taken all at once");
  const bool taken = stripes.for_each([&](int stripe) TANDEM_NO_ANALYSIS {
    StripeLock& lock = keyspace_.stripe(stripe);
    while (!lock.lock_in_order_within(kPatienceMs)) {
      if (gives_up()) return false;
    }
    held_.add(stripe);
    return true;
  });
  if (!taken) release();
  return taken;
}

bool KeyLocks::take_if_free(const StripeSet& stripes) {
  DCHECK(held_.empty(), "stripes are taken all at once");
  const bool taken = stripes.for_each([&](int stripe) TANDEM_NO_ANALYSIS {
    if (!keyspace_.stripe(stripe).try_lock_in_order()) return false;
    held_.add(stripe);
    return true;
  });
  if (!taken) release();
  return taken;
}

void KeyLocks::add_free(const StripeSet& more) {
  if (cover(more)) return;
  more.for_each([&](int stripe) TANDEM_NO_ANALYSIS {
    if (!held_.has(stripe) && keyspace_.stripe(stripe).try_lock_in_order()) held_.add(stripe);
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
  held_.for_each([this](int stripe) TANDEM_NO_ANALYSIS {
    keyspace_.stripe(stripe).unlock();
    return true;
  });
  held_.clear();
}

}  // namespace tandem
