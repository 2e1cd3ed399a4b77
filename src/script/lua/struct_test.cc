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

std::string packed(ScriptTestWorld& world, Bytes arguments) {
  const std::string reply =
      world.run("local h = '' for c in struct.pack(" + std::string(arguments) +
                "):gmatch('.') do h = h .. bit.tohex(c:byte(), 2) end return h");
  if (reply.starts_with('-')) return reply;
  const size_t start = reply.find('\n') + 1;
  return reply.substr(start, reply.size() - start - 2);
}

// Asked of redis-server.
constexpr Case kPacked[] = {
    {"''", ""},
    {"'bBhH', -1, 255, -2, 65535", "fffffeffffff"},
    {"'>h<h>h', 1, 1, 1", "000101000001"},
    {"'i', 65", "41000000"},
    {"'lLT', 1, 2, 3", "010000000000000002000000000000000300000000000000"},
    {"'>I3', 258", "000102"},
    {"'<i9', -2", "feffffffffffffff00"},
    {"'>I16', -5", "0000000000000000fffffffffffffffb"},
    {"'i0', 7", ""},
    {"'b', 300", "2c"},
    {"'b', '12'", "0c"},
    {"'i', 2^40 + 1", "01000000"},
    {"'l', 1e19", "0000e8890423c78a"},
    {"'l', 2^64", "0000000000000000"},
    {"'l', 0/0", "0000000000000080"},
    {"'l', -1e300", "0000000000000080"},
    {"'b', -1.5", "ff"},
    {"'>f', 1.5", "3fc00000"},
    {"'>f', 1e39", "7f800000"},
    {"'>d', 1.5", "3ff8000000000000"},
    {"'s', 'abc'", "61626300"},
    {"'c3', 'abcdef'", "616263"},
    {"'c', 'abc'", "61"},
    {"'c0', 'abcdef'", "616263646566"},
    {"'xxb', 1", "000001"},
    {"'b', 1, 2", "01"},
    {"'bi', 1, 2", "0102000000"},
    {"'!bi', 1, 2", "0100000002000000"},
    {"'!2bi', 1, 2", "010002000000"},
    {"'!4bd', 1, 2", "010000000000000000000040"},
    {"'!bd', 1, 2", "01000000000000000000000000000040"},
    {"'!4 b i3 i4', 1, 2, 3", "010000020000000003000000"},
    {"'!bsh', 1, 'ab', 2", "016162000200"},
    {"'b\\0=', 1", "01"},
};

TEST(LuaStruct, PacksInRedissBytes) {
  ScriptTestWorld world;
  for (const Case& c : kPacked) EXPECT_EQ(packed(world, c.code), c.reply) << c.code;
}

// Asked of redis-server.
constexpr Case kRead[] = {
    {R"({struct.unpack('bBhH', '\255\255\254\255\255\255')})",
     "*5\r\n:-1\r\n:255\r\n:-2\r\n:65535\r\n:7\r\n"},
    {R"({struct.unpack('>h<h', '\0\1\1\0')})", "*3\r\n:1\r\n:1\r\n:5\r\n"},
    {R"({struct.unpack('i3I3', ('\255'):rep(6))})", "*3\r\n:-1\r\n:16777215\r\n:7\r\n"},
    {R"({struct.unpack('l', ('\255'):rep(8))})", "*2\r\n:-1\r\n:9\r\n"},
    {R"({struct.unpack('i9', '\200' .. ('\0'):rep(8))})", "*2\r\n:-56\r\n:10\r\n"},
    {R"({struct.unpack('i16', '\200' .. ('\0'):rep(15))})", "*2\r\n:200\r\n:17\r\n"},
    {R"({struct.unpack('i0', 'a')})", "*2\r\n:0\r\n:1\r\n"},
    {R"(tostring(struct.unpack('L', ('\255'):rep(8))))", "$18\r\n1.844674407371e+19\r\n"},
    {R"(tostring(struct.unpack('>f', '\63\192\0\0')))", "$3\r\n1.5\r\n"},
    {R"(tostring(struct.unpack('d', '\0\0\0\0\0\0\248\63')))", "$3\r\n1.5\r\n"},
    {R"({struct.unpack('s', 'abc\0d')})", "*2\r\n$3\r\nabc\r\n:5\r\n"},
    {R"({struct.unpack('c2', 'abc')})", "*2\r\n$2\r\nab\r\n:3\r\n"},
    {R"({struct.unpack('bc0b', '\2abc')})", "*3\r\n$2\r\nab\r\n:99\r\n:5\r\n"},
    {R"({struct.unpack('bbc0c1', '\5\1abc')})", "*4\r\n:5\r\n$1\r\na\r\n$1\r\nb\r\n:5\r\n"},
    {R"({struct.unpack('sc0', '2\0ab')})", "*2\r\n$2\r\nab\r\n:5\r\n"},
    {R"({struct.unpack('b', 'ab', 2)})", "*2\r\n:98\r\n:3\r\n"},
    {R"({struct.unpack('', 'ab', 9)})", "*1\r\n:9\r\n"},
    {R"({struct.unpack('!4i', '\1\1\0\0\2\0\0\0', 2)})", "*2\r\n:2\r\n:9\r\n"},
    {R"(struct.size('!bi16'))", ":24\r\n"},
    {R"(struct.size('!16bi3'))", ":6\r\n"},
    {R"(struct.size('xxij0'))", ":6\r\n"},
    {R"(struct.size('c2147483647c2147483647'))", ":4294967294\r\n"},
};

TEST(LuaStruct, ReadsWhatRedisReads) {
  ScriptTestWorld world;
  for (const Case& c : kRead) {
    EXPECT_EQ(world.run("return " + std::string(c.code)), c.reply) << c.code;
  }
}

constexpr Bytes kShort = "bad argument #2 to 'unpack' (data string too short)";

// What follows "ERR user_script:1: " and precedes " script: ".
constexpr Case kRefused[] = {
    {"struct.pack()", "bad argument #1 to 'pack' (string expected, got no value)"},
    {"struct.pack('b')", "bad argument #2 to 'pack' (number expected, got nil)"},
    {"struct.pack('bb', 1)", "bad argument #3 to 'pack' (number expected, got nil)"},
    {"struct.pack('b', {})", "bad argument #2 to 'pack' (number expected, got table)"},
    {"struct.pack('c3', 'ab')", "bad argument #3 to 'pack' (string too short)"},
    {"struct.pack('j', 1)", "bad argument #1 to 'pack' (invalid format option 'j')"},
    {"struct.pack('!3b', 1)", "alignment 3 is not a power of 2"},
    {"struct.pack('!0b', 1)", "alignment 0 is not a power of 2"},
    {"struct.pack('i33', 1)", "integral size 33 is larger than limit of 32"},
    {"struct.pack('i2147483648', 1)", "integral size overflow"},
    {"struct.unpack('b', '')", kShort},
    {"struct.unpack('b', 'ab', 3)", kShort},
    {"struct.unpack('b', 'ab', -1)", kShort},
    {"struct.unpack('x', 'ab', 2^40)", kShort},
    {"struct.unpack('b', 'ab', 0)", "bad argument #3 to 'unpack' (offset must be 1 or greater)"},
    {"struct.unpack('c2147483647', 'a')", kShort},
    {"struct.unpack('bc0', '\\9a')", kShort},
    {"struct.unpack('bc0', '\\255a')", kShort},
    {"struct.unpack('c0', 'a')", "format 'c0' needs a previous size"},
    {"struct.unpack('bc0c0', '\\1ab')", "format 'c0' needs a previous size"},
    {"struct.unpack('s', 'abc')", "unfinished string in data"},
    {"struct.unpack(('b'):rep(9000), ('a'):rep(9000))", "stack overflow (too many results)"},
    {"struct.size('s')", "bad argument #1 to 'size' (option 's' has no fixed size)"},
    {"struct.size('c0')", "bad argument #1 to 'size' (option 'c0' has no fixed size)"},
    {"struct.size('=')", "bad argument #1 to 'size' (invalid format option '=')"},
    {"struct.pack = nil", "Attempt to modify a readonly table"},
};

TEST(LuaStruct, RefusesWhatDoesNotFit) {
  ScriptTestWorld world;
  for (const Case& c : kRefused) {
    const std::string reply = world.run(c.code);
    EXPECT_EQ(reply.substr(0, reply.find(" script: ")),
              "-ERR user_script:1: " + std::string(c.reply))
        << c.code;
  }
}

TEST(LuaStruct, NoBytesDoHarm) {
  static constexpr Bytes kOptions = "bBhHlLTiIfdscx<>! ij0123459";
  ScriptTestWorld world(size_t{8} << 20);
  Random random(12);
  for (int round = 0; round < 20000; ++round) {
    std::string format(random.below(10), '\0');
    for (char& option : format) option = kOptions[random.below(kOptions.size())];
    std::string data(random.below(40), '\0');
    for (char& byte : data) {
      byte = static_cast<char>(random.below(2) == 0 ? random.below(256) : random.below(4));
    }
    const std::string position = std::to_string(random.below(12));
    const std::string reply = world.run(
        "return {pcall(struct.unpack, ARGV[1], ARGV[2], ARGV[3]), pcall(struct.size, ARGV[1]), "
        "pcall(struct.pack, ARGV[1], 1, ARGV[2], 2, ARGV[2], 3)}",
        2, {}, {format, data, position});
    ASSERT_TRUE(reply.starts_with('*')) << format << ": " << reply;
  }
}

}  // namespace
}  // namespace tandem
