// How far a history has come by some measure (acknowledged by k replicas, written to disk), and who
// waits for it.
//
// A reply that promises durability is held until the mark passes the offset of its effect: WAIT,
// and `always` for a log on disk, are both this. Whoever advances the mark runs the waiters' calls,
// on its own thread and without a lock held, so a call does little: it posts to the loop of the
// client that waits.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/lock.h"

namespace tandem {

// Names one waiter of one watermark; 0 names none.
using WaiterId = uint64_t;

// One monotonic offset. Threads: internally synchronized.
class Watermark {
 public:
  using Passed = std::function<void()>;

  uint64_t value() const { return value_.load(std::memory_order_acquire); }

  // Moves the mark forward and runs, in the order of their offsets, the calls of the waiters it
  // passed. An offset behind the mark does nothing.
  void advance(uint64_t offset);

  // Runs `passed` once, when value() >= offset: at once and on this thread (returning 0) if that is
  // so already.
  WaiterId wait(uint64_t offset, Passed passed);
  // False: the call has run, or is about to run on another thread.
  bool cancel(WaiterId id);

  // A new history began: the mark starts again at `offset`. Waiters stay, against the new offsets.
  void reset(uint64_t offset);

 private:
  struct Waiter {
    WaiterId id;
    Passed passed;
  };
  std::vector<Passed> take_passed() TANDEM_REQUIRES(lock_);

  std::atomic<uint64_t> value_{0};
  Lock lock_;
  WaiterId last_id_ TANDEM_GUARDED_BY(lock_) = 0;
  std::multimap<uint64_t, Waiter> waiters_ TANDEM_GUARDED_BY(lock_);
};

// What each of a primary's replicas acknowledged, and from it one watermark for each k: "k replicas
// have it". Threads: internally synchronized.
class AcknowledgedWatermarks {
 public:
  // Replicas counted at most; more take part in replication but not here.
  static constexpr size_t kReplicasMax = 64;

  using ReplicaKey = uint64_t;

  // The replica holds everything before `offset`. The first call for a key makes it known; an
  // offset behind the replica's own is ignored.
  void acknowledge(ReplicaKey replica, uint64_t offset);
  void forget(ReplicaKey replica);
  // A new history began.
  void reset(uint64_t offset);

  // How many replicas, of those known now, hold everything before `offset`: WAIT's answer.
  size_t count(uint64_t offset) const;
  // The mark "acknowledged by k replicas"; 1 <= k <= kReplicasMax. It does not go back when a
  // replica goes.
  Watermark& by_replicas(size_t k);

 private:
  mutable Lock lock_;
  std::map<ReplicaKey, uint64_t> offsets_ TANDEM_GUARDED_BY(lock_);
  Watermark marks_[kReplicasMax];
};

}  // namespace tandem
