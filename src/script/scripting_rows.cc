// The rows of EVAL and SCRIPT.
#include "base/ascii.h"
#include "script/scripting.h"

namespace tandem {
namespace {

void help(SessionContext& context) {
  static constexpr Bytes kLines[] = {
      "SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "DEBUG (YES|SYNC|NO)",
      "    Set the debug mode for subsequent scripts executed.",
      "EXISTS <sha1> [<sha1> ...]",
      "    Return information about the existence of the scripts in the script cache.",
      "FLUSH [ASYNC|SYNC]",
      "    Flush the Lua scripts cache. Very dangerous on replicas.",
      "    When called without the optional mode argument, the behavior is determined by the",
      "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
      "    * ASYNC: Asynchronously flush the scripts cache.",
      "    * SYNC: Synchronously flush the scripts cache.",
      "KILL",
      "    Kill the currently executing Lua script.",
      "LOAD <script>",
      "    Load a script into the scripts cache without executing it.",
      "HELP",
      "    Prints this help.",
  };
  context.reply.array(std::size(kLines));
  for (const Bytes line : kLines) context.reply.simple(line);
}

// There is no debugger; switching it off is no error.
void debug(SessionContext& context) {
  const Bytes mode = context.args[2];
  if (equal_ignore_case(mode, "no")) return context.reply.ok();
  if (equal_ignore_case(mode, "yes") || equal_ignore_case(mode, "sync")) {
    return context.reply.error("ERR the script debugger is not supported");
  }
  context.reply.error("ERR Use SCRIPT DEBUG YES/SYNC/NO");
}

CommandRow part(Bytes name, int arity, uint32_t flags, LockScope scope, SessionHandler handler,
                Bytes since, Bytes complexity, Bytes summary, Bytes syntax) {
  return {.name = name,
          .arity = arity,
          .flags = flags | kNoScript,
          .scope = scope,
          .session_handler = std::move(handler),
          .group = "scripting",
          .since = since,
          .complexity = complexity,
          .summary = summary,
          .syntax = syntax};
}

}  // namespace

CommandRow Scripting::evaluation_row(Bytes name, bool by_sha1, bool read_only) {
  uint32_t flags = kNoScript | kSkipMonitor | kNoMandatoryKeys | kStale | kMovableKeys;
  flags |= read_only ? kReadOnly : kMayReplicate;
  return {
      .name = name,
      .arity = -3,
      .flags = flags,
      .keys = {keys_counted(2, read_only ? "RO ACCESS" : "RW ACCESS UPDATE")},
      .scope = LockScope::kEverything,
      .session_handler = [this, by_sha1, read_only](
                             SessionContext& context) { evaluate(context, by_sha1, read_only); },
      .group = "scripting",
      .since = read_only ? "7.0.0" : "2.6.0",
      .complexity = "Depends on the script that is executed.",
      .summary = by_sha1 ? "Executes a server-side Lua script by SHA1 digest."
                         : "Executes a server-side Lua script.",
      .syntax = by_sha1 ? "sha1 numkeys [key [key ...]] [arg [arg ...]]"
                        : "script numkeys [key [key ...]] [arg [arg ...]]"};
}

CommandRow Scripting::script_row() {
  CommandRow row{.name = "script",
                 .arity = -2,
                 .group = "scripting",
                 .since = "2.6.0",
                 .complexity = "Depends on subcommand.",
                 .summary = "A container for Lua scripts management commands."};
  const auto all = LockScope::kEverything;
  row.subcommands.push_back(
      tipped("request_policy:all_nodes response_policy:all_succeeded",
             part(
                 "load", 3, kStale, all, [this](SessionContext& context) { load(context); },
                 "2.6.0", "O(N) with N being the length in bytes of the script body.",
                 "Loads a server-side Lua script to the script cache.", "script")));
  row.subcommands.push_back(
      tipped("request_policy:all_shards response_policy:agg_logical_and",
             part(
                 "exists", -3, 0, all, [this](SessionContext& context) { exists(context); },
                 "2.6.0", "O(N) with N being the number of scripts to check.",
                 "Determines whether server-side Lua scripts exist in the script cache.",
                 "sha1 [sha1 ...]")));
  row.subcommands.push_back(
      tipped("request_policy:all_nodes response_policy:all_succeeded",
             part(
                 "flush", -2, 0, all, [this](SessionContext& context) { flush(context); }, "2.6.0",
                 "O(N) with N being the number of scripts in cache",
                 "Removes all server-side Lua scripts from the script cache.", "[ASYNC | SYNC]")));
  row.subcommands.push_back(
      tipped("request_policy:all_shards response_policy:one_succeeded",
             part(
                 "kill", 2, kAllowBusy, LockScope::kKeys,
                 [this](SessionContext& context) { kill(context); }, "2.6.0", "O(1)",
                 "Terminates a server-side Lua script during execution.", "")));
  row.subcommands.push_back(part("debug", 3, 0, LockScope::kKeys, debug, "3.2.0", "O(1)",
                                 "Sets the debug mode of server-side Lua scripts.",
                                 "<YES | SYNC | NO>"));
  CommandRow& help_row = row.subcommands.emplace_back(
      part("help", 2, kLoading | kStale, LockScope::kKeys, help, "5.0.0", "O(1)",
           "Returns helpful text about the different subcommands.", ""));
  help_row.flags &= ~uint32_t{kNoScript};
  return row;
}

std::vector<CommandRow> Scripting::rows() {
  std::vector<CommandRow> rows;
  rows.push_back(evaluation_row("eval", false, false));
  rows.push_back(evaluation_row("evalsha", true, false));
  rows.push_back(evaluation_row("eval_ro", false, true));
  rows.push_back(evaluation_row("evalsha_ro", true, true));
  rows.push_back(script_row());
  return rows;
}

}  // namespace tandem
