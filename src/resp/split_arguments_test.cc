#include <gtest/gtest.h>

#include "resp/request.h"

namespace tandem {
namespace {

std::vector<std::string> split(Bytes line) {
  std::string storage;
  std::vector<Bytes> arguments;
  if (!split_arguments(line, storage, arguments)) return {"unbalanced"};
  return {arguments.begin(), arguments.end()};
}

using Words = std::vector<std::string>;

TEST(SplitArguments, ReadsWordsAndQuotes) {
  EXPECT_EQ(split("  set\tk  v "), (Words{"set", "k", "v"}));
  EXPECT_EQ(split(""), Words{});
  EXPECT_EQ(split("a \"\" ''"), (Words{"a", "", ""}));
  EXPECT_EQ(split(R"("\x41\xzz\q\n\r\t\b\a\"")"), (Words{"Axzzq\n\r\t\b\a\""}));
  EXPECT_EQ(split(R"('a\'\n')"), (Words{R"(a'\n)"}));
  EXPECT_EQ(split(R"(a"b c" d'e')"), (Words{"ab c", "de"}));
  EXPECT_EQ(split("a\vb c\rd"), (Words{"a\vb", "c", "d"}));
  EXPECT_EQ(split(Bytes("a b\0c", 5)), (Words{"a", "b"}));
}

TEST(SplitArguments, RefusesUnbalancedQuotes) {
  for (const Bytes line : {"\"a", "'a", "\"a\"b", "'a'b", "\"a\\\"", "a \"\\"}) {
    EXPECT_EQ(split(line), Words{"unbalanced"}) << line;
  }
}

}  // namespace
}  // namespace tandem
