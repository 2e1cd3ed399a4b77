// The whole server, wired: every part is made here, gets what it needs, and meets no other. Reads
// from the data up to the sockets; destroyed in the opposite order.
//
//            main thread              worker threads                 replication thread
//   signals, acceptor, pauses    sessions -> executor --+      link -> executor --+
//        |  deals connections           ^               v                         v
//        +------------------------------+        keyspace (stripes)  -->  log  --> replicas, disk
//
// Threads: made, run and destroyed by the main thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "engine/engine.h"
#include "io/disk_files.h"
#include "io/uv_loop.h"
#include "io/uv_network.h"
#include "keyspace/keyspace.h"
#include "log/log.h"
#include "pubsub/subscription_registry.h"
#include "replication/commands.h"
#include "replication/control.h"
#include "replication/replication_thread.h"
#include "script/scripting.h"
#include "server/acceptor.h"
#include "server/client_registry.h"
#include "server/command_watch.h"
#include "server/configuration_hooks.h"
#include "server/file_load.h"
#include "server/persistence.h"
#include "server/reclaimer.h"
#include "server/replication_cards.h"
#include "server/shutdown.h"
#include "server/status.h"
#include "server/supervision.h"
#include "server/worker.h"

namespace tandem {

class Composition {
 public:
  // What belongs to the process rather than to the server in it.
  struct Process {
    std::string program;  // as it was called
    std::function<void(std::string_view)> show_title;
    const Supervision& supervision;
  };

  // Options and configuration are loaded already. All outlive this.
  Composition(Options& options, Config& config, Process process, uint64_t seed);
  ~Composition();

  // As the configuration says; before start(). The error is the whole text for the standard error
  // stream.
  Result<void> rename_commands();
  // Listens, starts the threads, begins to load the data.
  Result<void> start();
  // Serves until shutdown, or until the data turns out to be unreadable; gives the program's exit
  // code.
  int run();
  // All commands there are.
  const Registry& registry() const { return registry_; }

 private:
  std::vector<CommandRow> rows();
  ReplicationControl::Parts replication_parts();
  bool give_connection(ClientState& client, ConnectionHandOver next);
  Status::Parts status_parts(std::string run_id);
  void load_data();
  void on_loaded(const FileLoad::Outcome& outcome);
  Result<void> show_title();
  void every_tick();
  size_t worker_count() const;
  int64_t clients_allowed() const;
  Result<void> fit_clients();
  Result<void> start_threads();
  void make_workers();
  void deal(AcceptedSocket socket);
  void watch_signals();
  void shut_down_on_signal(std::string_view name, int how);
  void resume_clients();
  void answer_others();

  Options& options_;
  Config& config_;
  const Process process_;
  const Clock& clock_;
  Random random_;
  DiskFiles files_;

  // The data and its order.
  EncodingLimits limits_;
  Keyspace keyspace_;
  Log log_;
  Gate gate_;
  SubscriptionRegistry subscriptions_;
  Scripting scripting_;
  Registry registry_;
  Reclaimer reclaimer_;
  Engine engine_;

  // The main thread.
  UvLoop loop_;
  UvNetwork network_;
  ClientRegistry clients_;
  Timer tick_;
  std::vector<std::unique_ptr<SignalWatch>> signals_;

  // The replication thread.
  ReplicationCards replication_cards_;
  UvLoop replication_loop_;
  UvNetwork replication_network_;
  ReplicationThread replication_thread_;
  ReplicationControl replication_;

  // Clients.
  ErrorCounts errors_;
  CommandWatch watch_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<LoopCounters*> loop_counters_;  // of theirs
  size_t next_worker_ = 0;
  Acceptor acceptor_;

  // About the whole.
  Persistence persistence_;
  FileLoad file_load_;
  Status status_;
  Shutdown shutdown_;
  ConfigurationHooks hooks_;
  int exit_code_ = 0;
  std::atomic<bool> left_loop_{false};  // by the main thread, for good
};

}  // namespace tandem
