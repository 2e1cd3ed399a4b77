#include "acl/selector.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "acl/testing.h"

namespace tandem {
namespace {

using Words = std::vector<Bytes>;

// After these rules, one after the other, the three kinds of rules are told like this.
TEST(Selector, TellsItsRulesInTheOrderInWhichTheyCount) {
  const struct {
    Words rules;
    Bytes told;
  } kCases[] = {
      {{}, "resetchannels -@all"},
      {{"+get"}, "resetchannels -@all +get"},
      {{"+GET", "+get", "-Get"}, "resetchannels -@all -get"},
      {{"+get", "-set", "+set", "-get"}, "resetchannels -@all +set -get"},
      {{"+get", "allcommands"}, "resetchannels +@all"},
      {{"+get", "+@all"}, "resetchannels +@all"},
      {{"allcommands", "-get", "nocommands"}, "resetchannels -@all"},
      {{"+@ALL", "-@all"}, "resetchannels -@all"},
      {{"+@all", "-@STRING", "+get"}, "resetchannels +@all -@string +get"},
      {{"+@read", "+@fast", "-@read"}, "resetchannels -@all +@fast -@read"},
      {{"+config|get", "-config|set"}, "resetchannels -@all +config|get -config|set"},
      {{"+config|get", "+ping", "-config|set", "+config"}, "resetchannels -@all +ping +config"},
      {{"+config", "+config|get"}, "resetchannels -@all +config +config|get"},
      {{"+select|0", "+SELECT|1", "+select|0"}, "resetchannels -@all +select|1 +select|0"},
      {{"+select|0", "-select"}, "resetchannels -@all -select"},
      {{"~a*", "~b", "~a*"}, "~a* ~b resetchannels -@all"},
      {{"%R~a", "%rw~b", "%W~c"}, "%R~a ~b %W~c resetchannels -@all"},
      {{"%R~a", "%W~a"}, "~a resetchannels -@all"},
      {{"%R"}, "%R~ resetchannels -@all"},
      {{"~"}, "~ resetchannels -@all"},
      {{"~a", "ALLKEYS"}, "~* resetchannels -@all"},
      {{"~*"}, "~* resetchannels -@all"},
      {{"allkeys", "resetkeys", "~a"}, "~a resetchannels -@all"},
      {{"%R~*"}, "%R~* resetchannels -@all"},
      {{"&a*", "&b", "&b"}, "resetchannels &a* &b -@all"},
      {{"&a", "&*"}, "&* -@all"},
      {{"allchannels", "resetchannels", "&a"}, "resetchannels &a -@all"},
  };
  const RuleTest test;
  for (const auto& [rules, told] : kCases) {
    Selector selector(test.terms);
    for (const Bytes rule : rules) ASSERT_TRUE(selector.apply(rule, test.terms)) << rule;
    EXPECT_EQ(selector.rules(), told);
    // Told as rules again they make the same.
    EXPECT_EQ(test.user({"(" + selector.rules() + ")"}).selectors().back().rules(), told);
  }
}

TEST(Selector, RefusesRulesWithTheTextsOfRedis) {
  constexpr Bytes kUnknown = "Unknown command or category name in ACL";
  constexpr Bytes kSyntax = "Syntax error";
  constexpr Bytes kAfterAllKeys =
      "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have "
      "any effect. Try 'resetkeys' to start with an empty list of patterns";
  constexpr Bytes kAfterAllChannels =
      "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not "
      "have any effect. Try 'resetchannels' to start with an empty list of channels";
  constexpr Bytes kFirstArgument = "Allowing first-arg of a subcommand is not supported";
  const struct {
    Words before;
    Bytes rule;
    Bytes text;
    ErrorCode code = ErrorCode::kInvalid;
  } kCases[] = {
      {{}, "+nosuch", kUnknown, ErrorCode::kUnsupported},
      {{}, "-nosuch", kUnknown, ErrorCode::kUnsupported},
      {{}, "+", kUnknown, ErrorCode::kUnsupported},
      {{}, "+@nosuch", kUnknown, ErrorCode::kUnsupported},
      {{}, "-@", kUnknown, ErrorCode::kUnsupported},
      {{}, "+config|nosuch", kUnknown, ErrorCode::kUnsupported},
      {{}, "-config|nosuch", kUnknown, ErrorCode::kUnsupported},
      {{}, "-select|0", kUnknown, ErrorCode::kUnsupported},
      {{}, "+nosuch|get", kUnknown, ErrorCode::kUnsupported},
      {{}, "+get|a|b", kUnknown, ErrorCode::kUnsupported},
      {{}, "+config|", kSyntax},
      {{}, "+select|", kSyntax},
      {{}, "+config|get|x", kFirstArgument},
      {{}, "get", kSyntax},
      {{}, "on", kSyntax},  // a user's, not a selector's
      {{}, "~a b", kSyntax},
      {{}, "&a\tb", kSyntax},
      {{}, Bytes("~a\0b", 4), kSyntax},
      {{}, "%", kSyntax},
      {{}, "%~a", kSyntax},
      {{}, "%RR~a", kSyntax},
      {{}, "%X~a", kSyntax},
      {{"allkeys"}, "~a", kAfterAllKeys},
      {{"~*"}, "%X~a", kAfterAllKeys},
      {{"&*"}, "&a", kAfterAllChannels},
  };
  const RuleTest test;
  for (const auto& wrong : kCases) {
    Selector selector(test.terms);
    for (const Bytes rule : wrong.before) ASSERT_TRUE(selector.apply(rule, test.terms));
    const auto done = selector.apply(wrong.rule, test.terms);
    ASSERT_FALSE(done) << wrong.rule;
    EXPECT_EQ(done.error().text, wrong.text) << wrong.rule;
    EXPECT_EQ(done.error().code, wrong.code) << wrong.rule;
  }
}

// With these rules this call is denied for this reason: RuleTest::denied.
struct Case {
  Words rules;
  Words call;
  Bytes denied;
};

void expect_denials(const std::vector<Case>& cases) {
  const RuleTest test;
  for (const auto& [rules, call, denied] : cases) {
    const User user = test.user(rules);
    std::string shown = user.rules() + ":";
    for (const Bytes word : call) shown.append(" ").append(word);
    EXPECT_EQ(test.denied(user, call), denied) << shown;
  }
}

TEST(Selector, AllowsCommands) {
  expect_denials({
      {{"~*"}, {"get", "a"}, "command"},
      {{"~*", "+get"}, {"GET", "a"}, ""},
      {{"~*", "+@all", "-get"}, {"get", "a"}, "command"},
      {{"~*", "+@read"}, {"get", "a"}, ""},
      {{"~*", "+@read"}, {"set", "a", "1"}, "command"},
      {{"~*", "+@all", "-@write"}, {"set", "a", "1"}, "command"},
      {{"~*", "-@string", "+@string"}, {"get", "a"}, ""},
      {{"+config"}, {"config", "set", "a", "b"}, ""},
      {{"+config", "-config|set"}, {"config", "set", "a", "b"}, "command"},
      {{"+config", "-config|set"}, {"config", "get", "a"}, ""},
      {{"+config|get"}, {"config", "get", "a"}, ""},
      {{"+config|get"}, {"config", "set", "a", "b"}, "command"},
      {{"+config|get"}, {"config"}, "command"},
      {{"+@admin"}, {"config", "get", "a"}, ""},
      {{"+@all", "-@admin"}, {"config"}, ""},
      {{"+@slow", "-@slow"}, {"config", "get", "a"}, "command"},
      {{}, {"auth", "a"}, ""},  // whoever it is may become somebody else
      {{"-auth"}, {"auth", "a"}, ""},
  });
}

TEST(Selector, AllowsCommandsWithAFirstArgument) {
  expect_denials({
      {{"+select|0"}, {"select", "0"}, ""},
      {{"+select|a"}, {"select", "A"}, ""},
      {{"+select|0"}, {"select", "1"}, "command"},
      {{"+select|0"}, {"select"}, "command"},
      {{"+select|0", "+select", "-select"}, {"select", "0"}, "command"},
      {{"+select|0", "-@connection"}, {"select", "0"}, "command"},
      {{"+select|0", "-@all"}, {"select", "0"}, "command"},
      {{"+@all", "+select|0"}, {"select", "1"}, ""},
  });
}

TEST(Selector, AllowsKeysAsACallUsesThem) {
  expect_denials({
      {{"+@all"}, {"get", "a"}, "key 1"},
      {{"+@all", "~a*"}, {"get", "ab"}, ""},
      {{"+@all", "~a*"}, {"get", "b"}, "key 1"},
      {{"+@all", "%R~a"}, {"get", "a"}, ""},
      {{"+@all", "%W~a"}, {"get", "a"}, "key 1"},
      {{"+@all", "%R~a"}, {"set", "a", "1"}, "key 1"},
      {{"+@all", "%W~a"}, {"set", "a", "1"}, ""},
      {{"+@all", "%W~a"}, {"set", "a", "1", "get"}, "key 1"},  // this call reads, too
      {{"+@all", "%RW~a"}, {"set", "a", "1", "get"}, ""},
      {{"+@all", "%R~a", "%W~*"}, {"set", "a", "1", "get"}, "key 1"},  // no one pattern has both
      {{"+@all", "%W~a"}, {"exists", "a"}, ""},
      {{"+@all", "%R~a"}, {"exists", "a"}, ""},
      {{"+@all", "%R~a"}, {"exists", "a", "b", "a"}, "key 2"},
      {{"+@all", "~a", "%W~b"}, {"move", "a", "b"}, ""},
      {{"+@all", "~a", "%R~b"}, {"move", "a", "b"}, "key 2"},
      {{"+@all", "%R~a", "~b"}, {"move", "a", "b"}, "key 1"},
      {{"+@all", "~a"}, {"run", "text", "2", "a", "b"}, "key 4"},
      {{"+@all", "~a"}, {"run", "text", "1", "a", "b"}, ""},
      {{"+@all"}, {"run", "text", "9", "a"}, ""},  // the command itself refuses it
      {{"+@all"}, {"run", "text", "x", "a"}, ""},
      {{"+@all"}, {"dig", "a"}, ""},  // a place that is no key
  });
}

TEST(Selector, AllowsChannels) {
  expect_denials({
      {{"+@all"}, {"publish", "a", "text"}, "channel 1"},
      {{"+@all", "&a*"}, {"publish", "ab", "text"}, ""},
      {{"+@all", "&a*"}, {"publish", "b", "text"}, "channel 1"},
      {{"+@all", "&a"}, {"subscribe", "a", "b"}, "channel 2"},
      {{"+@all", "&*"}, {"subscribe", "a", "b"}, ""},
      {{"+@all", "&a*"}, {"psubscribe", "a*"}, ""},
      {{"+@all", "&a*"}, {"psubscribe", "ab"}, "channel 1"},  // the very pattern, no channel of it
      {{"+@all", "&a*"}, {"psubscribe", "a*", "b*"}, "channel 2"},
  });
}

TEST(Selector, IsUnlimitedWhereNothingWouldBeDenied) {
  const RuleTest test;
  const auto unlimited = [&](Words rules) { return test.user(rules).are_unlimited(); };
  EXPECT_TRUE(unlimited({"+@all", "~*", "&*"}));
  EXPECT_TRUE(unlimited({"+@all", "~*", "&*", "-get", "+get"}));
  EXPECT_FALSE(unlimited({"+@all", "~*", "&*", "-get"}));
  EXPECT_FALSE(unlimited({"+@all", "~*", "&*", "-config|get"}));
  EXPECT_FALSE(unlimited({"+@all", "%R~*", "&*"}));
  EXPECT_FALSE(unlimited({"+@all", "~*"}));
}

TEST(Selector, BeginsWithTheChannelsOfTheConfiguration) {
  const RuleTest test;
  const RuleTerms all{.commands = test.commands, .all_channels = true};
  EXPECT_EQ(Selector(all).rules(), "&* -@all");
  EXPECT_EQ(Selector(test.terms).rules(), "resetchannels -@all");
}

}  // namespace
}  // namespace tandem
