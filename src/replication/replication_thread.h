// The thread of the replication loop: the link, the timers of replication and the walks of full
// syncs live on it, so that receiving, loading and applying never hold up a worker's clients.
//
// Made, started and stopped by the composition's thread. Sessions of replicas (on workers) end
// before stop().
#pragma once

#include <thread>

#include "io/loop.h"
#include "io/scope.h"
#include "replication/control.h"

namespace tandem {

class ReplicationThread {
 public:
  // The replication loop; outlives this.
  explicit ReplicationThread(Loop& loop) : loop_(loop) {}
  ~ReplicationThread();

  // `control` lives on the loop and outlives the thread's run.
  void start(ReplicationControl& control);
  // Ends the link and whatever else runs, and joins. Further calls do nothing.
  void stop();

 private:
  Task<void> serve(ReplicationControl& control, StopToken stop);

  Loop& loop_;
  std::thread thread_;
  Scope scope_;
};

}  // namespace tandem
