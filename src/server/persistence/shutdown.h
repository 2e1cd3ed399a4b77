// Ending the server in good order: no more writes, the replicas given time to catch up, the data
// saved if it is to be saved, then the main loop stops. Asked for by SHUTDOWN and by signals.
//
// Threads: any. Waiting and saving happen on a thread of its own, one shutdown after the other.
// That thread is there from the start: who asks for the end waits for nothing, and no want of
// threads keeps the server from ending.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "base/thread.h"
#include "config/options.h"
#include "engine/gate.h"
#include "engine/journal.h"
#include "log/log.h"
#include "replication/replica_registry.h"
#include "server/persistence/persistence.h"
#include "server/persistence/rdb_file.h"

namespace tandem {

class Shutdown {
 public:
  struct Parts {
    Gate& gate;
    Pauses& pauses;
    Journal& journal;
    SnapshotTurn& snapshot_turn;  // a save or a full sync under way is given up
    Persistence& persistence;
    FileLoad& file_load;
    Log& log;
    ReplicaRegistry& replicas;
    const Option<int64_t>& timeout_seconds;  // shutdown-timeout
    // Waits for those that run, a script too, and closes the journal behind them.
    std::function<void()> end_commands;
    std::function<void()> stop_scripts;  // in the middle
    std::function<void()> leave;         // makes the program end
    // A shutdown does; it may still fail.
    std::function<void()> begins = [] {};
  };
  using Done = std::function<void(Result<void>)>;

  explicit Shutdown(Parts parts) : parts_(std::move(parts)) {}
  ~Shutdown();

  // Makes the thread. Once, before anything else.
  Result<void> prepare();

  // `how`: kShutdownSave and its like, combined; neither save nor nosave: saves if there are save
  // points. Waits for no replica, but for a running script, unless with nosave. An error: the data
  // could not be saved, and the server goes on.
  Result<void> begin(int how);

  // A replica has not acknowledged everything, and `how` does not say that this is no matter; or a
  // script is to be ended first.
  bool must_wait(int how) const;
  // Waits for the replicas if it must, then begins; `done` is called from the other thread. While
  // another waits for the replicas it ends as that one does.
  void start(int how, Done done);
  // Whether one that start() was asked for has not come to its end.
  bool in_progress();
  // Ends a wait for replicas; the server goes on. False: there is none.
  bool abort();
  // How much longer it waits for replicas; negative: it does not. Any thread.
  int64_t waits_ms() const { return waits_ms_.load(std::memory_order_relaxed); }

 private:
  // A wait for replicas.
  struct Wait {
    std::mutex lock;
    std::condition_variable changed;
    bool aborted = false;
    std::vector<Done> others;  // who asked meanwhile; under requests_lock_ while wait_ is this one
  };

  struct Request {
    int how;
    Done done;
    std::shared_ptr<Wait> wait;  // null: it need not wait
  };

  void run();
  void serve(const Request& request);
  Result<void> end(int how);
  void drop_if_asked(int how);
  bool must_wait_for_replicas(int how) const;
  bool wait_for_replicas(const Request& request);
  void log_waiting_for() const;

  const Parts parts_;
  std::atomic<int64_t> waits_ms_{-1};
  std::atomic<bool> dropping_{false};  // NOSAVE was asked for: nothing is waited for any more
  std::mutex lock_;
  bool over_ = false;  // the program ends; nothing more to do
  std::mutex requests_lock_;
  std::condition_variable changed_;
  std::deque<Request> requests_;
  std::shared_ptr<Wait> wait_;  // of the request that waits, or will
  bool serving_ = false;
  bool ending_ = false;
  Thread thread_;
};

}  // namespace tandem
