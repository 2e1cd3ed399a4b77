#include "config/config_value.h"

#include <limits>

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(ConfigValue, MemoryUnits) {
  EXPECT_EQ(parse_memory("1k"), 1000);
  EXPECT_EQ(parse_memory("1Kb"), 1024);
  EXPECT_EQ(parse_memory("2mb"), 2 * 1024 * 1024);
  EXPECT_EQ(parse_memory("3G"), 3000000000);
  EXPECT_EQ(parse_memory("7b"), 7);
  EXPECT_EQ(parse_memory(""), 0);
  EXPECT_EQ(parse_memory("mb"), 0);
  EXPECT_EQ(parse_memory("-1"), std::nullopt);
  EXPECT_EQ(parse_memory("1tb"), std::nullopt);
  EXPECT_EQ(parse_memory("18446744073709551615"), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(parse_memory("99999999999999999999gb"), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(parse_memory("18014398509481985kb"), std::numeric_limits<uint64_t>::max());
}

TEST(ConfigValue, MemoryIsShownInItsLargestUnit) {
  EXPECT_EQ(format_memory(0), "0");
  EXPECT_EQ(format_memory(1000), "1000");
  EXPECT_EQ(format_memory(2048), "2kb");
  EXPECT_EQ(format_memory(100 * 1024 * 1024), "100mb");
  EXPECT_EQ(format_memory(uint64_t{3} * 1024 * 1024 * 1024), "3gb");
}

TEST(ConfigWords, QuotedWordsReadBack) {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  const auto words = split_words(quote_word(all) + " x");
  ASSERT_TRUE(words);
  EXPECT_EQ((*words)[0], all);
  EXPECT_EQ((*words)[1], "x");
}

TEST(ConfigWords, RefusesOpenQuotes) {
  EXPECT_FALSE(split_words("a \"b"));
  EXPECT_FALSE(split_words("a 'b"));
  EXPECT_FALSE(split_words("\"a\"b"));
  EXPECT_FALSE(split_words("a \"b\\"));
  EXPECT_TRUE(split_words("  ")->empty());
}

}  // namespace
}  // namespace tandem
