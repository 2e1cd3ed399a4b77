// What may happen while a command waits for its stripes, and what must not.
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "engine/test_world.h"

namespace tandem {
namespace {

// Holds all stripes until another thread waits for one of them, then does `change` under them.
void change_while_somebody_waits(World& world, Bytes key, FunctionRef<void()> change) {
  StripeLock& stripe = world.keyspace.stripe(world.keyspace.place(key).stripe());
  while (!stripe.contended()) std::this_thread::yield();
  change();
}

// Executes on another thread, while this one holds everything and does `change`.
std::string run_during(World& world, std::initializer_list<Bytes> args, Bytes key,
                       FunctionRef<void()> change, Outcome& outcome, Client& client) {
  std::string out;
  std::thread other;
  {
    const ExclusiveGuard all(world.keyspace);
    other = std::thread([&world, &out, &outcome, &client, request = std::vector<Bytes>(args)] {
      Executor executor(world.engine, 2);
      ReplyWriter reply(out, client.protocol);
      outcome = executor.execute(client, request, {}, reply);
    });
    change_while_somebody_waits(world, key, change);
  }
  other.join();
  return out;
}

TEST(Races, AWriteThatWaitedIsJudgedByTheRoleThatItMeets) {
  World world;
  Client client;
  Outcome outcome = Outcome::kBlocked;
  const std::string reply = run_during(
      world, {"SET", "a", "1"}, "a",
      [&] {
        world.gate.set(Gate::kReplica, true);
        world.gate.set(Gate::kReadOnlyReplica, true);
      },
      outcome, client);
  EXPECT_EQ(reply, "-READONLY You can't write against a read only replica.\r\n");
  EXPECT_EQ(outcome, Outcome::kDone);
  EXPECT_EQ(world.logged(), "");
  EXPECT_EQ(world.run(client, {"GET", "a"}), "$-1\r\n");
}

TEST(Races, AWriteThatWaitedIsHeldBackByAPauseThatCame) {
  World world;
  Client client;
  Outcome outcome = Outcome::kBlocked;
  const std::string reply = run_during(
      world, {"SET", "a", "1"}, "a",
      [&] { world.engine.pauses.begin(PauseReason::kShutdown, PauseKind::kWrites); }, outcome,
      client);
  EXPECT_EQ(reply, "");
  EXPECT_EQ(outcome, Outcome::kPaused);
  EXPECT_EQ(world.logged(), "");
}

TEST(Races, ATransactionThatWaitedIsJudgedAsAWhole) {
  World world;
  Client client;
  world.run(client, {"MULTI"});
  world.run(client, {"SET", "a", "1"});
  Outcome outcome = Outcome::kBlocked;
  const std::string reply = run_during(
      world, {"EXEC"}, "a", [&] { world.gate.set(Gate::kReadOnlyReplica, true); }, outcome, client);
  EXPECT_EQ(reply,
            "-EXECABORT Transaction discarded because of: READONLY You can't write against a read "
            "only replica.\r\n");
  EXPECT_EQ(world.logged(), "");
}

struct NoRights final : Rights {
  bool are_unlimited() const override { return false; }
  std::optional<Denial> denial(const Command&, std::span<const Bytes>) const override {
    return Denial{};
  }
};
struct AllRights final : Rights {
  bool are_unlimited() const override { return true; }
  std::optional<Denial> denial(const Command&, std::span<const Bytes>) const override {
    return std::nullopt;
  }
};

// When who took the rights has its answer, nothing is done any more that they had allowed.
TEST(Races, WhatWaitedIsJudgedByTheRightsThatItMeets) {
  World world;
  Client client;
  const auto account = std::make_shared<Account>("bob", std::make_shared<AllRights>());
  client.become(account);
  Outcome outcome = Outcome::kBlocked;
  const std::string reply = run_during(
      world, {"SET", "a", "1"}, "a",
      [&] {
        account->set_rights(std::make_shared<NoRights>());
        world.gate.rights_changed();
      },
      outcome, client);
  EXPECT_EQ(reply, "-NOPERM User bob has no permissions to run the 'set' command\r\n");
  EXPECT_EQ(world.logged(), "");
}

TEST(Races, WhoWaitsBehindABusyScriptGivesUp) {
  World world;
  Client client;
  Outcome outcome = Outcome::kBlocked;
  std::string out;
  {
    const ExclusiveGuard script(world.keyspace);
    std::thread other([&] {
      Executor executor(world.engine, 2);
      ReplyWriter reply(out);
      const std::vector<Bytes> request{"GET", "a"};
      outcome = executor.execute(client, request, {}, reply);
    });
    change_while_somebody_waits(world, "a", [&] { world.gate.set(Gate::kBusyScript, true); });
    other.join();  // though everything is still held
  }
  EXPECT_EQ(outcome, Outcome::kDone);
  EXPECT_TRUE(out.starts_with("-BUSY ")) << out;
}

// While one stripe is held a walk through all stands before it; `then` happens meanwhile, on a
// thread of its own, for this one holds the stripe.
std::string walk_up_to(World& world, int stripe, FunctionRef<void()> then, Outcome& outcome) {
  std::string out;
  std::thread walker;
  {
    const std::lock_guard held(world.keyspace.stripe(stripe));
    walker = std::thread([&] {
      Client client;
      Executor executor(world.engine, 2);
      ReplyWriter reply(out);
      const std::vector<Bytes> request{"WALK"};
      outcome = executor.execute(client, request, {}, reply);
    });
    while (!world.keyspace.stripe(stripe).contended()) std::this_thread::yield();
    std::thread(then).join();
  }
  walker.join();
  return out;
}

bool is_free(World& world, int stripe) {
  if (!world.keyspace.stripe(stripe).try_lock()) return false;
  world.keyspace.stripe(stripe).unlock();
  return true;
}

std::string key_in(World& world, int stripe) {
  for (int i = 0; i < 1'000'000; ++i) {
    std::string key = std::to_string(i);
    if (world.keyspace.place(key).stripe() == stripe) return key;
  }
  return {};
}

TEST(Races, OthersWriteBetweenTheStripesOfAWalk) {
  World world;
  const std::string passed = key_in(world, 10);
  const std::string to_come = key_in(world, 30);
  Client other;
  Outcome outcome = Outcome::kBlocked;
  const auto write = [&] {
    EXPECT_TRUE(is_free(world, 10));
    EXPECT_TRUE(is_free(world, 30));
    if (testing::Test::HasFailure()) return;
    world.run(other, {"SET", passed, "1"});
    world.run(other, {"SET", to_come, "1"});
  };
  const std::string reply = walk_up_to(world, 20, write, outcome);
  EXPECT_EQ(outcome, Outcome::kDone);
  EXPECT_EQ(reply, "*1\r\n$" + std::to_string(to_come.size()) + "\r\n" + to_come + "\r\n");
  EXPECT_TRUE(is_free(world, 255));
}

TEST(Races, AWalkEndsWhereItIsRefused) {
  World world;
  Client client;
  world.run(client, {"SET", key_in(world, 10), "1"});
  Outcome outcome = Outcome::kBlocked;
  const auto busy = [&] { world.gate.set(Gate::kBusyScript, true); };
  EXPECT_TRUE(walk_up_to(world, 20, busy, outcome).starts_with("-BUSY "));
  EXPECT_EQ(outcome, Outcome::kDone);
  world.gate.set(Gate::kBusyScript, false);
  const auto pause = [&] { world.engine.pauses.begin(PauseReason::kClientPause, PauseKind::kAll); };
  EXPECT_EQ(walk_up_to(world, 20, pause, outcome), "");
  EXPECT_EQ(outcome, Outcome::kPaused);
}

TEST(Races, AWalkIsOneMomentOnlyWhereItIsAPart) {
  World world;
  Client client;
  EXPECT_EQ(world.run(client, {"HELD"}), ":1\r\n");
  world.run(client, {"MULTI"});
  world.run(client, {"HELD"});
  EXPECT_EQ(world.run(client, {"EXEC"}), "*1\r\n:256\r\n");
  EXPECT_EQ(world.run(client, {"CALLHELD"}), ":256\r\n");
}

// As clients' writes are, and what writes nothing goes on.
TEST(Races, APausedPrimarysStreamIsHeldBack) {
  World world;
  LinkClient link;
  world.gate.set(Gate::kReplica, true);
  world.engine.pauses.begin(PauseReason::kClientPause, PauseKind::kWrites);
  EXPECT_EQ(world.run(link, {"SELECT", "0"}, "SELECT 0\r\n"), "+OK\r\n");
  EXPECT_EQ(world.run(link, {"SET", "a", "1"}, "SET a 1\r\n"), "");
  EXPECT_EQ(world.last, Outcome::kPaused);
  EXPECT_EQ(world.logged(), "SELECT 0\r\n");
  world.engine.pauses.end(PauseReason::kClientPause);
  EXPECT_EQ(world.run(link, {"SET", "a", "1"}, "SET a 1\r\n"), "+OK\r\n");
  EXPECT_EQ(world.logged(), "SET a 1\r\n");
}

// Nothing that runs under stripes takes any: a debug build would end here.
TEST(Races, UnwatchRunsInsideATransaction) {
  World world;
  Client client;
  world.run(client, {"WATCH", "a"});
  world.run(client, {"MULTI"});
  world.run(client, {"UNWATCH"});
  EXPECT_EQ(world.run(client, {"EXEC"}), "*1\r\n+OK\r\n");
  EXPECT_FALSE(world.keyspace.interest().any(world.keyspace.place("a").hash));
}

TEST(Races, AWaitEndsWithoutAStripe) {
  World world;
  Client waiting;
  ASSERT_EQ(world.run(waiting, {"BPOP", "a"}), "");
  std::string reply;
  {
    const ExclusiveGuard all(world.keyspace);
    EXPECT_TRUE(world.executor.unblock_with_error(waiting.waiter, reply));
    EXPECT_FALSE(world.executor.time_out(waiting.waiter, reply));  // it is over for everybody
  }
  EXPECT_EQ(reply, "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  Client pusher;
  world.run(pusher, {"PUSH", "a", "x"});
  EXPECT_TRUE(waiting.unblocked.empty());
  EXPECT_EQ(world.run(pusher, {"BPOP", "a"}), "$1\r\nx\r\n");
}

TEST(Races, WhatCannotBeDeliveredIsNotTaken) {
  World world;
  Client gone;
  Client next;
  world.run(gone, {"BPOP", "a"});
  world.run(next, {"BPOP", "a"});
  gone.gone = true;
  Client pusher;
  world.run(pusher, {"PUSH", "a", "x"});
  EXPECT_TRUE(gone.unblocked.empty());
  EXPECT_EQ(next.unblocked, std::vector<std::string>{"$1\r\nx\r\n"});
  EXPECT_EQ(world.engine.blocked.count(), 0);
}

TEST(Races, NothingFollowsInAClosedJournal) {
  World world;
  Client client;
  world.run(client, {"SET", "a", "1"});
  (void)world.logged();
  {
    const ExclusiveGuard all(world.keyspace);
    world.engine.journal.close(all);
  }
  KeyLocks locks(world.keyspace);
  locks.take(StripeSet::all());
  world.engine.journal.append_control(locks, "PING\r\n");
  locks.release();
  EXPECT_EQ(world.logged(), "");
  LinkClient link;
  world.gate.set(Gate::kReplica, true);
  world.run(link, {"SET", "a", "2"}, "SET a 2\r\n");
  EXPECT_EQ(world.last, Outcome::kPaused) << "it may come again, should the server go on";
  EXPECT_EQ(world.logged(), "");
  EXPECT_EQ(world.run(client, {"GET", "a"}), "$1\r\n1\r\n");
}

TEST(Pauses, EndForTheirOwnReasonOnly) {
  Gate gate;
  Pauses pauses(gate);
  int over = 0;
  pauses.over = [&over] { ++over; };
  pauses.begin(PauseReason::kShutdown, PauseKind::kWrites);
  pauses.begin(PauseReason::kClientPause, PauseKind::kAll, 100);
  EXPECT_TRUE(gate.is(Gate::kPausedAll));
  pauses.check(99);
  EXPECT_TRUE(gate.is(Gate::kPausedAll));
  pauses.check(100);
  EXPECT_FALSE(gate.is(Gate::kPausedAll));
  EXPECT_TRUE(gate.is(Gate::kPausedWrites));
  pauses.end(PauseReason::kClientPause);
  EXPECT_TRUE(gate.is(Gate::kPausedWrites));
  pauses.end(PauseReason::kShutdown);
  EXPECT_FALSE(gate.is(Gate::kPausedWrites));
  EXPECT_EQ(over, 3);
}

TEST(Pauses, AreOnlyMadeLongerAndStricter) {
  Gate gate;
  Pauses pauses(gate);
  pauses.begin(PauseReason::kClientPause, PauseKind::kAll, 100);
  pauses.begin(PauseReason::kClientPause, PauseKind::kWrites, 50);
  pauses.check(99);
  EXPECT_TRUE(gate.is(Gate::kPausedAll));
}

}  // namespace
}  // namespace tandem
