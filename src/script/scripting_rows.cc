// The rows of EVAL and SCRIPT.
#include "base/ascii.h"
#include "resp/help_reply.h"
#include "script/scripting.h"

namespace tandem {
namespace {

void help(SessionContext& context) {
  static constexpr Bytes kLines[] = {
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
  };
  write_help(context.reply, "script", kLines);
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

// A row that states what SCRIPT's subcommands do not share.
CommandRow part(CommandRow row) {
  row.flags |= kNoScript;
  row.group = "scripting";
  return row;
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
      .complexity = "Depends on the script",
      .summary = by_sha1 ? "Runs a script that is kept, by its SHA1 digest." : "Runs a Lua script.",
      .syntax = by_sha1 ? "sha1 numkeys [key [key ...]] [arg [arg ...]]"
                        : "script numkeys [key [key ...]] [arg [arg ...]]"};
}

// clang-format off: a row is a record
CommandRow Scripting::script_row() {
  const auto bound = [this](void (Scripting::*handler)(SessionContext&)) {
    return [this, handler](SessionContext& context) { (this->*handler)(context); };
  };
  return {
      .name = "script", .arity = -2, .group = "scripting", .since = "2.6.0",
      .complexity = "Depends on the subcommand", .summary = "About scripts that are kept.",
      .subcommands = {
          part({.name = "load", .arity = 3, .flags = kStale | kInStream,
                .scope = LockScope::kEverything,
                .session_handler = bound(&Scripting::load),
                .tips = "request_policy:all_nodes response_policy:all_succeeded",
                .since = "2.6.0", .complexity = "O(N) for N bytes of script",
                .summary = "Keeps a script, to be called by its SHA1 digest.",
                .syntax = "script"}),
          part({.name = "exists", .arity = -3, .scope = LockScope::kEverything,
                .session_handler = bound(&Scripting::exists),
                .tips = "request_policy:all_shards response_policy:agg_logical_and",
                .since = "2.6.0", .complexity = "O(N) for N digests",
                .summary = "Tells which of the scripts are kept.", .syntax = "sha1 [sha1 ...]"}),
          part({.name = "flush", .arity = -2, .flags = kInStream, .scope = LockScope::kEverything,
                .session_handler = bound(&Scripting::flush),
                .tips = "request_policy:all_nodes response_policy:all_succeeded",
                .since = "2.6.0", .history = "6.2.0 Takes ASYNC and SYNC",
                .complexity = "O(N) for N scripts that are kept",
                .summary = "Forgets all scripts.", .syntax = "flush-type:[ASYNC | SYNC]@6.2.0"}),
          part({.name = "kill", .arity = 2, .flags = kAllowBusy,
                .session_handler = bound(&Scripting::kill),
                .tips = "request_policy:all_shards response_policy:one_succeeded",
                .since = "2.6.0", .complexity = "O(1)",
                .summary = "Ends the script that runs, if it has written nothing."}),
          part({.name = "debug", .arity = 3, .session_handler = debug, .since = "3.2.0",
                .complexity = "O(1)", .summary = "Chooses how scripts are debugged.",
                .syntax = "mode:<YES | SYNC | NO>"}),
          {.name = "help", .arity = 2, .flags = kLoading | kStale, .session_handler = help,
           .group = "scripting", .since = "5.0.0", .complexity = "O(1)",
           .summary = "Lists the subcommands."}}};
}
// clang-format on

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
