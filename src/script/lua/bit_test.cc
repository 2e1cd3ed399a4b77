#include <initializer_list>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "script/script_test_world.h"

namespace tandem {
namespace {

// Asked of redis-server.
constexpr struct {
  Bytes expression;
  Bytes text;
} kCases[] = {
    {"bit.tobit(0xffffffff)", "-1"},
    {"bit.tobit(2^31)", "-2147483648"},
    {"bit.tobit(1.5)", "2"},
    {"bit.tobit(2.5)", "2"},
    {"bit.tobit('0x10')", "16"},
    {"bit.tobit(2^53 + 2^31)", "1073741824"},
    {"bit.tobit(1e20)", "2025163840"},
    {"bit.tobit(0/0)", "0"},
    {"bit.tobit(-1/0)", "0"},
    {"bit.bnot(0)", "-1"},
    {"bit.bswap(0x12345678)", "2018915346"},
    {"bit.band(7, 3)", "3"},
    {"bit.band(0x12345678, -7, '255', 3.7)", "0"},
    {"bit.bor(1, 2, 4)", "7"},
    {"bit.bxor(5)", "5"},
    {"bit.bxor(5, 3)", "6"},
    {"bit.lshift(1, 31)", "-2147483648"},
    {"bit.lshift(1, 33)", "2"},
    {"bit.lshift(1, -1)", "-2147483648"},
    {"bit.rshift(-1, 1)", "2147483647"},
    {"bit.rshift(-1, -4)", "15"},
    {"bit.arshift(-8, 1)", "-4"},
    {"bit.arshift(-8, -1)", "-1"},
    {"bit.rol(0x12345678, 8)", "878082066"},
    {"bit.rol(0x12345678, -8)", "2014458966"},
    {"bit.ror(0x12345678, 8)", "2014458966"},
    {"bit.tohex(255)", "000000ff"},
    {"bit.tohex(255, 4)", "00ff"},
    {"bit.tohex(255, -4)", "00FF"},
    {"bit.tohex(255, '3')", "0ff"},
    {"bit.tohex(255, 2.5)", "ff"},
    {"bit.tohex(255, 0)", ""},
    {"bit.tohex(255, 0/0)", ""},
    {"bit.tohex(255, 100)", "000000ff"},
    {"bit.tohex(255, -100)", "000000FF"},
    {"bit.tohex(255, 2^32 + 3)", "0ff"},
    {"bit.tohex(255, 3, {}, nil)", "0ff"},
    {"#bit", "0"},
    {"type(bit.nosuch)", "nil"},
};

TEST(LuaBit, AnswersAsRedisDoes) {
  ScriptTestWorld world;
  for (const auto& [expression, text] : kCases) {
    EXPECT_EQ(world.run("return tostring(" + std::string(expression) + ")"),
              "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n")
        << expression;
  }
}

TEST(LuaBit, ReportsErrorsAsRedisDoes) {
  ScriptTestWorld world;
  for (const auto& [expression, text] : std::initializer_list<std::pair<Bytes, Bytes>>{
           {"bit.band()", "bad argument #1 to 'band' (number expected, got no value)"},
           {"bit.band('x')", "bad argument #1 to 'band' (number expected, got string)"},
           {"bit.lshift(1)", "bad argument #2 to 'lshift' (number expected, got no value)"},
           {"bit.tohex()", "bad argument #1 to 'tohex' (number expected, got no value)"},
           {"bit.tohex({}, 4)", "bad argument #1 to 'tohex' (number expected, got table)"},
           {"bit.tohex(1, nil)", "bad argument #2 to 'tohex' (number expected, got nil)"},
           {"bit.tohex(1, 'x')", "bad argument #2 to 'tohex' (number expected, got string)"},
       }) {
    EXPECT_EQ(world.run("return " + std::string(expression)),
              "-ERR user_script:1: " + std::string(text) + " script: SHA, on @user_script:1.\r\n")
        << expression;
  }
}

// The library alone writes past its buffer there, whatever number it takes for this integer.
TEST(LuaBit, TheSmallestIntegerAsACountOfDigitsIsHarmless) {
  ScriptTestWorld world;
  for (const Bytes count : {"-2^31", "2^31", "2^32 + 2^31", "-2^31 - 0.5", "'-2147483648'"}) {
    EXPECT_EQ(world.run("return bit.tohex(171, " + std::string(count) + ")"), "$8\r\n000000AB\r\n")
        << count;
  }
  EXPECT_EQ(world.run("return {pcall(bit.tohex, 171, -2^31)}"), "*2\r\n:1\r\n$8\r\n000000AB\r\n");
}

TEST(LuaBit, NoScriptChangesTheLibrary) {
  ScriptTestWorld world;
  for (const Bytes code : {"bit.x = 1", "bit.band = nil", "bit = nil", "rawset(bit, 'x', 1)",
                           "setmetatable(bit, {})", "table.insert(bit, 1)"}) {
    const std::string reply = world.run(code);
    EXPECT_TRUE(reply.starts_with("-ERR ")) << code << ": " << reply;
    EXPECT_NE(reply.find("Attempt to modify a readonly table"), std::string::npos) << reply;
  }
  EXPECT_EQ(world.run("local t = {} for k in pairs(bit) do t[#t + 1] = k end table.sort(t) "
                      "return table.concat(t, ' ')"),
            "$66\r\narshift band bnot bor bswap bxor lshift rol ror rshift tobit tohex\r\n");
}

}  // namespace
}  // namespace tandem
