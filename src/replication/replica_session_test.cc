// A primary's side of replication, against replicas that behave, are slow, fall silent, talk
// rubbish or go: in the simulated world, byte by byte.
#include "replication/replica_session.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "io/task.h"
#include "replication/link_wire.h"
#include "replication/replication_test_world.h"
#include "sim/network.h"
#include "sim/process.h"
#include "sim/stream.h"
#include "sim/world.h"

namespace tandem {
namespace {

constexpr uint16_t kPort = 6379;
constexpr uint64_t kMegabyte = 1024 * 1024;

std::string acknowledgement(uint64_t offset) {
  return request({"REPLCONF", "ACK", std::to_string(offset)});
}

ReplicationId id_of(char digit) {
  return *ReplicationId::parse(std::string(ReplicationId::kLength, digit));
}

ReplicaHello modern() {
  ReplicaHello hello;
  hello.understands_mark = hello.understands_new_id = true;
  return hello;
}

// What a replica said before: its REPLCONF and its PSYNC.
struct Ask {
  ReplicaHello hello = modern();
  SyncRequest request;
};

struct Primary : TestEngine {
  Primary(SimProcess& process, Ask the_ask)
      : TestEngine(process.clock()),
        ask(std::move(the_ask)),
        full_syncs(process.loop(), engine, options, 1, &process.files()),
        parts{engine, options, replicas, full_syncs, [this] { return limit; }},
        network(process.network()) {
    options.diskless_sync_delay_seconds.set(0);
    options.timeout_seconds.set(5);
    {
      const ExclusiveGuard all(keyspace);
      log.activate(all, id_of('a'));
    }
    listener = std::move(*network.listen("0.0.0.0", kPort, 16));
    scope.spawn(accept());
    scope.spawn(full_syncs.run(scope.token()));
  }

  Task<void> accept() {
    for (;;) {
      auto socket = co_await listener->accept(scope.token());
      if (!socket) co_return;
      scope.spawn(serve(std::move(*network.adopt(std::move(*socket)))));
    }
  }

  Task<void> serve(std::unique_ptr<ByteStream> stream) {
    served = dynamic_cast<SimStream*>(stream.get());
    ReplicaSession session(parts, *stream, "", ask.hello, ask.request, ++connections,
                           sessions.token());
    const Error error = co_await session.run();
    reasons.push_back(error.text);
  }

  void write(Bytes key, Bytes text) {
    set(engine, key, text);
    log.ring_readers();
  }

  Ask ask;
  ReplicaLagLimit limit;
  ReplicationOptions options;
  ReplicaRegistry replicas;
  FullSyncs full_syncs;
  ReplicaSessionParts parts;
  Network& network;
  std::unique_ptr<Listener> listener;
  uint64_t connections = 0;
  const SimStream* served = nullptr;  // the newest
  std::vector<std::string> reasons;
  Stop sessions;
  Scope scope;
};

// The other end: takes what comes unless told not to, and sends what the test says.
struct Peer {
  explicit Peer(SimProcess& the_process) : process(the_process), more(process.loop()) {
    scope.spawn(run());
  }

  Task<void> run() {
    auto opened = co_await process.network().connect("10.0.0.1", kPort, {}, scope.token());
    if (!opened) co_return;
    stream = std::move(*opened);
    char buffer[4096];
    for (;;) {
      while (!reading) co_await more.wait(scope.token());
      auto count = co_await stream->read(std::span(buffer).first(bytes_a_read), scope.token());
      if (!count) break;
      received.append(buffer, *count);
      if (pause_ms > 0) co_await process.loop().sleep_ms(pause_ms, scope.token());
    }
    closed = true;
  }

  void send(Bytes bytes) { ASSERT_EQ(stream->try_write(bytes), bytes.size()); }
  void read_on() {
    process.loop().post([this] {
      reading = true;
      more.notify();
    });
  }

  SimProcess& process;
  Event more;
  bool reading = true;
  size_t bytes_a_read = 4096;
  int64_t pause_ms = 0;  // between two reads
  bool closed = false;
  std::string received;
  std::unique_ptr<ByteStream> stream;
  Scope scope;
};

class ReplicaSessionTest : public testing::Test {
 protected:
  ReplicaSessionTest() { world_.wire().options().partial_one_in = 0; }
  ~ReplicaSessionTest() override {
    peer_.reset();
    primary_.reset();
    peer_process_.stop();
    primary_process_.stop();
  }

  void start_primary(Ask ask = {}) {
    primary_process_.start([&](SimProcess& process) {
      primary_ = std::make_shared<Primary>(process, ask);
      return primary_;
    });
  }
  void connect() {
    peer_process_.start([&](SimProcess& process) {
      peer_ = std::make_shared<Peer>(process);
      return peer_;
    });
    world_.run_for_ms(300);
  }
  // As one that asks to go on after the byte at `offset`.
  static Ask from(char id, uint64_t offset) {
    return {.hello = modern(),
            .request = {.position = Position{.id = id_of(id), .offset = offset}}};
  }
  // So that the snapshot begins a second after somebody asked for it.
  void fill(int keys, size_t bytes) {
    primary_->options.rdb_compression.set(false);
    primary_->options.diskless_sync_delay_seconds.set(1);
    for (int i = 0; i < keys; ++i)
      primary_->write(fmt::format("key{}", i), std::string(bytes, 'x'));
  }
  static std::string mark_in(const std::string& received) {
    const size_t at = received.find("$EOF:");
    return at == std::string::npos ? std::string() : received.substr(at + 5, kTransferMarkBytes);
  }
  static bool all_is_sent(const Peer& peer) {
    const std::string mark = mark_in(peer.received);
    return !mark.empty() &&
           peer.received.find(mark, peer.received.find(mark) + 1) != std::string::npos;
  }
  static std::string snapshot_in(const std::string& received) {
    const std::string mark = mark_in(received);
    const size_t begin = received.find(mark) + mark.size() + 2;
    return received.substr(begin, received.find(mark, begin) - begin);
  }
  ReplicaState state() { return primary_->replicas.list().at(0)->state.load(); }
  std::string take() { return std::exchange(peer_->received, {}); }
  void expect_gone(Bytes reason) {
    ASSERT_EQ(primary_->reasons.size(), 1U);
    EXPECT_NE(primary_->reasons[0].find(reason), std::string::npos) << primary_->reasons[0];
    EXPECT_EQ(primary_->replicas.count(), 0U);
    EXPECT_TRUE(primary_->log.cursors().empty());
    EXPECT_TRUE(peer_->closed);
  }

  SimWorld world_{7};
  SimProcess& primary_process_{world_.add_process("10.0.0.1")};
  SimProcess& peer_process_{world_.add_process("10.0.0.2")};
  std::shared_ptr<Primary> primary_;
  std::shared_ptr<Peer> peer_;
};

TEST_F(ReplicaSessionTest, AFullSyncWithAMarkWaitsForTheReplicaBeforeTheStream) {
  start_primary();
  primary_->write("a", "1");
  const uint64_t cut = primary_->log.end();
  connect();
  const std::string head = fmt::format("+FULLRESYNC {} {}\r\n$EOF:", id_of('a').text(), cut);
  std::string got = take();
  ASSERT_TRUE(got.starts_with(head));
  const std::string mark = got.substr(head.size(), 40);
  EXPECT_TRUE(got.substr(head.size() + 40).starts_with("\r\nREDIS"));
  EXPECT_TRUE(got.ends_with(mark));
  EXPECT_EQ(state(), ReplicaState::kSnapshot);

  primary_->write("b", "2");
  world_.run_for_ms(1000);
  EXPECT_EQ(take(), "") << "it could not tell this from the snapshot";
  peer_->send(acknowledgement(cut));
  world_.run_for_ms(100);
  EXPECT_EQ(take(), request({"SELECT", "0"}) + request({"set", "b", "2"}));
  EXPECT_EQ(state(), ReplicaState::kStreaming);
  EXPECT_EQ(primary_->replicas.acknowledged().count(cut), 1U);
  EXPECT_EQ(primary_->replicas.syncs().full.load(), 1U);
}

TEST_F(ReplicaSessionTest, WithoutTheMarkTheLengthComesFirst) {
  start_primary({.hello = {}, .request = {}});
  primary_->write("a", "1");
  connect();
  primary_->write("b", "2");
  world_.run_for_ms(100);
  const std::string got = take();
  const size_t dollar = got.find('$');
  ASSERT_NE(dollar, std::string::npos);
  const size_t line_end = got.find("\r\n", dollar);
  const size_t length = std::stoul(got.substr(dollar + 1, line_end - dollar - 1));
  EXPECT_EQ(got.substr(line_end + 2 + length),
            request({"SELECT", "0"}) + request({"set", "b", "2"}));
}

TEST_F(ReplicaSessionTest, ItsBytesAreSentAtOnce) {
  start_primary();
  connect();
  ASSERT_NE(primary_->served, nullptr);
  EXPECT_TRUE(primary_->served->no_delay());
}

TEST_F(ReplicaSessionTest, ItsBytesMayWaitForMoreWhereThatIsWanted) {
  start_primary();
  primary_->options.disable_tcp_nodelay.set(true);  // repl-disable-tcp-nodelay
  connect();
  ASSERT_NE(primary_->served, nullptr);
  EXPECT_FALSE(primary_->served->no_delay());
}

TEST_F(ReplicaSessionTest, SyncGetsTheSnapshotWithoutALineAndOwesNoAcknowledgement) {
  start_primary({.hello = {}, .request = {.position = std::nullopt, .plain = true}});
  connect();
  EXPECT_TRUE(take().starts_with("$"));
  primary_->write("b", "2");
  world_.run_for_ms(20'000);
  EXPECT_TRUE(peer_->received.ends_with(request({"set", "b", "2"})));
  EXPECT_TRUE(primary_->reasons.empty());
}

TEST_F(ReplicaSessionTest, APartialSyncGivesWhatIsMissing) {
  start_primary(from('a', 0));
  primary_->write("a", "1");
  const uint64_t middle = primary_->log.end();
  primary_->write("b", "2");
  primary_->ask = from('a', middle);
  connect();
  EXPECT_EQ(take(),
            fmt::format("+CONTINUE {}\r\n", id_of('a').text()) + request({"set", "b", "2"}));
  EXPECT_EQ(state(), ReplicaState::kStreaming);
  EXPECT_EQ(primary_->replicas.syncs().partial.load(), 1U);
}

TEST_F(ReplicaSessionTest, AReplicaOfTheFirstPsyncIsToldNoId) {
  start_primary(from('a', 0));
  primary_->ask.hello.understands_new_id = false;
  connect();
  EXPECT_EQ(take(), "+CONTINUE\r\n");
}

TEST_F(ReplicaSessionTest, WhatCannotBeContinuedIsAFullSync) {
  start_primary(from('b', 10));
  connect();
  EXPECT_TRUE(take().starts_with("+FULLRESYNC"));
  EXPECT_EQ(primary_->replicas.syncs().partial_refused.load(), 1U);
}

TEST_F(ReplicaSessionTest, EmptyLinesShowThatWeLiveWhileTheReplicaWaits) {
  start_primary();
  primary_->options.diskless_sync_delay_seconds.set(40);
  primary_->options.ping_replica_period_seconds.set(10);
  connect();
  EXPECT_EQ(state(), ReplicaState::kWaitingForSnapshot);
  world_.run_for_ms(35'000);
  EXPECT_EQ(take(), "\n\n\n");
  world_.run_for_ms(6'000);
  EXPECT_TRUE(take().starts_with("+FULLRESYNC"));
}

TEST_F(ReplicaSessionTest, SilenceIsNoticedWhileStreaming) {
  start_primary(from('a', 0));
  connect();
  for (int i = 0; i < 10; ++i) {
    peer_->send(acknowledgement(0));
    world_.run_for_ms(1000);
  }
  EXPECT_TRUE(primary_->reasons.empty());
  world_.run_for_ms(7000);
  expect_gone("silent for longer than repl-timeout");
}

TEST_F(ReplicaSessionTest, AReplicaThatNeverSaysItIsDoneWithItsSnapshotIsDropped) {
  start_primary();
  connect();
  EXPECT_EQ(state(), ReplicaState::kSnapshot);
  world_.run_for_ms(8000);
  expect_gone("silent");
}

TEST_F(ReplicaSessionTest, EmptyLinesOfABusyReplicaAreSigns) {
  start_primary();
  connect();
  for (int i = 0; i < 10; ++i) {
    peer_->send("\n");
    world_.run_for_ms(1000);
  }
  EXPECT_TRUE(primary_->reasons.empty());
}

TEST_F(ReplicaSessionTest, AReplicaThatDoesNotTakeItsSnapshotIsDropped) {
  start_primary();
  fill(40, 10'000);
  connect();
  peer_->reading = false;
  world_.run_for_ms(12'000);
  peer_->read_on();
  world_.run_for_ms(1000);
  expect_gone("took nothing");
}

// Empty lines say that it lives, not that it takes anything.
TEST_F(ReplicaSessionTest, AReplicaThatOnlySaysThatItLivesIsDropped) {
  start_primary();
  fill(40, 10'000);
  connect();
  peer_->reading = false;
  for (int i = 0; i < 12; ++i) {
    if (primary_->reasons.empty()) peer_->stream->try_write("\n");
    world_.run_for_ms(1000);
  }
  peer_->read_on();
  world_.run_for_ms(1000);
  expect_gone("took nothing");
}

// What it owes after its snapshot it owes from then on, however long it took.
TEST_F(ReplicaSessionTest, ALongTransferLeavesTheWholeTimeoutForTheSign) {
  start_primary();
  fill(40, 10'000);
  connect();
  peer_->bytes_a_read = 2'000;
  peer_->pause_ms = 100;
  for (int i = 0; i < 60 && !all_is_sent(*peer_); ++i) world_.run_for_ms(1000);
  ASSERT_TRUE(all_is_sent(*peer_));
  EXPECT_GT(world_.now_us(), 15'000'000) << "three times the timeout";
  EXPECT_TRUE(primary_->reasons.empty());
  EXPECT_EQ(state(), ReplicaState::kSnapshot);
  peer_->send("\n");
  world_.run_for_ms(4000);
  EXPECT_TRUE(primary_->reasons.empty());
  world_.run_for_ms(4000);
  expect_gone("silent");
}

TEST_F(ReplicaSessionTest, AReplicaOverTheHardLimitIsDropped) {
  start_primary(from('a', 0));
  primary_->options.backlog_bytes.set(kMegabyte);
  primary_->options.timeout_seconds.set(600);
  primary_->limit.hard_bytes = 2 * kMegabyte;
  connect();
  peer_->reading = false;
  for (int i = 0; i < 15; ++i) primary_->write("a", std::string(100'000, 'x'));
  world_.run_for_ms(3000);
  EXPECT_TRUE(primary_->reasons.empty());
  for (int i = 0; i < 10; ++i) primary_->write("a", std::string(100'000, 'x'));
  world_.run_for_ms(3000);
  peer_->read_on();
  world_.run_for_ms(3000);
  expect_gone("client-output-buffer-limit");
}

// What the backlog holds anyway costs nothing; a replica must be able to catch up with it.
TEST_F(ReplicaSessionTest, TheHardLimitIsAtLeastTheBacklog) {
  start_primary(from('a', 0));
  primary_->options.backlog_bytes.set(4 * kMegabyte);
  primary_->log.set_retention(4 * kMegabyte, 0);
  primary_->limit.hard_bytes = 1000;
  for (int i = 0; i < 20; ++i) primary_->write("a", std::string(100'000, 'x'));
  connect();
  peer_->send(acknowledgement(0));
  world_.run_for_ms(4000);
  EXPECT_TRUE(primary_->reasons.empty());
  EXPECT_GT(peer_->received.size(), 2'000'000U);
}

TEST_F(ReplicaSessionTest, AChangedLimitTakesEffectOnAConnectedReplica) {
  start_primary(from('a', 0));
  primary_->options.backlog_bytes.set(1000);
  primary_->options.timeout_seconds.set(600);
  connect();
  peer_->reading = false;
  for (int i = 0; i < 20; ++i) primary_->write("a", std::string(100'000, 'x'));
  world_.run_for_ms(3000);
  EXPECT_TRUE(primary_->reasons.empty());
  primary_->limit.hard_bytes = kMegabyte;
  world_.run_for_ms(2000);
  peer_->read_on();
  world_.run_for_ms(3000);
  expect_gone("client-output-buffer-limit");
}

TEST_F(ReplicaSessionTest, AReplicaOverTheSoftLimitIsDroppedAfterItsTime) {
  start_primary(from('a', 0));
  primary_->options.timeout_seconds.set(600);
  primary_->limit = {.hard_bytes = 0, .soft_bytes = 100'000, .soft_seconds = 10};
  connect();
  peer_->reading = false;
  for (int i = 0; i < 5; ++i) primary_->write("a", std::string(100'000, 'x'));
  world_.run_for_ms(9000);
  EXPECT_TRUE(primary_->reasons.empty());
  world_.run_for_ms(5000);
  peer_->read_on();
  world_.run_for_ms(1000);
  expect_gone("soft client-output-buffer-limit");
}

TEST_F(ReplicaSessionTest, RubbishEndsTheSession) {
  for (const std::string& rubbish :
       {std::string("*1\r\n$-5\r\n"), std::string("*x\r\n"), std::string(2 * kMegabyte, 'y')}) {
    SCOPED_TRACE(rubbish.substr(0, 10));
    SimWorld world(3);
    world.wire().options().window_bytes = 4 * kMegabyte;
    SimProcess& primary_process = world.add_process("10.0.0.1");
    SimProcess& peer_process = world.add_process("10.0.0.2");
    std::shared_ptr<Primary> primary;
    std::shared_ptr<Peer> peer;
    primary_process.start([&](SimProcess& process) {
      primary = std::make_shared<Primary>(process, from('a', 0));
      return primary;
    });
    peer_process.start([&](SimProcess& process) {
      peer = std::make_shared<Peer>(process);
      return peer;
    });
    world.run_for_ms(100);
    EXPECT_GT(peer->stream->try_write(rubbish), 0U);
    world.run_for_ms(1000);
    ASSERT_EQ(primary->reasons.size(), 1U);
    EXPECT_NE(primary->reasons[0].find("something else"), std::string::npos);
    peer.reset();
    primary.reset();
  }
}

TEST_F(ReplicaSessionTest, OtherCommandsAndImpossibleAcknowledgementsChangeNothing) {
  start_primary(from('a', 0));
  primary_->write("a", "1");
  connect();
  const uint64_t end = primary_->log.end();
  peer_->send(acknowledgement(end + 1) + request({"SET", "a", "2"}) + "PING\r\n" +
              request({"REPLCONF", "ACK", "x"}) + request({"REPLCONF"}) + "\r\n");
  world_.run_for_ms(100);
  EXPECT_EQ(primary_->replicas.list().at(0)->acknowledged.load(), 0U);
  EXPECT_EQ(primary_->replicas.acknowledged().count(1), 0U);
  EXPECT_EQ(primary_->log.end(), end);
  peer_->send(acknowledgement(end));
  world_.run_for_ms(100);
  EXPECT_EQ(primary_->replicas.acknowledged().count(end), 1U);
  peer_->send(acknowledgement(0));
  world_.run_for_ms(100);
  EXPECT_EQ(primary_->replicas.list().at(0)->acknowledged.load(), end) << "it never goes back";
  EXPECT_EQ(primary_->replicas.acknowledged().count(end), 1U);
}

TEST_F(ReplicaSessionTest, AStopEndsItInEachState) {
  for (const ReplicaState wanted :
       {ReplicaState::kWaitingForSnapshot, ReplicaState::kSnapshot, ReplicaState::kStreaming}) {
    SimWorld world(5);
    SimProcess& primary_process = world.add_process("10.0.0.1");
    SimProcess& peer_process = world.add_process("10.0.0.2");
    std::shared_ptr<Primary> primary;
    std::shared_ptr<Peer> peer;
    primary_process.start([&](SimProcess& process) {
      primary = std::make_shared<Primary>(
          process, wanted == ReplicaState::kStreaming ? from('a', 0) : Ask{});
      if (wanted == ReplicaState::kWaitingForSnapshot) {
        primary->options.diskless_sync_delay_seconds.set(100);
      }
      return primary;
    });
    peer_process.start([&](SimProcess& process) {
      peer = std::make_shared<Peer>(process);
      return peer;
    });
    world.run_for_ms(300);
    ASSERT_EQ(primary->replicas.count(), 1U);
    EXPECT_EQ(primary->replicas.list().at(0)->state.load(), wanted);
    primary_process.loop().post([&] { primary->sessions.request(); });
    world.run_for_ms(300);
    EXPECT_EQ(primary->reasons.size(), 1U);
    EXPECT_EQ(primary->replicas.count(), 0U);
    EXPECT_TRUE(primary->log.cursors().empty());
    EXPECT_TRUE(peer->closed);
    peer.reset();
    primary.reset();
  }
}

TEST_F(ReplicaSessionTest, ACloseByTheReplicaEndsItInTheMiddleOfTheSnapshot) {
  start_primary();
  connect();
  peer_->stream->close();
  world_.run_for_ms(300);
  expect_gone("closed the connection");
}

TEST_F(ReplicaSessionTest, DropAllEndsAnIdleStream) {
  start_primary(from('a', 0));
  connect();
  take();
  primary_->replicas.drop_all();
  primary_->write("a", "of another history");
  world_.run_for_ms(500);
  EXPECT_EQ(take(), "");
  expect_gone("our history has changed");
}

// The replica takes what was on its way; what the log gets after drop_all() is another history's,
// and not a byte of it may reach a replica that would count it to the former one.
TEST_F(ReplicaSessionTest, DropAllInTheMiddleOfAWriteSendsNothingOfWhatComesAfter) {
  start_primary(from('a', 0));
  connect();
  take();
  peer_->reading = false;
  // The rest of this block is written, then waits for the peer to read.
  primary_->write("a", std::string(300'000, 'x'));
  world_.run_for_ms(300);
  {
    const ExclusiveGuard all(primary_->keyspace);
    primary_->log.adopt_id(all, id_of('b'));
    primary_->replicas.drop_all();
  }
  primary_->write("b", std::string(50'000, 'z'));
  peer_->read_on();
  world_.run_for_ms(500);
  EXPECT_EQ(peer_->received.find('z'), std::string::npos);
  expect_gone("our history has changed");
}

// WAIT's promise: what an earlier history's replica says late counts for nobody.
TEST_F(ReplicaSessionTest, ADroppedReplicaAcknowledgesNothing) {
  start_primary(from('a', 0));
  primary_->write("a", "1");
  connect();
  const uint64_t end = primary_->log.end();
  peer_->send(acknowledgement(end));
  primary_->replicas.drop_all();
  world_.run_for_ms(300);
  EXPECT_EQ(primary_->replicas.acknowledged().count(0), 0U);
}

// Several replicas of one walk.
class SharedWalkTest : public ReplicaSessionTest {
 protected:
  ~SharedWalkTest() override {
    others_.clear();
    for (SimProcess* process : processes_) process->stop();
  }

  void start(int keys, size_t bytes) {
    start_primary();
    fill(keys, bytes);
    connect();
  }
  Peer& another() {
    SimProcess& process = world_.add_process(fmt::format("10.0.1.{}", others_.size()));
    processes_.push_back(&process);
    process.start([&](SimProcess& of_peer) {
      others_.push_back(std::make_shared<Peer>(of_peer));
      return others_.back();
    });
    return *others_.back();
  }
  // Acknowledges for it as a replica does that has its snapshot.
  void run_ms(int64_t ms) {
    for (int64_t passed = 0; passed < ms; passed += 500) {
      world_.run_for_ms(500);
      if (all_is_sent(*peer_) && !peer_->closed) peer_->stream->try_write(acknowledgement(0));
    }
  }

  std::vector<SimProcess*> processes_;
  std::vector<std::shared_ptr<Peer>> others_;
};

TEST_F(SharedWalkTest, OneThatHangsGoesAloneAndHoldsTheOthersUpForLessThanTheTimeout) {
  start(60, 50'000);
  another().reading = false;
  run_ms(1500);
  EXPECT_FALSE(all_is_sent(*peer_)) << "the slower one holds the walk up";
  run_ms(4000);
  EXPECT_TRUE(all_is_sent(*peer_));
  EXPECT_EQ(state(), ReplicaState::kStreaming);
  EXPECT_FALSE(primary_->engine.snapshot_turn.taken());
  run_ms(4000);
  ASSERT_EQ(primary_->reasons.size(), 1U);
  EXPECT_NE(primary_->reasons[0].find("took nothing"), std::string::npos);
  others_[0]->read_on();
  run_ms(10'000);
  EXPECT_TRUE(others_[0]->closed);
  EXPECT_EQ(primary_->reasons.size(), 1U);
}

TEST_F(SharedWalkTest, ASlowOneGetsTheWholeFromAFile) {
  start(60, 50'000);
  Peer& slow = another();
  slow.pause_ms = 20;
  run_ms(6000);
  EXPECT_TRUE(all_is_sent(*peer_));
  EXPECT_FALSE(all_is_sent(slow));
  EXPECT_FALSE(primary_->engine.snapshot_turn.taken());
  run_ms(20'000);
  EXPECT_TRUE(all_is_sent(slow));
  EXPECT_EQ(snapshot_in(slow.received), snapshot_in(peer_->received));
  EXPECT_TRUE(primary_process_.files().list(".")->empty());
}

TEST_F(SharedWalkTest, WhereNoFileCanBeHadTheSlowOneGoesAlone) {
  primary_process_.files().fail_next_writes(1000);
  start(60, 50'000);
  another().pause_ms = 100;
  run_ms(10'000);
  EXPECT_TRUE(all_is_sent(*peer_));
  ASSERT_EQ(primary_->reasons.size(), 1U);
  EXPECT_NE(primary_->reasons[0].find("fell behind"), std::string::npos);
  EXPECT_EQ(state(), ReplicaState::kStreaming);
}

TEST_F(SharedWalkTest, ASlowOneThatNobodyWaitsForIsWaitedFor) {
  start(60, 50'000);
  peer_->pause_ms = 20;
  run_ms(20'000);
  EXPECT_TRUE(all_is_sent(*peer_));
  EXPECT_TRUE(primary_process_.files().list(".")->empty());
  EXPECT_TRUE(primary_->reasons.empty());
}

TEST_F(SharedWalkTest, ASaveThatWaitsEndsThePatience) {
  start(100, 50'000);
  peer_->pause_ms = 20;
  run_ms(2000);
  EXPECT_TRUE(primary_->engine.snapshot_turn.taken());
  EXPECT_FALSE(primary_->engine.snapshot_turn.try_take());
  run_ms(4000);
  EXPECT_FALSE(all_is_sent(*peer_));
  EXPECT_FALSE(primary_->engine.snapshot_turn.taken());
}

TEST_F(SharedWalkTest, WhatWritersHandInIsBounded) {
  start(1500, 50'000);
  peer_->reading = false;
  primary_->options.timeout_seconds.set(600);
  run_ms(2000);
  EXPECT_TRUE(primary_->engine.snapshot_turn.taken());
  for (int i = 0; i < 1500; ++i) primary_->write(fmt::format("key{}", i), "changed");
  run_ms(3000);
  EXPECT_FALSE(primary_->engine.snapshot_turn.taken()) << "the walk goes on into a file";
  peer_->pause_ms = 0;
  peer_->read_on();
  run_ms(60'000);
  EXPECT_TRUE(all_is_sent(*peer_));
  EXPECT_GT(peer_->received.size(), 70'000'000U);
}

// SYNC without the mark: one copy for all, and who does not take it goes.
TEST_F(SharedWalkTest, WhoMustKnowTheLengthSharesOneFile) {
  start_primary({.hello = {}, .request = {.position = std::nullopt, .plain = true}});
  fill(60, 50'000);
  connect();
  Peer& hung = another();
  hung.reading = false;
  world_.run_for_ms(6000);
  ASSERT_TRUE(peer_->received.starts_with("$3"));
  EXPECT_GT(peer_->received.size(), 3'000'000U);
  EXPECT_EQ(primary_->full_syncs.completed(), 1U);
  world_.run_for_ms(10'000);
  hung.read_on();
  world_.run_for_ms(1000);
  EXPECT_TRUE(hung.closed);
  EXPECT_FALSE(peer_->closed);
  ASSERT_EQ(primary_->reasons.size(), 1U);
  EXPECT_NE(primary_->reasons[0].find("took nothing"), std::string::npos);
}

TEST_F(SharedWalkTest, WhoMustKnowTheLengthGoesWhereNoFileCanBeHad) {
  start_primary({.hello = {}, .request = {}});
  primary_process_.files().set_cut_off(true);
  connect();
  world_.run_for_ms(1000);
  expect_gone("given up");
  EXPECT_FALSE(primary_->engine.snapshot_turn.taken());
}

TEST_F(ReplicaSessionTest, OneThatLeavesAWalkHoldsNothingBackForTheOthers) {
  start_primary();
  primary_->options.rdb_compression.set(false);
  for (int i = 0; i < 60; ++i) primary_->write(fmt::format("key{}", i), std::string(50'000, 'x'));
  primary_->options.diskless_sync_delay_seconds.set(1);
  connect();
  SimProcess& other_process = world_.add_process("10.0.0.3");
  std::shared_ptr<Peer> other;
  other_process.start([&](SimProcess& process) {
    other = std::make_shared<Peer>(process);
    other->reading = false;
    return other;
  });
  world_.run_for_ms(1500);
  EXPECT_LT(peer_->received.size(), 3'000'000U) << "the slower one holds the walk up";
  other->stream->close();
  world_.run_for_ms(2000);
  EXPECT_GT(peer_->received.size(), 3'000'000U);
  EXPECT_EQ(primary_->reasons.size(), 1U);
  EXPECT_EQ(primary_->log.cursors().size(), 1U);
  other.reset();
}

}  // namespace
}  // namespace tandem
