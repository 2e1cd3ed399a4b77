// What the stream's reader holds on to, and how much it takes. What it applies, link_test.cc tests.
#include "replication/stream_apply.h"

#include <algorithm>
#include <string>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/test_clock.h"
#include "replication/replication_test_world.h"

namespace tandem {
namespace {

constexpr size_t kMegabyte = size_t{1} << 20;

struct Ticking {
  TestClock time;
};

struct StreamApplyTest : testing::Test, Ticking, TestEngine {
  StreamApplyTest() : TestEngine(time) {
    {
      const ExclusiveGuard all(keyspace);
      state.change(all, ReplicaRole{.primary_host = "a", .primary_port = 6379});
      log.reset(all, {.id = *ReplicationId::parse(std::string(ReplicationId::kLength, 'a'))});
    }
    apply.restart("a:6379");
  }

  // In pieces as a socket gives them.
  void feed(Bytes bytes, size_t piece_bytes = 64 * 1024) {
    for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
      ASSERT_TRUE(tandem::feed(apply, bytes.substr(at, piece_bytes)));
    }
  }

  ReplicationOptions options;
  LinkProgress progress;
  RoleState state{{.engine = engine, .options = options, .progress = progress}};
  Executor executor{engine, 1};
  StreamApply apply{executor, options, progress, 1, StreamApply::kPendingBytesMax};
};

// The primary's limit may be larger; a replica that refuses its value needs a full sync each time.
TEST_F(StreamApplyTest, TakesAnArgumentThatIsLongerThanAClientsMayBe) {
  EXPECT_TRUE(tandem::feed(apply, "*3\r\n$3\r\nset\r\n$1\r\nk\r\n$800000000\r\nabc"));
  EXPECT_GT(apply.pending_bytes(), 0U);
}

TEST_F(StreamApplyTest, TakesNoArgumentThatIsLongerThanItsOwnLimit) {
  const auto fed = tandem::feed(
      apply, fmt::format("*3\r\n$3\r\nset\r\n$1\r\nk\r\n${}\r\n", StreamApply::kBulkBytesMax + 1));
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, ErrorCode::kInvalid);
}

TEST_F(StreamApplyTest, GivesBackWhatALongCommandNeeded) {
  feed(request({"set", "k", std::string(64 * kMegabyte, 'x')}) + "*1");
  apply.room();
  EXPECT_EQ(apply.pending_bytes(), 2U) << "the next one's beginning";
  EXPECT_LE(apply.buffer_bytes(), 2 * StreamApply::kKeptBytesMax);
  EXPECT_GT(log.end(), 64 * kMegabyte);
}

TEST_F(StreamApplyTest, GivesBackWhatALongCommandLeftThatNeverEnded) {
  const std::string command = request({"set", "k", std::string(64 * kMegabyte, 'x')});
  for (const bool again : {false, true}) {
    feed(Bytes(command).substr(0, command.size() / 2));
    EXPECT_GT(apply.buffer_bytes(), 32 * kMegabyte);
    again ? apply.restart("a:6379") : apply.forget();
    EXPECT_LE(apply.buffer_bytes(), 2 * StreamApply::kKeptBytesMax);
  }
}

// Wherever a pause falls: what was held back goes in behind it, once.
TEST_F(StreamApplyTest, WhatIsHeldBackGoesInLater) {
  const std::string stream = request({"multi"}) + request({"set", "n", "1"}) +
                             request({"set", "n", "1"}) + request({"exec"}) +
                             request({"set", "n", "1"}) + request({"nosuch"}) +
                             request({"set", "n", "1"});
  for (size_t cut = 0; cut < stream.size(); ++cut) {
    const uint64_t before = log.end();
    feed(Bytes(stream).substr(0, cut), stream.size());
    engine.pauses.begin(PauseReason::kClientPause, PauseKind::kWrites);
    const uint64_t paused_at = log.end();
    feed(Bytes(stream).substr(cut), stream.size());
    EXPECT_TRUE(apply.held_back());
    EXPECT_EQ(apply.read_offset(), before + stream.size());
    EXPECT_LE(log.end(), paused_at + request({"nosuch"}).size());
    engine.pauses.end(PauseReason::kClientPause);
    ASSERT_TRUE(tandem::feed(apply, {}));
    EXPECT_FALSE(apply.held_back());
    EXPECT_EQ(log.end(), before + stream.size());
  }
}

TEST_F(StreamApplyTest, NothingGoesIntoAClosedLogAndTheStreamLives) {
  const std::string stream =
      request({"set", "a", "1"}) + "\r\n" + request({"replconf", "ack", "1"});
  const uint64_t before = log.end();
  for (const bool closed : {true, false}) {
    {
      const ExclusiveGuard all(keyspace);
      closed ? engine.journal.close(all) : engine.journal.reopen();
    }
    ASSERT_TRUE(tandem::feed(apply, closed ? Bytes(stream) : Bytes()));
    EXPECT_EQ(apply.held_back(), closed);
    EXPECT_EQ(log.end(), closed ? before : before + stream.size());
  }
}

TEST_F(StreamApplyTest, PiecesOfAnySizeGiveTheSameLog) {
  const std::string stream = request({"set", "a", "1"}) + "\r\n" + request({"multi"}) +
                             request({"set", "b", "2"}) + request({"set", "c", "3"}) +
                             request({"exec"}) + request({"set", "d", std::string(300, 'd')});
  for (const size_t piece_bytes : {size_t{1}, size_t{7}, size_t{100}, stream.size()}) {
    const uint64_t before = log.end();
    feed(stream, piece_bytes);
    EXPECT_EQ(log.end(), before + stream.size());
    EXPECT_EQ(apply.pending_bytes(), 0U);
  }
  feed(stream + stream.substr(0, stream.size() - 10), 50);
  EXPECT_EQ(apply.read_offset(), log.end() + apply.pending_bytes());
  EXPECT_EQ(progress.unexpected_errors.load(), 0);
}

// A batch that is cut in vain behind each command would cost far more than the command.
TEST_F(StreamApplyTest, CutsNoBatchWhereNoneIsApplied) {
  std::string stream;
  for (int i = 0; i < 100; ++i) stream += request({"set", "k", std::to_string(i)});
  gate.set(Gate::kMonitored, true);
  feed(stream);
  EXPECT_EQ(progress.batches.load(), 0);
  EXPECT_EQ(log.end(), stream.size());
  EXPECT_EQ(apply.commands_cut(), 0U);
  gate.set(Gate::kMonitored, false);
  feed(stream);
  EXPECT_EQ(progress.batches.load(), 1);
  EXPECT_EQ(apply.commands_cut(), 100U);
}

// Commands that take long, or very many: others that need this thread get it in between.
TEST_F(StreamApplyTest, ATurnEndsInTime) {
  std::string stream;
  for (int i = 0; i < 20'000; ++i) stream += request({"set", "k", std::to_string(i)});
  ASSERT_LT(stream.size(), kMegabyte);
  for (const bool one_by_one : {false, true}) {
    gate.set(Gate::kMonitored, one_by_one);
    const uint64_t before = log.end();
    std::ranges::copy(stream, apply.room().begin());
    time.step_us = StreamApply::kTurnUs / 8;
    ASSERT_TRUE(apply_what_came(apply, stream.size()));
    int turns = 1;
    for (; apply.turn_is_over(); ++turns) {
      ASSERT_EQ(apply.read_offset(), before + stream.size());
      ASSERT_TRUE(apply_what_came(apply, 0));
    }
    time.step_us = 0;
    EXPECT_GT(turns, 2);
    EXPECT_EQ(log.end(), before + stream.size());
    EXPECT_FALSE(apply.held_back());
  }
}

// How long a batch is depends on how long the ones before took.
TEST_F(StreamApplyTest, BatchesAreAsLongAsTheyMayTake) {
  std::string stream;
  for (size_t i = 0; i < 8 * StreamBatch::kCommandsMax; ++i) stream += request({"set", "k", "v"});
  const auto batches = [&](int64_t looks_take_us) {
    const int64_t before = progress.batches.load();
    time.step_us = looks_take_us;
    feed(stream, stream.size());
    return progress.batches.load() - before;
  };
  EXPECT_EQ(batches(0), 8);
  const int64_t slow = batches(BatchExecutor::kHoldUs * 20);
  EXPECT_GT(slow, 32);
  EXPECT_LE(slow, 64 + 1) << "they are not made ever shorter";
  for (int i = 0; i < 3; ++i) batches(0);
  EXPECT_EQ(batches(0), 8) << "that was a while ago";
}

}  // namespace
}  // namespace tandem
