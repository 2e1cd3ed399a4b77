#include "script/script_text.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(ScriptText, AFirstLineStatesFlags) {
  const auto plain = read_script_text("return 1");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->has_flags);
  EXPECT_EQ(plain->code, "return 1");
  const auto text = read_script_text("#!lua flags=no-writes,allow-stale flags=no-cluster\nreturn");
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->has_flags);
  EXPECT_EQ(text->flags, kScriptNoWrites | kScriptAllowStale | kScriptNoCluster);
  EXPECT_EQ(text->code, "\nreturn");
}

struct Wrong {
  Bytes text;
  Bytes error;
};

// Asked of redis-server.
constexpr Wrong kWrongScripts[] = {
    {"#!lua", "ERR Invalid script shebang"},
    {Bytes("#!lua\0 x\nreturn", 15), "ERR Invalid script shebang"},
    {"#!lua \"\nreturn", "ERR Invalid engine in script shebang"},
    {"#!LUA\nreturn", "ERR Unexpected engine in script shebang: #!LUA"},
    {"#!\nreturn", "ERR Unexpected engine in script shebang: #!"},
    {"#!lua name=x\n", "ERR Unknown lua shebang option: name=x"},
    {"#!lua FLAGS=no-writes\n", "ERR Unknown lua shebang option: FLAGS=no-writes"},
    {"#!lua flags=NO-writes\n", "ERR Unexpected flag in script shebang: NO-writes"},
    {"#!lua flags=no-writes,\n", "ERR Unexpected flag in script shebang: "},
};

constexpr Wrong kWrongLibraries[] = {
    {"", "Missing library metadata"},
    {"return 1", "Missing library metadata"},
    {" #!lua name=a\n", "Missing library metadata"},
    {"#!lua name=a", "Invalid library metadata"},
    {Bytes("#!lua name=x\0y\n", 15), "Invalid library metadata"},
    {"#!lua name=\"a\n", "Invalid library metadata"},
    {"#!lua name=\"x\"y\n", "Invalid library metadata"},
    {"#!\n", "Library name was not given"},
    {"#!lua\n", "Library name was not given"},
    {"#!lua name\n", "Invalid metadata value given: name"},
    {"#!lua foo=a name=b\n", "Invalid metadata value given: foo=a"},
    {"#!foo name=a zz=1\n", "Invalid metadata value given: zz=1"},
    {"#!lua name=a name=b\n", "Invalid metadata value, name argument was given multiple times"},
    {"#!lua name=\n", kNoLibraryName},
    {"#!lua name=a-b\n", kNoLibraryName},
    {"#!foo name=a-b\n", kNoLibraryName},
    {"#!lua name='a b'\n", kNoLibraryName},
    {"#!foo name=a\n", "Engine 'foo' not found"},
    {"#! name=a\n", "Engine '' not found"},
    {"#!\"a b\" name=x\n", "Engine 'a b' not found"},
};

TEST(ScriptText, SaysWhatIsWrongAsRedisDoes) {
  for (const auto& [text, error] : kWrongScripts) {
    const auto read = read_script_text(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().text, error);
  }
  for (const auto& [text, error] : kWrongLibraries) {
    const auto read = read_library_text(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().text, error);
  }
}

TEST(ScriptText, ALibraryHasAName) {
  for (const Bytes first : {"#!lua name=a_9", "#!Lua NAME=a_9", "#!lua\tname=a_9  \r",
                            "#!lua 'name=a_9'", "#!lua name='a_9'"}) {
    const std::string library = std::string(first) + "\ncode";
    const auto text = read_library_text(library);
    ASSERT_TRUE(text) << first;
    EXPECT_EQ(text->name, "a_9");
    EXPECT_EQ(text->code, "\ncode");
  }
}

}  // namespace
}  // namespace tandem
