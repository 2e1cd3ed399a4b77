// What ReplicationControl does by the clock.
#include "replication/control.h"

#include <memory>

#include <gtest/gtest.h>

#include "replication/replication_test_world.h"
#include "sim/process.h"
#include "sim/world.h"

namespace tandem {
namespace {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kHourMs = 3600 * kSecondMs;
constexpr int64_t kTtlSeconds = 60;

struct Node {
  explicit Node(SimProcess& process)
      : keyspace({.databases = 2, .hash_seed = 1}),
        log({}, ReplicationId()),
        registry(rows_with_set()),
        engine{.keyspace = keyspace,
               .log = log,
               .registry = registry,
               .clock = process.clock(),
               .limits = limits,
               .gate = gate},
        control({.loop = process.loop(),
                 .network = process.network(),
                 .engine = engine,
                 .options = options,
                 .lag_limit = [] { return ReplicaLagLimit{}; },
                 .listening_port = [] { return 6379; },
                 .random_seed = 1}) {
    options.backlog_ttl_seconds.set(kTtlSeconds);
    log.reset({*ReplicationId::parse(std::string(ReplicationId::kLength, 'a')), 100});
    scope.spawn(control.run(scope.token()));
  }

  void follow_nobody_there() {
    const ExclusiveGuard all(keyspace);
    control.follow("10.0.0.9", 6379);
  }
  void promote() {
    const ExclusiveGuard all(keyspace);
    control.promote();
  }

  ReplicationOptions options;
  EncodingLimits limits;
  Keyspace keyspace;
  Log log;
  Gate gate;
  Registry registry;
  Engine engine;
  ReplicationControl control;
  Scope scope;
};

class ControlTest : public testing::Test {
 protected:
  void start() {
    process_.start([this](SimProcess& process) {
      node_ = std::make_shared<Node>(process);
      return node_;
    });
  }
  ~ControlTest() override {
    node_.reset();
    process_.stop();
  }

  SimWorld world_{1};
  SimProcess& process_{world_.add_process("10.0.0.1")};
  std::shared_ptr<Node> node_;
};

TEST_F(ControlTest, TheBacklogIsFreedWhenNobodyAskedForItForItsTime) {
  start();
  world_.run_for_ms((kTtlSeconds - 2) * kSecondMs);
  EXPECT_TRUE(node_->log.active());
  world_.run_for_ms(4 * kSecondMs);
  EXPECT_FALSE(node_->log.active());
}

// On a machine that was up for hours before the server.
TEST_F(ControlTest, TheBacklogsTimeBeginsWithTheServer) {
  world_.run_for_ms(kHourMs);
  start();
  world_.run_for_ms((kTtlSeconds - 2) * kSecondMs);
  EXPECT_TRUE(node_->log.active());
}

// The other replicas of the former primary are about to ask for it.
TEST_F(ControlTest, TheBacklogsTimeBeginsWithThePromotion) {
  start();
  node_->follow_nobody_there();
  world_.run_for_ms(kHourMs);
  node_->promote();
  world_.run_for_ms((kTtlSeconds - 2) * kSecondMs);
  EXPECT_TRUE(node_->log.active());
  world_.run_for_ms(4 * kSecondMs);
  EXPECT_FALSE(node_->log.active());
}

}  // namespace
}  // namespace tandem
