#include "replication/role.h"

#include <gtest/gtest.h>

#include "engine/testing.h"
#include "replication/replication_test_world.h"

namespace tandem {
namespace {

constexpr int64_t kNowMs = 5000;

struct RoleStateTest : testing::Test, TestEngine {
  RoleStateTest() : TestEngine(system_clock()) { options.replica_serve_stale_data.set(false); }

  uint64_t follow(const std::string& host) {
    const ExclusiveGuard all(keyspace);
    state.change(all, ReplicaRole{.primary_host = host, .primary_port = 6379});
    return state.view().generation;
  }
  void promote() {
    const ExclusiveGuard all(keyspace);
    state.change(all, PrimaryRole{});
  }
  bool serves_reads() const { return !Gate::refuses_stale(gate.bits()); }

  ReplicationOptions options;
  LinkProgress progress;
  bool too_few = false;
  RoleState state{
      {.engine = engine, .options = options, .progress = progress, .too_few_replicas = [this] {
         return too_few;
       }}};
};

TEST_F(RoleStateTest, AFreshRoleHasNoLinkYet) {
  const uint64_t first = follow("a");
  EXPECT_FALSE(serves_reads());
  state.enter(first, LinkPhase::kFollowing);
  EXPECT_TRUE(serves_reads());
  follow("b");
  const RoleState::View view = state.view();
  EXPECT_EQ(view.phase, LinkPhase::kConnecting);
  EXPECT_EQ(view.down_since_ms, RoleState::kNeverUp);
  EXPECT_EQ(view.role, Role(ReplicaRole{.primary_host = "b", .primary_port = 6379}));
  EXPECT_FALSE(serves_reads());
}

// However late it hears that it is over.
TEST_F(RoleStateTest, TheLinkOfAFormerRoleHasNoSay) {
  const uint64_t first = follow("a");
  const uint64_t second = follow("b");
  state.enter(first, LinkPhase::kFollowing);
  EXPECT_FALSE(serves_reads());
  EXPECT_FALSE(state.view().following());
  state.enter(second, LinkPhase::kFollowing);
  state.attempt_ended(first, LinkPhase::kWaitingToRetry, "cut", kNowMs, kNowMs);
  EXPECT_TRUE(serves_reads());
  EXPECT_TRUE(state.view().following());
  EXPECT_EQ(state.view().failure, "");
  promote();
  state.enter(second, LinkPhase::kStopped);
  EXPECT_EQ(state.view().phase, LinkPhase::kIdle);
  EXPECT_TRUE(serves_reads());
}

TEST_F(RoleStateTest, ALinkThatWasUpIsDownFromItsEnd) {
  const uint64_t generation = follow("a");
  state.enter(generation, LinkPhase::kFollowing);
  state.attempt_ended(generation, LinkPhase::kWaitingToRetry, "cut", kNowMs, kNowMs + 100);
  state.enter(generation, LinkPhase::kConnecting);
  state.attempt_ended(generation, LinkPhase::kWaitingToRetry, "refused", 2 * kNowMs, 3 * kNowMs);
  const RoleState::View view = state.view();
  EXPECT_EQ(view.down_since_ms, kNowMs);
  EXPECT_EQ(view.next_try_ms, 3 * kNowMs);
  EXPECT_EQ(view.failure, "refused");
  EXPECT_FALSE(serves_reads());
}

TEST_F(RoleStateTest, TheGateFollowsTheOptions) {
  follow("a");
  EXPECT_TRUE(gate.is(Gate::kReadOnlyReplica));
  options.replica_read_only.set(false);
  options.replica_serve_stale_data.set(true);
  too_few = true;
  state.settle();
  EXPECT_FALSE(gate.is(Gate::kReadOnlyReplica));
  EXPECT_TRUE(serves_reads());
  EXPECT_FALSE(gate.is(Gate::kTooFewReplicas)) << "a replica asks for none";
  promote();
  EXPECT_TRUE(gate.is(Gate::kTooFewReplicas));
  EXPECT_FALSE(gate.is(Gate::kReplica));
}

}  // namespace
}  // namespace tandem
