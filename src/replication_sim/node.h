// One server of the simulation: the real engine, log, sessions, replication and persistence on a
// simulated process. Only the program around them is this file's: one loop instead of threads, and
// clients that are calls. It starts as the server does: its file is read in the background while
// peers are answered already, and the link waits for that.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands/table.h"
#include "config/server_options.h"
#include "engine/engine.h"
#include "engine/executor.h"
#include "io/network.h"
#include "keyspace/keyspace.h"
#include "log/log.h"
#include "replication/commands.h"
#include "replication/control.h"
#include "replication/invariants.h"
#include "replication_sim/disk_oracle.h"
#include "server/file_load.h"
#include "server/persistence.h"
#include "server/session.h"
#include "sim/process.h"

namespace tandem {

class SimNode;

// Told what happens to a node's file, between the turns of processes and before anything else
// happens.
class FileWatch {
 public:
  // A save took its cut: the node is as its file will be.
  virtual void at_cut(SimNode& node) = 0;
  virtual void save_ended(SimNode& node, bool saved) = 0;
  // The data and the log are as the file made them. After an error the server would end.
  virtual void loaded(SimNode& node, const FileLoad::Outcome& outcome) = 0;

 protected:
  ~FileWatch() = default;
};

struct SimNodeOptions {
  FileWatch& watch;       // outlives the node
  std::string primary{};  // an address: it starts as that one's replica
  std::vector<SavePoint> save_points{};
  size_t write_bytes = 1024;  // Persistence
  uint64_t incarnation = 0;
  uint64_t backlog_bytes = 4096;
  uint32_t block_bytes = 512;
  int64_t sync_delay_seconds = 0;
};

class SimNode {
 public:
  static constexpr uint16_t kPort = 6379;

  SimNode(SimProcess& process, const std::string& name, const SimNodeOptions& options);
  ~SimNode();

  // A client's command, executed at once. Gives the reply.
  std::string command(int database, const std::vector<std::string>& args);
  // What the server's timers do: save points and active expiry.
  void tick();
  // As a shutdown saves, at once. False: not now, or it failed.
  bool save();

  // The file is being read: commands are refused for the most part.
  bool is_loading() const { return gate_.is(Gate::kDatasetLoading); }
  bool is_replica() const { return control_.is_replica(); }
  bool link_up() const { return control_.link().following(); }
  Log& log() { return log_; }
  ReplicationControl& control() { return control_; }
  Persistence& persistence() { return persistence_; }
  int64_t unix_ms() const { return process_.clock().unix_ms(); }
  uint64_t expired_keys() const { return executor_.counters().expired_keys.get(); }

  // What the invariants look at. `bytes` are those since the last call for this history.
  NodeObservation observe();
  // All that is there, expired or not.
  NodeData data();
  // Expired by its clock, and still there.
  bool has_expired_keys();
  uint64_t digest();

 private:
  struct Client final : ClientState {
    Client() : ClientState(ClientKind::kNormal) {}
  };

  std::vector<CommandRow> rows();
  Task<void> accept(StopToken stop);
  Task<void> serve(std::unique_ptr<ByteStream> stream, StopToken stop);
  void follow_log();
  void after_save_step();
  void on_file_read(const FileLoad::Outcome& outcome);
  void begin_replication();
  template <class Fn>
  void for_each_entry(Fn&& fn);
  template <class Fn>
  void for_each_item(Fn&& fn);

  SimProcess& process_;
  const std::string name_;
  const uint64_t incarnation_;
  FileWatch& watch_;
  ReplicationOptions options_;
  PersistenceOptions file_options_;
  NetworkOptions network_options_;
  EncodingLimits limits_;
  Keyspace keyspace_;
  Log log_;
  Gate gate_;
  Registry registry_;
  Engine engine_;
  ReplicationControl control_;
  Executor executor_;

  Persistence persistence_;
  FileLoad file_load_;
  bool saving_ = false;       // in the background
  int64_t saves_before_ = 0;  // that one

  FlushQueue flushes_;
  NetworkCounters counters_;
  ErrorCounts errors_;
  Lookahead lookahead_{keyspace_};
  SessionHost host_;
  uint64_t last_client_id_ = 0;
  uint64_t log_end_seen_ = 0;
  BeforeSleep log_watch_;
  std::unique_ptr<Listener> listener_;

  // The invariants' own reader of the log.
  std::unique_ptr<LogCursor> reader_;
  std::optional<Scope> tasks_{std::in_place};
};

}  // namespace tandem
