#include "engine/executor.h"

#include <functional>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "engine/rdb_snapshot.h"
#include "engine/test_world.h"

namespace tandem {
namespace {

TEST(Executor, ExecutesAndAppendsTheEffectWithItsDatabase) {
  World world;
  Client client;
  EXPECT_EQ(world.run(client, {"SET", "a", "1"}), "+OK\r\n");
  EXPECT_EQ(world.logged(), std::string(kSelect0) + "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n");
  EXPECT_EQ(world.run(client, {"get", "a"}), "$1\r\n1\r\n");
  EXPECT_EQ(world.logged(), "");
  EXPECT_EQ(world.run(client, {"INCR", "a"}), ":2\r\n");
  EXPECT_EQ(world.logged(), "*2\r\n$4\r\nINCR\r\n$1\r\na\r\n");
  EXPECT_EQ(client.last_write_offset, world.log.end());
}

TEST(Executor, AppendsTheClientsOwnBytesWhereItHasThem) {
  World world;
  Client client;
  world.run(client, {"set", "a", "1"}, "*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n1\r\n");
  EXPECT_EQ(world.logged(), std::string(kSelect0) + "*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n1\r\n");
}

struct ErrorCounter final : CommandObserver {
  void command_shown(const ClientState&, const Command&, std::span<const Bytes>, int64_t) override {
  }
  void slow_command(const ClientState&, const Command&, std::span<const Bytes>, int64_t,
                    int64_t) override {}
  void error_reply(Bytes) override { ++errors; }
  void command_denied(const ClientState&, const Command&, std::span<const Bytes>, const Denial&,
                      DenialContext, int64_t) override {}
  int errors = 0;
};

TEST(Executor, ShowsNoMoreOfAWordThanItsPartBeforeAZeroByte) {
  World world;
  Client client;
  EXPECT_EQ(world.run(client, {Bytes("NO\0SUCH", 7), Bytes("x\0y", 3)}),
            "-ERR unknown command 'NO', with args beginning with: 'x' \r\n");
}

TEST(Executor, RefusesAsRedisDoes) {
  World world;
  ErrorCounter counter;
  world.engine.observer = &counter;
  Client client;
  EXPECT_EQ(world.run(client, {"NOSUCH", "x", "y"}),
            "-ERR unknown command 'NOSUCH', with args beginning with: 'x' 'y' \r\n");
  EXPECT_EQ(world.run(client, {"GET"}), "-ERR wrong number of arguments for 'get' command\r\n");
  world.gate.set(Gate::kReadOnlyReplica, true);
  EXPECT_EQ(world.run(client, {"SET", "a", "1"}),
            "-READONLY You can't write against a read only replica.\r\n");
  world.gate.set(Gate::kReadOnlyReplica, false);
  client.set(kUnauthenticated, true);
  world.gate.set(Gate::kAuthRequired, true);
  EXPECT_EQ(world.run(client, {"GET", "a"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(counter.errors, 4);
}

TEST(Executor, APauseHoldsWritesBack) {
  World world;
  Client client;
  world.gate.set(Gate::kPausedWrites, true);
  EXPECT_EQ(world.run(client, {"SET", "a", "1"}), "");
  EXPECT_EQ(world.last, Outcome::kPaused);
  EXPECT_EQ(world.run(client, {"GET", "a"}), "$-1\r\n");
}

TEST(Transaction, IsOneRecordAndOneMoment) {
  World world;
  Client client;
  world.run(client, {"MULTI"});
  EXPECT_EQ(world.run(client, {"SET", "a", "1"}), "+QUEUED\r\n");
  EXPECT_EQ(world.run(client, {"INCR", "a"}), "+QUEUED\r\n");
  EXPECT_EQ(world.logged(), "");
  EXPECT_EQ(world.run(client, {"EXEC"}), "*2\r\n+OK\r\n:2\r\n");
  EXPECT_EQ(world.logged(), std::string(kSelect0) +
                                "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
                                "*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n");
}

TEST(Transaction, AbortsWhenACommandWasRefusedWhileQueueing) {
  World world;
  Client client;
  world.run(client, {"MULTI"});
  world.run(client, {"SET", "a"});
  EXPECT_EQ(world.run(client, {"EXEC"}),
            "-EXECABORT Transaction discarded because of previous errors.\r\n");
  EXPECT_EQ(world.run(client, {"EXEC"}), "-ERR EXEC without MULTI\r\n");
}

TEST(Transaction, OnAReplicaThatTurnedReadOnlyIsDiscarded) {
  World world;
  Client client;
  world.run(client, {"MULTI"});
  world.run(client, {"SET", "a", "1"});
  world.gate.set(Gate::kReadOnlyReplica, true);
  EXPECT_EQ(world.run(client, {"EXEC"}),
            "-EXECABORT Transaction discarded because of: READONLY You can't write against a read "
            "only replica.\r\n");
  EXPECT_FALSE(client.in_transaction);
}

TEST(Watch, FailsExecAfterAnotherClientsChangeOnly) {
  World world;
  Client watcher, other;
  world.run(watcher, {"WATCH", "a", "b"});
  world.run(other, {"SET", "c", "1"});
  world.run(watcher, {"MULTI"});
  world.run(watcher, {"SET", "x", "1"});
  EXPECT_EQ(world.run(watcher, {"EXEC"}), "*1\r\n+OK\r\n");

  world.run(watcher, {"WATCH", "a"});
  world.run(other, {"SET", "a", "1"});
  world.run(watcher, {"MULTI"});
  world.run(watcher, {"SET", "x", "2"});
  EXPECT_EQ(world.run(watcher, {"EXEC"}), "*-1\r\n");

  world.run(watcher, {"WATCH", "a"});
  world.run(other, {"FLUSH"});
  world.run(watcher, {"MULTI"});
  EXPECT_EQ(world.run(watcher, {"EXEC"}), "*-1\r\n");
}

TEST(Watch, AFlushConcernsOnlyKeysThatExist) {
  World world;
  Client watcher, other;
  world.run(other, {"SET", "x", "1"});
  world.run(watcher, {"WATCH", "absent"});
  world.run(other, {"FLUSH"});
  world.run(watcher, {"MULTI"});
  EXPECT_EQ(world.run(watcher, {"EXEC"}), "*0\r\n");
}

TEST(Watch, AKeyThatExpiresBeforeExecCounts) {
  World world;
  Client client;
  world.run(client, {"SETUNTIL", "a", "1", "1000100"});
  world.run(client, {"WATCH", "a"});
  world.run(client, {"MULTI"});
  world.run(client, {"SET", "x", "2"});
  world.clock.now_us += 200'000;
  EXPECT_EQ(world.run(client, {"EXEC"}), "*-1\r\n");
}

TEST(Blocking, FirstComeFirstServedByWhoeverPushes) {
  World world;
  Client first, second, pusher;
  EXPECT_EQ(world.run(first, {"BPOP", "list"}), "");
  EXPECT_EQ(world.last, Outcome::kBlocked);
  world.run(second, {"BPOP", "list"});
  world.logged();
  EXPECT_EQ(world.run(pusher, {"PUSH", "list", "a"}), ":1\r\n");
  ASSERT_EQ(first.unblocked, std::vector<std::string>{"$1\r\na\r\n"});
  EXPECT_TRUE(second.unblocked.empty());
  EXPECT_EQ(world.logged(), std::string(kSelect0) +
                                "*3\r\n$4\r\nPUSH\r\n$4\r\nlist\r\n$1\r\na\r\n"
                                "*2\r\n$4\r\nLPOP\r\n$4\r\nlist\r\n");
  world.run(pusher, {"PUSH", "list", "b"});
  EXPECT_EQ(second.unblocked, std::vector<std::string>{"$1\r\nb\r\n"});
  EXPECT_EQ(world.engine.blocked.count(), 0);
}

// Runs something when a command's locks are free and its client has not been answered yet.
struct InBetween final : CommandObserver {
  void command_shown(const ClientState&, const Command&, std::span<const Bytes>, int64_t) override {
  }
  void slow_command(const ClientState&, const Command&, std::span<const Bytes>, int64_t,
                    int64_t) override {
    if (auto once = std::exchange(act, nullptr)) once();
  }
  void error_reply(Bytes) override {}
  void command_denied(const ClientState&, const Command&, std::span<const Bytes>, const Denial&,
                      DenialContext, int64_t) override {}
  std::function<void()> act;
};

TEST(Blocking, NobodyComesBetweenAPushAndTheOneWhoWaited) {
  World world;
  InBetween between;
  world.engine.observer = &between;
  world.engine.slow_command_us = 0;
  Executor other(world.engine, 2);
  Client first, second, pusher;
  world.run(first, {"BPOP", "list"});
  Outcome outcome = Outcome::kDone;
  between.act = [&] {
    std::string out;
    ReplyWriter reply(out);
    outcome = other.execute(second, std::vector<Bytes>{"BPOP", "list"}, {}, reply);
  };
  world.run(pusher, {"PUSH", "list", "a"});
  EXPECT_EQ(first.unblocked, std::vector<std::string>{"$1\r\na\r\n"});
  EXPECT_EQ(outcome, Outcome::kBlocked);
  world.run(pusher, {"PUSH", "list", "b"});
  EXPECT_EQ(second.unblocked, std::vector<std::string>{"$1\r\nb\r\n"});
}

// Moves through several keys, in different stripes, all under the push's locks.
TEST(Blocking, AChainOfMovesIsOneMoment) {
  World world;
  Client moves[3], last, pusher;
  const std::string keys[] = {"first", "second", "third", "fourth"};
  world.run(last, {"BPOP", keys[3]});
  for (int i = 2; i >= 0; --i) world.run(moves[i], {"BMOVE", keys[i], keys[i + 1]});
  world.logged();
  EXPECT_EQ(world.run(pusher, {"PUSH", keys[0], "x"}), ":1\r\n");
  for (const Client& move : moves) EXPECT_EQ(move.unblocked.size(), 1u);
  EXPECT_EQ(last.unblocked, std::vector<std::string>{"$1\r\nx\r\n"});
  const std::string log = world.logged();
  size_t at = 0;
  for (const Bytes effect : {"PUSH", "first\r\n$6\r\nsecond", "second\r\n$5\r\nthird",
                             "third\r\n$6\r\nfourth", "LPOP"}) {
    at = log.find(effect, at);
    EXPECT_NE(at, std::string::npos) << effect;
  }
  EXPECT_EQ(world.engine.blocked.count(), 0);
  for (const std::string& key : keys) {
    EXPECT_EQ(world.keyspace.interest().any(world.keyspace.place(key).hash), false);
  }
}

TEST(Blocking, WhatAWaiterWroteCountsAsItsWrite) {
  World world;
  Client client, pusher;
  world.run(client, {"BPOP", "list"});
  world.run(pusher, {"PUSH", "list", "a"});
  EXPECT_EQ(client.waiter->write_offset.load(), world.log.end());
}

struct Taker final : ClientState {
  explicit Taker(std::atomic<int>& total) : ClientState(ClientKind::kNormal), served(total) {}
  std::function<void(std::string)> unblocker() override {
    return [this](const std::string&) { served.fetch_add(1); };
  }
  std::atomic<int>& served;
};

// Threads push, move and pop across stripes at once: every element goes the whole way.
TEST(Threads, WaitersAreServedAcrossStripes) {
  constexpr int kElements = 300;
  World world;
  std::atomic<int> moved{0};
  std::atomic<int> popped{0};
  std::vector<std::unique_ptr<Taker>> takers[2];
  const auto work = [&](int number) {
    Executor executor(world.engine, static_cast<uint64_t>(number));
    Client pusher;
    const auto take = [&](std::vector<Bytes> args, std::atomic<int>& served) {
      takers[number].push_back(std::make_unique<Taker>(served));
      std::string out;
      ReplyWriter reply(out);
      if (executor.execute(*takers[number].back(), args, {}, reply) == Outcome::kDone) ++served;
    };
    for (int i = 0; i < kElements; ++i) {
      take({"BMOVE", "from", "to"}, moved);
      take({"BPOP", "to"}, popped);
      std::string out;
      ReplyWriter reply(out);
      executor.execute(pusher, std::vector<Bytes>{"PUSH", "from", "x"}, {}, reply);
    }
  };
  std::thread one(work, 0);
  std::thread two(work, 1);
  one.join();
  two.join();
  EXPECT_EQ(moved.load(), 2 * kElements);
  EXPECT_EQ(popped.load(), 2 * kElements);
  EXPECT_EQ(world.engine.blocked.count(), 0);
}

TEST(Blocking, AWrongTypeDoesNotWakeAndATimeoutEndsTheWait) {
  World world;
  Client client, other;
  world.run(client, {"BPOP", "list"});
  world.run(other, {"SET", "list", "text"});
  EXPECT_TRUE(client.unblocked.empty());
  std::string reply;
  EXPECT_TRUE(world.executor.time_out(client.waiter, reply));
  EXPECT_EQ(reply, "*-1\r\n");
  EXPECT_FALSE(world.executor.time_out(client.waiter, reply));
  EXPECT_EQ(world.keyspace.interest().any(world.keyspace.place("list").hash), false);
}

TEST(Blocking, InsideATransactionActsAsTimedOut) {
  World world;
  Client client;
  world.run(client, {"MULTI"});
  world.run(client, {"BPOP", "list"});
  EXPECT_EQ(world.run(client, {"EXEC"}), "*1\r\n*-1\r\n");
}

TEST(Link, AppendsThePrimarysBytesVerbatimAndATransactionAtItsExec) {
  World world;
  LinkClient link;
  world.gate.set(Gate::kReplica, true);
  const std::string set_bytes = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
  world.run(link, {"SET", "a", "1"}, set_bytes);
  EXPECT_EQ(world.logged(), set_bytes);
  world.run(link, {"MULTI"}, "*1\r\n$5\r\nMULTI\r\n");
  world.run(link, {"SET", "b", "1"}, "ignored while queueing");
  EXPECT_EQ(world.logged(), "");
  world.run(link, {"EXEC"}, "<multi...exec>");
  EXPECT_EQ(world.logged(), "<multi...exec>");
}

TEST(Link, HasNoSayAfterAPromotion) {
  World world;
  LinkClient link;
  Client client;
  EXPECT_EQ(world.run(link, {"SET", "a", "1"}, "late"), "");
  EXPECT_EQ(world.logged(), "");
  EXPECT_EQ(world.run(client, {"GET", "a"}), "$-1\r\n");
}

TEST(Link, HasNoSayInTheNextRole) {
  World world;
  LinkClient link;
  world.gate.set(Gate::kReplica, true);
  // Promoted, and made the replica of another at once.
  world.engine.role_generation.fetch_add(2);
  EXPECT_EQ(world.run(link, {"SET", "a", "1"}, "late"), "");
  EXPECT_EQ(world.logged(), "");
  link.role_generation = 2;
  world.run(link, {"SET", "a", "1"}, "in time");
  EXPECT_EQ(world.logged(), "in time");
}

TEST(Executor, OnAReplicaItsOwnClientsLeaveTheLogAlone) {
  World world;
  Client client, waiter;
  world.gate.set(Gate::kReplica, true);
  EXPECT_EQ(world.run(client, {"SET", "a", "1"}), "+OK\r\n");
  EXPECT_EQ(world.run(client, {"GET", "a"}), "$1\r\n1\r\n");
  world.run(waiter, {"BPOP", "list"});
  world.run(client, {"PUSH", "list", "x"});
  EXPECT_EQ(waiter.unblocked.size(), 1u);
  EXPECT_EQ(world.logged(), "");
}

TEST(Link, SeesKeysThatExpiredUntilThePrimaryDeletesThem) {
  World world;
  LinkClient link;
  Client client;
  world.gate.set(Gate::kReplica, true);
  world.run(link, {"SETUNTIL", "n", "5", "1000100"}, "x");
  world.clock.now_us += 500'000;
  EXPECT_EQ(world.run(client, {"GET", "n"}), "$-1\r\n");
  EXPECT_EQ(world.run(link, {"INCR", "n"}, "x"), ":6\r\n");
}

TEST(Expiry, ActiveExpiryDeletesAndSaysSo) {
  World world;
  Client client;
  for (int i = 0; i < 500; ++i) {
    world.run(client,
              {"SETUNTIL", "k" + std::to_string(i), "1", i % 2 == 0 ? "1000100" : "9000000"});
  }
  world.logged();
  world.clock.now_us += 500'000;
  uint64_t expired = 0;
  for (int i = 0; i < 100 && expired < 250; ++i) expired += world.executor.expire_some(1'000'000);
  EXPECT_EQ(expired, 250u);
  EXPECT_EQ(world.keyspace.keys(0), 250);
  EXPECT_NE(world.logged().find("$3\r\nDEL\r\n"), std::string::npos);
  EXPECT_EQ(world.executor.expire_some(1'000'000), 0u);
}

// The primary does not know of them.
TEST(Expiry, AWritableReplicaDeletesWhatItsOwnClientsSet) {
  World world;
  Client client;
  LinkClient link;
  world.gate.set(Gate::kReplica, true);
  for (int i = 0; i < 200; ++i) {
    world.run(client, {"SETUNTIL", "own" + std::to_string(i), "1", "1000100"});
  }
  world.run(client, {"SETUNTIL", "later", "1", "9000000"});
  world.run(link, {"SETUNTIL", "primary's", "1", "1000100"}, "x");
  world.run(client, {"SETUNTIL", "taken over", "1", "1000100"});
  world.run(link, {"SETUNTIL", "taken over", "2", "1000200"}, "x");
  EXPECT_EQ(world.engine.own_expiries.size(), 202u);
  world.logged();
  EXPECT_EQ(world.executor.expire_some(1'000'000), 0u);
  EXPECT_EQ(world.engine.own_expiries.size(), 201u) << "left to the primary";
  world.clock.now_us += 500'000;
  EXPECT_EQ(world.executor.expire_some(1'000'000), 200u);
  EXPECT_EQ(world.keyspace.keys(0), 3);
  EXPECT_EQ(world.engine.own_expiries.size(), 1u);
  EXPECT_EQ(world.logged(), "") << "the log is the primary's";
}

TEST(Expiry, AKeyIsAReplicasOwnAsLongAsItsExpiryIs) {
  World world;
  Client client;
  LinkClient link;
  world.gate.set(Gate::kReplica, true);
  world.run(link, {"SETUNTIL", "n", "1", "1000100"}, "x");
  world.run(client, {"INCR", "n"});
  EXPECT_EQ(world.engine.own_expiries.size(), 0u) << "the expiry is the primary's";
  world.run(client, {"SETUNTIL", "n", "1", "1000200"});
  EXPECT_EQ(world.engine.own_expiries.size(), 1u);
  world.gate.set(Gate::kReplica, false);
  world.executor.expire_some(1'000'000);
  EXPECT_EQ(world.engine.own_expiries.size(), 0u) << "a primary deletes all that is over";
}

// Two threads increment the same few counters, a third takes snapshots: nothing is lost and the log
// has every write.
TEST(Threads, CommandsOnTheSameKeysAreSerialized) {
  World world;
  constexpr int kRounds = 5000;
  const auto work = [&](uint64_t seed) {
    Executor executor(world.engine, seed);
    Client client;
    Random random{seed};
    for (int i = 0; i < kRounds; ++i) {
      const std::string key = "n" + std::to_string(random.below(4));
      const Bytes args[] = {"INCR", key};
      std::string out;
      ReplyWriter reply(out);
      executor.execute(client, args, {}, reply);
    }
  };
  std::thread first([&] { work(1); });
  std::thread second([&] { work(2); });
  std::string bytes;
  for (int i = 0; i < 3; ++i) {
    auto snapshot =
        RdbSnapshot::begin(world.engine, world.engine.snapshot_turn.try_take(), {}, nullptr);
    while (snapshot->produce(bytes)) {
    }
  }
  first.join();
  second.join();
  Client client;
  int64_t sum = 0;
  for (int i = 0; i < 4; ++i) {
    const std::string reply = world.run(client, {"GET", "n" + std::to_string(i)});
    sum += *parse_int64(
        Bytes(reply).substr(reply.find('\n') + 1, reply.size() - reply.find('\n') - 3));
  }
  EXPECT_EQ(sum, 2 * kRounds);
  const std::string logged = world.logged();
  size_t writes = 0;
  for (size_t at = logged.find("INCR"); at != std::string::npos; at = logged.find("INCR", at + 1)) {
    ++writes;
  }
  EXPECT_EQ(writes, static_cast<size_t>(2 * kRounds));
}

}  // namespace
}  // namespace tandem
