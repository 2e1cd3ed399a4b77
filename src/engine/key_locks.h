// The stripes that one execution holds: it says which ones it needs, takes them in ascending order,
// may extend them, and lets go of all at once. Holding this object is the proof that they are held:
// what needs stripes takes a `const KeyLocks&`, and nothing else in an execution takes any.
//
// Threads: belongs to the thread that executes.
#pragma once

#include "base/check.h"
#include "base/function_ref.h"
#include "keyspace/keyspace.h"

namespace tandem {

class KeyLocks {
 public:
  explicit KeyLocks(Keyspace& keyspace) : keyspace_(keyspace) {}
  ~KeyLocks() { release(); }
  KeyLocks(const KeyLocks&) = delete;
  KeyLocks& operator=(const KeyLocks&) = delete;

  // REQUIRES: none is held. Waits as long as it takes.
  void take(const StripeSet& stripes);
  // The same, but asks `gives_up` about every kPatienceMs while a stripe cannot be had. False: it
  // said yes, and none is held.
  bool take_unless(const StripeSet& stripes, FunctionRef<bool()> gives_up);
  // For who takes stripes again and again in a row: behind those who slept when it let go.
  void take_behind_others(const StripeSet& stripes, Lock::Purpose purpose);
  void release_to_others(Lock::Purpose purpose);
  // Takes them only if nobody holds any.
  bool take_if_free(const StripeSet& stripes);
  // Adds those of `more` that nobody holds; in any order, for it waits for none.
  void add_free(const StripeSet& more);
  // Takes `more`, too; all may be let go of in between, and what was seen under them is old then.
  // False: gave up, and none is held.
  bool extend_unless(const StripeSet& more, FunctionRef<bool()> gives_up);
  void release();

  const StripeSet& held() const { return held_; }
  bool any() const { return !held_.empty(); }
  bool everything() const { return held_.is_all(); }
  // REQUIRES: everything().
  const AllStripes& all() const {
    CHECK(everything(), "the proof of all stripes is theirs who holds them");
    return proof_;
  }
  bool cover(const StripeSet& stripes) const { return held_.contains(stripes); }

 private:
  template <class TakeEach>
  bool take_in_order(const StripeSet& stripes, TakeEach&& take_each);
  bool lock_in_order_unless(int stripe, FunctionRef<bool()> gives_up);

  Keyspace& keyspace_;
  StripeSet held_;
  bool by_shutting_ = false;  // all of them, and none by its own lock (StripeDoorway)
  struct Proof final : AllStripes {};
  const Proof proof_;
};

}  // namespace tandem
