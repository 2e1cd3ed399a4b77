#include <string>

#include <gtest/gtest.h>

#include "base/random.h"
#include "script/lua/libraries.h"
#include "script/script_test_world.h"

namespace tandem {
namespace {

struct Case {
  Bytes code;
  Bytes reply;
};

// The reply in hexadecimal digits.
constexpr Bytes kHexOfPacked =
    "local h = '' for c in cmsgpack.pack(VALUE):gmatch('.') do h = h .. "
    "bit.tohex(c:byte(), 2) end return h";

std::string packed(ScriptTestWorld& world, Bytes value) {
  std::string code(kHexOfPacked);
  code.replace(code.find("VALUE"), 5, value);
  const std::string reply = world.run(code);
  if (reply.starts_with('-')) return reply;
  const size_t start = reply.find('\n') + 1;
  return reply.substr(start, reply.size() - start - 2);
}

// Asked of redis-server.
constexpr Case kPacked[] = {
    {"0", "00"},
    {"-0.0", "00"},
    {"127", "7f"},
    {"128", "cc80"},
    {"255", "ccff"},
    {"256", "cd0100"},
    {"65535", "cdffff"},
    {"65536", "ce00010000"},
    {"2^32-1", "ceffffffff"},
    {"2^32", "cf0000000100000000"},
    {"2^63-1025", "cf7ffffffffffffc00"},
    {"2^63", "ca5f000000"},
    {"-1", "ff"},
    {"-32", "e0"},
    {"-33", "d0df"},
    {"-128", "d080"},
    {"-129", "d1ff7f"},
    {"-32768", "d18000"},
    {"-32769", "d2ffff7fff"},
    {"-2^31", "d280000000"},
    {"-2^31-1", "d3ffffffff7fffffff"},
    {"-2^63", "d38000000000000000"},
    {"1.5", "ca3fc00000"},
    {"0.1", "cb3fb999999999999a"},
    {"1/0", "ca7f800000"},
    {"-1/0", "caff800000"},
    {"0/0", "cbfff8000000000000"},
    {"2^-149", "ca00000001"},
    {"2^-150", "cb3690000000000000"},
    {"nil", "c0"},
    {"true", "c3"},
    {"false", "c2"},
    {"cjson.null", "c0"},
    {"type", "c0"},
    {"''", "a0"},
    {"'abc'", "a3616263"},
    {"('x'):rep(31)", "bf78787878787878787878787878787878787878787878787878787878787878"},
    {"('x'):rep(32)", "d9207878787878787878787878787878787878787878787878787878787878787878"},
    {"{}", "90"},
    {"{1, 2}", "920102"},
    {"{nil, 2}", "810202"},
    {"{[0] = 1}", "810001"},
    {"{[1.5] = 1}", "81ca3fc0000001"},
    {"{a = 1}", "81a16101"},
    {"{[true] = {}}", "81c390"},
    {"{[1/0] = 1}", "81ca7f80000001"},
    {"1, 2, 'a'", "0102a161"},
    {"nil, nil", "c0c0"},
    {"{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}",
     "dc00100102030405060708090a0b0c0d0e0f10"},
    {"setmetatable({1}, {__index = function() return 7 end})", "9101"},
};

TEST(LuaMsgpack, PacksInRedissBytes) {
  ScriptTestWorld world;
  for (const Case& c : kPacked) EXPECT_EQ(packed(world, c.code), c.reply) << c.code;
}

TEST(LuaMsgpack, LongLengthsTakeTheirTypes) {
  ScriptTestWorld world;
  const auto head = [&](Bytes code) {
    return world.run("return cmsgpack.pack(" + std::string(code) + "):sub(1, 5)");
  };
  EXPECT_EQ(head("('x'):rep(255)"), "$5\r\n\xd9\xffxxx\r\n");
  EXPECT_EQ(head("('x'):rep(256)"), Bytes("$5\r\n\xda\x01\0xx\r\n", 11));
  EXPECT_EQ(head("('x'):rep(65536)"), Bytes("$5\r\n\xdb\0\x01\0\0\r\n", 11));
  EXPECT_EQ(world.run("local t = {} for i = 1, 65536 do t[i] = 1 end "
                      "return cmsgpack.pack(t):sub(1, 5)"),
            Bytes("$5\r\n\xdd\0\x01\0\0\r\n", 11));
  EXPECT_EQ(world.run("local t = {} for i = 2, 65537 do t[i] = 1 end "
                      "return cmsgpack.pack(t):sub(1, 5)"),
            Bytes("$5\r\n\xdf\0\x01\0\0\r\n", 11));
}

TEST(LuaMsgpack, ATableDeeperThanSixteenIsNil) {
  ScriptTestWorld world;
  EXPECT_EQ(world.run("local t = {} t[1] = t return cmsgpack.pack(t)"),
            "$17\r\n" + std::string(16, '\x91') + "\xc0\r\n");
}

// Asked of redis-server.
constexpr Case kRead[] = {
    {R"(return {cmsgpack.unpack('')})", "*0\r\n"},
    {R"(return {cmsgpack.unpack('\1\2\3')})", "*3\r\n:1\r\n:2\r\n:3\r\n"},
    {R"(return cmsgpack.unpack('\224'))", ":-32\r\n"},
    {R"(return cmsgpack.unpack('\204\255'))", ":255\r\n"},
    {R"(return cmsgpack.unpack('\205\255\255'))", ":65535\r\n"},
    {R"(return cmsgpack.unpack('\206\255\255\255\255'))", ":4294967295\r\n"},
    {R"(return cmsgpack.unpack('\207' .. ('\255'):rep(8)))", ":-1\r\n"},
    {R"(return cmsgpack.unpack('\208\128'))", ":-128\r\n"},
    {R"(return cmsgpack.unpack('\209\255\254'))", ":-2\r\n"},
    {R"(return cmsgpack.unpack('\210\255\255\255\253'))", ":-3\r\n"},
    {R"(return cmsgpack.unpack('\211' .. ('\255'):rep(8)))", ":-1\r\n"},
    {R"(return tostring(cmsgpack.unpack('\202\63\192\0\0')))", "$3\r\n1.5\r\n"},
    {R"(return tostring(cmsgpack.unpack('\203\63\240\0\0\0\0\0\0')))", "$1\r\n1\r\n"},
    {R"(return cmsgpack.unpack('\217\1x'))", "$1\r\nx\r\n"},
    {R"(return cmsgpack.unpack('\218\0\1x'))", "$1\r\nx\r\n"},
    {R"(return cmsgpack.unpack('\219\0\0\0\1x'))", "$1\r\nx\r\n"},
    {R"(return cmsgpack.unpack('\220\0\1\7'))", "*1\r\n:7\r\n"},
    {R"(return cmsgpack.unpack('\221\0\0\0\1\7'))", "*1\r\n:7\r\n"},
    {R"(return cmsgpack.unpack('\222\0\1\161a\7').a)", ":7\r\n"},
    {R"(return cmsgpack.unpack('\223\0\0\0\1\161a\7').a)", ":7\r\n"},
    {R"(return {cmsgpack.unpack_one('\1\2\3')})", "*2\r\n:1\r\n:1\r\n"},
    {R"(return {cmsgpack.unpack_one('\1\2\3', 2)})", "*2\r\n:-1\r\n:3\r\n"},
    {R"(return {cmsgpack.unpack_one('')})", "*1\r\n:-1\r\n"},
    {R"(return {cmsgpack.unpack_limit('\1\2\3', 2)})", "*3\r\n:2\r\n:1\r\n:2\r\n"},
    {R"(return {cmsgpack.unpack_limit('\1\2\3', 9, 1)})", "*3\r\n:-1\r\n:2\r\n:3\r\n"},
    {R"(return {cmsgpack.unpack_limit('\1\2\3', 0, 2)})", "*1\r\n:2\r\n"},
    {R"(return {cmsgpack.unpack_limit('\1\2\3', 0)})", "*3\r\n:1\r\n:2\r\n:3\r\n"},
    {R"(return {cmsgpack._NAME, cmsgpack._VERSION})",
     "*2\r\n$8\r\ncmsgpack\r\n$18\r\nlua-cmsgpack 0.4.0\r\n"},
};

TEST(LuaMsgpack, ReadsWhatRedisReads) {
  ScriptTestWorld world;
  for (const Case& c : kRead) EXPECT_EQ(world.run(c.code), c.reply) << c.code;
}

constexpr Bytes kMissing = "user_script:1: Missing bytes in input.";
constexpr Bytes kBad = "user_script:1: Bad data format in input.";

// What follows "ERR " and precedes " script: ".
constexpr Case kRefused[] = {
    {R"(cmsgpack.unpack('\145'))", kMissing},
    {R"(cmsgpack.unpack('\129\1'))", kMissing},
    {R"(cmsgpack.unpack('\161'))", kMissing},
    {R"(cmsgpack.unpack('\217'))", kMissing},
    {R"(cmsgpack.unpack('\219\255\255\255\255x'))", kMissing},
    {R"(cmsgpack.unpack('\221\255\255\255\255'))", kMissing},
    {R"(cmsgpack.unpack('\223\255\255\255\255'))", kMissing},
    {R"(cmsgpack.unpack('\203\1\1\1\1\1\1\1'))", kMissing},
    {R"(cmsgpack.unpack('\193'))", kBad},
    {R"(cmsgpack.unpack('\196\1x'))", kBad},
    {R"(cmsgpack.unpack('\199\0\1'))", kBad},
    {R"(cmsgpack.unpack('\212\1\1'))", kBad},
    {R"(cmsgpack.unpack('\129\192\1'))", "table index is nil"},
    {R"(cmsgpack.unpack('\129\202\127\192\0\0\1'))", "table index is NaN"},
    {R"(cmsgpack.unpack_one('\1', 2))",
     "user_script:1: Start offset 2 greater than input length 1."},
    {R"(cmsgpack.unpack_one('\1', -1))",
     "user_script:1: Invalid request to unpack with offset of -1 and limit of 1."},
    {R"(cmsgpack.unpack_limit('\1'))",
     "user_script:1: bad argument #2 to 'unpack_limit' (number expected, got no value)"},
    {R"(cmsgpack.pack())",
     "user_script:1: bad argument #0 to 'pack' (MessagePack pack needs input.)"},
    {R"(local t = {} for i = 1, 7900 do t[i] = 1 end cmsgpack.pack(unpack(t)))",
     "user_script:1: bad argument #0 to 'pack' (Too many arguments for MessagePack pack.)"},
    {R"(cmsgpack.unpack(('\145'):rep(100000)))",
     "user_script:1: stack overflow (in function mp_decode_to_lua_array)"},
    {R"(cmsgpack.unpack(('\1'):rep(100000)))",
     "user_script:1: stack overflow (too many return values at once; use unpack_one or "
     "unpack_limit instead.)"},
    {R"(cmsgpack.pack = nil)", "user_script:1: Attempt to modify a readonly table"},
};

TEST(LuaMsgpack, RefusesWhatIsNoMessage) {
  ScriptTestWorld world;
  for (const Case& c : kRefused) {
    const std::string reply = world.run(c.code);
    EXPECT_EQ(reply.substr(0, reply.find(" script: ")), "-ERR " + std::string(c.reply)) << c.code;
  }
}

TEST(LuaMsgpack, WhatIsPackedReadsTheSame) {
  ScriptTestWorld world;
  EXPECT_EQ(world.run("math.randomseed(7) "
                      "local function value(depth) "
                      "  local kind = math.random(depth > 5 and 5 or 7) "
                      "  if kind == 1 then return math.random(-70000, 70000) * 2 ^ "
                      "math.random(0, 40) "
                      "  elseif kind == 2 then return math.random() * 10 ^ math.random(-300, 300) "
                      "  elseif kind == 3 then return ('x'):rep(math.random(0, 300)) "
                      "  elseif kind < 6 then return math.random(2) == 1 end "
                      "  local t = {} for i = 1, math.random(0, 20) do "
                      "    t[kind == 6 and i or 'k' .. i] = value(depth + 1) end "
                      "  return t end "
                      "local function same(a, b) "
                      "  if type(a) ~= 'table' or type(b) ~= 'table' then return a == b end "
                      "  for k, v in pairs(a) do if not same(v, b[k]) then return false end end "
                      "  for k in pairs(b) do if a[k] == nil then return false end end "
                      "  return true end "
                      "for i = 1, 300 do local v = value(0) "
                      "  if not same(v, cmsgpack.unpack(cmsgpack.pack(v))) then return i end end "
                      "return 'same'"),
            "$4\r\nsame\r\n");
}

TEST(LuaMsgpack, NoBytesDoHarm) {
  ScriptTestWorld world(size_t{8} << 20);
  Random random(11);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random.below(40), '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random.below(2) == 0 ? random.below(256) : 0x80 + random.below(96));
    }
    const std::string reply =
        world.run("return select('#', cmsgpack.unpack(ARGV[1]))", 2, {}, {bytes});
    const bool refused = reply.find("Missing bytes in input.") != std::string::npos ||
                         reply.find("Bad data format in input.") != std::string::npos ||
                         reply.find("table index is") != std::string::npos;
    ASSERT_TRUE(reply.starts_with(':') || refused) << reply;
  }
}

TEST(LuaMsgpack, AMessageThatGrowsWithoutEndHitsTheLimit) {
  ScriptTestWorld world(size_t{8} << 20);
  const std::string reply = world.run(
      "local t = {} for i = 1, 15 do t = {t, t, t, t, t, t, t, t, t, t} end "
      "return #cmsgpack.pack(t)");
  EXPECT_TRUE(reply.starts_with("-ERR not enough memory")) << reply;
  EXPECT_EQ(world.run("return 1"), ":1\r\n");
}

}  // namespace
}  // namespace tandem
