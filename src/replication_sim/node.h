// One server of the simulation: the server's own node (server/node.h) and a worker, on a simulated
// process. Only the program around them is this file's: one loop instead of threads, and clients
// that are calls. It starts as the server does: its file is read in the background while peers are
// answered already, and the link waits for that.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "io/network.h"
#include "io/task.h"
#include "log/log.h"
#include "migration/transfers.h"
#include "replication/invariants.h"
#include "replication_sim/apply_crew.h"
#include "replication_sim/oracles.h"
#include "server/node.h"
#include "server/worker.h"
#include "sim/process.h"

namespace tandem {

class SimNode;

// Told what happens to a node's file, between the turns of processes and before anything else
// happens.
class FileObserver {
 public:
  // A save took its cut: the node is as its file will be.
  virtual void at_cut(SimNode& node) = 0;
  virtual void save_ended(SimNode& node, bool saved) = 0;
  // The data and the log are as the file made them. After an error the server would end.
  virtual void loaded(SimNode& node, const FileLoad::Outcome& outcome) = 0;

 protected:
  ~FileObserver() = default;
};

struct SimNodeOptions {
  FileObserver& observer;  // outlives the node
  // In the middle of a batch of its primary's stream: what clients may see then.
  std::function<void(SimNode&)> look{};
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
  // In MULTI and EXEC. Gives EXEC's reply.
  std::string transaction(int database, const std::vector<std::vector<std::string>>& commands);
  // What the server's timers do: save points and active expiry.
  void tick();
  // What CLIENT PAUSE began is over.
  void end_pause() { node_.engine().pauses.end(PauseReason::kClientPause); }
  // As a shutdown saves, at once. False: not now, or it failed.
  bool save();

  // The file is being read: commands are refused for the most part.
  bool is_loading() const { return node_.is_loading(); }
  bool is_replica() const { return node_.replication().is_replica(); }
  bool link_up() const { return node_.replication().link().following(); }
  Engine& engine() { return node_.engine(); }
  Log& log() { return node_.engine().log; }
  int64_t shared_batches() const { return apply_crew_.shared(); }
  ReplicationControl& control() { return node_.replication(); }
  Persistence& persistence() { return node_.persistence(); }
  int64_t unix_ms() const { return process_.clock().unix_ms(); }
  uint64_t expired_keys() { return worker_->executor().counters().expired_keys.get(); }

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

  std::string execute(Client& client, const std::vector<std::string>& args);
  Node::Machine machine(const SimNodeOptions& options);
  Task<void> accept(StopToken stop);
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
  FileObserver& observer_;
  const std::unique_ptr<Options> options_;
  SimCrew apply_crew_;
  Transfers transfers_;
  Node node_;
  std::optional<Worker> worker_;
  bool saving_ = false;       // in the background
  int64_t saves_before_ = 0;  // that one

  std::unique_ptr<Listener> listener_;

  // The invariants' own reader of the log.
  std::unique_ptr<LogCursor> reader_;
  std::optional<Scope> tasks_{std::in_place};
};

}  // namespace tandem
