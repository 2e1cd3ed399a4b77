// What each of a primary's replicas acknowledged, and who waits for it: a reply that promises
// durability is held until so many replicas have everything before its effect's end (WAIT).
//
// Only what is true now counts: a replica that is gone, or that follows another history, has no say
// any more. Whoever brings the acknowledgement runs the waiters' calls, on its own thread and
// without this object's lock, so a call does little: it posts to the loop of the client that waits.
//
// Threads: internally synchronized.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>

#include "base/lock.h"

namespace tandem {

class Acknowledgements {
 public:
  using ReplicaKey = uint64_t;
  // How many replicas have it; nothing: waiting makes no sense any more.
  using Passed = std::function<void(std::optional<size_t> replicas)>;
  // Names one waiter; 0 names none.
  using WaiterId = uint64_t;

  // From here on the replica counts: it holds everything before `offset`.
  void admit(ReplicaKey replica, uint64_t offset);
  // An offset behind the replica's own changes nothing, nor does a replica that does not count.
  void acknowledge(ReplicaKey replica, uint64_t offset);
  void forget(ReplicaKey replica);

  // How many replicas hold everything before `offset`.
  size_t count(uint64_t offset) const;

  // Runs `passed` once, when that many do: at once and on this thread (returning 0) if they do so
  // already.
  WaiterId wait(uint64_t offset, size_t replicas, Passed passed);
  // The call will not be made, unless it is being made at this moment.
  void cancel(WaiterId id);
  // This server is no primary any more: runs every waiter's call with nothing.
  void give_up_waiters();

 private:
  struct Waiter {
    WaiterId id;
    uint64_t offset;
    size_t replicas;
    Passed passed;
  };

  size_t count_locked(uint64_t offset) const TANDEM_REQUIRES(lock_);
  void run_passed();

  mutable Lock lock_;
  std::map<ReplicaKey, uint64_t> offsets_ TANDEM_GUARDED_BY(lock_);
  WaiterId last_id_ TANDEM_GUARDED_BY(lock_) = 0;
  std::list<Waiter> waiters_ TANDEM_GUARDED_BY(lock_);  // in the order of arrival
};

}  // namespace tandem
