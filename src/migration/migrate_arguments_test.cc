#include "migration/migrate_arguments.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tandem {
namespace {

// MIGRATE's words behind the timeout, and the key.
std::vector<Bytes> call(Bytes key, std::vector<Bytes> words) {
  std::vector<Bytes> args{"MIGRATE", "host", "1", key, "0", "100"};
  args.insert(args.end(), words.begin(), words.end());
  return args;
}

std::string keys(Bytes key, std::vector<Bytes> words) {
  const std::vector<Bytes> args = call(key, std::move(words));
  return std::to_string(lone_key_in(args)) + " " + std::to_string(first_of_keys_in(args));
}

TEST(MigrateArguments, FindTheKeys) {
  EXPECT_EQ(keys("k", {}), "3 0");
  EXPECT_EQ(keys("", {"COPY"}), "3 0");
  EXPECT_EQ(keys("", {"keys", "a", "b"}), "0 7");
  EXPECT_EQ(keys("", {"KEYS", "keys", "x"}), "0 7") << "a key may have the word's name";
  EXPECT_EQ(keys("", {"AUTH2", "keys", "keys", "KEYS", "a"}), "0 10");
  EXPECT_EQ(keys("k", {"AUTH", "keys"}), "3 0") << "a password, too";
  EXPECT_EQ(keys("k", {"AUTH2", "keys", "secret"}), "3 0");
  EXPECT_EQ(keys("k", {"KEYS", "a"}), "0 0") << "an error, whatever the keys";
  EXPECT_EQ(keys("", {"KEYS"}), "3 0");
  EXPECT_EQ(keys("", {"NOSUCH", "KEYS", "a"}), "0 8");
}

std::string hidden(std::vector<Bytes> words) {
  const std::vector<Bytes> args = call("", std::move(words));
  std::string text;
  for (size_t at = 0; at < args.size(); ++at) {
    if (hides_in_migrate(args, at)) text += std::string(args[at]) + " ";
  }
  return text;
}

TEST(MigrateArguments, HidePasswords) {
  EXPECT_EQ(hidden({}), "");
  EXPECT_EQ(hidden({"AUTH", "one", "COPY"}), "one ");
  EXPECT_EQ(hidden({"AUTH2", "ann", "two", "AUTH", "one", "KEYS", "AUTH", "key"}), "ann two one ");
  EXPECT_EQ(hidden({"AUTH2", "AUTH", "COPY", "KEYS", "k"}), "AUTH COPY ");
  EXPECT_EQ(hidden({"NOSUCH", "AUTH", "one"}), "one ");
  EXPECT_EQ(hidden({"AUTH"}), "");
  EXPECT_EQ(hidden({"AUTH2", "ann"}), "") << "a syntax error: nothing was given";
}

}  // namespace
}  // namespace tandem
