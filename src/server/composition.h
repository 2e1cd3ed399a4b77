// The program around a node (server/node.h): its threads, listeners, workers and signals, the
// configuration, and what is told of the whole. Every part is made here and gets what it needs.
// Reads from the node up to the sockets; destroyed in the opposite order.
//
//            main thread              worker threads                 replication thread
//   signals, acceptor, pauses    sessions -> executor --+      link -> executor --+
//        |  deals connections           ^               v                         v
//        +------------------------------+        keyspace (stripes)  -->  log  --> replicas, disk
//
//                                                    transfers thread: MIGRATE's connections
//
// Threads: made, run and destroyed by the main thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/crew.h"
#include "config/config.h"
#include "engine/engine.h"
#include "io/files.h"
#include "io/uv_loop.h"
#include "io/uv_network.h"
#include "migration/transfers.h"
#include "replication/control.h"
#include "server/client/acceptor.h"
#include "server/configuration_hooks.h"
#include "server/node.h"
#include "server/persistence/shutdown.h"
#include "server/reclaimer.h"
#include "server/status/status.h"
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
  // As the configuration says, after commands have their names; before start(). The error is the
  // text for the log.
  Result<void> declare_users();
  // Listens, starts the threads, begins to load the data.
  Result<void> start();
  // Serves until shutdown, or until the data turns out to be unreadable; gives the program's exit
  // code.
  int run();
  // All commands there are.
  const Registry& registry() const { return engine_.registry; }

 private:
  // What a worker runs on.
  struct WorkerLoop {
    UvLoop loop;
    UvNetwork network{loop};
  };

  std::vector<CommandRow> rows(Node& node);
  Status::Parts status_parts(std::string run_id);
  void on_loaded(const FileLoad::Outcome& outcome);
  Result<void> fit_apply_threads();
  Result<void> show_title();
  void every_tick();
  size_t worker_count() const;
  static int snapshot_helpers();
  int64_t clients_allowed() const;
  Result<void> fit_clients();
  Result<void> start_threads();
  void make_workers();
  void deal(AcceptedSocket socket);
  void handle_signals();
  void shut_down_on_signal(std::string_view name, int how);
  void resume_clients();
  void answer_others();

  Options& options_;
  Config& config_;
  const Process process_;
  const Clock& clock_;
  Random random_;
  DiskFiles files_;

  // The node, and the threads that its replication and its transfers of keys run on.
  Reclaimer reclaimer_;
  UvLoop replication_loop_;
  UvNetwork replication_network_;
  ReplicationThread replication_thread_;
  ThreadCrew apply_crew_;
  UvLoop transfers_loop_;
  UvNetwork transfers_network_;
  Transfers transfers_;
  Node node_;
  Engine& engine_;
  Gate& gate_;

  // The main thread.
  UvLoop loop_;
  UvNetwork network_;
  Timer tick_;
  std::vector<std::unique_ptr<SignalHandler>> signals_;

  // Clients.
  std::vector<std::unique_ptr<WorkerLoop>> worker_loops_;
  std::vector<std::unique_ptr<Worker>> workers_;
  size_t next_worker_ = 0;
  Acceptor acceptor_;

  // About the whole.
  Status status_;
  Shutdown shutdown_;
  ConfigurationHooks hooks_;
  int exit_code_ = 0;
  std::atomic<bool> left_loop_{false};  // by the main thread, for good
};

}  // namespace tandem
