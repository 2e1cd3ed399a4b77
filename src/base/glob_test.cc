#include "base/glob.h"

#include <string>

#include <gtest/gtest.h>

namespace tandem {
namespace {

struct Case {
  Bytes pattern;
  Bytes text;
  bool matches;
};

// The odd ones were asked of redis-server.
constexpr Case kCases[] = {
    {"", "", true},
    {"*", "", false},
    {"**", "", false},
    {"", "a", false},
    {"?", "", false},
    {"h?llo", "hello", true},
    {"h*llo", "heeeello", true},
    {"h*llo", "hell", false},
    {"h[ae]llo", "hallo", true},
    {"h[^e]llo", "hello", false},
    {"h[a-b]llo", "hbllo", true},
    {"*a*b*c", "xxaxxbxxc", true},
    {"*a*b*c", "xxaxxbxxcx", false},
    {"a**", "a", true},
    {"?*?", "ab", true},
    {"[a", "a", true},
    {"[a", "b", false},
    {"[a-]", "b", false},
    {"[a-]", "^", true},
    {"[a-]", "a]", false},
    {"[^]", "x", true},
    {"[]", "x", false},
    {"[]]", "x]", false},
    {"\\", "\\", true},
    {"a\\", "a\\", true},
    {"\\*", "*", true},
    {"\\*", "x", false},
    {"[a\\-z]", "-", true},
    {"[a\\-z]", "b", false},
    {"[z-a]", "c", true},
    {"[\\a]", "a", true},
    {"[", "[", false},
    {"a[a-", "a-", true},
    {"a[a-b", "ab", true},
    {"[\\", "\\", true},
    {"a[^b", "a", false},
    {"a[", "a", false},
    {"a[]", "a", false},
};

TEST(Glob, MatchesAsRedisDoes) {
  for (const Case& c : kCases) {
    EXPECT_EQ(glob_match(c.pattern, c.text), c.matches) << c.pattern << " against " << c.text;
  }
}

TEST(Glob, IgnoresCaseWhenAsked) {
  EXPECT_FALSE(glob_match("MAX*", "maxmemory"));
  EXPECT_TRUE(glob_match("MAX*", "maxmemory", GlobCase::kIgnore));
  EXPECT_TRUE(glob_match("[A-C]x", "bX", GlobCase::kIgnore));
}

TEST(Glob, ComparesBytesAsUnsigned) {
  EXPECT_TRUE(glob_match("[\x80-\xff]", "\xc3"));
  EXPECT_FALSE(glob_match("[\x80-\xff]", "a"));
}

// A matcher that tries every star again would need longer than the age of the world.
TEST(Glob, CraftedPatternsStayCheap) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace tandem
