// A few commands of every shape, for tests of rules.
#pragma once

#include <string>
#include <vector>

#include "acl/users.h"
#include "base/check.h"
#include "engine/command.h"

namespace tandem {

inline std::vector<CommandRow> rule_test_rows() {
  return {
      {.name = "get",
       .arity = 2,
       .flags = kReadOnly | kFast,
       .keys = {key_at(1, "RO access")},
       .group = "string"},
      {.name = "set",
       .arity = -3,
       .flags = kWrite,
       .keys = {{.use = "RW access update variable_flags",
                 .begin = 1,
                 .milder = {.use = "OW update", .words = "GET"}}},
       .group = "string"},
      {.name = "exists",
       .arity = -2,
       .flags = kReadOnly | kFast,
       .keys = {keys_range(1, -1, 1, "RO")},
       .group = "generic"},
      {.name = "move",
       .arity = 3,
       .flags = kWrite,
       .keys = {key_at(1, "RW access delete"), key_at(2, "RW insert")},
       .group = "list"},
      {.name = "run",
       .arity = -3,
       .flags = kNoScript,
       .keys = {keys_counted(2, "RW access update")},
       .group = "scripting"},
      {.name = "dig", .arity = 2, .keys = {key_at(1, "RW not_key")}, .group = "server"},
      {.name = "select", .arity = 2, .flags = kFast, .group = "connection"},
      {.name = "auth", .arity = -2, .flags = kFast | kNoAuth, .group = "connection"},
      {.name = "ping", .arity = -1, .flags = kFast, .group = "connection"},
      {.name = "publish",
       .arity = 3,
       .flags = kPubSub | kFast,
       .channels = ChannelUse::kPublishes,
       .group = "pubsub"},
      {.name = "subscribe",
       .arity = -2,
       .flags = kPubSub,
       .channels = ChannelUse::kSubscribes,
       .group = "pubsub"},
      {.name = "psubscribe",
       .arity = -2,
       .flags = kPubSub,
       .channels = ChannelUse::kSubscribesPatterns,
       .group = "pubsub"},
      {.name = "config",
       .arity = -2,
       .group = "server",
       .subcommands = {{.name = "get", .arity = -3, .flags = kAdmin, .group = "server"},
                       {.name = "set", .arity = -4, .flags = kAdmin, .group = "server"}}},
  };
}

struct RuleTest {
  Registry commands{rule_test_rows()};
  RuleTerms terms{.commands = commands, .all_channels = false};

  // A user with these rules, which are right.
  User user(const std::vector<Bytes>& rules) const {
    User made(terms);
    for (const Bytes rule : rules) CHECK(made.apply(rule, terms), "the rules of a test are right");
    return made;
  }
  // "" if the user may, else why not and where: "command", "key 1", "channel 2".
  std::string denied(const User& user, const std::vector<Bytes>& args) const {
    const auto denial = user.denial(*commands.resolve(args), args);
    if (!denial) return "";
    if (denial->reason == DenialReason::kCommand) return "command";
    const char* what = denial->reason == DenialReason::kKey ? "key " : "channel ";
    return what + std::to_string(denial->at);
  }
};

}  // namespace tandem
