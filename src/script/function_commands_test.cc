#include "script/function_commands.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "engine/dataset_load.h"
#include "engine/rdb_snapshot.h"
#include "rdb/dump.h"
#include "script/script_text.h"
#include "script/scripting_test_world.h"

namespace tandem {
namespace {

using World = ScriptingWorld;

std::string bulk(Bytes text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string library(Bytes name, Bytes body) {
  return "#!lua name=" + std::string(name) + "\n" + std::string(body);
}

std::string load(World& world, Bytes name, Bytes body) {
  return world.run({"FUNCTION", "LOAD", "REPLACE", library(name, body)});
}

// A library with one function, which answers a number.
std::string answers(Bytes function, int number) {
  return "redis.register_function('" + std::string(function) + "', function() return " +
         std::to_string(number) + " end)";
}

// The line of a payload of FUNCTION DUMP.
std::string payload_of(const std::vector<std::string>& codes) {
  const std::vector<Bytes> views(codes.begin(), codes.end());
  std::string payload;
  dump_libraries(views, {}, payload);
  return payload;
}

struct Case {
  Bytes body;
  Bytes error;  // behind "ERR "
};

constexpr Bytes kNamed = "Error registering functions: ERR ";

// Asked of redis-server.
constexpr Case kRegistrations[] = {
    {"", "wrong number of arguments to redis.register_function"},
    {"'x', function() end, 1", "wrong number of arguments to redis.register_function"},
    {"'x'",
     "calling redis.register_function with a single argument is only applicable to Lua table "
     "(representing named arguments)."},
    {"'x', 1", "second argument to redis.register_function must be a function"},
    {"{}, function() end", "first argument to redis.register_function must be a string"},
    {"'x-y', function() end", kNoLibraryName},
    {"'', function() end", kNoLibraryName},
    {"'b\\0x', function() end", kNoLibraryName},
    {"{function_name='', callback=function() end}", kNoLibraryName},
    {"{}", "redis.register_function must get a function name argument"},
    {"{callback=function() end}", "redis.register_function must get a function name argument"},
    {"{function_name='x'}", "redis.register_function must get a callback argument"},
    {"{function_name={}}",
     "function_name argument given to redis.register_function must be a string"},
    {"{callback=1}", "callback argument given to redis.register_function must be a function"},
    {"{description={}}", "description argument given to redis.register_function must be a string"},
    {"{flags=1}",
     "flags argument to redis.register_function must be a table representing function flags"},
    {"{flags={'a'}}", "unknown flag given"},
    {"{flags={1}}", "unknown flag given"},
    {"{foo=1}", "unknown argument given to redis.register_function"},
    {"{[1]=1}", "unknown argument given to redis.register_function"},
    {"{[true]=1}", "named argument key given to redis.register_function is not a string"},
};

constexpr Case kBodies[] = {
    {"return )", "Error compiling function: user_function:2: unexpected symbol near ')'"},
    {"return", "No functions registered"},
    {"redis.log(redis.LOG_DEBUG, redis.REDIS_VERSION, redis.REDIS_VERSION_NUM)",
     "No functions registered"},
    {"local f = function() end redis.register_function('a', f) redis.register_function('a', f)",
     "Error registering functions: ERR Function already exists in the library"},
    {"x = 1",
     "Error registering functions: ERR user_function:2: Attempt to modify a readonly table"},
    {"redis.foo = 1",
     "Error registering functions: ERR user_function:2: Attempt to modify a readonly table"},
    {"\nlocal a = nil + 1",
     "Error registering functions: ERR user_function:3: attempt to perform arithmetic on a nil "
     "value"},
    {"local function f() return 1 + f() end f()",
     "Error registering functions: ERR user_function:2: stack overflow"},
    {"redis.log('x')",
     "Error registering functions: ERR redis.log() requires two arguments or more."},
};

TEST(Functions, LoadSaysWhatIsWrongAsRedisDoes) {
  World world;
  for (const auto& [arguments, error] : kRegistrations) {
    const std::string body = "redis.register_function(" + std::string(arguments) + ")";
    EXPECT_EQ(load(world, "wrong", body),
              "-ERR " + std::string(kNamed) + std::string(error) + "\r\n")
        << body;
  }
  for (const auto& [body, error] : kBodies) {
    EXPECT_EQ(load(world, "wrong", body), "-ERR " + std::string(error) + "\r\n") << body;
  }
  // Of what a library may use when it is called, this is all that it sees when it is loaded.
  for (const Bytes name : {"KEYS", "ARGV", "_G", "pcall", "error", "string", "cjson", "b"}) {
    EXPECT_EQ(load(world, "wrong", "local a = " + std::string(name)),
              "-ERR Error registering functions: ERR user_function:2: Script attempted to access "
              "nonexistent global variable '" +
                  std::string(name) + "'\r\n");
  }
  for (const Bytes name : {"call", "pcall", "sha1hex", "setresp", "set_repl", "acl_check_cmd"}) {
    EXPECT_TRUE(load(world, "wrong", "local a = redis." + std::string(name))
                    .ends_with("nonexistent global variable '" + std::string(name) + "'\r\n"));
  }
  EXPECT_EQ(world.run({"FUNCTION", "LOAD", "FOO", "x"}), "-ERR Unknown option given: FOO\r\n");
  EXPECT_EQ(world.run({"FUNCTION", "LOAD", "replace"}), "-ERR Missing library metadata\r\n");
  EXPECT_EQ(world.scripting.figures().libraries, 0);
  EXPECT_EQ(world.logged(), "");
}

TEST(Functions, NothingIsLeftOfALibraryThatFailed) {
  World world;
  EXPECT_EQ(load(world, "kept", answers("f", 1)), bulk("kept"));
  EXPECT_EQ(load(world, "kept", answers("f", 2) + " " + answers("g", 2) + " local a = nil + 1")
                .substr(0, 4),
            "-ERR");
  EXPECT_EQ(load(world, "other", answers("g", 3) + " " + answers("F", 3)),
            "-ERR Function F already exists\r\n");
  EXPECT_EQ(world.run({"FCALL", "f", "0"}), ":1\r\n");
  EXPECT_EQ(world.run({"FCALL", "g", "0"}), "-ERR Function not found\r\n");
}

TEST(Functions, AreRegisteredInTwoForms) {
  World world;
  EXPECT_EQ(load(world, "a",
                 "redis.register_function{FUNCTION_name='One', CALLBACK=function() return 1 end, "
                 "Flags={'NO-writes', 'no-writes', 'allow-oom', nil, 'none'}, descripTION='d e'} "
                 "redis.register_function(2, function(keys, args) return {keys, args} end)"),
            bulk("a"));
  EXPECT_EQ(world.run({"FCALL", "ONE", "0"}), ":1\r\n");
  EXPECT_EQ(world.run({"FCALL", "2", "1", "k", "x", "y"}),
            "*2\r\n*1\r\n" + bulk("k") + "*2\r\n" + bulk("x") + bulk("y"));
  const std::string functions = "*6\r\n" + bulk("name") + bulk("2") + bulk("description") +
                                "$-1\r\n" + bulk("flags") + "*0\r\n*6\r\n" + bulk("name") +
                                bulk("One") + bulk("description") + bulk("d e") + bulk("flags") +
                                "*2\r\n+no-writes\r\n+allow-oom\r\n";
  EXPECT_EQ(world.run({"FUNCTION", "LIST"}), "*1\r\n*6\r\n" + bulk("library_name") + bulk("a") +
                                                 bulk("engine") + bulk("LUA") + bulk("functions") +
                                                 "*2\r\n" + functions);
}

TEST(Functions, ListTellsMoreInResp3AndWithCode) {
  World world;
  const std::string code = library("a", answers("f", 1));
  world.run({"FUNCTION", "LOAD", code});
  world.client.protocol = 3;
  EXPECT_EQ(world.run({"FUNCTION", "LIST", "LIBRARYNAME", "[A-B]", "WITHCODE"}),
            "*1\r\n%4\r\n" + bulk("library_name") + bulk("a") + bulk("engine") + bulk("LUA") +
                bulk("functions") + "*1\r\n%3\r\n" + bulk("name") + bulk("f") +
                bulk("description") + "_\r\n" + bulk("flags") + "~0\r\n" + bulk("library_code") +
                bulk(code));
  EXPECT_EQ(world.run({"FUNCTION", "LIST", "LIBRARYNAME", "b*"}), "*0\r\n");
  EXPECT_EQ(world.run({"FUNCTION", "LIST", "LIBRARYNAME"}),
            "-ERR library name argument was not given\r\n");
  for (const Bytes twice : {"WITHCODE", "LIBRARYNAME"}) {
    EXPECT_EQ(world.run({"FUNCTION", "LIST", twice, "WITHCODE", twice, "x"}).substr(0, 20),
              "-ERR Unknown argumen");
  }
}

TEST(Functions, FcallChecksItsArguments) {
  World world;
  load(world, "a", answers("f", 1));
  EXPECT_EQ(world.run({"FCALL", "g", "x"}), "-ERR Function not found\r\n");
  EXPECT_EQ(world.run({"FCALL", "f", "x"}), "-ERR Bad number of keys provided\r\n");
  EXPECT_EQ(world.run({"FCALL", "f", "-1"}), "-ERR Number of keys can't be negative\r\n");
  EXPECT_EQ(world.run({"FCALL", "f", "2", "a"}),
            "-ERR Number of keys can't be greater than number of args\r\n");
  EXPECT_EQ(world.run({"FCALL_RO", "f", "0"}),
            "-ERR Can not execute a script with write flag using *_ro command.\r\n");
}

// What is called, and what it answers or how its error ends.
constexpr Case kCalls[] = {
    {"return KEYS", "nonexistent global variable 'KEYS' script: f, on @user_function:2.\r\n"},
    {"\nerror('boom')", "-ERR user_function:3: boom script: f, on @user_function:3.\r\n"},
    {"error({err='MY boom'})", "-MY boom script: f, on @user_function:2.\r\n"},
    {"foo = 1", "Attempt to modify a readonly table script: f, on @user_function:2.\r\n"},
    {"return redis.call('nosuch')",
     "-ERR Unknown Redis command called from script script: f, on @user_function:2.\r\n"},
    {"return redis.call('fcall', 'f', 0)",
     "-ERR This Redis command is not allowed from script script: f, on @user_function:2.\r\n"},
    {"return redis.call('function', 'list')",
     "-ERR This Redis command is not allowed from script script: f, on @user_function:2.\r\n"},
    {"return redis.register_function('g', type)",
     "-ERR user_function:2: attempt to call field 'register_function' (a nil value) script: f, on "
     "@user_function:2.\r\n"},
    {"return redis.replicate_commands",  // only scripts have it, breakpoint and debug
     "$-1\r\n"},
    {"return cjson.encode({1})", "$3\r\n[1]\r\n"},
    {"return redis.sha1hex('a')", "$40\r\n86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\r\n"},
};

TEST(Functions, SeeWhatScriptsSeeButTheirKeys) {
  World world;
  for (const auto& [body, reply] : kCalls) {
    load(world, "a", "redis.register_function('f', function() " + std::string(body) + " end)");
    const std::string answered = world.run({"FCALL", "F", "0"});
    EXPECT_TRUE(answered.ends_with(reply)) << body << ": " << answered;
  }
}

TEST(Functions, WhatWasTakenAtLoadIsOfNoUseLater) {
  World world;
  load(world, "a",
       "local early, register = redis, redis.register_function\n"
       "redis.register_function('f', function() return early.call('get', 'k') end)\n"
       "redis.register_function('g', function() return register('h', function() end) end)");
  EXPECT_EQ(world.run({"FCALL", "f", "0"}),
            "-ERR user_function:3: Script attempted to access nonexistent global variable 'call' "
            "script: f, on @user_function:3.\r\n");
  EXPECT_EQ(world.run({"FCALL", "g", "0"}),
            "-ERR redis.register_function can only be called on FUNCTION LOAD command script: g, "
            "on @user_function:4.\r\n");
  // A function of the library itself has no place in a text.
  load(world, "b", "redis.register_function('i', redis.log)");
  EXPECT_EQ(world.run({"FCALL", "i", "0"}),
            "-ERR First argument must be a number (log level).\r\n");
}

TEST(Functions, StateLivesAsLongAsItsLibrary) {
  World world;
  const Bytes counter =
      "local n = 0 redis.register_function('f', function() n = n + 1 return n end)";
  load(world, "a", counter);
  world.run({"FCALL", "f", "0"});
  load(world, "b", answers("g", 1));
  world.run({"FUNCTION", "RESTORE", payload_of({library("c", answers("h", 1))})});
  EXPECT_EQ(world.run({"FCALL", "f", "0"}), ":2\r\n");
  load(world, "a", counter);
  EXPECT_EQ(world.run({"FCALL", "f", "0"}), ":1\r\n");
  EXPECT_EQ(world.run({"FCALL", "g", "0"}), ":1\r\n");
}

TEST(Functions, ChangesGoToReplicasAsTheyWere) {
  World world;
  const std::string code = library("a", answers("f", 1));
  const Bytes raw = "*3\r\n$8\r\nfunction\r\n$4\r\nLoad\r\n...";
  world.run(world.client, {"function", "Load", code}, raw);
  EXPECT_EQ(world.logged(), "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n" + std::string(raw));
  world.run({"FUNCTION", "LOAD", code});  // it is there already
  world.run({"FCALL", "f", "0"});
  EXPECT_EQ(world.logged(), "");
  world.run({"MULTI"});
  world.run({"FUNCTION", "DELETE", "a"});
  world.run({"FUNCTION", "FLUSH", "ASYNC"});
  world.run({"EXEC"});
  EXPECT_EQ(world.logged(), "*1\r\n$5\r\nMULTI\r\n*3\r\n" + bulk("FUNCTION") + bulk("DELETE") +
                                bulk("a") + "*3\r\n" + bulk("FUNCTION") + bulk("FLUSH") +
                                bulk("ASYNC") + "*1\r\n$4\r\nEXEC\r\n");
  EXPECT_EQ(world.executor.counters().changes.get(), 3U);
  load(world, "b",
       "redis.register_function('g', function(keys) return redis.call('set', keys[1], "
       "'v') end)");
  world.logged();
  EXPECT_EQ(world.run({"FCALL", "g", "1", "k"}), "+OK\r\n");
  EXPECT_EQ(world.logged(), "*3\r\n" + bulk("set") + bulk("k") + bulk("v"));
}

TEST(Functions, AreForgottenByNameOrAllAtOnce) {
  World world;
  load(world, "a", answers("f", 1));
  load(world, "b", answers("g", 1));
  EXPECT_EQ(world.run({"FUNCTION", "DELETE", "A"}), "-ERR Library not found\r\n");
  EXPECT_EQ(world.run({"FUNCTION", "DELETE", "a"}), "+OK\r\n");
  EXPECT_EQ(world.run({"FCALL", "f", "0"}), "-ERR Function not found\r\n");
  EXPECT_EQ(world.run({"FUNCTION", "FLUSH", "x"}),
            "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option\r\n");
  EXPECT_EQ(world.run({"FUNCTION", "Flush", "sync", "x"}),
            "-ERR unknown subcommand or wrong number of arguments for 'Flush'. Try FUNCTION "
            "HELP.\r\n");
  EXPECT_EQ(world.run({"FCALL", "g", "0"}), ":1\r\n");
  for (const Bytes how : {"", "SYNC", "ASYNC"}) {
    load(world, "b", answers("g", 1));
    const std::string reply =
        how.empty() ? world.run({"FUNCTION", "FLUSH"}) : world.run({"FUNCTION", "FLUSH", how});
    EXPECT_EQ(reply, "+OK\r\n");
    EXPECT_EQ(world.run({"FCALL", "g", "0"}), "-ERR Function not found\r\n");
  }
}

TEST(Functions, ADumpIsRestored) {
  World world;
  load(world, "a", answers("f", 1));
  load(world, "b", answers("g", 2));
  const std::string dumped = world.run({"FUNCTION", "DUMP"});
  const std::string payload(dumped.substr(dumped.find('\n') + 1));
  const Bytes whole = Bytes(payload).substr(0, payload.size() - 2);
  EXPECT_EQ(world.run({"FUNCTION", "RESTORE", whole}), "-ERR Library a already exists\r\n");
  world.run({"FUNCTION", "FLUSH"});
  EXPECT_EQ(world.run({"FUNCTION", "RESTORE", whole}), "+OK\r\n");
  EXPECT_EQ(world.run({"FCALL", "f", "0"}), ":1\r\n");
  EXPECT_EQ(world.run({"FCALL", "g", "0"}), ":2\r\n");
}

struct RestoreCase {
  std::vector<std::string> codes;
  Bytes policy;
  Bytes reply;
};

TEST(Functions, RestoreHasThreePolicies) {
  const std::string a1 = library("a", answers("f", 1));
  const std::string a2 = library("a", answers("f", 2));
  const std::string ag = library("a", answers("g", 3));
  const std::string bf = library("b", answers("f", 4));
  const std::string bg = library("b", answers("g", 5));
  const RestoreCase cases[] = {
      {{}, "APPEND", "+OK"},
      {{a2}, "append", "-ERR Library a already exists"},
      {{bf}, "APPEND", "-ERR Function f already exists"},
      {{bg}, "APPEND", "+OK"},
      {{a2}, "replace", "+OK"},
      {{bf}, "REPLACE", "-ERR Function f already exists"},
      {{ag, bf}, "REPLACE", "+OK"},
      {{bf}, "flush", "+OK"},
      {{}, "FLUSH", "+OK"},
      {{a2, a2}, "FLUSH", "-ERR Library 'a' already exists"},
      {{a2, bf}, "REPLACE", "-ERR Function f already exists"},
      {{"junk"}, "FLUSH", "-ERR Missing library metadata"},
      {{a2},
       "x",
       "-ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."},
  };
  for (const RestoreCase& c : cases) {
    World world;
    world.run({"FUNCTION", "LOAD", a1});
    const std::string before = world.run({"FUNCTION", "LIST", "WITHCODE"});
    const std::string payload = payload_of(c.codes);
    EXPECT_EQ(world.run({"FUNCTION", "RESTORE", payload, c.policy}), std::string(c.reply) + "\r\n");
    // After an error nothing has changed, and what is there can still be called.
    if (c.reply == "+OK") continue;
    EXPECT_EQ(world.run({"FUNCTION", "LIST", "WITHCODE"}), before);
    EXPECT_EQ(world.run({"FCALL", "f", "0"}), ":1\r\n");
  }
}

// Redis 7.0 reads version 10 at most.
TEST(Functions, WhatWasRestoredIsReadByReplicasOfAnyVersion) {
  World world;
  const std::string code = library("a", answers("f", 1));
  const Bytes codes[] = {code};
  std::string later;
  dump_libraries(codes, {.version = 11}, later);
  EXPECT_EQ(world.run({"FUNCTION", "RESTORE", later, "flush"}), "+OK\r\n");
  EXPECT_EQ(world.logged(), "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*4\r\n" + bulk("FUNCTION") +
                                bulk("RESTORE") + bulk(payload_of({code})) + bulk("flush"));
  world.run({"FUNCTION", "restore", payload_of({code}), "REPLACE"});
  EXPECT_EQ(world.logged(), "*4\r\n" + bulk("FUNCTION") + bulk("restore") +
                                bulk(payload_of({code})) + bulk("REPLACE"));
}

TEST(Functions, RestoreRefusesWhatIsNoPayload) {
  World world;
  EXPECT_EQ(world.run({"FUNCTION", "RESTORE", "x"}),
            "-ERR DUMP payload version or checksum are wrong\r\n");
  std::string payload = payload_of({library("a", answers("f", 1))});
  EXPECT_EQ(world.run({"FUNCTION", "Restore", payload, "FLUSH", "x"}),
            "-ERR unknown subcommand or wrong number of arguments for 'Restore'. Try FUNCTION "
            "HELP.\r\n");
  payload.back() ^= 1;
  EXPECT_EQ(world.run({"FUNCTION", "RESTORE", payload}),
            "-ERR DUMP payload version or checksum are wrong\r\n");
  EXPECT_EQ(world.scripting.figures().libraries, 0);
}

TEST(Functions, ALibraryThatLoadsForEverIsStopped) {
  World world;
  EXPECT_EQ(load(world, "a", "while true do end"),
            "-ERR Error registering functions: ERR FUNCTION LOAD timeout\r\n");
  EXPECT_EQ(load(world, "a", answers("f", 1)), bulk("a"));
  const std::string endless = payload_of({library("b", "while true do end")});
  EXPECT_EQ(world.run({"FUNCTION", "RESTORE", endless}),
            "-ERR Error registering functions: ERR FUNCTION LOAD timeout\r\n");
  // The server does not wait for it when it ends.
  ScriptingClient link(ClientKind::kLink);
  world.gate.set(Gate::kReplica, true);
  world.scripting.control().abort();
  EXPECT_EQ(world.run(link, {"FUNCTION", "LOAD", library("b", "while true do end")}),
            "-ERR Error registering functions: ERR FUNCTION LOAD timeout\r\n");
}

TEST(Functions, AGreedyLibraryCostsOnlyItself) {
  World world;
  EXPECT_EQ(load(world, "a", "local t = {} local n = 1 while true do t[n] = {} n = n + 1 end"),
            "-ERR Error registering functions: ERR not enough memory\r\n");
  load(world, "b",
       "local t = {} redis.register_function('f', function() for i = 1, 1e6 do t[#t + 1] = {} end "
       "return #t end)");
  std::string reply;
  for (int i = 0; i < 4 && !reply.starts_with("-"); ++i) reply = world.run({"FCALL", "f", "0"});
  EXPECT_TRUE(reply.starts_with("-ERR not enough memory")) << reply;
  EXPECT_EQ(world.run({"FUNCTION", "DELETE", "b"}), "+OK\r\n");
  load(world, "c", answers("g", 1));
  EXPECT_EQ(world.run({"FCALL", "g", "0"}), ":1\r\n");
}

TEST(Functions, FiguresTellHowManyThereAre) {
  World world;
  EXPECT_EQ(world.scripting.figures().functions, 0);
  const std::string code = library("a", answers("f", 1) + " " + answers("g", 1));
  world.run({"FUNCTION", "LOAD", code});
  const ScriptFigures figures = world.scripting.figures();
  EXPECT_EQ(figures.libraries, 1);
  EXPECT_EQ(figures.functions, 2);
  EXPECT_EQ(figures.library_bytes, static_cast<int64_t>(code.size()));
  EXPECT_EQ(figures.vm_bytes(), figures.script_vm_bytes + figures.function_vm_bytes);
  EXPECT_EQ(world.run({"FUNCTION", "STATS"}), "*4\r\n" + bulk("running_script") + "$-1\r\n" +
                                                  bulk("engines") + "*2\r\n" + bulk("LUA") +
                                                  "*4\r\n" + bulk("libraries_count") + ":1\r\n" +
                                                  bulk("functions_count") + ":2\r\n");
}

TEST(Functions, ASlowFunctionIsSeenAndKilled) {
  World world;
  load(world, "a", "redis.register_function('spin', function() while true do end end)");
  Executor other(world.engine, 2);
  ScriptingClient client;
  client.protocol = 3;
  const auto ask = [&](std::vector<Bytes> args) {
    std::string out;
    ReplyWriter reply(out, client.protocol);
    other.execute(client, args, {}, reply);
    return out;
  };
  std::vector<std::string> heard;
  world.while_busy = [&] {
    heard = {ask({"GET", "k"}), ask({"SCRIPT", "KILL"}), ask({"FUNCTION", "STATS"}),
             ask({"FUNCTION", "KILL"})};
  };
  EXPECT_EQ(
      world.run({"FCALL", "Spin", "1", "k", "x"}),
      "-ERR Script killed by user with SCRIPT KILL... script: spin, on @user_function:2.\r\n");
  ASSERT_EQ(heard.size(), 4U);
  const std::string busy =
      "-BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN "
      "NOSAVE.\r\n";
  EXPECT_EQ(heard[0], busy);
  EXPECT_EQ(heard[1], busy);
  const std::string running = "%2\r\n" + bulk("running_script") + "%3\r\n" + bulk("name") +
                              bulk("spin") + bulk("command") + "*5\r\n" + bulk("FCALL") +
                              bulk("Spin") + bulk("1") + bulk("k") + bulk("x") +
                              bulk("duration_ms") + ":";
  EXPECT_TRUE(heard[2].starts_with(running)) << heard[2];
  EXPECT_EQ(heard[3], "+OK\r\n");
  EXPECT_EQ(world.run({"FUNCTION", "KILL"}), "-NOTBUSY No scripts in execution right now.\r\n");
  EXPECT_FALSE(world.gate.is(Gate::kBusyFunction));
}

TEST(Functions, WhoKillsTheWrongKindIsTold) {
  World world;
  std::string stats;
  std::string kill;
  world.while_busy = [&] {
    Executor other(world.engine, 2);
    ScriptingClient client;
    for (auto& [word, heard] : {std::pair<Bytes, std::string&>{"STATS", stats}, {"KILL", kill}}) {
      const std::vector<Bytes> args = {"FUNCTION", word};
      heard.clear();
      ReplyWriter reply(heard);
      other.execute(client, args, {}, reply);
    }
    world.scripting.control().kill(/*function=*/false);
  };
  world.run({"EVAL", "while true do end", "0"});
  const std::string busy =
      "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
  EXPECT_EQ(stats, busy);
  EXPECT_EQ(kill, busy);
}

TEST(Functions, WhatThePrimarySentIsNotKilled) {
  World world;
  ScriptingClient link(ClientKind::kLink);
  world.gate.set(Gate::kReplica, true);
  ScriptControl::Killed killed{};
  world.while_busy = [&] {
    killed = world.scripting.control().kill(/*function=*/false);
    world.scripting.control().abort();
  };
  world.run(link, {"EVAL", "while true do end", "0"});
  EXPECT_EQ(killed, ScriptControl::Killed::kFromPrimary);
}

struct GateCase {
  uint32_t bits;
  Bytes flags;
  Bytes command;
  Bytes reply;  // its beginning
};

constexpr uint32_t kStaleReplica = Gate::kReplica | Gate::kLinkDown | Gate::kStaleRefused;

constexpr GateCase kGateCases[] = {
    {Gate::kOutOfMemory, "", "FCALL", "-OOM command not allowed when used memory > "},
    {Gate::kOutOfMemory, "'allow-oom'", "FCALL", ":7"},
    {Gate::kOutOfMemory, "'no-writes'", "FCALL", ":7"},
    {Gate::kTooFewReplicas, "", "FCALL", "-NOREPLICAS Not enough good replicas to write."},
    {Gate::kTooFewReplicas, "'no-writes'", "FCALL", ":7"},
    {Gate::kReadOnlyReplica, "", "FCALL", "-READONLY You can't write against a read only repl"},
    {Gate::kReadOnlyReplica, "", "FCALL_RO", "-READONLY You can't write against a read only rep"},
    {Gate::kReadOnlyReplica, "'no-writes'", "FCALL_RO", ":7"},
    {kStaleReplica, "'no-writes'", "FCALL", "-MASTERDOWN Link with MASTER is down and "},
    {kStaleReplica, "'no-writes','allow-stale'", "FCALL", ":7"},
    {Gate::kDatasetLoading, "'no-writes'", "FCALL", "-LOADING "},
};

TEST(Functions, TheNodesConditionsBindThemByTheirFlags) {
  for (const GateCase& c : kGateCases) {
    World world;
    load(world, "a",
         "redis.register_function{function_name='f', flags={" + std::string(c.flags) +
             "}, callback=function() return 7 end}");
    world.gate.set(static_cast<Gate::Condition>(c.bits), true);
    const std::string reply = world.run({c.command, "f", "0"});
    EXPECT_TRUE(reply.starts_with(c.reply)) << c.bits << " " << c.flags << ": " << reply;
    world.run({"MULTI"});
    const std::string queued = world.run({c.command, "f", "0"});
    // Without memory nothing is queued, whatever it is.
    const bool is_queued = c.reply == ":7" && c.bits != Gate::kOutOfMemory;
    EXPECT_EQ(queued.starts_with("+QUEUED"), is_queued) << queued;
    EXPECT_TRUE(is_queued || queued.starts_with("-OOM") || queued == reply) << queued;
    const std::string executed = world.run({"EXEC"});
    EXPECT_EQ(executed.starts_with("*1"), is_queued) << executed;
  }
}

TEST(Functions, APauseOfWritesHoldsBackWhoMayWrite) {
  World world;
  load(world, "a", answers("writes", 1));
  load(world, "b",
       "redis.register_function{function_name='reads', flags={'no-writes'}, "
       "callback=function() return 2 end}");
  world.gate.set(Gate::kPausedWrites, true);
  const auto outcome_of = [&](std::vector<Bytes> args) {
    std::string out;
    ReplyWriter reply(out);
    return world.executor.execute(world.client, args, {}, reply);
  };
  EXPECT_EQ(outcome_of({"FCALL", "writes", "0"}), Outcome::kPaused);
  EXPECT_EQ(outcome_of({"FCALL_RO", "writes", "0"}), Outcome::kPaused);
  EXPECT_EQ(outcome_of({"FCALL", "none", "0"}), Outcome::kPaused);
  EXPECT_EQ(outcome_of({"FCALL", "reads", "0"}), Outcome::kDone);
  EXPECT_EQ(outcome_of({"FCALL_RO", "reads", "0"}), Outcome::kDone);
  EXPECT_EQ(outcome_of({"EVAL", "return 1", "0"}), Outcome::kPaused);
  EXPECT_EQ(outcome_of({"EVAL", "#!lua flags=no-writes\nreturn 1", "0"}), Outcome::kDone);
  EXPECT_EQ(outcome_of({"FUNCTION", "FLUSH"}), Outcome::kPaused);
  EXPECT_EQ(outcome_of({"FUNCTION", "LIST"}), Outcome::kDone);
}

// One worker calls what another one replaces all the time: a call is of one library from its
// beginning to its end.
TEST(Functions, ALibraryIsNotReplacedInTheMiddleOfACall) {
  World world;
  world.busy_after_ms.set(0);
  const auto code = [](int version) {
    return library("a", "local version = " + std::to_string(version) +
                            " redis.register_function('f', function() local before = version for "
                            "i = 1, 1000 do redis.call('get', 'k') end return before .. ' ' .. "
                            "version end) redis.register_function('g" +
                            std::to_string(version % 2) + "', function() end)");
  };
  world.run({"FUNCTION", "LOAD", code(0)});
  std::thread loader([&] {
    Executor executor(world.engine, 2);
    ScriptingClient client;
    for (int version = 1; version <= 100; ++version) {
      const std::string text = code(version);
      const std::vector<Bytes> args = {"FUNCTION", "LOAD", "REPLACE", text};
      std::string out;
      ReplyWriter reply(out);
      executor.execute(client, args, {}, reply);
      ASSERT_EQ(out, bulk("a"));
    }
  });
  for (int i = 0; i < 100; ++i) {
    const std::string reply = world.run({"FCALL", "f", "0"});
    const std::string text = reply.substr(reply.find('\n') + 1);
    const std::string before = text.substr(0, text.find(' '));
    EXPECT_EQ(text, before + " " + before + "\r\n");
    EXPECT_EQ(world.scripting.figures().functions, 2);
  }
  loader.join();
}

std::string written(Engine& engine, const RdbWriteOptions& format = {}) {
  RdbSnapshot::Options options;
  options.format = format;
  auto snapshot = RdbSnapshot::begin(engine, engine.snapshot_turn.try_take(), options, nullptr);
  if (engine.functions != nullptr) {  // what comes behind the cut is not in it
    const ExclusiveGuard all(engine.keyspace);
    const auto none = engine.functions->begin_aside();
    engine.functions->install(all, *none);
  }
  std::string all;
  std::string piece;
  while (snapshot->produce(piece)) all += piece;
  return all;
}

TEST(Functions, ASnapshotCarriesThoseOfItsCut) {
  World source;
  load(source, "a", answers("f", 1));
  load(source, "b", answers("g", 2));
  const std::string stream = written(source.engine);
  World target;
  load(target, "c", answers("h", 3));
  DatasetLoad dataset(target.keyspace, {}, 0, std::nullopt, target.engine.functions);
  ASSERT_TRUE(dataset.feed(stream));
  EXPECT_EQ(target.run({"FCALL", "h", "0"}), ":3\r\n");
  ASSERT_EQ(install_dataset(target.engine, dataset, {}), Installed::kDone);
  EXPECT_EQ(target.run({"FCALL", "h", "0"}), "-ERR Function not found\r\n");
  EXPECT_EQ(target.run({"FCALL", "f", "0"}), ":1\r\n");
  EXPECT_EQ(target.run({"FCALL", "g", "0"}), ":2\r\n");
  // A reader of version 9 knows no functions.
  load(source, "a", answers("f", 1));
  const std::string old = written(source.engine, {.version = 9});
  EXPECT_EQ(old.find("register_function"), std::string::npos);
  DatasetLoad without(target.keyspace, {}, 0, std::nullopt, target.engine.functions);
  ASSERT_TRUE(without.feed(old));
  ASSERT_EQ(install_dataset(target.engine, without, {}), Installed::kDone);
  EXPECT_EQ(target.scripting.figures().libraries, 0);
}

TEST(Functions, ASnapshotWithABadLibraryLeavesEverythingAsItWas) {
  World source;
  load(source, "a", answers("f", 1));
  std::string stream = written(source.engine, {.compress = false});
  stream.replace(stream.find("function()"), 8, "fun ction");
  World target;
  load(target, "b", answers("g", 2));
  {
    DatasetLoad dataset(target.keyspace, {.verify_checksum = false}, 0, std::nullopt,
                        target.engine.functions);
    const auto fed = dataset.feed(stream);
    ASSERT_FALSE(fed);
    EXPECT_NE(fed.error().text.find("a function library: Error compiling function: "),
              std::string::npos)
        << fed.error().text;
  }
  EXPECT_EQ(target.run({"FCALL", "g", "0"}), ":2\r\n");
}

}  // namespace
}  // namespace tandem
