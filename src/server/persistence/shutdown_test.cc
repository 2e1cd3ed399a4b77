// A planned end: what the replicas hold is what the file holds.
#include "server/persistence/shutdown.h"

#include <memory>
#include <string>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "commands/table.h"
#include "engine/executor.h"
#include "io/background.h"
#include "io/task.h"
#include "replication/control.h"
#include "sim/files.h"
#include "sim/process.h"
#include "sim/world.h"

namespace tandem {
namespace {

constexpr int64_t kManyPingsMs = 10'000;

struct Node {
  Node(SimProcess& process, Files& disk)
      : engine({.keyspace = {.databases = 2, .hash_seed = 1}}, process.clock(), keyspace_rows()),
        control({.loop = process.loop(),
                 .network = process.network(),
                 .engine = engine,
                 .options = options,
                 .lag_limit = [] { return ReplicaLagLimit{}; },
                 .listening_port = [] { return 6379; },
                 .random_seed = 1}),
        persistence({.engine = engine,
                     .options = file_options,
                     .files = disk,
                     .total_changes = [] { return int64_t{0}; }},
                    std::make_unique<ThreadBackground>("snapshot-file")),
        file_load({.engine = engine, .options = file_options, .files = disk},
                  std::make_unique<ThreadBackground>("file-load")),
        shutdown({.gate = gate,
                  .pauses = engine.pauses,
                  .journal = engine.journal,
                  .snapshot_turn = engine.snapshot_turn,
                  .persistence = persistence,
                  .file_load = file_load,
                  .log = log,
                  .replicas = control.replicas(),
                  .timeout_seconds = timeout_seconds,
                  .end_commands =
                      [this] {
                        const ExclusiveGuard all(keyspace);
                        engine.journal.close(all);
                      },
                  .stop_scripts = [] {},
                  .leave = [] {}}),
        replica_bell(process.loop(), [] {}) {
    options.ping_replica_period_seconds.set(1);
    control.apply_options();
    scope.spawn(control.run(scope.token()));
  }

  Engine engine;
  Keyspace& keyspace = engine.keyspace;
  Log& log = engine.log;
  Gate& gate = engine.gate;
  ReplicationOptions options;
  PersistenceOptions file_options;
  Option<int64_t> timeout_seconds = 10;
  ReplicationControl control;
  Persistence persistence;
  FileLoad file_load;
  Shutdown shutdown;
  Doorbell replica_bell;
  Scope scope;
};

class ShutdownTest : public testing::Test {
 protected:
  void start() {
    process_.start([this](SimProcess& process) {
      node_ = std::make_shared<Node>(process, disk_);
      return node_;
    });
    {
      const ExclusiveGuard all(node_->keyspace);
      node_->control.activate_log(all);
    }
    node_->control.replicas().add(std::make_shared<ReplicaRecord>(1, "10.0.0.2", 6379, true),
                                  node_->replica_bell);
  }
  ~ShutdownTest() override {
    node_.reset();
    process_.stop();
  }

  // The cut is taken by then. Many pings are due meanwhile, and somebody waits for replicas.
  void linger_in_the_save() {
    disk_.at_open_of(fmt::format("temp-{}.rdb", ::getpid()), [this] {
      at_cut_ = node_->log.end();
      world_.run_for_ms(kManyPingsMs);
      node_->control.request_acknowledgements();
      after_ = node_->log.end();
    });
  }

  SimFiles disk_{1};
  SimWorld world_{1};
  SimProcess& process_{world_.add_process("10.0.0.1")};
  std::shared_ptr<Node> node_;
  uint64_t at_cut_ = 0;
  uint64_t after_ = 1;
};

TEST_F(ShutdownTest, NothingIsAppendedBehindTheFilesCut) {
  start();
  linger_in_the_save();
  ASSERT_TRUE(node_->shutdown.begin(kShutdownSave));
  EXPECT_EQ(after_, at_cut_);
}

TEST_F(ShutdownTest, AServerThatCannotSaveGoesOn) {
  start();
  linger_in_the_save();
  disk_.fail_next_syncs(1);
  EXPECT_FALSE(node_->shutdown.begin(kShutdownSave));
  EXPECT_EQ(after_, at_cut_);
  world_.run_for_ms(kManyPingsMs);
  EXPECT_GT(node_->log.end(), after_);
}

}  // namespace
}  // namespace tandem
