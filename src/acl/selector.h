// A set of rights that hold together: which commands, on which keys and channels. A user has one
// or more of them (acl/user.h), and a call needs one that allows all of it.
//
//   +get -get              a command, and with a container all its subcommands
//   +config|get            a subcommand
//   +select|0              a command with this first argument, though it is not allowed otherwise
//   +@read -@dangerous     what is in a category; +@all allcommands, -@all nocommands
//   ~a:* %R~a:* %W~ %RW~   keys by pattern: read and written, or one of both; ~* allkeys, resetkeys
//   &a:*                   channels by pattern; &* allchannels, resetchannels
//
// Rules about commands have an order: each changes what those before it have left. They are kept
// and told in this order, without those that a later one on the same name made pointless.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/command.h"
#include "engine/rights.h"

namespace tandem {

// What a rule means depends on.
struct RuleTerms {
  const Registry& commands;
  bool all_channels;  // acl-pubsub-default: to which a new selector has the right
};

// A call, with the places of its keys and channels, which are found when they are first asked for.
class AskedCall {
 public:
  AskedCall(const Command& its_command, std::span<const Bytes> its_args)
      : command(its_command), args(its_args) {}

  const Command& command;
  const std::span<const Bytes> args;

  const std::vector<FoundKey>& keys();
  // The first one's place, and how many there are behind each other.
  std::pair<size_t, size_t> channels() const;

 private:
  std::optional<std::vector<FoundKey>> keys_;
};

class Selector {
 public:
  // Without any right, but for what the terms say of channels.
  explicit Selector(const RuleTerms& terms);

  // The error's text is Redis's. kUnsupported: there is no command or category of that name;
  // kInvalid: all else. It may be half applied then.
  Result<void> apply(Bytes rule, const RuleTerms& terms);

  bool is_unlimited() const;
  bool has_all_channels() const { return all_channels_; }
  std::span<const std::string> channels() const { return channels_; }
  // Whether one of the patterns allows the channel. Who subscribes to a pattern needs the very one.
  bool allows_channel(Bytes name, bool is_pattern) const;
  // Why it does not allow a call; nothing if it does.
  std::optional<Denial> denial(AskedCall& call) const;

  // Whether it allows the command, and to read whatever key.
  bool allows_any_key_read(const AskedCall& call) const;

  // As rules that give the same rights to a selector without any.
  std::string command_rules() const;
  std::string key_rules() const;
  std::string channel_rules() const;
  // All of them in one line.
  std::string rules() const;

 private:
  struct KeyPattern {
    std::string glob;
    bool reads;
    bool writes;
  };
  struct CommandRule {
    bool allows;
    std::string name;  // "get", "config|get", "select|0", "@read"
  };

  Result<void> apply_named(Bytes rule, const RuleTerms& terms);
  void set_all_commands(bool allowed);
  void set_all_keys(bool allowed);
  void set_all_channels(bool allowed);
  Result<void> add_keys(Bytes rule);
  Result<void> add_channels(Bytes glob);
  Result<void> allow_command(Bytes name, const Registry& commands);
  Result<void> allow_part(Bytes name, const Registry& commands);
  Result<void> forbid_command(Bytes name, const Registry& commands);
  Result<void> set_category(Bytes name, bool allowed, const Registry& commands);
  void set_command(const Command& command, bool allowed);
  void note_rule(Bytes name, bool allows);
  bool allows_command(const AskedCall& call) const;
  bool allows_key(Bytes key, KeyUse use) const;

  std::vector<bool> allowed_;  // by Command::id
  // Of commands that are not allowed otherwise, by Command::id.
  std::map<int, std::vector<std::string>> first_arguments_;
  bool starts_with_all_ = false;  // +@all came before the rules, not -@all
  std::vector<CommandRule> command_rules_;
  bool all_keys_ = false;
  std::vector<KeyPattern> keys_;
  bool all_channels_;
  std::vector<std::string> channels_;
};

// Whether a name may stand in a rule or name a user: no blanks and no zero bytes.
bool is_rule_word(Bytes word);

}  // namespace tandem
