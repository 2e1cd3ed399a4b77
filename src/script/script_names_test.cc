#include "script/script_names.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(ScriptNames, AreTheDigestsHoweverOftenAndInWhateverOrder) {
  ScriptNames names;
  std::vector<std::string> texts{"", std::string("\0", 1), "return 1", std::string(100'000, 'x')};
  for (int i = 0; i < 300; ++i) texts.push_back("return " + std::to_string(i));
  for (int round = 0; round < 3; ++round) {
    for (const std::string& text : texts) {
      EXPECT_EQ(names.name_of(text), sha1_hex(text));
      EXPECT_EQ(names.name_of(text), sha1_hex(text));
    }
  }
}

}  // namespace
}  // namespace tandem
