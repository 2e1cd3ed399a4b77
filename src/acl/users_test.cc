#include "acl/users.h"

#include <gtest/gtest.h>

#include "acl/testing.h"

namespace tandem {
namespace {

struct UsersTest : RuleTest, testing::Test {
  Option<bool> all_channels = false;
  Users users{commands, all_channels};

  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (const NamedUser& user : users.list()) all.push_back(user_line(user));
    return all;
  }
};

constexpr Bytes kDefaultLine = "user default on nopass sanitize-payload ~* &* +@all";

TEST_F(UsersTest, BeginWithADefaultUserWhoMayDoEverything) {
  EXPECT_EQ(lines(), std::vector<std::string>{std::string(kDefaultLine)});
  EXPECT_TRUE(users.default_user().account->rights()->are_unlimited());
  EXPECT_EQ(users.log_in("default", "any"), users.default_user().account);
}

TEST_F(UsersTest, AreListedByName) {
  users.put("zoe", user({}));
  users.put("", user({}));
  users.put("Bob", user({}));
  std::vector<std::string> names;
  for (const NamedUser& user : users.list()) names.push_back(user.account->name);
  EXPECT_EQ(names, (std::vector<std::string>{"", "Bob", "default", "zoe"}));
}

// Who holds on to the account sees the rights of the moment, and what it has taken stays.
TEST_F(UsersTest, AnAccountOutlivesItsRights) {
  const auto account = users.put("bob", user({"+get", "~*"}));
  const auto former = account->rights();
  EXPECT_EQ(users.put("bob", user({"+set", "~*"})), account);
  const std::vector<Bytes> get{"get", "a"};
  EXPECT_TRUE(account->rights()->denial(*commands.find("get"), get));
  EXPECT_FALSE(former->denial(*commands.find("get"), get));
  EXPECT_TRUE(users.remove("bob"));
  EXPECT_EQ(account->rights(), nullptr);
  EXPECT_FALSE(users.remove("bob"));
  EXPECT_NE(users.put("bob", user({})), account);  // another one of that name
}

TEST_F(UsersTest, LogInOnlyAsWhoIsThere) {
  const auto bob = users.put("bob", user({"on", ">foo"}));
  EXPECT_EQ(users.log_in("bob", "foo"), bob);
  EXPECT_EQ(users.log_in("bob", "bar"), nullptr);
  EXPECT_EQ(users.log_in("Bob", "foo"), nullptr);
  users.remove("bob");
  EXPECT_EQ(users.log_in("bob", "foo"), nullptr);
}

TEST_F(UsersTest, ReplacingAllKeepsTheDefaultAccountAlone) {
  const auto default_account = users.default_user().account;
  const auto bob = users.put("bob", user({"on"}));
  users.put("eve", user({"on"}));
  users.replace_all(*read_users("user bob on\nuser default off\n", "f", terms));
  EXPECT_EQ(users.default_user().account, default_account);
  EXPECT_FALSE(users.default_user().user->is_on());
  EXPECT_NE(users.find("bob")->account, bob);
  EXPECT_EQ(bob->rights(), nullptr);
  EXPECT_FALSE(users.find("eve"));
  // A file that says nothing of the default user.
  users.replace_all(*read_users("user bob on\n", "f", terms));
  EXPECT_EQ(user_line(users.default_user()), kDefaultLine);
}

TEST_F(UsersTest, AFileGivesWhatWasWrittenIntoIt) {
  users.put("bob", user({"on", ">foo", "~a*", "%R~b", "&c", "+@all", "-get", "(+set ~d)"}));
  users.put("eve", user({"nopass", "+config|get", "+select|0"}));
  const std::string text = write_users(users.list());
  const auto before = lines();
  users.replace_all(*read_users(text, "f", terms));
  EXPECT_EQ(lines(), before);
}

TEST_F(UsersTest, AFileHasALineForEach) {
  const auto read =
      read_users("\n  user bob on  ~a \t\r\n \nuser eve (~a +get) off\r\nuser max", "f", terms);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->size(), 3u);
  EXPECT_EQ(read->at("bob").rules(), "on sanitize-payload ~a resetchannels -@all");
  EXPECT_EQ(read->at("eve").rules(),
            "off sanitize-payload resetchannels -@all (~a resetchannels -@all +get)");
}

TEST_F(UsersTest, AFileTellsAllThatIsWrongWithIt) {
  constexpr Bytes kNothingChanged =
      "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
  const std::pair<Bytes, std::string> kCases[] = {
      {"users\n", "f:1 should start with user keyword followed by the username. "},
      {"\n# no comments\n", "f:2 should start with user keyword followed by the username. "},
      {"user\n", "f:1 should start with user keyword followed by the username. "},
      {"user a\tb on", "'f:1: username 'a\tb' contains invalid characters. "},
      {"user a\nuser a on", "WARNING: Duplicate user 'a' found on line 2. "},
      {"user a (~b", "f:1: Unmatched parenthesis in selector definition."},
      {"user a ~* ~b %",
       "f:1: Adding a pattern after the * pattern (or the 'allkeys' flag) is not "
       "valid and does not have any effect. Try 'resetkeys' to start with an "
       "empty list of patterns. "},  // the first, and no more
      {"user a +x nosuch -y zip",
       "f:1: Error in applying operation '+x': Unknown command or category name in ACL. "
       "f:1: Syntax error. "
       "f:1: Error in applying operation '-y': Unknown command or category name in ACL. "},
      {"user a x\nuser b y", "f:1: Syntax error. f:2: Syntax error. "},
  };
  for (const auto& [text, complaints] : kCases) {
    const auto read = read_users(text, "f", terms);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().text, complaints + std::string(kNothingChanged));
  }
}

}  // namespace
}  // namespace tandem
