// A worker: the sessions of one event loop, and the executor they share. It has a thread for the
// loop if it is started, and runs on its owner's otherwise (the simulation's).
//
// Threads: made and destroyed by the composition's thread; adopt(), post() and stop() from any
// thread; the rest on the worker's own. Sessions belong to it for life.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/lock.h"
#include "base/thread.h"
#include "config/options.h"
#include "engine/executor.h"
#include "io/network.h"
#include "io/task.h"
#include "io/timer.h"
#include "server/access_control.h"
#include "server/client/client_registry.h"
#include "server/client/session.h"

namespace tandem {

class Worker {
 public:
  struct Needs {
    Engine& engine;
    const ServerOptions& options;
    ClientRegistry& clients;
    const AccessControl& access;
    ErrorCounts& errors;
    ClientMemory& client_memory;
    uint64_t random_seed;
    bool expires;  // deletes what is over; one worker does
    // On the worker's thread, after commands that added to the log: its readers are woken.
    std::function<void()> log_moved;
  };

  // Both outlive it.
  Worker(Loop& loop, Network& network, Needs needs);
  ~Worker();

  // `number` names its thread. The error: there is no thread to be had.
  Result<void> start(size_t number);
  // The loop ends soon; sessions live on, unserved, until the destructor.
  void stop() { loop_.stop(); }
  void join();

  // Any thread. The socket becomes a session here, or is refused (maxclients, protected mode). The
  // id was given where it was accepted, so that who came later has the greater one on any worker.
  void adopt(AcceptedSocket socket, uint64_t client_id);
  void post(Callback callback) { loop_.post(std::move(callback)); }
  // Any thread: runs `act` on the worker's with the session, if it still exists.
  void post_to(uint64_t id, std::function<void(Session&)> act);
  // Any thread: evicts what is too much, a step each turn of the loop.
  void go_on_evicting();
  // Any thread: sessions that CLIENT PAUSE held back go on.
  void resume_held_back();

  // On its own thread, from inside a command that takes long: answers the other clients, now and
  // then.
  void hear_others();
  bool is_own_thread() const { return thread_.is_this(); }

  Loop& loop() { return loop_; }
  Network& network() { return network_; }
  Executor& executor() { return executor_; }
  NetworkCounters& counters() { return counters_; }

 private:
  class Listing;

  struct Arrival {
    AcceptedSocket socket;
    uint64_t client_id;
  };
  void welcome_all();
  void welcome(Arrival arrival);
  Bytes refusal_of(const ByteStream& stream) const;
  std::shared_ptr<ClientCard> make_card(const ByteStream& stream, uint64_t client_id);
  Task<void> serve(std::unique_ptr<Session> session);
  void every_tick();
  void evict_some();
  void look_at_log();

  // Destroyed last to first: sessions end before what they wait on.
  Loop& loop_;
  Network& network_;
  Needs needs_;
  Executor executor_;
  NetworkCounters counters_;
  FlushQueue flushes_;
  Lookahead lookahead_;
  uint64_t log_end_seen_ = 0;
  uint64_t expired_at_last_tick_ = 0;
  BeforeSleep log_look_;
  SessionHost host_;
  absl::flat_hash_map<uint64_t, Session*> sessions_;
  std::vector<uint64_t> held_back_;
  Lock arrivals_lock_;
  std::vector<Arrival> arrivals_ TANDEM_GUARDED_BY(arrivals_lock_);
  int64_t limits_checked_ms_ = 0;
  int64_t next_hearing_ms_ = 0;
  Timer tick_;
  Scope scope_;
  std::optional<CrashTrail> trail_;
  Thread thread_;
};

}  // namespace tandem
