#include "script/function_commands.h"

#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/error_text.h"
#include "base/glob.h"
#include "engine/admission.h"
#include "engine/executor.h"
#include "rdb/dump.h"
#include "resp/reply_writer.h"
#include "script/script_text.h"

namespace tandem {
namespace {

int64_t load_ms_max(const SessionContext& context) {
  return context.from_primary ? FunctionLibraries::kLoadOfPrimaryMsMax
                              : FunctionLibraries::kLoadMsMax;
}

void reply_error(SessionContext& context, const Error& error) {
  context.reply.error(error.code == ErrorCode::kRefused
                          ? "ERR DUMP payload version or checksum are wrong"
                          : "ERR " + error.text);
}

void call(FunctionLibraries& libraries, ScriptRunner& runner, SessionContext& context,
          bool read_only) {
  context.executor.show(context.command, context.client, context.args);
  const FunctionLibraries::Seen seen = libraries.seen();
  const LibraryFunction* function = seen->find_function(context.args[1]);
  if (function == nullptr) return context.reply.error("ERR Function not found");
  const auto key_count = read_key_count(context, "ERR Bad number of keys provided");
  if (!key_count) return;
  runner.run(context, {.vm = libraries.vm(),
                       .function = function->callback,
                       .name = function->name,
                       .is_function = true,
                       .flags = function->flags,
                       .read_only = read_only,
                       .key_count = *key_count});
  libraries.note_memory();
}

void load(FunctionLibraries& libraries, SessionContext& context) {
  bool replace = false;
  for (const Bytes option : context.args.subspan(2, context.args.size() - 3)) {
    if (!equal_ignore_case(option, "replace")) {
      return context.reply.error(error_text("ERR Unknown option given: {}", option));
    }
    replace = true;
  }
  const auto name = libraries.load(context.args.back(), replace, load_ms_max(context));
  if (!name) return reply_error(context, name.error());
  context.keys.change_beside_keys(as_is(context));
  context.reply.bulk(*name);
}

void remove(FunctionLibraries& libraries, SessionContext& context) {
  if (!libraries.remove(context.args[2])) return context.reply.error("ERR Library not found");
  context.keys.change_beside_keys(as_is(context));
  context.reply.ok();
}

// What is forgotten is freed behind the command, be it SYNC or ASYNC.
void flush(FunctionLibraries& libraries, SessionContext& context) {
  if (context.args.size() > 3) return reply_subcommand_syntax(context, "function");
  if (context.args.size() == 3 && !equal_ignore_case(context.args[2], "sync") &&
      !equal_ignore_case(context.args[2], "async")) {
    return context.reply.error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  }
  context.keys.access().large_garbage().add(libraries.clear(context.keys.all_stripes()));
  context.keys.change_beside_keys(as_is(context));
  context.reply.ok();
}

Result<void> restore_alone(FunctionLibraries& libraries, SessionContext& context) {
  auto former =
      libraries.restore_alone(context.keys.all_stripes(), context.args[2], load_ms_max(context));
  if (!former) return std::unexpected(former.error());
  context.keys.access().large_garbage().add(std::move(*former));
  return {};
}

// The same libraries in a version that stock replicas may read, where the payload has a later one;
// else nothing.
std::string payload_for_replicas(Bytes payload) {
  constexpr RdbWriteOptions kFormat;
  if (dump_version(payload) <= kFormat.version) return {};
  std::vector<std::string> codes;
  (void)restore_libraries(payload, {}, [&codes](Bytes code) -> Result<void> {
    codes.emplace_back(code);
    return {};
  });
  const std::vector<Bytes> views(codes.begin(), codes.end());
  std::string rewritten;
  dump_libraries(views, kFormat, rewritten);
  return rewritten;
}

void restore(FunctionLibraries& libraries, SessionContext& context) {
  if (context.args.size() > 4) return reply_subcommand_syntax(context, "function");
  const Bytes policy = context.args.size() == 4 ? context.args[3] : "append";
  const bool alone = equal_ignore_case(policy, "flush");
  const bool replace = equal_ignore_case(policy, "replace");
  if (!alone && !replace && !equal_ignore_case(policy, "append")) {
    return context.reply.error(
        "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
  }
  const Result<void> restored =
      alone ? restore_alone(libraries, context)
            : libraries.restore(context.args[2], replace, load_ms_max(context));
  if (!restored) return reply_error(context, restored.error());
  const std::string rewritten = payload_for_replicas(context.args[2]);
  const Effect as_it_came = as_is(context);
  rewritten.empty() ? context.keys.change_beside_keys(as_it_came)
                    : context.keys.change_beside_keys({"FUNCTION", "RESTORE", rewritten, policy});
  context.reply.ok();
}

void dump(FunctionLibraries& libraries, SessionContext& context) {
  const FunctionLibraries::Seen seen = libraries.seen();
  std::vector<Bytes> codes;
  for (const auto& [name, library] : seen->libraries()) codes.emplace_back(*library->code);
  std::string payload;
  dump_libraries(codes, {}, payload);
  context.reply.bulk(payload);
}

// Nothing: an error was answered.
struct ListOptions {
  std::optional<Bytes> pattern;
  bool with_code = false;
};
std::optional<ListOptions> read_list_options(SessionContext& context) {
  ListOptions options;
  for (size_t i = 2; i < context.args.size(); ++i) {
    const Bytes word = context.args[i];
    if (!options.with_code && equal_ignore_case(word, "withcode")) {
      options.with_code = true;
    } else if (options.pattern || !equal_ignore_case(word, "libraryname")) {
      context.reply.error(error_text("ERR Unknown argument {}", word));
      return std::nullopt;
    } else if (++i == context.args.size()) {
      context.reply.error("ERR library name argument was not given");
      return std::nullopt;
    } else {
      options.pattern = context.args[i];
    }
  }
  return options;
}

void write_function(ReplyWriter& reply, const LibraryFunction& function) {
  reply.map(3);
  reply.bulk("name");
  reply.bulk(function.name);
  reply.bulk("description");
  function.description ? reply.bulk(*function.description) : reply.null();
  reply.bulk("flags");
  const ReplyWriter::Mark flags = reply.mark();
  int64_t count = 0;
  for (const ScriptFlagName& known : kScriptFlagNames) {
    if ((function.flags & known.flag) == 0) continue;
    reply.simple(known.name);
    ++count;
  }
  reply.end_set(flags, count);
}

void write_library(ReplyWriter& reply, const FunctionLibrary& library, bool with_code) {
  reply.map(with_code ? 4 : 3);
  reply.bulk("library_name");
  reply.bulk(library.name);
  reply.bulk("engine");
  reply.bulk("LUA");
  reply.bulk("functions");
  reply.array(static_cast<int64_t>(library.functions.size()));
  for (const LibraryFunction& function : library.functions) write_function(reply, function);
  if (!with_code) return;
  reply.bulk("library_code");
  reply.bulk(*library.code);
}

void write_running(ReplyWriter& reply, const RunningScript& running, int64_t now_ms) {
  reply.map(3);
  reply.bulk("name");
  reply.bulk(running.name);
  reply.bulk("command");
  reply.array(static_cast<int64_t>(running.command.size()));
  for (const Bytes word : running.command) reply.bulk(word);
  reply.bulk("duration_ms");
  reply.integer(now_ms - running.started_ms);
}

void list(FunctionLibraries& libraries, SessionContext& context) {
  const std::optional<ListOptions> options = read_list_options(context);
  if (!options) return;
  const FunctionLibraries::Seen seen = libraries.seen();
  const ReplyWriter::Mark array = context.reply.begin_array();
  int64_t count = 0;
  for (const auto& [name, library] : seen->libraries()) {
    if (options->pattern && !glob_match(*options->pattern, name, GlobCase::kIgnore)) continue;
    write_library(context.reply, *library, options->with_code);
    ++count;
  }
  context.reply.end_array(array, count);
}

void stats(const FunctionLibraries& libraries, const ScriptRunner& runner,
           SessionContext& context) {
  ReplyWriter& reply = context.reply;
  const ReplyWriter::Mark start = reply.mark();
  bool function_runs = false;
  bool script_runs = false;
  reply.map(2);
  reply.bulk("running_script");
  runner.control().look([&](const RunningScript& running) {
    (running.is_function ? function_runs : script_runs) = true;
    if (function_runs) write_running(reply, running, runner.clock().monotonic_ms());
  });
  if (script_runs) {
    reply.discard_to(start);
    return reply.error(busy_text(Gate::kBusyScript));
  }
  if (!function_runs) reply.null();
  const FunctionLibraries::Seen seen = libraries.seen();
  reply.bulk("engines");
  reply.map(1);
  reply.bulk("LUA");
  reply.map(2);
  reply.bulk("libraries_count");
  reply.integer(static_cast<int64_t>(seen->libraries().size()));
  reply.bulk("functions_count");
  reply.integer(seen->function_count());
}

void help(SessionContext& context) {
  static constexpr Bytes kLines[] = {
      "LOAD [REPLACE] <FUNCTION CODE>",
      "    Create a new library with the given library name and code.",
      "DELETE <LIBRARY NAME>",
      "    Delete the given library.",
      "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
      "    Return general information on all the libraries:",
      "    * Library name",
      "    * The engine used to run the Library",
      "    * Library description",
      "    * Functions list",
      "    * Library code (if WITHCODE is given)",
      "    It also possible to get only function that matches a pattern using LIBRARYNAME "
      "argument.",
      "STATS",
      "    Return information about the current function running:",
      "    * Function name",
      "    * Command used to run the function",
      "    * Duration in MS that the function is running",
      "    If no function is running, return nil",
      "    In addition, returns a list of available engines.",
      "KILL",
      "    Kill the current running function.",
      "FLUSH [ASYNC|SYNC]",
      "    Delete all the libraries.",
      "    When called without the optional mode argument, the behavior is determined by the",
      "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
      "    * ASYNC: Asynchronously flush the libraries.",
      "    * SYNC: Synchronously flush the libraries.",
      "DUMP",
      "    Return a serialized payload representing the current libraries, can be restored using "
      "FUNCTION RESTORE command",
      "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
      "    Restore the libraries represented by the given payload, it is possible to give a "
      "restore policy to",
      "    control how to handle existing libraries (default APPEND):",
      "    * FLUSH: delete all existing libraries.",
      "    * APPEND: appends the restored libraries to the existing libraries. On collision, "
      "abort.",
      "    * REPLACE: appends the restored libraries to the existing libraries, On collision, "
      "replace the old",
      "      libraries with the new libraries (notice that even on this option there is a chance "
      "of failure",
      "      in case of functions name collision with another library).",
  };
  write_help(context.reply, "function", kLines);
}

// A row that states what the subcommands do not share.
CommandRow part(CommandRow row) {
  row.flags |= kNoScript;
  row.group = "scripting";
  row.since = "7.0.0";
  return row;
}

// Of one that changes the libraries.
CommandRow writing_part(CommandRow row) {
  row.flags |= kWrite;
  row.scope = LockScope::kEverything;
  row.tips = "request_policy:all_shards response_policy:all_succeeded";
  return part(std::move(row));
}

// Of one that needs no stripe, and inside a transaction sees one moment.
CommandRow reading_part(CommandRow row) {
  row.scope = LockScope::kVisits;
  return part(std::move(row));
}

// Of a function that is not there the flags do not matter.
uint32_t flags_of(const FunctionLibraries& libraries, std::span<const Bytes> args,
                  uint32_t row_flags) {
  const FunctionLibraries::Seen seen = libraries.seen();
  const LibraryFunction* function = seen->find_function(args[1]);
  return function == nullptr ? row_flags : call_flags(row_flags, function->flags);
}

CommandRow call_row(FunctionLibraries& libraries, ScriptRunner& runner, Bytes name,
                    bool read_only) {
  uint32_t flags = kNoScript | kSkipMonitor | kNoMandatoryKeys | kStale | kMovableKeys;
  flags |= read_only ? kReadOnly : kMayReplicate;
  return {.name = name,
          .arity = -3,
          .flags = flags,
          .flags_of = [&libraries, flags](
                          std::span<const Bytes> args) { return flags_of(libraries, args, flags); },
          .keys = {keys_counted(2, read_only ? KeyUse("RO access") : KeyUse("RW access update"))},
          .scope = LockScope::kEverything,
          .session_handler =
              [&libraries, &runner, read_only](SessionContext& context) {
                call(libraries, runner, context, read_only);
              },
          .group = "scripting",
          .since = "7.0.0",
          .complexity = "Depends on the function",
          .summary = read_only ? "Calls a function that writes nothing." : "Calls a function.",
          .syntax = "function:string numkeys [key [key ...]] [arg [arg ...]]"};
}

// clang-format off: a row is a record
CommandRow function_row(FunctionLibraries& libraries, ScriptRunner& runner) {
  const auto bound = [&libraries](void (*handler)(FunctionLibraries&, SessionContext&)) {
    return [&libraries, handler](SessionContext& c) { handler(libraries, c); };
  };
  return {
      .name = "function", .arity = -2, .group = "scripting", .since = "7.0.0",
      .complexity = "Depends on the subcommand", .summary = "About libraries of functions.",
      .subcommands = {
          writing_part({.name = "load", .arity = -3, .flags = kDenyOom,
                        .session_handler = bound(load),
                        .complexity = "O(1), and what the library's code takes",
                        .summary = "Loads a library of functions.",
                        .syntax = "[REPLACE] function-code:string"}),
          writing_part({.name = "delete", .arity = 3, .session_handler = bound(remove),
                        .complexity = "O(1)", .summary = "Forgets a library.",
                        .syntax = "library-name:string"}),
          writing_part({.name = "flush", .arity = -2, .session_handler = bound(flush),
                        .complexity = "O(N) for N functions", .summary = "Forgets all libraries.",
                        .syntax = "flush-type:[ASYNC | SYNC]"}),
          writing_part({.name = "restore", .arity = -3, .flags = kDenyOom,
                        .session_handler = bound(restore),
                        .complexity = "O(N) for N functions in the payload",
                        .summary = "Loads the libraries of a payload of FUNCTION DUMP.",
                        .syntax = "serialized-value:string policy:[FLUSH | APPEND | REPLACE]"}),
          reading_part({.name = "dump", .arity = 2, .session_handler = bound(dump),
                        .complexity = "O(N) for N functions",
                        .summary = "Returns all libraries as one payload."}),
          reading_part({.name = "list", .arity = -2, .session_handler = bound(list),
                        .tips = "nondeterministic_output_order",
                        .complexity = "O(N) for N functions", .summary = "Lists the libraries.",
                        .syntax = "[LIBRARYNAME library-name-pattern:string] [WITHCODE]"}),
          part({.name = "stats", .arity = 2, .flags = kAllowBusy,
                .session_handler =
                    [&libraries, &runner](SessionContext& c) { stats(libraries, runner, c); },
                .tips = "nondeterministic_output request_policy:all_shards response_policy:special",
                .complexity = "O(1)",
                .summary = "Tells which function runs, and how many there are."}),
          part({.name = "kill", .arity = 2, .flags = kAllowBusy,
                .session_handler = [&runner](SessionContext& c) { runner.kill(c.reply, true); },
                .tips = "request_policy:all_shards response_policy:one_succeeded",
                .complexity = "O(1)",
                .summary = "Ends the function that runs, if it has written nothing."}),
          {.name = "help", .arity = 2, .flags = kLoading | kStale, .session_handler = help,
           .group = "scripting", .since = "7.0.0", .complexity = "O(1)",
           .summary = "Lists the subcommands."}}};
}
// clang-format on

}  // namespace

std::vector<CommandRow> function_rows(FunctionLibraries& libraries, ScriptRunner& runner) {
  std::vector<CommandRow> rows;
  rows.push_back(call_row(libraries, runner, "fcall", false));
  rows.push_back(call_row(libraries, runner, "fcall_ro", true));
  rows.push_back(function_row(libraries, runner));
  return rows;
}

}  // namespace tandem
