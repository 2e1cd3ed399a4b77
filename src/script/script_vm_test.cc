#include "script/script_vm.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "script/script_test_world.h"

namespace tandem {
namespace {

struct Case {
  Bytes code;
  Bytes reply;
  Bytes resp3 = {};  // where it differs
};

// Asked of redis-server.
constexpr Case kCases[] = {
    {"return 3.99", ":3\r\n"},
    {"return -3.99", ":-3\r\n"},
    {"return 1e300", ":-9223372036854775808\r\n"},
    {"return 0/0", ":-9223372036854775808\r\n"},
    {"return 'x'", "$1\r\nx\r\n"},
    {"return true", ":1\r\n"},
    {"return false", "$-1\r\n", "_\r\n"},
    {"return nil", "$-1\r\n", "_\r\n"},
    {"", "$-1\r\n", "_\r\n"},
    {"return function() end", "$-1\r\n", "_\r\n"},
    {"return {1,2,nil,3}", "*2\r\n:1\r\n:2\r\n"},
    {"return {1,'a',{2,{}},true,false,3.7}",
     "*6\r\n:1\r\n$1\r\na\r\n*2\r\n:2\r\n*0\r\n:1\r\n$-1\r\n:3\r\n",
     "*6\r\n:1\r\n$1\r\na\r\n*2\r\n:2\r\n*0\r\n:1\r\n_\r\n:3\r\n"},
    {"return {ok='a\\r\\nb'}", "+a  b\r\n"},
    {"return {err='MY x'}", "-MY x\r\n"},
    {"return {err=1}", "*0\r\n"},
    {"return {ok=1}", "*0\r\n"},
    {"return {a=1,2}", "*1\r\n:2\r\n"},
    {"return {double=1.5}", "$3\r\n1.5\r\n", ",1.5\r\n"},
    {"return {map={a=1}}", "*2\r\n$1\r\na\r\n:1\r\n", "%1\r\n$1\r\na\r\n:1\r\n"},
    {"return {set={a=true}}", "*1\r\n$1\r\na\r\n", "~1\r\n$1\r\na\r\n"},
    {"return {big_number='123'}", "$3\r\n123\r\n", "(123\r\n"},
    {"return {verbatim_string={format='txt',string='x'}}", "$1\r\nx\r\n", "=5\r\ntxt:x\r\n"},
    {"redis.setresp(3) return {true,false}", "*2\r\n:1\r\n:0\r\n", "*2\r\n#t\r\n#f\r\n"},
    {"local t={1}; setmetatable(t,{__index=function(t,k) return k<5 and k or nil end}) return t",
     "*1\r\n:1\r\n"},
    {"return redis.error_reply('x')", "-ERR x\r\n"},
    {"return redis.error_reply('-MY x')", "-MY x\r\n"},
    {"return redis.error_reply('MY x')", "-MY x\r\n"},
    {"return redis.error_reply('-x')", "-ERR x\r\n"},
    {"return redis.error_reply(1)", "-ERR wrong number or type of arguments\r\n"},
    {"return redis.status_reply('x')", "+x\r\n"},
    {"return redis.sha1hex('a')", "$40\r\n86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\r\n"},
    {"return redis.replicate_commands()", ":1\r\n"},
    {"return redis.acl_check_cmd('get','a')", ":1\r\n"},
    {"return redis.acl_check_cmd('set','a')", "$-1\r\n", "_\r\n"},
    {"return redis.foo", "$-1\r\n", "_\r\n"},
    {"return KEYS[1]", "$-1\r\n", "_\r\n"},
    {"return loadstring('return 1')()", ":1\r\n"},
    {"return tostring(loadstring('\\27abc'))", "$3\r\nnil\r\n"},
    {"return tostring(loadstring(string.dump(function() return 1 end)))", "$3\r\nnil\r\n"},
    {"local n=0 return load(function() n=n+1 return ({'return ','7'})[n] end)()", ":7\r\n"},
    {"return load(function() return nil end)()", "$-1\r\n", "_\r\n"},
    {"return select(2, load(function() error('x') end))", "$16\r\nuser_script:1: x\r\n"},
    {"return select(2, load(function() return {} end))",
     "$36\r\nreader function must return a string\r\n"},
    {"return {big_number='1\\r\\n2'}", "$4\r\n1  2\r\n", "(1  2\r\n"},
    {"return {verbatim_string={format='abcd',string='x'}}", "$1\r\nx\r\n", "=5\r\nabc:x\r\n"},
    {"return {verbatim_string={format='a',string='x'}}", "$1\r\nx\r\n", "=5\r\na  :x\r\n"},
    {"math.randomseed(1) return tostring(math.random())", "$17\r\n0.041630344484761\r\n"},
    {"return tostring(rawget(_G,'x'))", "$3\r\nnil\r\n"},
    {"return type(rawget(_G,'redis'))", "$5\r\ntable\r\n"},
    {"return type(getmetatable(_G))", "$5\r\ntable\r\n"},
    {"local ok,e=pcall(error,'x') return e", "$1\r\nx\r\n"},
    {"local ok,e=pcall(function() error('x') end) return e", "$16\r\nuser_script:1: x\r\n"},
    {"return select('#', pcall(function() return 1,2 end))", ":3\r\n"},
    {"return cjson.encode({1,2,{a=1}})", "$13\r\n[1,2,{\"a\":1}]\r\n"},
    {"return cjson.decode('[1,2]')[2]", ":2\r\n"},
    {"return bit.band(7,3)", ":3\r\n"},
    {"return bit.tohex(255)", "$8\r\n000000ff\r\n"},
    {"return bit.bnot(0)", ":-1\r\n"},
    {"return bit.lshift(1,31)", ":-2147483648\r\n"},
    {"return ('x'):rep(3)", "$3\r\nxxx\r\n"},
    {"local t={} for k,v in pairs({a=1,b=2}) do t[#t+1]=v end return #t", ":2\r\n"},
    {"local t={1,3} table.insert(t,2,2) table.insert(t,4) return t",
     "*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n"},
    {"local n=0 for k in pairs(string) do n=n+1 end return n > 10", ":1\r\n"},
};

TEST(ScriptVm, ConvertsAsRedisDoes) {
  ScriptTestWorld world;
  for (const Case& c : kCases) {
    EXPECT_EQ(world.run(c.code), c.reply) << c.code;
    EXPECT_EQ(world.run(c.code, 3), c.resp3.empty() ? c.reply : c.resp3) << c.code;
  }
}

// What follows " script: SHA, on @user_script:LINE." in every one of these.
constexpr Case kErrors[] = {
    {"return x", "ERR user_script:1: Script attempted to access nonexistent global variable 'x'"},
    {"x=1", "ERR user_script:1: Attempt to modify a readonly table"},
    {"redis.foo=1", "ERR user_script:1: Attempt to modify a readonly table"},
    {"string.foo=1", "ERR user_script:1: Attempt to modify a readonly table"},
    {"getmetatable(_G).__index=nil", "ERR user_script:1: Attempt to modify a readonly table"},
    {"getmetatable('').__index=nil", "ERR user_script:1: Attempt to modify a readonly table"},
    {"rawset(_G,'x',1)", "ERR Attempt to modify a readonly table"},
    {"setmetatable(_G,{})", "ERR Attempt to modify a readonly table"},
    {"table.insert(string,1)", "ERR Attempt to modify a readonly table"},
    {"local a=nil; a.b=1", "ERR user_script:1: attempt to index local 'a' (a nil value)"},
    {"error('boom')", "ERR user_script:1: boom"},
    {"error({err='MY boom'})", "MY boom"},
    {"error({err='boom'})", "boom"},
    {"error({})", "ERR unknown error"},
    {"error()", "ERR nil"},
    {"error(nil)", "ERR nil"},
    {"error(true)", "ERR true"},
    {"error(5)", "ERR user_script:1: 5"},
    {"error('-CODE text', 0)", "ERR -CODE text"},
    {"error({err=5})", "5"},
    {"local function f() return 1+f() end return f()", "ERR user_script:1: stack overflow"},
    {"return redis.call()", "ERR Please specify at least one argument for this redis lib call"},
    {"return redis.call({})", "ERR Lua redis lib command arguments must be strings or integers"},
    {"return redis.sha1hex()", "ERR wrong number of arguments"},
    {"return redis.log('x')", "ERR redis.log() requires two arguments or more."},
    {"return redis.log(9,'x')", "ERR Invalid debug level."},
    {"return redis.setresp(4)", "ERR RESP version must be 2 or 3."},
    {"return redis.setresp()", "ERR redis.setresp() requires one argument."},
    {"return redis.set_repl(99)",
     "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE."},
    {"return redis.acl_check_cmd('nosuch')", "ERR Invalid command passed to redis.acl_check_cmd()"},
    {"return print",
     "ERR user_script:1: Script attempted to access nonexistent global variable "
     "'print'"},
    {"return os", "ERR user_script:1: Script attempted to access nonexistent global variable 'os'"},
    {"return io", "ERR user_script:1: Script attempted to access nonexistent global variable 'io'"},
    {"return debug",
     "ERR user_script:1: Script attempted to access nonexistent global variable 'debug'"},
    {"return getfenv",
     "ERR user_script:1: Script attempted to access nonexistent global variable 'getfenv'"},
    {"return require",
     "ERR user_script:1: Script attempted to access nonexistent global variable 'require'"},
    {"return cjson.decode('[1,2')",
     "ERR user_script:1: Expected comma or array end but found "
     "T_END at character 5"},
    {"return redis.register_function('a')",
     "ERR user_script:1: attempt to call field 'register_function' (a nil value)"},
};

TEST(ScriptVm, ReportsErrorsAsRedisDoes) {
  ScriptTestWorld world;
  for (const Case& c : kErrors) {
    EXPECT_EQ(world.run(c.code),
              "-" + std::string(c.reply) + " script: SHA, on @user_script:1.\r\n")
        << c.code;
  }
}

// Those of redis-server but its own error handler; opening a library leaves nothing else behind.
TEST(ScriptVm, ScriptsSeeTheseGlobalsAndNoOthers) {
  ScriptTestWorld world;
  const std::string names =
      "ARGV KEYS _G _VERSION assert bit cjson cmsgpack collectgarbage coroutine error gcinfo "
      "getmetatable ipairs load loadstring math next pairs pcall rawequal rawget rawset redis "
      "select "
      "setmetatable string struct table tonumber tostring type unpack xpcall";
  EXPECT_EQ(world.run("local t = {} for k in pairs(_G) do t[#t + 1] = k end table.sort(t) "
                      "return table.concat(t, ' ')"),
            "$" + std::to_string(names.size()) + "\r\n" + names + "\r\n");
}

TEST(ScriptVm, NamesTheLineAndRefusesWhatDoesNotCompile) {
  ScriptTestWorld world;
  EXPECT_EQ(world.run("\nlocal x = {}\nreturn x.y.z"),
            "-ERR user_script:3: attempt to index field 'y' (a nil value) script: SHA, on "
            "@user_script:3.\r\n");
  EXPECT_EQ(world.run("return )"),
            "-ERR Error compiling script (new function): user_script:1: "
            "unexpected symbol near ')'");
  EXPECT_TRUE(world.run("\x1bLua").starts_with("-ERR Error compiling script"));
}

TEST(ScriptVm, HandsOutKeysAndArguments) {
  ScriptTestWorld world;
  EXPECT_EQ(world.run("return {#KEYS, KEYS[2], ARGV[1]}", 2, {"a", "b"}, {"c"}),
            "*3\r\n:2\r\n$1\r\nb\r\n$1\r\nc\r\n");
  EXPECT_EQ(world.run("return {#KEYS, #ARGV}"), "*2\r\n:0\r\n:0\r\n");
}

TEST(ScriptVm, CallsTheHost) {
  ScriptTestWorld world;
  EXPECT_EQ(world.run("return redis.call('set', 'k', 10)"), "+OK\r\n");
  EXPECT_EQ(world.host.asked, (std::vector<std::string>{"set", "k", "10"}));
  EXPECT_EQ(world.host.asked_protocol, 2);
  world.run("redis.setresp(3) redis.call('x', 1e20, 0.1, 1e15)");
  EXPECT_EQ(world.host.asked, (std::vector<std::string>{"x", "1e+20", "0.1", "1000000000000000"}));
  EXPECT_EQ(world.host.asked_protocol, 3);
  world.run("redis.call('x')");
  EXPECT_EQ(world.host.asked_protocol, 2);
  world.run("redis.call('x', -0.0, 0/0, 2^60)");
  EXPECT_EQ(world.host.asked, (std::vector<std::string>{"x", "0", "-nan", "1152921504606846976"}));
}

// As redis-server from its start on.
TEST(ScriptVm, ChanceGoesOnFromScriptToScript) {
  ScriptTestWorld world;
  EXPECT_EQ(world.run("return math.random(1000)"), ":397\r\n");
  EXPECT_EQ(world.run("return math.random(1000)"), ":841\r\n");
  world.run("math.randomseed(5) return math.random(1000)");
  EXPECT_EQ(world.run("return math.random(1000)"), ":273\r\n");
}

TEST(ScriptVm, TellsTheHostWhatReplicasAreToHear) {
  ScriptTestWorld world;
  world.run("redis.set_repl(redis.REPL_AOF)");
  EXPECT_FALSE(world.host.replicates);
  world.run("redis.set_repl(redis.REPL_SLAVE)");
  EXPECT_TRUE(world.host.replicates);
  world.run("redis.set_repl(redis.REPL_NONE)");
  EXPECT_FALSE(world.host.replicates);
  world.run("redis.set_repl(redis.REPL_ALL)");
  EXPECT_TRUE(world.host.replicates);
}

TEST(ScriptVm, ReadsTheHostsReplies) {
  ScriptTestWorld world;
  const auto answered = [&](Bytes answer, Bytes code) {
    world.host.answer = answer;
    return world.run(code);
  };
  EXPECT_EQ(answered("+OK\r\n", "return redis.call('x').ok"), "$2\r\nOK\r\n");
  EXPECT_EQ(answered("$-1\r\n", "return tostring(redis.call('x'))"), "$5\r\nfalse\r\n");
  EXPECT_EQ(answered("*-1\r\n", "return tostring(redis.call('x'))"), "$5\r\nfalse\r\n");
  EXPECT_EQ(answered("_\r\n", "return tostring(redis.call('x'))"), "$3\r\nnil\r\n");
  EXPECT_EQ(answered("*2\r\n$1\r\na\r\n*1\r\n:5\r\n", "return redis.call('x')"),
            "*2\r\n$1\r\na\r\n*1\r\n:5\r\n");
  EXPECT_EQ(answered("%1\r\n$1\r\nf\r\n$1\r\nv\r\n", "return redis.call('x').map.f"),
            "$1\r\nv\r\n");
  EXPECT_EQ(answered("~1\r\n$1\r\nx\r\n", "return redis.call('x').set.x"), ":1\r\n");
  EXPECT_EQ(answered(",1.25\r\n", "return redis.call('x')"), "$4\r\n1.25\r\n");
  EXPECT_EQ(answered("#t\r\n", "return tostring(redis.call('x'))"), "$4\r\ntrue\r\n");
  EXPECT_EQ(answered("(12\r\n", "return redis.call('x').big_number"), "$2\r\n12\r\n");
  EXPECT_EQ(answered("=5\r\ntxt:x\r\n", "return redis.call('x').verbatim_string.string"),
            "$1\r\nx\r\n");
  EXPECT_EQ(answered("-WRONGTYPE no\r\n", "return redis.call('x')"),
            "-WRONGTYPE no script: SHA, on @user_script:1.\r\n");
  EXPECT_EQ(answered("-WRONGTYPE no\r\n", "return redis.pcall('x')"), "-WRONGTYPE no\r\n");
  EXPECT_EQ(answered("-WRONGTYPE no\r\n", "local ok,e=pcall(redis.call,'x') return {type(e),e}"),
            "*2\r\n$6\r\nstring\r\n$12\r\nWRONGTYPE no\r\n");
}

TEST(ScriptVm, LeavesNothingForTheNextScript) {
  ScriptTestWorld world;
  world.run("pcall(function() string.rep = nil end) KEYS.x = 1");
  EXPECT_EQ(world.run("return {type(string.rep), tostring(KEYS.x)}"),
            "*2\r\n$8\r\nfunction\r\n$3\r\nnil\r\n");
  world.run("for k, t in pairs({string, table, _G, redis}) do pcall(rawset, t, 'evil', 1) end");
  EXPECT_EQ(world.run("return tostring(string.evil)"), "$3\r\nnil\r\n");
  // The real table of a library never comes into a script's hands.
  EXPECT_EQ(world.run("local f, t = pairs(string) return rawequal(t, string)"), ":1\r\n");
}

TEST(ScriptVm, AnEndlessScriptIsStopped) {
  ScriptTestWorld world;
  for (const Bytes code :
       {"while true do end", "while true do pcall(function() while true do end end) end",
        "local function f() return f() end f()",
        "coroutine.wrap(function() while true do end end)()",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "local function f() while true do coroutine.resume(coroutine.create(f)) end end f()",
        "while true do xpcall(coroutine.wrap(function() while true do end end), type) end",
        "while true do xpcall(function() while true do end end, type) end"}) {
    world.host.stop_after = 2;
    EXPECT_TRUE(world.run(code).starts_with("-ERR stopped script: SHA")) << code;
  }
  world.host.stop_after = INT64_MAX;
  EXPECT_EQ(world.run("local n = 0 for i = 1, 1000000 do n = n + 1 end return n"), ":1000000\r\n");
}

TEST(ScriptVm, AGreedyScriptHitsTheLimit) {
  ScriptTestWorld world(size_t{8} << 20);
  for (const Bytes code : {"return #string.rep('x', 1e9)",
                           "local t = {} while true do t[#t+1] = string.rep('x', 1e5) .. #t end",
                           "local s = 'x' while true do s = s .. s end"}) {
    EXPECT_TRUE(world.run(code).starts_with("-ERR")) << code;
    EXPECT_FALSE(world.vm.is_crowded());
  }
  EXPECT_EQ(world.run("local t = {} for i = 1, 1000 do t[i] = i end return #t"), ":1000\r\n");
  world.host.answer = "$10000000\r\n" + std::string(10000000, 'x') + "\r\n";
  EXPECT_TRUE(world.run("return redis.call('x')").starts_with("-ERR not enough memory"));
  std::string large(10000000, 'x');
  EXPECT_TRUE(world.run("return 1", 2, {large}).starts_with("-ERR not enough memory"));
  EXPECT_EQ(world.run("return 1"), ":1\r\n");
}

TEST(ScriptVm, ATableInItselfEndsSomewhere) {
  ScriptTestWorld world;
  const std::string reply = world.run("local t = {} t[1] = t return t");
  EXPECT_TRUE(reply.starts_with("*1\r\n*1\r\n"));
  EXPECT_TRUE(reply.ends_with("-ERR reached lua stack limit\r\n"));
}

}  // namespace
}  // namespace tandem
