#include "acl/selector.h"

#include <algorithm>

#include "base/glob.h"

namespace tandem {
namespace {

std::unexpected<Error> unknown_name() {
  return fail(ErrorCode::kUnsupported, "Unknown command or category name in ACL");
}

std::unexpected<Error> syntax_error() { return fail(ErrorCode::kInvalid, "Syntax error"); }

// A text with blanks between its parts.
void add_part(std::string& text, Bytes part) {
  if (!text.empty()) text += ' ';
  text += part;
}

const Command* find_command(const Registry& commands, Bytes name) {
  return commands.find_original(to_lower(name));
}

}  // namespace

bool is_rule_word(Bytes word) {
  return std::ranges::none_of(word, [](char c) { return ascii_space(c) || c == '\0'; });
}

const std::vector<FoundKey>& AskedCall::keys() {
  if (keys_) return *keys_;
  keys_.emplace();
  // Arguments that fit no specification name no keys: the command itself will refuse them.
  if (!find_keys(command.row.keys, args, *keys_)) keys_->clear();
  std::erase_if(*keys_, [](const FoundKey& key) { return key.use.has(KeyUse::kNoKey); });
  return *keys_;
}

std::pair<size_t, size_t> AskedCall::channels() const {
  if (command.row.channels == ChannelUse::kNone || args.size() < 2) return {1, 0};
  return {1, command.row.channels == ChannelUse::kPublishes ? 1 : args.size() - 1};
}

Selector::Selector(const RuleTerms& terms)
    : allowed_(terms.commands.id_count(), false), all_channels_(terms.all_channels) {}

// Rules.

Result<void> Selector::apply(Bytes rule, const RuleTerms& terms) {
  const auto is = [rule](Bytes word, Bytes same) {
    return equal_ignore_case(rule, word) || equal_ignore_case(rule, same);
  };
  if (is("allcommands", "+@all")) {
    set_all_commands(true);
  } else if (is("nocommands", "-@all")) {
    set_all_commands(false);
  } else if (is("allkeys", "~*")) {
    set_all_keys(true);
  } else if (is("resetkeys", "resetkeys")) {
    set_all_keys(false);
  } else if (is("allchannels", "&*")) {
    set_all_channels(true);
  } else if (is("resetchannels", "resetchannels")) {
    set_all_channels(false);
  } else {
    return apply_named(rule, terms);
  }
  return {};
}

Result<void> Selector::apply_named(Bytes rule, const RuleTerms& terms) {
  const char kind = rule.empty() ? '\0' : rule[0];
  if (kind == '~' || kind == '%') return add_keys(rule);
  if (kind == '&') return add_channels(rule.substr(1));
  if (kind != '+' && kind != '-') return syntax_error();
  const bool allows = kind == '+';
  const Bytes name = rule.substr(1);
  if (name.starts_with('@')) return set_category(name, allows, terms.commands);
  return allows ? allow_command(name, terms.commands) : forbid_command(name, terms.commands);
}

void Selector::set_all_commands(bool allowed) {
  allowed_.assign(allowed_.size(), allowed);
  first_arguments_.clear();
  starts_with_all_ = allowed;
  command_rules_.clear();
}

void Selector::set_all_keys(bool allowed) {
  all_keys_ = allowed;
  keys_.clear();
}

void Selector::set_all_channels(bool allowed) {
  all_channels_ = allowed;
  channels_.clear();
}

// "~glob", or between % and ~ for what.
Result<void> Selector::add_keys(Bytes rule) {
  if (all_keys_) {
    return fail(ErrorCode::kInvalid,
                "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and "
                "does not have any effect. Try 'resetkeys' to start with an empty list of "
                "patterns");
  }
  KeyPattern added{.glob = {}, .reads = rule[0] == '~', .writes = rule[0] == '~'};
  rule.remove_prefix(1);
  if (!added.reads) {
    // As in Redis the text may end without a tilde: then the pattern is empty.
    const size_t uses = std::min(rule.find('~'), rule.size());
    for (const char c : rule.substr(0, uses)) {
      bool& use = ascii_upper(c) == 'R' ? added.reads : added.writes;
      if (use || (ascii_upper(c) != 'R' && ascii_upper(c) != 'W')) return syntax_error();
      use = true;
    }
    if (!added.reads && !added.writes) return syntax_error();
    rule.remove_prefix(std::min(uses + 1, rule.size()));
  }
  if (!is_rule_word(rule)) return syntax_error();
  added.glob = rule;
  const auto same = std::ranges::find(keys_, added.glob, &KeyPattern::glob);
  if (same == keys_.end()) {
    keys_.push_back(std::move(added));
  } else {
    same->reads |= added.reads;
    same->writes |= added.writes;
  }
  return {};
}

Result<void> Selector::add_channels(Bytes glob) {
  if (all_channels_) {
    return fail(ErrorCode::kInvalid,
                "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and "
                "does not have any effect. Try 'resetchannels' to start with an empty list of "
                "channels");
  }
  if (!is_rule_word(glob)) return syntax_error();
  if (std::ranges::find(channels_, glob) == channels_.end()) channels_.emplace_back(glob);
  return {};
}

Result<void> Selector::allow_command(Bytes name, const Registry& commands) {
  if (name.contains('|')) return allow_part(name, commands);
  const Command* command = find_command(commands, name);
  if (command == nullptr) return unknown_name();
  set_command(*command, true);
  note_rule(command->full_name, true);
  return {};
}

// "config|get" is a subcommand, "select|0" a command with its first argument.
Result<void> Selector::allow_part(Bytes name, const Registry& commands) {
  const size_t bar = name.rfind('|');
  const Command* whole = find_command(commands, name.substr(0, bar));
  if (whole == nullptr) return unknown_name();
  if (whole->full_name.contains('|')) {
    return fail(ErrorCode::kInvalid, "Allowing first-arg of a subcommand is not supported");
  }
  const Bytes part = name.substr(bar + 1);
  if (part.empty()) return syntax_error();
  if (!whole->subcommands.empty()) {
    const Command* subcommand = find_command(commands, name);
    if (subcommand == nullptr) return unknown_name();
    set_command(*subcommand, true);
  } else {
    auto& words = first_arguments_[whole->id];
    const auto is_same = [part](Bytes word) { return equal_ignore_case(word, part); };
    if (std::ranges::none_of(words, is_same)) words.emplace_back(part);
  }
  note_rule(name, true);
  return {};
}

Result<void> Selector::forbid_command(Bytes name, const Registry& commands) {
  const Command* command = find_command(commands, name);
  if (command == nullptr) return unknown_name();
  set_command(*command, false);
  note_rule(command->full_name, false);
  return {};
}

Result<void> Selector::set_category(Bytes name, bool allowed, const Registry& commands) {
  const uint32_t category = category_bit(name.substr(1));
  if (category == 0) return unknown_name();
  for (size_t id = 0; id < commands.id_count(); ++id) {
    const Command& command = commands.by_id(static_cast<int>(id));
    if ((command.categories & category) != 0) set_command(command, allowed);
  }
  note_rule(name, allowed);
  return {};
}

void Selector::set_command(const Command& command, bool allowed) {
  allowed_[static_cast<size_t>(command.id)] = allowed;
  first_arguments_.erase(command.id);
  for (const Command* subcommand : command.subcommands) {
    allowed_[static_cast<size_t>(subcommand->id)] = allowed;
  }
}

// The latest rule on a name says all about it and what is below it.
void Selector::note_rule(Bytes name, bool allows) {
  const std::string noted = to_lower(name);
  std::erase_if(command_rules_, [&](const CommandRule& earlier) {
    return earlier.name == noted || earlier.name.starts_with(noted + "|");
  });
  command_rules_.push_back({allows, noted});
}

// What they allow.

bool Selector::is_unlimited() const {
  return all_keys_ && all_channels_ && std::ranges::find(allowed_, false) == allowed_.end();
}

// Who may not even authenticate could never become somebody else.
bool Selector::allows_command(const AskedCall& call) const {
  const Command& command = call.command;
  if (allowed_[static_cast<size_t>(command.id)] || command.has(kNoAuth)) return true;
  const auto found = first_arguments_.find(command.id);
  return found != first_arguments_.end() && call.args.size() > 1 &&
         std::ranges::any_of(found->second,
                             [&](Bytes word) { return equal_ignore_case(word, call.args[1]); });
}

// What a command does to a key beside giving back or changing what users store there (EXISTS), any
// right to it allows.
bool Selector::allows_key(Bytes key, KeyUse use) const {
  const bool reads = use.has(KeyUse::kAccesses);
  const bool writes =
      use.has(KeyUse::kUpdates) || use.has(KeyUse::kInserts) || use.has(KeyUse::kDeletes);
  return std::ranges::any_of(keys_, [&](const KeyPattern& pattern) {
    return (pattern.reads || !reads) && (pattern.writes || !writes) &&
           glob_match(pattern.glob, key);
  });
}

bool Selector::allows_channel(Bytes name, bool is_pattern) const {
  if (all_channels_) return true;
  return std::ranges::any_of(channels_, [&](const std::string& glob) {
    return is_pattern ? glob == name : glob_match(glob, name);
  });
}

std::optional<Denial> Selector::denial(AskedCall& call) const {
  if (!allows_command(call)) return Denial{};
  if (!all_keys_) {
    for (const FoundKey& key : call.keys()) {
      const auto at = static_cast<size_t>(key.position);
      if (!allows_key(call.args[at], key.use)) return Denial{DenialReason::kKey, at};
    }
  }
  const bool is_pattern = call.command.row.channels == ChannelUse::kSubscribesPatterns;
  const auto [first, count] = call.channels();
  for (size_t at = first; at < first + count; ++at) {
    if (!allows_channel(call.args[at], is_pattern)) return Denial{DenialReason::kChannel, at};
  }
  return std::nullopt;
}

bool Selector::allows_any_key_read(const AskedCall& call) const {
  const auto is_any = [](const KeyPattern& pattern) {
    return pattern.reads && pattern.glob == "*";
  };
  return allows_command(call) && (all_keys_ || std::ranges::any_of(keys_, is_any));
}

// Texts.

std::string Selector::command_rules() const {
  std::string text = starts_with_all_ ? "+@all" : "-@all";
  for (const CommandRule& rule : command_rules_) {
    add_part(text, (rule.allows ? "+" : "-") + rule.name);
  }
  return text;
}

std::string Selector::key_rules() const {
  if (all_keys_) return "~*";
  std::string text;
  for (const KeyPattern& pattern : keys_) {
    const Bytes sign = pattern.reads && pattern.writes ? "~" : pattern.reads ? "%R~" : "%W~";
    add_part(text, std::string(sign) + pattern.glob);
  }
  return text;
}

std::string Selector::channel_rules() const {
  if (all_channels_) return "&*";
  std::string text;
  for (const std::string& glob : channels_) add_part(text, "&" + glob);
  return text;
}

std::string Selector::rules() const {
  std::string text = key_rules();
  if (!all_channels_) add_part(text, "resetchannels");
  if (const std::string channels = channel_rules(); !channels.empty()) add_part(text, channels);
  add_part(text, command_rules());
  return text;
}

}  // namespace tandem
