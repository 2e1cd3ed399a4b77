// Replication of this server as a whole: its role, the link when it is a replica, its own replicas,
// and what happens each second.
//
//   client: REPLICAOF  --all stripes-->  change_role()  --bell-->  supervisor on the replication
//                                                                  loop: the link of the moment
//   client: PSYNC      --------------->  serve_replica() on the worker of that connection
//
// Threads: run() belongs to the replication loop; every other call says which threads may make it.
// Sessions that serve_replica() runs end before this object does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/lock.h"
#include "base/random.h"
#include "base/thread.h"
#include "engine/engine.h"
#include "engine/executor.h"
#include "io/byte_stream.h"
#include "io/event.h"
#include "io/files.h"
#include "io/loop.h"
#include "io/network.h"
#include "io/task.h"
#include "log/log.h"
#include "replication/full_sync.h"
#include "replication/invariants.h"
#include "replication/link.h"
#include "replication/link_progress.h"
#include "replication/options.h"
#include "replication/replica_registry.h"
#include "replication/replica_session.h"
#include "replication/role.h"
#include "replication/sync_decision.h"

namespace tandem {

// What a blocked client is told when this server becomes a replica.
inline constexpr const char* kUnblockedByRole =
    "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> "
    "replica?)\r\n";

class ReplicationControl {
 public:
  struct Parts {
    Loop& loop;        // the replication loop
    Network& network;  // of that loop
    Engine& engine;
    ReplicationOptions& options;
    std::function<ReplicaLagLimit()> lag_limit;  // any thread
    std::function<int()> listening_port;         // any thread
    ConnectionObserver* observer = nullptr;      // outlives this
    uint64_t random_seed = 0;
    Files* files = nullptr;      // for snapshots that a replica takes slowly; outlives this
    Crew* apply_crew = nullptr;  // helps the link to apply; outlives this
  };

  explicit ReplicationControl(Parts parts);

  // Follows the primary of the moment, serves full syncs, keeps time; until stopped.
  Task<void> run(StopToken stop);

  // ---- Role. Any thread. ----
  void follow(const AllStripes& all, std::string host, int port);
  // No primary any more: what this server holds is a history of its own from here.
  void promote(const AllStripes& all);
  // Once, before run(), when the data come from a file that names their place in a history. A
  // replica asks its primary to go on from there. A primary begins a history of its own, as at a
  // promotion: its former replicas may go on with it under the id that they know.
  void continue_from(const AllStripes& all, const DatasetPlace& place);

  // The data are of another history from here, which nobody can go on with: replicas sync in full.
  // REQUIRES: a primary.
  void begin_another_history(const AllStripes& all);

  // ---- Any thread. ----
  // The role and its link, of one moment.
  RoleState::View view() const { return state_.view(); }
  bool is_replica() const { return state_.is_replica(); }
  const LinkProgress& link() const { return progress_; }
  LinkProgress& link() { return progress_; }
  // Ends the link's connection of this number, soon, if it still lives; the link tries again.
  void cut_link(uint64_t connection);
  // A link that waits to try again does it soon.
  void retry_link();
  // Of the primary's stream.
  ExecutorCounters& stream_counters() { return stream_executor_.counters(); }
  ReplicaRegistry& replicas() { return replicas_; }
  const ReplicaRegistry& replicas() const { return replicas_; }
  const ReplicationOptions& options() const { return parts_.options; }
  Engine& engine() const { return parts_.engine; }
  const FullSyncs& full_syncs() const { return full_syncs_; }

  // The log has grown: replicas hear of it. Workers call it once a batch; a load when there is
  // nobody.
  void log_moved() { parts_.engine.log.ring_readers(); }
  // Options changed (CONFIG SET): puts into force what is not read at each use.
  void apply_options();
  // REPLCONF GETACK, soon, so that WAIT need not wait for the next second.
  void request_acknowledgements() { acknowledgements_bell_.ring(); }

  // What a connection said with REPLCONF before its PSYNC, by client id.
  void set_hello(uint64_t client_id, const ReplicaHello& hello);
  ReplicaHello hello(uint64_t client_id) const;
  // The connection is over, or its client was killed: when this returns nobody counts on it as a
  // replica any more. Any number of times.
  void forget_client(uint64_t client_id);

  // The place that a replica names, by the present name of our history where it names an old one.
  Position resolve(const Position& place) const {
    return former_.resolve(place, parts_.engine.log.history().id);
  }

  // Makes the log keep bytes, if it does not yet.
  void activate_log(const AllStripes& all);

  // ---- On the connection's worker. ----
  // Serves a replica until the connection is over. `unread`: what came behind its PSYNC. `client`
  // outlives the task.
  Task<void> serve_replica(ByteStream& stream, std::string unread, SyncRequest request,
                           const ClientState& client, StopToken stop);

 private:
  void change_role(const AllStripes& all, Role next);
  bool too_few_replicas() const;
  void check_invariants();
  void append_control(Bytes command);
  Task<void> supervise_link(StopToken stop);
  Task<void> each_second(StopToken stop);
  void ping_replicas(int64_t now_ms);
  void retire_backlog(int64_t now_ms);
  ReplicationId fresh_id();

  const Parts parts_;
  ReplicaRegistry replicas_;
  LinkProgress progress_;
  RoleState state_;
  FormerHistories former_;
  FullSyncs full_syncs_;
  ReplicaSessionParts session_parts_;
  Event role_changed_{parts_.loop};
  Doorbell role_bell_{parts_.loop, [this] { role_changed_.notify(); }};
  // A client does not wait for a stripe, behind a script say; this loop may.
  Doorbell acknowledgements_bell_{
      parts_.loop,
      [this] { append_control("*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n"); }};
  std::atomic<int64_t> without_replicas_since_ms_{0};

  // The replication loop's.
  Executor stream_executor_;
  Link* link_ = nullptr;  // of the moment
  int64_t last_ping_ms_ = 0;
  NodeInvariants invariants_;

  mutable Lock lock_;
  Random random_ TANDEM_GUARDED_BY(lock_);
  absl::flat_hash_map<uint64_t, ReplicaHello> hellos_ TANDEM_GUARDED_BY(lock_);
};

// The thread of the replication loop: the link, the timers of replication and the walks of full
// syncs live on it, so that receiving, loading and applying never hold up a worker's clients.
//
// Made, started and stopped by the composition's thread. Sessions of replicas (on workers) end
// before stop().
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
