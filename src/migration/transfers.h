// The transfers that run at the moment, all on one loop, which has a thread of its own if it is
// started: whoever waits for one while it holds stripes must not keep the loop from going on. So
// nothing here takes a stripe.
//
// Threads: begin(), wait_for() and refuse() from any; the rest from the one that made it.
#pragma once

#include <functional>

#include "base/lock.h"
#include "base/result.h"
#include "base/thread.h"
#include "io/loop.h"
#include "io/network.h"
#include "io/task.h"
#include "migration/transfer.h"

namespace tandem {

class Transfers {
 public:
  // Called once, on the loop's thread, or at once by who asks where all are refused; not at all
  // where the loop dies first.
  using Done = std::move_only_function<void(TransferOutcome outcome)>;

  // Both outlive it.
  Transfers(Loop& loop, Network& network) : loop_(loop), network_(network) {}
  ~Transfers();

  // The error: there is no thread to be had.
  Result<void> start();
  // Ends what runs, each with an error, and joins. Further calls do nothing.
  void stop();
  bool has_thread() const { return has_thread_; }
  // While it is on, those that run and those that are asked for end with an error. For who must
  // have the stripes that somebody holds who waits for a transfer.
  void refuse(bool on);

  void begin(TransferOrder order, Done done);
  // Waits as long as it takes. REQUIRES: has_thread().
  TransferOutcome wait_for(TransferOrder order);

 private:
  struct Running : ListNode {
    explicit Running(StopToken parent) : stop(parent) {}
    Stop stop;
  };

  Task<void> run(TransferOrder order, Done done);
  void stop_running();
  Task<void> end();

  Loop& loop_;
  Network& network_;
  bool has_thread_ = false;
  Thread thread_;
  Lock lock_;
  bool refuses_ TANDEM_GUARDED_BY(lock_) = false;
  // The loop's own.
  IntrusiveList<Running> running_;
  Scope ending_;
  Scope scope_;
};

}  // namespace tandem
