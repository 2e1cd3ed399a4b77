// The thread of the replication loop: the link, the timers of replication and the walks of full
// syncs live on it, so that receiving, loading and applying never hold up a worker's clients.
//
// Made, started and stopped by the composition's thread. Sessions of replicas (on workers) end
// before stop().
#pragma once

#include "base/thread.h"
#include "io/loop.h"
#include "io/task.h"
#include "replication/control.h"

namespace tandem {

class ReplicationThread {
 public:
  // The replication loop; outlives this.
  explicit ReplicationThread(Loop& loop) : loop_(loop) {}
  ~ReplicationThread();

  // Makes the thread, which has nothing to do yet. The error: there is none to be had.
  Result<void> start();
  // Replication begins; after start(). `control` lives on the loop and outlives the thread's run.
  void begin(ReplicationControl& control);
  // Ends the link and whatever else runs, and joins. Further calls do nothing.
  void stop();

 private:
  Task<void> serve(ReplicationControl& control, StopToken stop);

  Loop& loop_;
  bool serving_ = false;  // by the thread itself
  Thread thread_;
  Scope scope_;
};

}  // namespace tandem
