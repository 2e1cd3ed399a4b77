#include "replication/invariants.h"

#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace tandem {
namespace {

ReplicationId id_of(char digit) {
  return *ReplicationId::parse(std::string(ReplicationId::kLength, digit));
}

NodeObservation node(std::string name, bool replica, char id, uint64_t end, std::string bytes,
                     uint64_t digest) {
  return {.node = std::move(name),
          .incarnation = 1,
          .replica = replica,
          .history = {.id = id_of(id), .id2 = {}, .id2_valid_until = 0},
          .end = end,
          .bytes = std::move(bytes),
          .digest = digest,
          .acknowledged = {}};
}

class InvariantsTest : public testing::Test {
 protected:
  InvariantsTest() { EXPECT_FALSE(invariants_.observe(node("a", false, 'a', 10, "abcdef", 7))); }
  ReplicationInvariants invariants_;
};

TEST_F(InvariantsTest, AReplicaMayBeBehind) {
  EXPECT_FALSE(invariants_.observe(node("b", true, 'a', 8, "cd", 5)));
  EXPECT_FALSE(invariants_.observe(node("b", true, 'a', 10, "ef", 7)));
  EXPECT_FALSE(invariants_.observe(node("a", false, 'a', 12, "gh", 9)));
}

TEST_F(InvariantsTest, OtherBytesAreFound) {
  EXPECT_TRUE(invariants_.observe(node("b", true, 'a', 8, "cx", 5)));
}

TEST_F(InvariantsTest, OtherDataAreFound) {
  EXPECT_TRUE(invariants_.observe(node("b", true, 'a', 10, "cdef", 8)));
}

TEST_F(InvariantsTest, AReplicaAheadIsFound) {
  EXPECT_TRUE(invariants_.observe(node("b", true, 'a', 11, "fg", 8)));
}

TEST_F(InvariantsTest, GoingBackIsFound) {
  EXPECT_TRUE(invariants_.observe(node("a", false, 'a', 9, "", 8)));
}

TEST_F(InvariantsTest, BytesThatWereNotShownAreFound) {
  EXPECT_TRUE(invariants_.observe(node("a", false, 'a', 20, "xyz", 8)));
}

TEST_F(InvariantsTest, AReplicaOfNobodysHistoryIsFound) {
  EXPECT_TRUE(invariants_.observe(node("b", true, 'b', 3, "abc", 1)));
}

TEST_F(InvariantsTest, AcknowledgingTooMuchIsFound) {
  NodeObservation primary = node("a", false, 'a', 10, "", 7);
  primary.acknowledged = {10, 11};
  EXPECT_TRUE(invariants_.observe(primary));
}

TEST_F(InvariantsTest, AForkSharesItsBeginning) {
  EXPECT_FALSE(invariants_.observe(node("b", true, 'a', 8, "abcd", 5)));
  NodeObservation promoted = node("b", false, 'b', 9, "X", 6);
  promoted.history.id2 = id_of('a');
  promoted.history.id2_valid_until = 8;
  EXPECT_FALSE(invariants_.observe(promoted));
  EXPECT_FALSE(invariants_.observe(node("c", true, 'b', 9, "cdX", 6)));
  EXPECT_TRUE(invariants_.observe(node("d", true, 'b', 8, "cx", 5)));
}

TEST_F(InvariantsTest, AForkFromBeyondTheEndIsFound) {
  NodeObservation promoted = node("b", false, 'b', 12, "X", 6);
  promoted.history.id2 = id_of('a');
  promoted.history.id2_valid_until = 11;
  EXPECT_TRUE(invariants_.observe(promoted));
}

NodeState sound() {
  return {
      .replica = false,
      .read_only = false,
      .incarnation = 1,
      .history = {.id = id_of('a'), .id2 = id_of('b'), .id2_valid_until = 120},
      .window = {.first = 100, .end = 200},
      .cursors = {{.name = "replica", .offset = 150}, {.name = "lost", .offset = 5, .lost = true}},
      .acknowledged = {200, 0}};
}

struct Broken {
  const char* name;
  std::function<void(NodeState&)> change;
};

TEST(NodeInvariantsTest, ASoundNodePasses) {
  NodeInvariants invariants;
  NodeState now = sound();
  EXPECT_FALSE(invariants.observe(now));
  now.window.end = 300;
  EXPECT_FALSE(invariants.observe(now));
  // A full sync may go back.
  now.window = {.first = 130, .end = 130};
  now.cursors.clear();
  now.acknowledged.clear();
  now.incarnation = 2;
  EXPECT_FALSE(invariants.observe(now));
}

TEST(NodeInvariantsTest, EachViolationIsTold) {
  const Broken cases[] = {
      {"goes back",
       [](NodeState& now) {
         now.window.end = 199;
         now.acknowledged.clear();
       }},
      {"second history ends late", [](NodeState& now) { now.history.id2_valid_until = 201; }},
      {"first byte behind the end", [](NodeState& now) { now.window.first = 201; }},
      {"a reader before the log", [](NodeState& now) { now.cursors[0].offset = 99; }},
      {"a reader behind the log", [](NodeState& now) { now.cursors[0].offset = 201; }},
      {"acknowledged too much", [](NodeState& now) { now.acknowledged[1] = 201; }},
      {"a primary that is read-only", [](NodeState& now) { now.read_only = true; }},
  };
  for (const Broken& broken : cases) {
    SCOPED_TRACE(broken.name);
    NodeInvariants invariants;
    NodeState now = sound();
    EXPECT_FALSE(invariants.observe(now));
    broken.change(now);
    EXPECT_TRUE(invariants.observe(now));
  }
}

}  // namespace
}  // namespace tandem
