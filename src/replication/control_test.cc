// What ReplicationControl does by the clock, and with data from a file.
#include "replication/control.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "replication/replication_test_world.h"
#include "sim/process.h"
#include "sim/world.h"

namespace tandem {
namespace {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kHourMs = 3600 * kSecondMs;
constexpr int64_t kTtlSeconds = 60;

const Position kFilePlace{.id = *ReplicationId::parse(std::string(ReplicationId::kLength, 'f')),
                          .offset = 500};

// The file's own log had come from this history.
const ReplicationId kOlderId = *ReplicationId::parse(std::string(ReplicationId::kLength, 'e'));
constexpr uint64_t kOlderEnd = 400;

struct Node : TestEngine {
  explicit Node(SimProcess& process)
      : TestEngine(process.clock()),
        control({.loop = process.loop(),
                 .network = process.network(),
                 .engine = engine,
                 .options = options,
                 .lag_limit = [] { return ReplicaLagLimit{}; },
                 .listening_port = [] { return 6379; },
                 .random_seed = 1}) {
    options.backlog_ttl_seconds.set(kTtlSeconds);
  }

  void run() { scope.spawn(control.run(scope.token())); }
  void continue_from_file(uint32_t selected_database) {
    const ExclusiveGuard all(keyspace);
    control.continue_from(all, {.position = kFilePlace,
                                .second = Position{.id = kOlderId, .offset = kOlderEnd},
                                .selected_database = selected_database});
  }

  void follow_nobody_there() {
    const ExclusiveGuard all(keyspace);
    control.follow(all, "10.0.0.9", 6379);
  }
  void promote() {
    const ExclusiveGuard all(keyspace);
    control.promote(all);
  }

  ReplicationOptions options;
  ReplicationControl control;
  Scope scope;
};

class ControlTest : public testing::Test {
 protected:
  void start() {
    process_.start([this](SimProcess& process) {
      node_ = std::make_shared<Node>(process);
      node_->continue_from_file(0);
      node_->run();
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

// REPLICAOF itself tells; the link's own thread would tell it late.
TEST_F(ControlTest, AChangeOfRoleIsToldWhenItHappens) {
  start();
  world_.run_for_ms(10);
  node_->options.replica_serve_stale_data.set(false);
  node_->follow_nobody_there();
  EXPECT_EQ(node_->control.view().phase, LinkPhase::kConnecting);
  EXPECT_TRUE(Gate::refuses_stale(node_->gate.bits()));
  world_.run_for_ms(10);
  node_->promote();
  EXPECT_EQ(node_->control.view().phase, LinkPhase::kIdle);
  EXPECT_FALSE(Gate::refuses_stale(node_->gate.bits()));
}

// Twice, so that the end of a link of a former role has its chance to say that all is well.
TEST_F(ControlTest, AnEndedLinkDoesNotOpenTheGate) {
  start();
  node_->options.replica_serve_stale_data.set(false);
  for (int i = 0; i < 2; ++i) {
    const ExclusiveGuard all(node_->keyspace);
    node_->control.follow(all, i == 0 ? "10.0.0.8" : "10.0.0.9", 6379);
  }
  bool opened = false;
  world_.run_until(
      [&] {
        opened = opened || !Gate::refuses_stale(node_->gate.bits());
        return opened;
      },
      kSecondMs);
  EXPECT_FALSE(opened);
}

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

class ContinueFromFileTest : public testing::Test {
 protected:
  // What the log holds behind the file's place.
  std::string logged() {
    auto reader = node.log.open("test", kFilePlace.offset, 0);
    EXPECT_TRUE(reader);
    return std::string((*reader)->peek().value_or(Bytes()));
  }

  SimWorld world{1};
  Node node{world.add_process("10.0.0.1")};
};

TEST_F(ContinueFromFileTest, AReplicaIsWhereTheFileWas) {
  node.follow_nobody_there();
  node.continue_from_file(1);
  EXPECT_EQ(node.log.position(), kFilePlace);
  EXPECT_TRUE(node.log.history().id2.is_none());
  EXPECT_EQ(node.log.selected_database(), 1U);
}

TEST_F(ContinueFromFileTest, APrimaryBeginsAHistoryOfItsOwn) {
  node.continue_from_file(1);
  EXPECT_EQ(node.log.end(), kFilePlace.offset);
  const LogHistory history = node.log.history();
  EXPECT_NE(history.id, kFilePlace.id);
  EXPECT_EQ(history.id2, kFilePlace.id);
  EXPECT_EQ(history.id2_valid_until, kFilePlace.offset);
}

// Who slept through two restarts in a row asks by a name that is neither of the log's two.
TEST_F(ContinueFromFileTest, TheFilesSecondIdStillNamesOurBeginning) {
  node.continue_from_file(0);
  const ReplicationId present = node.log.history().id;
  const auto resolved = [this](uint64_t offset) {
    return node.control.resolve({.id = kOlderId, .offset = offset}).id;
  };
  EXPECT_EQ(resolved(kOlderEnd), present);
  EXPECT_EQ(resolved(kOlderEnd + 1), kOlderId);
  node.follow_nobody_there();
  node.promote();
  EXPECT_EQ(resolved(kOlderEnd), node.log.history().id);
  EXPECT_EQ(node.control.resolve({.id = kFilePlace.id, .offset = 450}).id, node.log.history().id)
      << "it has left the log's second place";
}

// Replicas that are at the file's place may have another database selected than the file says: a
// full sync of somebody else made the primary forget, and the file then says 0.
TEST_F(ContinueFromFileTest, APrimarySelectsItsDatabaseAnew) {
  node.continue_from_file(0);
  set(node.engine, "k", "v");
  EXPECT_EQ(logged(), request({"SELECT", "0"}) + request({"set", "k", "v"}));
}

}  // namespace
}  // namespace tandem
