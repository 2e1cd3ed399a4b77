#include "server/command_commands.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/glob.h"
#include "engine/executor.h"
#include "server/command_help.h"
#include "server/command_report.h"

namespace tandem {
namespace {

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

struct FoundKey {
  int position;
  const KeySpec* spec;
};

// Arguments that fit no specification have no keys.
std::vector<FoundKey> find_keys(const Command& command, std::span<const Bytes> args) {
  std::vector<FoundKey> found;
  for (const KeySpec& spec : command.row.keys) {
    Command alone = command;
    alone.row.keys = {spec};
    std::vector<int> positions;
    if (!find_key_positions(alone, args, positions)) return {};
    for (const int position : positions) found.push_back({position, &spec});
  }
  return found;
}

// The keys of the command that the arguments from the third on are.
void getkeys(SessionContext& c, bool with_flags) {
  const auto args = c.args.subspan(2);
  const Command* command = registry(c).resolve(args);
  if (command == nullptr) return c.reply.error("ERR Invalid command specified");
  if (command->row.keys.empty()) return c.reply.error("ERR The command has no key arguments");
  if (!command->arity_fits(args.size())) {
    return c.reply.error("ERR Invalid number of arguments specified for command");
  }
  const auto found = find_keys(*command, args);
  if (found.empty() && !command->has(kNoMandatoryKeys)) {
    return c.reply.error("ERR Invalid arguments specified for command");
  }
  c.reply.array(static_cast<int64_t>(found.size()));
  for (const FoundKey& key : found) {
    if (with_flags) c.reply.array(2);
    c.reply.bulk(args[static_cast<size_t>(key.position)]);
    if (!with_flags) continue;
    const auto words = key_flag_words(*key.spec, args);
    c.reply.set(static_cast<int64_t>(words.size()));
    for (const std::string& word : words) c.reply.simple(word);
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
// clang-format on

}  // namespace tandem
