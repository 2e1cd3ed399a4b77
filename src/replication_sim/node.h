// One server of the simulation: the real engine, log, sessions and replication on a simulated
// process. Only the program around them is this file's: one loop instead of threads, and clients
// that are calls.
#pragma once

#include <cstdint>
#include <memory>
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
#include "server/session.h"
#include "sim/process.h"

namespace tandem {

struct SimNodeOptions {
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
  void expire();

  bool is_replica() const { return control_.is_replica(); }
  bool link_up() const { return control_.link().following(); }
  Log& log() { return log_; }
  ReplicationControl& control() { return control_; }

  // What the invariants look at. `bytes` are those since the last call for this history.
  NodeObservation observe();
  uint64_t digest();

 private:
  struct Client final : ClientState {
    Client() : ClientState(ClientKind::kNormal) {}
  };

  std::vector<CommandRow> rows();
  Task<void> accept(StopToken stop);
  Task<void> serve(std::unique_ptr<ByteStream> stream, StopToken stop);
  void follow_log();

  SimProcess& process_;
  const std::string name_;
  const uint64_t incarnation_;
  ReplicationOptions options_;
  NetworkOptions network_options_;
  EncodingLimits limits_;
  Keyspace keyspace_;
  Log log_;
  Gate gate_;
  Registry registry_;
  Engine engine_;
  ReplicationControl control_;
  Executor executor_;

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
  ReplicationId reader_id_;
  uint64_t digest_at_ = UINT64_MAX;
  ReplicationId digest_id_;
  uint64_t digest_ = 0;
  Scope tasks_;
};

}  // namespace tandem
