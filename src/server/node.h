// A server without its threads and sockets: the data and their order, the file, the primary and the
// replicas, scripts, subscriptions, who the clients are, and how all of it starts. The program
// (server/composition.h) adds threads, listeners and signals. The simulation runs the very same
// node on a simulated machine, in one loop.
//
//   the file is read, the link's role is set  ->  the data and the log's place are there  ->  open:
//   (start)                                       (told to who started it)                 begin()
//
// Threads: made, started and destroyed by one thread. Its parts say which threads may call them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "acl/acl_log.h"
#include "base/random.h"
#include "config/options.h"
#include "engine/engine.h"
#include "engine/metrics.h"
#include "io/background.h"
#include "io/files.h"
#include "io/loop.h"
#include "io/network.h"
#include "migration/transfers.h"
#include "pubsub/keyspace_notifications.h"
#include "pubsub/subscription_registry.h"
#include "replication/commands.h"
#include "replication/control.h"
#include "script/scripting.h"
#include "server/access_control.h"
#include "server/client/client_memory.h"
#include "server/client/client_registry.h"
#include "server/client/client_tracking.h"
#include "server/persistence/persistence.h"
#include "server/persistence/rdb_file.h"
#include "server/status/command_reports.h"
#include "server/worker.h"
#include "stats/counters.h"

namespace tandem {

class Node {
 public:
  // What it runs on. All outlive it.
  struct Machine {
    Loop& loop;  // of replication
    Network& network;
    Files& files;
    const Clock& clock;
    std::unique_ptr<Background> saving;  // for the snapshots that go into the file
    std::unique_ptr<Background> loading;
    uint64_t seed;
    Transfers& transfers;        // of keys to other servers
    Crew* apply_crew = nullptr;  // helps the link to its primary
    // The log's; only the simulation has small ones.
    uint32_t log_block_bytes = LogOptions{}.block_bytes;
    size_t file_write_bytes = Persistence::kWriteBytes;
  };
  // What the program around it does.
  struct Program {
    // The executors of clients.
    EachExecutor each_executor;
    // Rows beside its own, of what stands around it.
    std::function<std::vector<CommandRow>(Node&)> more_rows = {};
    // Now and then on the thread of a script that takes long (script/scripting.h).
    std::function<void()> while_script_busy = {};
  };

  Node(Options& options, Machine machine, Program program);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Becomes the replica that the options say and begins to read the file. Clients are answered
  // meanwhile, as the gate allows. `loaded` is called in the background; after an error there is
  // nothing to go on with.
  void start(std::function<void(const FileLoad::Outcome&)> loaded);
  // The data are there: every command is let in, and replication may run.
  void begin() { engine_.gate.set(Gate::kDatasetLoading, false); }
  // About every 100 ms: pauses that are over, save points.
  void check();
  bool is_loading() const { return engine_.gate.is(Gate::kDatasetLoading); }

  Engine& engine() { return engine_; }
  SubscriptionRegistry& subscriptions() { return subscriptions_; }
  Scripting& scripting() { return scripting_; }
  ErrorCounts& errors() { return errors_; }
  CommandReports& reports() { return reports_; }
  AclLog& acl_log() { return acl_log_; }
  // Its begin() comes before the node's start.
  AccessControl& access() { return access_; }
  ClientRegistry& clients() { return clients_; }
  ClientMemory& client_memory() { return client_memory_; }
  ReplicationControl& replication() { return replication_; }
  const ReplicationControl& replication() const { return replication_; }
  Persistence& persistence() { return persistence_; }
  FileLoad& file_load() { return file_load_; }

  // No background work from here on. Called before what `start` was given is gone, once nobody
  // begins a save any more.
  void end();

  // For a worker of this node. `expires`: it deletes what is over; one worker does.
  Worker::Needs worker_needs(bool expires);

  // Those of clients and the one of the primary's stream.
  void each_executor(FunctionRef<void(ExecutorCounters&)> visit);
  // Writes since the start. Any thread.
  int64_t total_changes();

 private:
  std::vector<CommandRow> rows(Transfers& transfers,
                               const std::function<std::vector<CommandRow>(Node&)>& more);
  ReplicationControl::Parts replication_parts(const Machine& machine);
  bool hand_over(ClientState& client, ConnectionHandOver next);
  void let_go_of(ClientCard& card);

  Options& options_;
  Random random_;
  const EachExecutor client_executors_;
  Engine engine_;
  SubscriptionRegistry subscriptions_;
  KeyspaceNotifications notifications_;
  Scripting scripting_;
  ErrorCounts errors_;
  AclLog acl_log_;
  CommandReports reports_;
  ClientRegistry clients_;
  ClientInvalidations invalidations_;
  ClientMemory client_memory_;
  const Registry& commands_;  // the engine's, with its rows from here on
  AccessControl access_;
  ReplicationCards replication_cards_;
  ReplicationControl replication_;
  Persistence persistence_;
  FileLoad file_load_;
};

}  // namespace tandem
