#include "keyspace/stripe_lock.h"

#include "base/check.h"

#ifndef NDEBUG

namespace tandem {
namespace {

// How many stripes this thread holds. Only this check reads it: nothing depends on it.
thread_local int stripes_held = 0;

}  // namespace

void note_stripe_taken(bool one_of_several) {
  CHECK(one_of_several || stripes_held == 0, "who holds stripes takes no further one");
  ++stripes_held;
}

void note_stripe_let_go() { --stripes_held; }

}  // namespace tandem

#endif
