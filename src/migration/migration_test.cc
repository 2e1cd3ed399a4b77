// MIGRATE between its two halves: what others may do meanwhile, and what becomes of the keys.
#include "migration/migration.h"

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/executor.h"
#include "engine/testing.h"
#include "migration/fake_target.h"
#include "sim/process.h"
#include "sim/world.h"

namespace tandem {
namespace {

using Script = FakeTarget::Script;
const std::vector<std::string> kOk{"+OK\r\n"};

struct Client final : ClientState {
  explicit Client(ClientKind client_kind = ClientKind::kNormal) : ClientState(client_kind) {}
  std::function<void(std::string)> unblocker() override {
    return [this](std::string reply) { unblocked.push_back(std::move(reply)); };
  }
  std::vector<std::string> unblocked;
};

// What walks through databases, and what is about the server.
CommandRow all_stripes_row(std::string_view name, uint32_t flags) {
  return {.name = name,
          .arity = 1,
          .flags = flags,
          .scope = LockScope::kEverything,
          .handler = [](Context& c) { c.reply.ok(); }};
}

// The server that keys leave.
struct Source : OpenEngine<const Clock&> {
  explicit Source(SimProcess& process)
      : OpenEngine({.keyspace = {.databases = 4, .hash_seed = 1}}, {}, process.clock()),
        transfers(process.loop(), process.network()) {
    std::vector<CommandRow> rows = engine_rows();
    rows.push_back(plain_get_row());
    rows.push_back(plain_set_row());
    rows.push_back(all_stripes_row("flushall", kWrite));
    rows.push_back(all_stripes_row("replicaof", kAdmin));
    add_rows(rows, migration_rows(transfers, [&process](const ClientState&) {
               return static_cast<Loop*>(&process.loop());
             }));
    registry.add(std::move(rows));
    executor.emplace(engine, 1);
    cursor = begin_log();
    engine.pauses.over = [this] { ++resumed; };
  }

  std::string run(ClientState& who, std::initializer_list<Bytes> args, Bytes raw = {}) {
    std::string out;
    ReplyWriter reply(out, who.protocol);
    executor->begin_batch();
    last = executor->execute(who, std::vector<Bytes>(args), raw, reply);
    return out;
  }
  std::string run(std::initializer_list<Bytes> args) { return run(other, args); }
  // Whether the command is held back.
  bool waits(std::initializer_list<Bytes> args) {
    run(args);
    return last == Outcome::kPaused;
  }
  std::string logged() { return read_on(*cursor); }

  Transfers transfers;
  std::optional<Executor> executor;
  std::unique_ptr<LogCursor> cursor;
  Client client;
  Client other;
  Outcome last = Outcome::kDone;
  int resumed = 0;
};

std::string del(std::initializer_list<Bytes> keys) {
  std::vector<Bytes> words{"DEL"};
  words.insert(words.end(), keys);
  std::string bytes;
  append_request(bytes, words);
  return bytes;
}

class MigrationTest : public testing::Test {
 protected:
  void serve(Script script) {
    target_process_.start([&](SimProcess& process) {
      target_ = std::make_shared<FakeTarget>(process.loop(), process.network(), std::move(script));
      return target_;
    });
    own_process_.start([&](SimProcess& process) {
      source_ = std::make_shared<Source>(process);
      return source_;
    });
    for (const Bytes key : {"a", "b"}) here().run({"SET", key, "1"});
    here().logged();
  }
  Source& here() { return *source_; }

  // Begins one; empty: the client waits.
  std::string migrate(std::initializer_list<Bytes> words, Bytes key = "") {
    const std::string port = std::to_string(FakeTarget::kPort);
    std::vector<Bytes> args{"MIGRATE", "10.0.0.1", port, key, "2", "1000"};
    args.insert(args.end(), words);
    std::string out;
    ReplyWriter reply(out);
    here().executor->begin_batch();
    here().last = here().executor->execute(here().client, args, {}, reply);
    EXPECT_EQ(here().last == Outcome::kBlocked, out.empty());
    return out;
  }
  // Its reply, once it comes.
  std::string reply() {
    if (!world_.run_until([&] { return !here().client.unblocked.empty(); }, 60'000)) return "none";
    here().client.waiter.reset();
    return std::exchange(here().client.unblocked, {}).front();
  }
  std::string move_all(std::initializer_list<Bytes> words) {
    const std::string at_once = migrate(words);
    return at_once.empty() ? reply() : at_once;
  }

  ~MigrationTest() override {
    target_.reset();
    source_.reset();
    target_process_.stop();
    own_process_.stop();
  }

  SimWorld world_{7};
  SimProcess& target_process_{world_.add_process("10.0.0.1")};
  SimProcess& own_process_{world_.add_process("10.0.0.2")};
  std::shared_ptr<FakeTarget> target_;
  std::shared_ptr<Source> source_;
};

TEST_F(MigrationTest, WhatHasArrivedIsDeleted) {
  serve({.answers = {kOk, kOk, kOk}});
  EXPECT_EQ(move_all({"KEYS", "a", "absent", "b"}), "+OK\r\n");
  EXPECT_EQ(here().logged(), del({"a", "b"}));
  EXPECT_EQ(here().run({"GET", "a"}) + here().run({"GET", "b"}), "$-1\r\n$-1\r\n");
  EXPECT_EQ(target_->requests.size(), 3u);
  EXPECT_FALSE(here().gate.is(Gate::kKeysMoving));
}

TEST_F(MigrationTest, ItsReplyTellsWhereTheLogEndsThen) {
  serve({.answers = {kOk, kOk}});
  migrate({}, "a");
  const std::shared_ptr<Waiter> waiter = here().client.waiter;
  EXPECT_EQ(reply(), "+OK\r\n");
  EXPECT_EQ(waiter->write_offset.load(), here().log.end());
}

TEST_F(MigrationTest, NothingIsThere) {
  serve({});
  EXPECT_EQ(move_all({"KEYS", "absent"}), "+NOKEY\r\n");
  EXPECT_EQ(migrate({}, "absent"), "+NOKEY\r\n");
  EXPECT_EQ(target_->connections, 0);
}

TEST_F(MigrationTest, ACopyStaysAndHoldsNobodyBack) {
  serve({.answers = {kOk, kOk}, .pause_ms = 100});
  EXPECT_EQ(migrate({"COPY"}, "a"), "");
  EXPECT_FALSE(here().waits({"SET", "a", "2"}));
  here().logged();
  here().gate.set(Gate::kReadOnlyReplica, true);
  EXPECT_EQ(reply(), "+OK\r\n") << "nothing is written, so nothing speaks against it";
  EXPECT_EQ(here().logged(), "");
  EXPECT_EQ(here().run({"GET", "a"}), "$1\r\n2\r\n");
}

TEST_F(MigrationTest, WhatWasRefusedStays) {
  serve({.answers = {kOk, {"-BUSYKEY taken\r\n"}, kOk}});
  EXPECT_EQ(move_all({"KEYS", "a", "b"}),
            "-ERR Target instance replied with error: BUSYKEY taken\r\n");
  EXPECT_EQ(here().logged(), del({"b"}));
  EXPECT_EQ(here().run({"GET", "a"}), "$1\r\n1\r\n");
}

TEST_F(MigrationTest, WhatHasArrivedBeforeTheConnectionBroke) {
  serve({.answers = {kOk, kOk}, .end = Script::End::kCloses});
  EXPECT_EQ(move_all({"KEYS", "a", "b"}), "-IOERR error or timeout reading to target instance\r\n");
  EXPECT_EQ(here().logged(), del({"a"}));
}

TEST_F(MigrationTest, NothingHasArrived) {
  serve({});
  EXPECT_EQ(move_all({"KEYS", "a", "b"}), "-IOERR error or timeout reading to target instance\r\n");
  EXPECT_EQ(here().logged(), "");
  EXPECT_FALSE(here().waits({"SET", "a", "2"}));
}

TEST_F(MigrationTest, AKeyThatIsNamedTwice) {
  serve({.answers = {kOk, kOk, kOk}});
  EXPECT_EQ(move_all({"REPLACE", "KEYS", "a", "a"}), "+OK\r\n");
  EXPECT_EQ(here().logged(), del({"a"}));
  EXPECT_FALSE(here().gate.is(Gate::kKeysMoving));
}

// ---- Between the halves. ----

TEST_F(MigrationTest, WhoComesToAMovingKeyWaits) {
  serve({.answers = {kOk, kOk}, .pause_ms = 100});
  EXPECT_EQ(migrate({}, "a"), "");
  EXPECT_TRUE(here().waits({"GET", "a"}));
  EXPECT_TRUE(here().waits({"SET", "a", "2"}));
  EXPECT_TRUE(here().waits({"FLUSHALL"}));
  EXPECT_FALSE(here().waits({"SET", "b", "2"}));
  EXPECT_FALSE(here().waits({"REPLICAOF"}));
  EXPECT_EQ(here().resumed, 0);
  EXPECT_EQ(reply(), "+OK\r\n");
  EXPECT_EQ(here().resumed, 1);
  EXPECT_FALSE(here().waits({"FLUSHALL"}));
  EXPECT_EQ(here().run({"SET", "a", "3"}), "+OK\r\n");
  EXPECT_EQ(here().run({"GET", "a"}), "$1\r\n3\r\n");
}

TEST_F(MigrationTest, AnotherDatabasesKeyOfThatNameIsAnotherKey) {
  serve({.answers = {kOk, kOk}, .pause_ms = 100});
  EXPECT_EQ(migrate({}, "a"), "");
  here().run({"SELECT", "1"});
  EXPECT_EQ(here().run({"SET", "a", "2"}), "+OK\r\n");
  // A transaction may go to the first one.
  here().run({"MULTI"});
  here().run({"SELECT", "0"});
  here().run({"SET", "a", "3"});
  EXPECT_TRUE(here().waits({"EXEC"}));
  EXPECT_EQ(reply(), "+OK\r\n");
  EXPECT_EQ(here().run({"EXEC"}), "*2\r\n+OK\r\n+OK\r\n");
}

TEST_F(MigrationTest, TwoAtOnce) {
  serve({.answers = {kOk, kOk}, .pause_ms = 100});
  EXPECT_EQ(migrate({}, "a"), "");
  EXPECT_TRUE(here().waits({"MIGRATE", "10.0.0.1", "6379", "a", "0", "100"}));
  EXPECT_EQ(here().run({"MIGRATE", "10.0.0.1", "6379", "b", "0", "1000"}), "");
  EXPECT_EQ(here().last, Outcome::kBlocked);
  EXPECT_EQ(reply(), "+OK\r\n");
  ASSERT_TRUE(world_.run_until([&] { return !here().other.unblocked.empty(); }, 60'000));
  const std::string logged = here().logged();
  EXPECT_TRUE(logged == del({"a"}) + del({"b"}) || logged == del({"b"}) + del({"a"})) << logged;
  EXPECT_FALSE(here().gate.is(Gate::kKeysMoving));
}

// The primary's stream cannot wait.
TEST_F(MigrationTest, AChangedKeyIsNotDeleted) {
  serve({.answers = {kOk, kOk, kOk}, .pause_ms = 100});
  Client link(ClientKind::kLink);
  EXPECT_EQ(migrate({"KEYS", "a", "b"}), "");
  here().gate.set(Gate::kReplica, true);
  here().run(link, {"SET", "a", "2"}, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n2\r\n");
  ASSERT_EQ(here().last, Outcome::kDone);
  here().gate.set(Gate::kReplica, false);
  here().logged();
  EXPECT_EQ(reply(),
            "-ERR A key was changed here while it was moved. It stays, and the target has its "
            "former value\r\n");
  EXPECT_EQ(here().logged(), del({"b"}));
  EXPECT_EQ(here().run({"GET", "a"}), "$1\r\n2\r\n");
}

TEST_F(MigrationTest, APauseHoldsTheDeletionBack) {
  serve({.answers = {kOk, kOk}, .pause_ms = 100});
  EXPECT_EQ(migrate({}, "a"), "");
  here().engine.pauses.begin(PauseReason::kClientPause, PauseKind::kWrites);
  world_.run_for_ms(2000);
  EXPECT_TRUE(here().client.unblocked.empty());
  EXPECT_EQ(here().logged(), "");
  here().engine.pauses.end(PauseReason::kClientPause);
  EXPECT_EQ(reply(), "+OK\r\n");
  EXPECT_EQ(here().logged(), del({"a"}));
}

TEST_F(MigrationTest, AReplicaDeletesNothing) {
  serve({.answers = {kOk, kOk}, .pause_ms = 100});
  EXPECT_EQ(migrate({}, "a"), "");
  here().gate.set(Gate::kReadOnlyReplica, true);
  EXPECT_EQ(reply(), "-READONLY You can't write against a read only replica.\r\n");
  here().gate.set(Gate::kReadOnlyReplica, false);
  EXPECT_EQ(here().logged(), "");
  EXPECT_EQ(here().run({"GET", "a"}), "$1\r\n1\r\n");
  EXPECT_FALSE(here().gate.is(Gate::kKeysMoving));
}

TEST_F(MigrationTest, WhoIsUnblockedTakesNothingBack) {
  serve({.answers = {kOk, kOk}, .pause_ms = 100});
  EXPECT_EQ(migrate({}, "a"), "");
  std::string reply;
  EXPECT_TRUE(here().executor->time_out(here().client.waiter, reply));
  EXPECT_EQ(reply, "-IOERR error or timeout reading to target instance\r\n");
  here().client.waiter.reset();
  world_.run_for_ms(1000);
  EXPECT_TRUE(here().client.unblocked.empty());
  EXPECT_EQ(here().logged(), del({"a"}));
}

TEST_F(MigrationTest, ItIsNoPartOfAStream) {
  serve({});
  Client link(ClientKind::kLink);
  here().gate.set(Gate::kReplica, true);
  EXPECT_EQ(here().run(link, {"MIGRATE", "10.0.0.1", "6379", "a", "0", "100"}, "x"),
            "-ERR MIGRATE is no part of a replication stream\r\n");
}

TEST_F(MigrationTest, ErrorsInTheArguments) {
  serve({});
  const std::string syntax = "-ERR syntax error\r\n";
  EXPECT_EQ(migrate({"NOSUCH"}, "a"), syntax);
  EXPECT_EQ(migrate({"AUTH"}, "a"), syntax);
  EXPECT_EQ(migrate({"AUTH2", "ann"}, "a"), syntax);
  EXPECT_EQ(migrate({"KEYS", "a"}, "a"),
            "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty "
            "string\r\n");
  const std::string no_integer = "-ERR value is not an integer or out of range\r\n";
  EXPECT_EQ(here().run({"MIGRATE", "10.0.0.1", "6379", "a", "x", "100"}), no_integer);
  EXPECT_EQ(here().run({"MIGRATE", "10.0.0.1", "6379", "a", "0", "1.5"}), no_integer);
}

}  // namespace
}  // namespace tandem
