#include "script/eval_scripts.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "script/scripting_test_world.h"

namespace tandem {
namespace {

using World = ScriptingWorld;

TEST(EvalScripts, OneWriteIsOneCommandInTheLogAndSeveralAreATransaction) {
  World world;
  EXPECT_EQ(world.run({"EVAL", "return redis.call('set', KEYS[1], ARGV[1])", "1", "k", "v"}),
            "+OK\r\n");
  EXPECT_EQ(world.logged(),
            "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nset\r\n$1\r\nk\r\n$1\r\nv\r\n");
  world.run({"EVAL", "redis.call('set', 'a', 1) redis.call('set', 'b', 2)", "0"});
  EXPECT_EQ(world.logged(),
            "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n1\r\n"
            "*3\r\n$3\r\nset\r\n$1\r\nb\r\n$1\r\n2\r\n*1\r\n$4\r\nEXEC\r\n");
  EXPECT_EQ(world.run({"EVAL", "return redis.call('get', 'b')", "0"}), "$1\r\n2\r\n");
  EXPECT_EQ(world.logged(), "");
}

// But for what the server does by itself, as the end of a key whose time is over.
TEST(EvalScripts, AScriptMayKeepItsEffectsFromReplicas) {
  World world;
  world.run({"EVAL",
             "redis.set_repl(redis.REPL_NONE) redis.call('set', 'a', 1) "
             "redis.set_repl(redis.REPL_REPLICA) redis.call('set', 'b', 2)",
             "0"});
  EXPECT_EQ(world.logged(),
            "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
            "*3\r\n$3\r\nset\r\n$1\r\nb\r\n$1\r\n2\r\n");
  // The next script, and what follows in a transaction, are as always.
  world.run({"MULTI"});
  world.run({"EVAL", "redis.set_repl(redis.REPL_AOF) redis.call('set', 'a', 1)", "0"});
  world.run({"SET", "c", "3"});
  world.run({"EXEC"});
  EXPECT_EQ(world.logged(), "*3\r\n$3\r\nSET\r\n$1\r\nc\r\n$1\r\n3\r\n");
  world.run({"BRIEFLY", "d"});
  world.clock.now_us += 1'000'000;
  world.logged();
  world.run({"EVAL", "redis.set_repl(redis.REPL_NONE) return redis.call('get', 'd')", "0"});
  EXPECT_EQ(world.logged(), "*2\r\n$3\r\nDEL\r\n$1\r\nd\r\n");
}

TEST(EvalScripts, WhatWasWrittenBeforeAnErrorStays) {
  World world;
  const std::string reply = world.run({"EVAL", "redis.call('set', 'a', 1) error('no')", "0"});
  EXPECT_TRUE(reply.starts_with("-ERR user_script:1: no script: ")) << reply;
  EXPECT_EQ(world.run({"GET", "a"}), "$1\r\n1\r\n");
}

TEST(EvalScripts, ChecksItsArguments) {
  World world;
  EXPECT_EQ(world.run({"EVAL", "return 1", "x"}),
            "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(world.run({"EVAL", "return 1", "-1"}), "-ERR Number of keys can't be negative\r\n");
  EXPECT_EQ(world.run({"EVAL", "return 1", "2", "a"}),
            "-ERR Number of keys can't be greater than number of args\r\n");
  EXPECT_EQ(world.run({"EVAL", "return )", "0"}),
            "-ERR Error compiling script (new function): user_script:1: unexpected symbol near "
            "')'\r\n");
}

TEST(EvalScripts, RefusesCommandsAsRedisDoes) {
  World world;
  const auto error_of = [&](Bytes code) {
    const std::string reply = world.run({"EVAL", code, "0"});
    return reply.substr(0, reply.find(" script: "));
  };
  EXPECT_EQ(error_of("return redis.call('nosuch')"),
            "-ERR Unknown Redis command called from script");
  EXPECT_EQ(error_of("return redis.call('get')"),
            "-ERR Wrong number of args calling Redis command from script");
  EXPECT_EQ(error_of("return redis.call('eval', 'return 1', 0)"),
            "-ERR This Redis command is not allowed from script");
  EXPECT_EQ(error_of("return redis.call('script', 'flush')"),
            "-ERR This Redis command is not allowed from script");
  const std::string reply = world.run({"EVAL_RO", "return redis.call('set', 'a', 'b')", "0"});
  EXPECT_TRUE(reply.starts_with("-ERR Write commands are not allowed from read-only scripts."));
  EXPECT_EQ(world.run({"GET", "a"}), "$-1\r\n");
}

TEST(EvalScripts, ReadsTheFirstLine) {
  World world;
  EXPECT_EQ(world.run({"EVAL", "#!lua\nreturn 1", "0"}), ":1\r\n");
  EXPECT_EQ(world.run({"EVAL", "#!lua name=x\nreturn 1", "0"}),
            "-ERR Unknown lua shebang option: name=x\r\n");
  EXPECT_EQ(world.run({"EVAL", "#!lua flags=bad\nreturn 1", "0"}),
            "-ERR Unexpected flag in script shebang: bad\r\n");
  EXPECT_EQ(world.run({"EVAL", "#!lua flags=\nreturn 1", "0"}), ":1\r\n");
  EXPECT_EQ(world.run({"EVAL", "#!lua flags=no-writes,\nreturn 1", "0"}),
            "-ERR Unexpected flag in script shebang: \r\n");
  EXPECT_EQ(world.run({"EVAL", "#!foo\nreturn 1", "0"}),
            "-ERR Unexpected engine in script shebang: #!foo\r\n");
  const std::string reply =
      world.run({"EVAL", "#!lua flags=no-writes\nreturn redis.call('set','a','b')", "0"});
  EXPECT_TRUE(reply.starts_with("-ERR Write commands are not allowed from read-only scripts."));
  EXPECT_TRUE(reply.ends_with("on @user_script:2.\r\n"));
}

struct GateCase {
  uint32_t bits;
  Bytes first_line;
  Bytes code;
  Bytes reply;  // its beginning
};

constexpr Bytes kSet = "return redis.call('set', 'a', 'b')";
constexpr Bytes kGet = "return redis.call('get', 'a')";
constexpr uint32_t kStaleReplica = Gate::kReplica | Gate::kLinkDown | Gate::kStaleRefused;

constexpr GateCase kGateCases[] = {
    {Gate::kOutOfMemory, "", "return 1", ":1"},
    {Gate::kOutOfMemory, "", kSet, "-OOM command not allowed when used memory > 'maxmemory'. s"},
    {Gate::kOutOfMemory, "#!lua", "return 1", "-OOM command not allowed when used memory > "},
    {Gate::kOutOfMemory, "#!lua flags=allow-oom", kSet, "+OK"},
    {Gate::kOutOfMemory, "#!lua flags=no-writes", "return 1", ":1"},
    {Gate::kTooFewReplicas, "", "return 1", ":1"},
    {Gate::kTooFewReplicas, "", kSet, "-NOREPLICAS Not enough good replicas to write. script: "},
    {Gate::kTooFewReplicas, "#!lua", "return 1", "-NOREPLICAS Not enough good replicas to write."},
    {Gate::kTooFewReplicas, "#!lua flags=no-writes", kGet, "$-1"},
    {Gate::kReadOnlyReplica, "", kGet, "$-1"},
    {Gate::kReadOnlyReplica, "#!lua", kGet, "-READONLY You can't write against a read only repl"},
    {Gate::kReadOnlyReplica, "#!lua flags=no-writes", kGet, "$-1"},
    {kStaleReplica, "", "return 1", "-MASTERDOWN Link with MASTER is down and "},
    {kStaleReplica, "#!lua flags=no-writes", "return 1",
     "-MASTERDOWN Link with MASTER is down and "},
    {kStaleReplica, "#!lua flags=allow-stale", "return 1", ":1"},
    {kStaleReplica, "#!lua flags=allow-stale", kGet,
     "-ERR Can not execute the command on a stale replica script: "},
};

TEST(EvalScripts, TheNodesConditionsBindAScriptByItsFlags) {
  for (const GateCase& c : kGateCases) {
    World world;
    world.gate.set(static_cast<Gate::Condition>(c.bits), true);
    const std::string code = c.first_line.empty()
                                 ? std::string(c.code)
                                 : std::string(c.first_line) + "\n" + std::string(c.code);
    EXPECT_TRUE(world.run({"EVAL", code, "0"}).starts_with(c.reply))
        << c.bits << " " << code << ": " << world.run({"EVAL", code, "0"});
  }
}

TEST(EvalScripts, WhatHasBegunToWriteGoesOn) {
  World world;
  world.while_busy = [&] { world.gate.set(Gate::kOutOfMemory, true); };
  EXPECT_EQ(world.run({"EVAL",
                       "redis.call('set', 'a', 1) for i = 1, 30000000 do end "
                       "return redis.call('set', 'a', 2)",
                       "0"}),
            "+OK\r\n");
  EXPECT_TRUE(world.gate.is(Gate::kOutOfMemory));
}

// Primaries before Redis 7 send scripts as they are.
TEST(EvalScripts, APrimarysScriptIsObeyedAsItsOtherCommandsAre) {
  World world;
  ScriptingClient link(ClientKind::kLink);
  world.gate.set(Gate::kReplica, true);
  world.gate.set(Gate::kReadOnlyReplica, true);
  constexpr Bytes kScript = "return redis.call('OBEYS', KEYS[1])";
  EXPECT_EQ(world.run(link, {"EVAL", kScript, "1", "k"}), ":1\r\n");
  EXPECT_EQ(world.run({"EVAL", kScript, "1", "k"}), ":0\r\n");
}

TEST(EvalScripts, AReadOnlyScriptMayNotEvenReplicate) {
  World world;
  const std::string reply = world.run({"EVAL_RO", "return redis.call('publish', 'a', 'b')", "0"});
  EXPECT_TRUE(reply.starts_with("-ERR Write commands are not allowed from read-only scripts."));
  EXPECT_EQ(world.run({"EVAL", "return redis.call('publish', 'a', 'b')", "0"}), ":0\r\n");
}

TEST(EvalScripts, KeepsScriptsByTheirSha1) {
  World world;
  const std::string sha1 = sha1_hex("return 7");
  EXPECT_EQ(world.run({"EVALSHA", sha1, "0"}),
            "-NOSCRIPT No matching script. Please use EVAL.\r\n");
  EXPECT_EQ(world.run({"EVALSHA", "abc", "0"}),
            "-NOSCRIPT No matching script. Please use EVAL.\r\n");
  EXPECT_EQ(world.run({"SCRIPT", "LOAD", "return 7"}), "$40\r\n" + sha1 + "\r\n");
  EXPECT_EQ(world.run({"EVALSHA", to_upper(sha1), "0"}), ":7\r\n");
  EXPECT_EQ(world.run({"SCRIPT", "EXISTS", "x", sha1}), "*2\r\n:0\r\n:1\r\n");
  EXPECT_EQ(world.scripting.figures().cached_scripts, 1);
  EXPECT_EQ(world.run({"SCRIPT", "FLUSH", "X"}),
            "-ERR SCRIPT FLUSH only support SYNC|ASYNC option\r\n");
  EXPECT_EQ(world.run({"SCRIPT", "FLUSH", "ASYNC"}), "+OK\r\n");
  EXPECT_EQ(world.run({"SCRIPT", "EXISTS", sha1}), "*1\r\n:0\r\n");
  world.run({"EVAL", "return 7", "0"});
  EXPECT_EQ(world.run({"EVALSHA_RO", sha1, "0"}), ":7\r\n");
  EXPECT_TRUE(world.run({"SCRIPT", "LOAD", "return )"}).starts_with("-ERR Error compiling"));
}

TEST(EvalScripts, ASelectInsideDoesNotReachTheCaller) {
  World world;
  EXPECT_EQ(world.run({"EVAL", "redis.call('select', 3) return redis.call('set', 'k', 'v')", "0"}),
            "+OK\r\n");
  EXPECT_EQ(world.client.database, 0);
  EXPECT_EQ(world.run({"GET", "k"}), "$-1\r\n");
  world.run({"SELECT", "3"});
  EXPECT_EQ(world.run({"GET", "k"}), "$1\r\nv\r\n");
}

TEST(EvalScripts, ASlowScriptIsBusyAndCanBeKilled) {
  World world;
  EXPECT_EQ(world.run({"SCRIPT", "KILL"}), "-NOTBUSY No scripts in execution right now.\r\n");
  bool was_busy = false;
  world.while_busy = [&] {
    was_busy = world.gate.is(Gate::kBusyScript);
    world.scripting.control().kill(/*function=*/false);
  };
  const std::string reply = world.run({"EVAL", "while true do end", "0"});
  EXPECT_TRUE(reply.starts_with("-ERR Script killed by user with SCRIPT KILL... script: "))
      << reply;
  EXPECT_TRUE(was_busy);
  EXPECT_FALSE(world.gate.is(Gate::kBusyScript));
  EXPECT_EQ(world.run({"EVAL", "return 1", "0"}), ":1\r\n");
}

TEST(EvalScripts, AScriptThatHasWrittenCannotBeKilledButAborted) {
  World world;
  ScriptControl::Killed killed{};
  world.while_busy = [&] {
    killed = world.scripting.control().kill(/*function=*/false);
    world.scripting.control().abort();
  };
  const std::string reply = world.run({"EVAL", "redis.call('set', 'a', 1) while true do end", "0"});
  EXPECT_TRUE(reply.starts_with("-ERR Script killed")) << reply;
  EXPECT_EQ(killed, ScriptControl::Killed::kHasWritten);
}

TEST(EvalScripts, ABusyScriptMayGoOnCalling) {
  World world;
  int rounds = 0;
  world.while_busy = [&] { ++rounds; };
  EXPECT_EQ(
      world.run({"EVAL", "for i = 1, 30000000 do end return redis.call('set', 'a', 'b')", "0"}),
      "+OK\r\n");
  EXPECT_GT(rounds, 0);
}

TEST(EvalScripts, WorkersTakeTurns) {
  World world;
  world.busy_after_ms.set(0);
  world.run({"SET", "n", "0"});
  const auto count = [&](uint64_t seed) {
    Executor executor(world.engine, seed);
    ScriptingClient client;
    const std::vector<Bytes> args = {
        "EVAL", "return redis.call('set', 'n', redis.call('get', 'n') + 1)", "0"};
    for (int i = 0; i < 500; ++i) {
      std::string out;
      ReplyWriter reply(out);
      executor.begin_batch();
      executor.execute(client, args, {}, reply);
      ASSERT_EQ(out, "+OK\r\n");
    }
  };
  std::thread other(count, 2);
  count(3);
  other.join();
  EXPECT_EQ(world.run({"GET", "n"}), "$4\r\n1000\r\n");
}

TEST(EvalScripts, AGreedyScriptCostsOnlyItself) {
  World world;
  EXPECT_TRUE(
      world.run({"EVAL", "local t = {} while true do t[#t+1] = ('x'):rep(1e5) .. #t end", "0"})
          .starts_with("-ERR"));
  EXPECT_EQ(world.run({"EVAL", "return 1", "0"}), ":1\r\n");
  EXPECT_LT(world.scripting.figures().script_vm_bytes, 16 << 20);
}

}  // namespace
}  // namespace tandem
