#include <string>

#include <gtest/gtest.h>

#include "script/lua/libraries.h"
#include "script/script_test_world.h"

namespace tandem {
namespace {

struct Case {
  Bytes code;
  Bytes results;  // joined by "|"
};

std::string joined(ScriptTestWorld& world, Bytes code) {
  const std::string reply = world.run(
      "local function all(...) local o = {} for i = 1, select('#', ...) do "
      "o[i] = tostring((select(i, ...))) end return table.concat(o, '|') end return all(" +
      std::string(code) + ")");
  const std::string prefix = "-ERR user_script:1: ";
  if (reply.starts_with(prefix)) {
    return reply.substr(prefix.size(), reply.find(" script: ") - prefix.size());
  }
  const size_t start = reply.find('\n') + 1;
  return reply.substr(start, reply.size() - start - 2);
}

// Asked of redis-server.
constexpr Case kCases[] = {
    {"('hello world'):find('wor')", "7|9"},
    {"('hello world'):find('o', 6)", "8|8"},
    {"('hello'):find('l', -2)", "4|4"},
    {"('hello world'):find('(o)( )')", "5|6|o| "},
    {"('a.b'):find('.', 1, true)", "2|2"},
    {"('a.b'):find('%.')", "2|2"},
    {"('abc'):find('', 10)", "4|3"},
    {"('abc'):find('x')", "nil"},
    {"('a\\0b'):find('b')", "3|3"},
    {"('a\\0b'):find('%z')", "2|2"},
    {"('key=val'):match('(%w+)=(%w+)')", "key|val"},
    {"('abc'):match('()b()')", "2|3"},
    {"('abc'):match('.-')", ""},
    {"('abc'):match('^b')", "nil"},
    {"('abc'):match('c$')", "c"},
    {"('a$'):match('a$')", "nil"},
    {"('f(a(b)c)d'):match('%b()')", "(a(b)c)"},
    {"('THE (quick) fox'):find('%f[%a]%a+%f[%A]')", "1|3"},
    {"('a-b'):match('[a%-b]+')", "a-b"},
    {"('a]b'):match('[]]')", "]"},
    {"('a^b'):match('[%^]')", "^"},
    {"('abc'):match('[^a]+')", "bc"},
    {"('x-'):match('[a-]')", "-"},
    {"('  x '):match('^%s*(.-)%s*$')", "x"},
    {"('abcabc'):match('(a)(b)(c)%1')", "a|b|c"},
    {"('aaa'):match('a?a?a?a')", "aaa"},
    {"('abc abc'):gsub('b', 'x')", "axc axc|2"},
    {"('abc abc'):gsub('b', 'x', 1)", "axc abc|1"},
    {"('hello'):gsub('l', '<%0>')", "he<l><l>o|2"},
    {"('hello'):gsub('(h)(e)', '%2%1')", "ehllo|1"},
    {"('hello'):gsub('', '-')", "-h-e-l-l-o-|6"},
    {"('hello'):gsub('^h', 'x')", "xello|1"},
    {"('hello'):gsub('l', {l = 'L'})", "heLLo|2"},
    {"('hello'):gsub('l', string.upper)", "heLLo|2"},
    {"('hello'):gsub('l', function() return nil end)", "hello|2"},
    {"('hello'):gsub('l', 5)", "he55o|2"},
    {"('abc'):gsub('%w', '%%%0')", "%a%b%c|3"},
    {"('one two'):gmatch('%a+')()", "one"},
    {"('one two'):gfind('%a+')()", "one"},
    {"('x'):rep(3)", "xxx"},
    {"('x'):rep(-1)", ""},
    {"(''):rep(2^31 - 1)", ""},
    {"('abc'):find('[a')", "malformed pattern (missing ']')"},
    {"('abc'):find('%')", "malformed pattern (ends with '%')"},
    {"('abc'):find('(')", "unfinished capture"},
    {"('abc'):match('a)')", "invalid pattern capture"},
    {"('abc'):find('%1')", "invalid capture index"},
    {"('abc'):find('%b')", "unbalanced pattern"},
    {"('abc'):find('%f')", "missing '[' after '%f' in pattern"},
    {"('abc'):find(('()'):rep(33))", "too many captures"},
    {"('hello'):gsub('l', '%2')", "invalid capture index"},
    {"('hello'):gsub('l', true)", "bad argument #2 to 'gsub' (string/function/table expected)"},
    {"('hello'):gsub('l', function() return {} end)", "invalid replacement value (a table)"},
};

TEST(LuaString, FindsAndReplacesAsLuaDoes) {
  ScriptTestWorld world;
  for (const Case& c : kCases) EXPECT_EQ(joined(world, c.code), c.results) << c.code;
}

TEST(LuaString, APatternCannotExhaustTheStack) {
  ScriptTestWorld world;
  for (const Bytes item : {"a?", "a-", "a*", "()", "(a)"}) {
    const std::string reply = world.run("return ('a'):rep(1000000):find(('" + std::string(item) +
                                        "'):rep(300000) .. 'b')");
    EXPECT_TRUE(reply.find("pattern too complex") != std::string::npos ||
                reply.find("too many captures") != std::string::npos)
        << reply;
  }
}

TEST(LuaString, WhatRunsForeverInsideAFunctionIsStopped) {
  ScriptTestWorld world;
  for (const Bytes code :
       {"return ('a'):rep(30000):find(('.-'):rep(50) .. 'b')",
        "return ('a'):rep(30000):gsub(('a*'):rep(50) .. 'b', '')",
        "return ('('):rep(1000000):gsub('%b()', '')", "table.insert({}, -2^31, 1)"}) {
    world.host.stop_after = 3;
    EXPECT_TRUE(world.run(code).starts_with("-ERR stopped script: SHA")) << code;
  }
}

TEST(LuaString, JsonCannotGrowWithoutEnd) {
  ScriptTestWorld world;
  for (const Bytes code :
       {"local t = {1} for i = 1, 15 do t = {t, t, t, t, t, t, t, t, t, t} end "
        "return cjson.encode(t)",
        "local s, t = ('x'):rep(1e6), {} for i = 1, 1000 do t[i] = s end return cjson.encode(t)",
        "cjson.encode_sparse_array(false, 0) return cjson.encode({[1e9] = 1})",
        "local t = {1} for i = 1, 15 do t = {t, t, t, t, t, t, t, t, t, t} end "
        "return cjson.new().encode(t)"}) {
    const std::string reply = world.run(code);
    EXPECT_TRUE(reply.starts_with("-ERR user_script:1: not enough memory")) << reply;
  }
  world.run("cjson.encode_sparse_array(true, 2, 10)");
  EXPECT_EQ(world.run("return cjson.encode({[1e9] = 1})"), "$16\r\n{\"1000000000\":1}\r\n");
  EXPECT_EQ(world.run("local t = {} t[1] = t return {pcall(cjson.encode, t)}"),
            "*2\r\n$-1\r\n$42\r\nCannot serialise, excessive nesting (1001)\r\n");
  EXPECT_EQ(world.run("return cjson.new().encode({1, 'a\\n', {b = true}})"),
            "$20\r\n[1,\"a\\n\",{\"b\":true}]\r\n");
}

}  // namespace
}  // namespace tandem
