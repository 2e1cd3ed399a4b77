#include "acl/user.h"

#include <gtest/gtest.h>

#include "acl/password.h"
#include "acl/testing.h"

namespace tandem {
namespace {

using Words = std::vector<Bytes>;

// printf foo | sha256sum
constexpr Bytes kFoo = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
constexpr Bytes kBar = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9";

TEST(Password, IsKeptAsItsHash) {
  EXPECT_EQ(password_hash("foo"), kFoo);
  EXPECT_TRUE(is_password_hash(kFoo));
  EXPECT_FALSE(is_password_hash(kFoo.substr(1)));
  EXPECT_FALSE(is_password_hash(std::string(kFoo) + "0"));
  EXPECT_FALSE(is_password_hash("G" + std::string(kFoo.substr(1))));
  EXPECT_FALSE(is_password_hash("A" + std::string(kFoo.substr(1))));
  EXPECT_TRUE(same_password_hash(kFoo, password_hash("foo")));
  EXPECT_FALSE(same_password_hash(kFoo, kBar));
  EXPECT_FALSE(same_password_hash(kFoo, kFoo.substr(1)));
}

TEST(User, TellsAllRulesInOneLine) {
  const std::string foo = "#" + std::string(kFoo);
  const std::string bar = "#" + std::string(kBar);
  const struct {
    Words rules;
    std::string told;
  } kCases[] = {
      {{}, "off sanitize-payload resetchannels -@all"},
      {{"ON"}, "on sanitize-payload resetchannels -@all"},
      {{"on", "off"}, "off sanitize-payload resetchannels -@all"},
      {{"nopass"}, "off nopass sanitize-payload resetchannels -@all"},
      {{"nopass", "resetpass"}, "off sanitize-payload resetchannels -@all"},
      {{">foo"}, "off sanitize-payload " + foo + " resetchannels -@all"},
      {{">foo", foo, ">bar"}, "off sanitize-payload " + foo + " " + bar + " resetchannels -@all"},
      {{">foo", "nopass"}, "off nopass sanitize-payload resetchannels -@all"},
      {{"nopass", ">foo"}, "off sanitize-payload " + foo + " resetchannels -@all"},
      {{">foo", ">bar", "<foo"}, "off sanitize-payload " + bar + " resetchannels -@all"},
      {{">foo", ">bar", "<bar", "<foo"}, "off sanitize-payload resetchannels -@all"},
      {{"skip-sanitize-payload"}, "off skip-sanitize-payload resetchannels -@all"},
      {{"skip-sanitize-payload", "sanitize-payload"}, "off sanitize-payload resetchannels -@all"},
      {{"~a", "(~b +get)"},
       "off sanitize-payload ~a resetchannels -@all (~b resetchannels -@all +get)"},
      {{"()", "(&a)"},
       "off sanitize-payload resetchannels -@all (resetchannels -@all) (resetchannels &a -@all)"},
      {{"(~\"a b)"},  // quotes that do not match
       "off sanitize-payload resetchannels -@all (resetchannels -@all)"},
      {{"(~a)", "(~b)", "clearselectors"}, "off sanitize-payload resetchannels -@all"},
      {{"on", ">foo", "~*", "&*", "+@all", "(~a)", "skip-sanitize-payload", "reset"},
       "off sanitize-payload resetchannels -@all"},
      {{"on", "", "~*", "&*", "+@all"}, "on sanitize-payload ~* &* +@all"},
  };
  const RuleTest test;
  for (const auto& [rules, told] : kCases) {
    User user(test.terms);
    for (const Bytes rule : rules) ASSERT_TRUE(user.apply(rule, test.terms)) << rule;
    EXPECT_EQ(user.rules(), told);
  }
  EXPECT_EQ(User::unrestricted(test.terms).rules(), "on nopass sanitize-payload ~* &* +@all");
}

TEST(User, RefusesRulesWithTheTextsOfRedis) {
  constexpr Bytes kNoHash =
      "The password hash must be exactly 64 characters and contain only lowercase "
      "hexadecimal characters";
  constexpr Bytes kNoSuchPassword =
      "The password you are trying to remove from the user does not exist";
  const std::string no_such = "!" + std::string(kBar);
  const std::pair<Bytes, Bytes> kCases[] = {
      {"#abc", kNoHash},
      {"!abc", kNoHash},
      {"<nosuch", kNoSuchPassword},
      {no_such, kNoSuchPassword},
      {"nosuch", "Syntax error"},
      {"(", "Syntax error"},
      {")", "Syntax error"},
      {"(on)", "Syntax error"},
      {"(+nosuch)", "Unknown command or category name in ACL"},
      {"(~* ~a)",
       "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not "
       "have any effect. Try 'resetkeys' to start with an empty list of patterns"},
  };
  const RuleTest test;
  for (const auto& [rule, text] : kCases) {
    User user = test.user({">foo"});
    const auto done = user.apply(rule, test.terms);
    ASSERT_FALSE(done) << rule;
    EXPECT_EQ(done.error().text, text) << rule;
    EXPECT_EQ(user.selectors().size(), 1u) << rule;
  }
}

TEST(User, LogsInWhileOnWithOneOfItsPasswords) {
  const RuleTest test;
  EXPECT_FALSE(test.user({"nopass"}).accepts("x"));
  EXPECT_TRUE(test.user({"on", "nopass"}).accepts("x"));
  EXPECT_FALSE(test.user({"on"}).accepts(""));
  const User user = test.user({"on", ">foo", ">bar"});
  EXPECT_TRUE(user.accepts("foo"));
  EXPECT_TRUE(user.accepts("bar"));
  EXPECT_FALSE(user.accepts("fo"));
  EXPECT_FALSE(user.accepts(kFoo));  // a hash that leaked opens nothing
}

TEST(User, MayWhatOneOfItsSelectorsAllowsAlone) {
  const RuleTest test;
  const User user = test.user({"+get", "~a*", "(+set ~b*)", "(%R~c* +@all)"});
  EXPECT_EQ(test.denied(user, {"get", "a1"}), "");
  EXPECT_EQ(test.denied(user, {"set", "b1", "x"}), "");
  EXPECT_EQ(test.denied(user, {"get", "c1"}), "");
  EXPECT_EQ(test.denied(user, {"set", "a1", "x"}), "key 1");  // each has the half of it
  EXPECT_EQ(test.denied(user, {"get", "b1"}), "key 1");
  EXPECT_EQ(test.denied(user, {"publish", "a", "b"}), "channel 1");
}

// A key rather than a command, a channel rather than a key, and of two places the last.
TEST(User, TellsTheGreatestDenialOfItsSelectors) {
  const RuleTest test;
  EXPECT_EQ(test.denied(test.user({"(+get)"}), {"get", "a"}), "key 1");
  EXPECT_EQ(test.denied(test.user({"+@all", "(~a)"}), {"get", "a"}), "key 1");
  EXPECT_EQ(test.denied(test.user({"+@all", "~a", "(+@all ~b)"}), {"move", "a", "b"}), "key 2");
  EXPECT_EQ(test.denied(test.user({"+@all", "~b", "(+@all ~a)"}), {"move", "a", "b"}), "key 2");
  EXPECT_EQ(test.denied(test.user({}), {"get", "a"}), "command");
}

TEST(User, KeepsTheChannelsOfOneBeforeRuleByRule) {
  const RuleTest test;
  const struct {
    Words before;
    Words now;
    bool keeps;
  } kCases[] = {
      {{"&a"}, {"&a"}, true},
      {{"&a"}, {"&a", "&b"}, true},
      {{"&a"}, {"(&a)"}, true},
      {{"(&a)", "&b"}, {"&a", "&b"}, true},
      {{"&a"}, {"&*"}, true},
      {{"&*"}, {"(&*)"}, true},
      {{"&*"}, {"&a"}, false},
      {{"&a", "&b"}, {"&a"}, false},
      {{"&ab"}, {"&a*"}, false},  // though all of them are allowed
      {{}, {}, true},
  };
  for (const auto& [before, now, keeps] : kCases) {
    EXPECT_EQ(test.user(now).keeps_channels_of(test.user(before)), keeps)
        << test.user(before).rules() << " -> " << test.user(now).rules();
  }
  const User user = test.user({"&a*", "(&b)"});
  EXPECT_TRUE(user.allows_channel("ab", false));
  EXPECT_TRUE(user.allows_channel("b", true));
  EXPECT_FALSE(user.allows_channel("ab", true));
  EXPECT_FALSE(user.allows_channel("c", false));
}

TEST(JoinSelectors, PutsTogetherWhatBlanksCut) {
  using Joined = std::vector<std::string>;
  const auto joined = [](const Words& words) { return join_selectors(words); };
  EXPECT_EQ(*joined({}), Joined());
  EXPECT_EQ(*joined({"on", "(~a)", "off"}), (Joined{"on", "(~a)", "off"}));
  EXPECT_EQ(*joined({"(~a", "+get", "-set)", "on"}), (Joined{"(~a +get -set)", "on"}));
  EXPECT_EQ(*joined({"(", ")"}), Joined{"( )"});
  EXPECT_EQ(*joined({"", "(~a", "", "b)"}), (Joined{"", "(~a  b)"}));
  EXPECT_EQ(*joined({"(~a", "(~b)"}), Joined{"(~a (~b)"});
  EXPECT_EQ(joined({"on", "(~a", "+get"}).error().text, "(~a");
  EXPECT_EQ(joined({"("}).error().text, "(");
}

}  // namespace
}  // namespace tandem
