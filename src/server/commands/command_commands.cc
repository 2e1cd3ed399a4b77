#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/glob.h"
#include "engine/executor.h"
#include "server/commands/command_syntax.h"
#include "server/commands/rows.h"

namespace tandem {
namespace {

// clang-format on

void write_words(ReplyWriter& reply, KeyUse use) {
  const auto words = use.words();
  reply.set(static_cast<int64_t>(words.size()));
  for (const std::string_view word : words) reply.simple(word);
}

constexpr std::pair<CommandFlag, std::string_view> kFlagNames[] = {
    {kWrite, "write"},
    {kReadOnly, "readonly"},
    {kDenyOom, "denyoom"},
    {kAdmin, "admin"},
    {kPubSub, "pubsub"},
    {kNoScript, "noscript"},
    {kBlocking, "blocking"},
    {kLoading, "loading"},
    {kStale, "stale"},
    {kSkipMonitor, "skip_monitor"},
    {kSkipSlowlog, "skip_slowlog"},
    {kAsking, "asking"},
    {kFast, "fast"},
    {kNoAuth, "no_auth"},
    {kNoMandatoryKeys, "no_mandatory_keys"},
    {kNoAsyncLoading, "no_async_loading"},
    {kNoMulti, "no_multi"},
    {kMovableKeys, "movablekeys"},
    {kAllowBusy, "allow_busy"},
};

std::vector<std::string> split(std::string_view text, std::string_view separator = " ") {
  std::vector<std::string> all;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) all.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + separator.size(), text.size()));
  }
  return all;
}

// First key, last key and step, as clients without key specifications know them.
struct KeyRange {
  int first = 0;
  int last = 0;
  int step = 0;
};

KeyRange key_range(const Command& command) {
  KeyRange range;
  for (const KeySpec& spec : command.row.keys) {
    if (!spec.begin_keyword.empty() || spec.find != KeySpec::Find::kRange) continue;
    const int last = spec.last >= 0 ? spec.begin + spec.last : spec.last;
    if (range.first == 0) {
      range = {spec.begin, last, spec.step};
    } else if (range.last >= 0 && spec.begin == range.last + 1 && spec.step == 1) {
      range.last = last;
    }
  }
  return range;
}

void write_unknown(ReplyWriter& reply, std::string_view part) {
  reply.bulk(part);
  reply.map(2);
  reply.bulk("type");
  reply.bulk("unknown");
  reply.bulk("spec");
  reply.map(0);
}

void write_begin(ReplyWriter& reply, const KeySpec& spec) {
  const bool keyword = !spec.begin_keyword.empty();
  reply.bulk("begin_search");
  reply.map(2);
  reply.bulk("type");
  reply.bulk(keyword ? "keyword" : "index");
  reply.bulk("spec");
  reply.map(keyword ? 2 : 1);
  if (keyword) {
    reply.bulk("keyword");
    reply.bulk(spec.begin_keyword);
    reply.bulk("startfrom");
  } else {
    reply.bulk("index");
  }
  reply.integer(spec.begin);
}

void write_find(ReplyWriter& reply, const KeySpec& spec) {
  const bool range = spec.find == KeySpec::Find::kRange;
  reply.bulk("find_keys");
  reply.map(2);
  reply.bulk("type");
  reply.bulk(range ? "range" : "keynum");
  reply.bulk("spec");
  reply.map(3);
  reply.bulk(range ? "lastkey" : "keynumidx");
  reply.integer(range ? spec.last : spec.count_at);
  if (!range) {
    reply.bulk("firstkey");
    reply.integer(spec.first_at);
  }
  reply.bulk("keystep");
  reply.integer(spec.step);
  if (range) {
    reply.bulk("limit");
    reply.integer(spec.limit);
  }
}

void write_key_specs(ReplyWriter& reply, const Command& command) {
  reply.set(static_cast<int64_t>(command.row.keys.size()));
  for (const KeySpec& spec : command.row.keys) {
    reply.map(3);
    reply.bulk("flags");
    write_words(reply, spec.use);
    if (spec.find == KeySpec::Find::kUnknown) {
      write_unknown(reply, "begin_search");
      write_unknown(reply, "find_keys");
    } else {
      write_begin(reply, spec);
      write_find(reply, spec);
    }
  }
}

void write_arguments(ReplyWriter& reply, const std::vector<SyntaxArgument>& arguments);

void write_argument_flags(ReplyWriter& reply, const SyntaxArgument& argument) {
  reply.bulk("flags");
  reply.set(argument.optional + argument.multiple + argument.multiple_token);
  if (argument.optional) reply.simple("optional");
  if (argument.multiple) reply.simple("multiple");
  if (argument.multiple_token) reply.simple("multiple_token");
}

void write_text(ReplyWriter& reply, std::string_view name, std::string_view text) {
  reply.bulk(name);
  reply.bulk(text);
}

void write_text_if_any(ReplyWriter& reply, std::string_view name, std::string_view text) {
  if (!text.empty()) write_text(reply, name, text);
}

void write_argument(ReplyWriter& reply, const SyntaxArgument& argument) {
  const bool key = argument.key_spec_index >= 0;
  const bool flags = argument.optional || argument.multiple;
  const bool nested = !argument.children.empty();
  // What has parts is shown by them.
  reply.map(3 + key + !argument.token.empty() + !argument.since.empty() +
            !argument.deprecated_since.empty() + flags);
  write_text(reply, "name", argument.name);
  write_text(reply, "type", syntax_type_name(argument.type));
  if (!nested) {
    write_text(reply, "display_text", argument.shown.empty() ? argument.name : argument.shown);
  }
  if (key) {
    reply.bulk("key_spec_index");
    reply.integer(argument.key_spec_index);
  }
  write_text_if_any(reply, "token", argument.token);
  write_text_if_any(reply, "since", argument.since);
  write_text_if_any(reply, "deprecated_since", argument.deprecated_since);
  if (flags) write_argument_flags(reply, argument);
  if (!nested) return;
  reply.bulk("arguments");
  write_arguments(reply, argument.children);
}

void write_arguments(ReplyWriter& reply, const std::vector<SyntaxArgument>& arguments) {
  reply.array(static_cast<int64_t>(arguments.size()));
  for (const SyntaxArgument& argument : arguments) write_argument(reply, argument);
}

// A version and what it changed, for each.
void write_history(ReplyWriter& reply, std::string_view history) {
  const auto entries = split(history, "; ");
  reply.bulk("history");
  reply.set(static_cast<int64_t>(entries.size()));
  for (const std::string_view entry : entries) {
    const size_t space = entry.find(' ');
    reply.array(2);
    reply.bulk(entry.substr(0, space));
    reply.bulk(entry.substr(space + 1));
  }
}

std::vector<std::string_view> command_flag_names(const Command& command) {
  std::vector<std::string_view> names;
  for (const auto& [flag, name] : kFlagNames) {
    if (command.has(flag)) names.push_back(name);
  }
  return names;
}

std::vector<std::string> command_categories(const Command& command) {
  std::vector<std::string> categories;
  for (size_t i = 0; i < std::size(kCategoryNames); ++i) {
    if ((command.categories >> i & 1) != 0) {
      categories.push_back(fmt::format("@{}", kCategoryNames[i]));
    }
  }
  return categories;
}

void write_command_info(ReplyWriter& reply, const Command& command) {
  const KeyRange range = key_range(command);
  const auto flags = command_flag_names(command);
  const auto categories = command_categories(command);
  reply.array(10);
  reply.bulk(command.full_name);
  reply.integer(command.row.arity);
  reply.set(static_cast<int64_t>(flags.size()));
  for (const std::string_view flag : flags) reply.simple(flag);
  reply.integer(range.first);
  reply.integer(range.last);
  reply.integer(range.step);
  reply.set(static_cast<int64_t>(categories.size()));
  for (const std::string& category : categories) reply.simple(category);
  const auto tips = split(command.row.tips);
  reply.set(static_cast<int64_t>(tips.size()));
  for (const std::string& tip : tips) reply.bulk(tip);
  write_key_specs(reply, command);
  reply.set(static_cast<int64_t>(command.subcommands.size()));
  for (const Command* subcommand : command.subcommands) write_command_info(reply, *subcommand);
}

}  // namespace

void write_command_docs(ReplyWriter& reply, const Command& command) {
  const CommandRow& row = command.row;
  const bool container = !command.subcommands.empty();
  const auto arguments = parse_syntax(row);
  const bool documented = arguments && !arguments->empty();
  const bool deprecated = !row.deprecated.empty();
  const bool flagged = row.internal || deprecated;
  reply.map(3 + !row.complexity.empty() + !row.history.empty() + flagged + 2 * deprecated +
            documented + container);
  write_text(reply, "summary", row.summary);
  write_text(reply, "since", row.since);
  write_text(reply, "group", row.group);
  write_text_if_any(reply, "complexity", row.complexity);
  if (flagged) {
    reply.bulk("doc_flags");
    reply.set(1);
    reply.simple(row.internal ? "syscmd" : "deprecated");
  }
  if (deprecated) {
    const size_t space = row.deprecated.find(' ');
    write_text(reply, "deprecated_since", row.deprecated.substr(0, space));
    write_text(reply, "replaced_by", row.deprecated.substr(space + 1));
  }
  if (!row.history.empty()) write_history(reply, row.history);
  if (documented) {
    reply.bulk("arguments");
    write_arguments(reply, *arguments);
  }
  if (!container) return;
  reply.bulk("subcommands");
  reply.map(static_cast<int64_t>(command.subcommands.size()));
  for (const Command* subcommand : command.subcommands) {
    reply.bulk(subcommand->full_name);
    write_command_docs(reply, *subcommand);
  }
}

namespace {

// COMMAND and its subcommands.

const Registry& registry(const SessionContext& c) { return c.executor.engine().registry; }

void info(SessionContext& c) {
  // Without names, of COMMAND itself as of COMMAND INFO: all of them.
  if (c.args.size() <= 2) {
    const auto& all = registry(c).commands();
    c.reply.array(static_cast<int64_t>(all.size()));
    for (const Command* command : all) write_command_info(c.reply, *command);
    return;
  }
  c.reply.array(static_cast<int64_t>(c.args.size() - 2));
  for (const Bytes name : c.args.subspan(2)) {
    const Command* command = registry(c).find_full(name);
    command == nullptr ? c.reply.null() : write_command_info(c.reply, *command);
  }
}

void docs(SessionContext& c) {
  std::vector<const Command*> wanted;
  if (c.args.size() == 2) wanted = registry(c).commands();
  for (const Bytes name : c.args.subspan(2)) {
    if (const Command* command = registry(c).find_full(name)) wanted.push_back(command);
  }
  c.reply.map(static_cast<int64_t>(wanted.size()));
  for (const Command* command : wanted) {
    c.reply.bulk(command->full_name);
    write_command_docs(c.reply, *command);
  }
}

void count(SessionContext& c) {
  c.reply.integer(static_cast<int64_t>(registry(c).commands().size()));
}

bool in_category(const Command& command, Bytes category) {
  return std::ranges::any_of(command_categories(command), [&](const std::string& own) {
    return equal_ignore_case(Bytes(own).substr(1), category);
  });
}

void list(SessionContext& c) {
  constexpr size_t kWithFilter = 5;
  const bool filtered = c.args.size() == kWithFilter && equal_ignore_case(c.args[2], "filterby");
  if (c.args.size() != 2 && !filtered) return c.reply.error(kSyntaxError);
  const Bytes kind = filtered ? c.args[3] : Bytes();
  const bool by_pattern = equal_ignore_case(kind, "pattern");
  const bool by_category = equal_ignore_case(kind, "aclcat");
  if (filtered && !by_pattern && !by_category && !equal_ignore_case(kind, "module")) {
    return c.reply.error(kSyntaxError);
  }
  const auto array = c.reply.begin_array();
  int64_t found = 0;
  const auto visit = [&](const Command& command) {
    if (by_pattern && !glob_match(c.args[4], command.full_name, GlobCase::kIgnore)) return;
    if (by_category && !in_category(command, c.args[4])) return;
    if (filtered && !by_pattern && !by_category) return;  // there are no modules
    c.reply.bulk(command.full_name);
    ++found;
  };
  for (const Command* command : registry(c).commands()) {
    visit(*command);
    for (const Command* subcommand : command->subcommands) visit(*subcommand);
  }
  c.reply.end_array(array, found);
}

// The keys of the command that the arguments from the third on are.
void getkeys(SessionContext& c, bool with_flags) {
  const auto args = c.args.subspan(2);
  const Command* command = registry(c).resolve(args);
  if (command == nullptr) return c.reply.error("ERR Invalid command specified");
  if (std::ranges::none_of(command->row.keys, &KeySpec::tells_keys)) {
    return c.reply.error("ERR The command has no key arguments");
  }
  if (!command->arity_fits(args.size())) {
    return c.reply.error("ERR Invalid number of arguments specified for command");
  }
  std::vector<FoundKey> found;
  // Arguments that fit no specification have no keys.
  if (!find_keys(command->row.keys, args, found)) found.clear();
  if (found.empty() && !command->has(kNoMandatoryKeys)) {
    return c.reply.error("ERR Invalid arguments specified for command");
  }
  c.reply.array(static_cast<int64_t>(found.size()));
  for (const FoundKey& key : found) {
    if (with_flags) c.reply.array(2);
    c.reply.bulk(args[static_cast<size_t>(key.position)]);
    if (!with_flags) continue;
    write_words(c.reply, key.use);
  }
}

constexpr Bytes kHelp[] = {
    "(no subcommand)",
    "    Return details about all Redis commands.",
    "COUNT",
    "    Return the total number of commands in this Redis server.",
    "LIST",
    "    Return a list of all commands in this Redis server.",
    "INFO [<command-name> ...]",
    "    Return details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "DOCS [<command-name> ...]",
    "    Return documentation details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "GETKEYS <full-command>",
    "    Return the keys from a full Redis command.",
    "GETKEYSANDFLAGS <full-command>",
    "    Return the keys and the access flags from a full Redis command.",
};

// A row that states what COMMAND and its subcommands do not share.
CommandRow part(CommandRow row) {
  row.flags = kLoading | kStale;
  row.group = "server";
  row.categories = "connection";
  return row;
}

void keys_of(SessionContext& c) { getkeys(c, false); }
void keys_and_flags_of(SessionContext& c) { getkeys(c, true); }

constexpr std::string_view kAnyOrder = "nondeterministic_output_order";

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> command_rows() {
  return {part(
      {.name = "command", .arity = -1, .session_handler = info, .tips = kAnyOrder,
       .since = "2.8.13", .complexity = "O(N) for N commands",
       .summary = "Describes all commands.",
       .subcommands = {
           part({.name = "count", .arity = 2, .session_handler = count, .since = "2.8.13",
                 .complexity = "O(1)", .summary = "Tells how many commands there are."}),
           part({.name = "info", .arity = -2, .session_handler = info, .tips = kAnyOrder,
                 .since = "2.8.13", .history = "7.0.0 Describes all commands if none is named",
                 .complexity = "O(N) for N commands", .summary = "Describes commands.",
                 .syntax = "[command-name [command-name ...]]"}),
           part({.name = "docs", .arity = -2, .session_handler = docs, .tips = kAnyOrder,
                 .since = "7.0.0", .complexity = "O(N) for N commands",
                 .summary = "Tells what commands are for.",
                 .syntax = "[command-name [command-name ...]]"}),
           part({.name = "list", .arity = -2, .session_handler = list, .tips = kAnyOrder,
                 .since = "7.0.0", .complexity = "O(N) for N commands",
                 .summary = "Tells the names of the commands.",
                 .syntax = "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]"}),
           part({.name = "getkeys", .arity = -3, .session_handler = keys_of, .since = "2.8.13",
                 .complexity = "O(N) for N arguments",
                 .summary = "Finds the keys in a whole command.",
                 .syntax = "command [arg [arg ...]]"}),
           part({.name = "getkeysandflags", .arity = -3, .session_handler = keys_and_flags_of,
                 .since = "7.0.0", .complexity = "O(N) for N arguments",
                 .summary = "Finds the keys in a whole command, and how it uses them.",
                 .syntax = "command [arg [arg ...]]"}),
           part(help_row("command", "server", kHelp))}})};
}

}  // namespace tandem
