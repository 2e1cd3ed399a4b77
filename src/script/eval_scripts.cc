#include "script/eval_scripts.h"

#include <utility>

#include "base/bytes.h"
#include "base/checksum.h"
#include "engine/executor.h"
#include "resp/reply_writer.h"
#include "script/script_text.h"

namespace tandem {
namespace {

constexpr Bytes kNoScriptFound = "NOSCRIPT No matching script. Please use EVAL.";
constexpr size_t kSha1Digits = 40;

}  // namespace

EvalScripts::EvalScripts(ScriptRunner& runner, LuaRandom& random, size_t memory_bytes_max)
    : runner_(runner), random_(random), memory_bytes_max_(memory_bytes_max), vm_(make_vm()) {
  note_memory();
}

std::shared_ptr<ScriptVm> EvalScripts::make_vm() const {
  return std::make_shared<ScriptVm>(ScriptVm::Kind::kScripts, memory_bytes_max_, random_);
}

void EvalScripts::replace_vm(Garbage& garbage) {
  cache_.forget_functions();
  garbage.add(std::exchange(vm_, make_vm()));
  note_memory();
}

void EvalScripts::note_memory() {
  vm_bytes_.store(static_cast<int64_t>(vm_->memory_bytes()), std::memory_order_relaxed);
}

ScriptCache::Script* EvalScripts::prepare(ReplyWriter& reply, Bytes sha1, Bytes text, bool loaded) {
  ScriptCache::Script* script = cache_.find(sha1);
  if (script != nullptr && script->function != ScriptCache::kNone) {
    if (loaded) cache_.keep(*script);
    return script;
  }
  const Bytes source = script != nullptr ? Bytes(script->text) : text;
  const Result<ScriptText> parsed = read_script_text(source);
  const Result<int> function =
      parsed ? vm_->compile(parsed->code) : Result<int>(std::unexpected(parsed.error()));
  if (!function) {
    reply.error(function.error().text);
    return nullptr;
  }
  if (script == nullptr) {
    script = &cache_.add(sha1, {.text = std::string(text),
                                .flags = parsed->flags,
                                .has_flags = parsed->has_flags,
                                .loaded = loaded});
    for (int old = cache_.drop_excess(); old != ScriptCache::kNone; old = cache_.drop_excess()) {
      vm_->forget(old);
    }
  }
  script->function = *function;
  if (loaded) cache_.keep(*script);
  return script;
}

void EvalScripts::evaluate(SessionContext& context, bool by_sha1, bool read_only) {
  ReplyWriter& reply = context.reply;
  context.executor.show(context.command, context.client, context.args);
  std::string sha1;
  if (by_sha1) {
    if (context.args[1].size() != kSha1Digits) return reply.error(kNoScriptFound);
    sha1 = to_lower(context.args[1]);
  }
  const std::optional<size_t> key_count = read_key_count(context, kNotInteger);
  if (!key_count) return;
  if (!by_sha1) {
    sha1 = names_.name_of(context.args[1]);
  } else if (cache_.find(sha1) == nullptr) {
    return reply.error(kNoScriptFound);
  }
  const ScriptCache::Script* script = prepare(reply, sha1, context.args[1], false);
  if (script == nullptr) return;
  runner_.run(context, {.vm = *vm_,
                        .function = script->function,
                        .name = sha1,
                        .is_function = false,
                        .has_flags = script->has_flags,
                        .flags = script->flags,
                        .read_only = read_only,
                        .key_count = *key_count});
  if (vm_->is_crowded()) replace_vm(context.keys.access().large_garbage());
  note_memory();
}

// Also of what does not run: then they do not matter.
uint32_t EvalScripts::flags_of(std::span<const Bytes> args, bool by_sha1,
                               uint32_t row_flags) const {
  if (by_sha1) {
    if (args[1].size() != kSha1Digits) return row_flags;
    const std::optional<uint32_t> flags = cache_.flags_of(to_lower(args[1]));
    return flags ? call_flags(row_flags, *flags) : row_flags;
  }
  const Result<ScriptText> text = read_script_text(args[1]);
  return text && text->has_flags ? call_flags(row_flags, text->flags) : row_flags;
}

void EvalScripts::load(SessionContext& context) {
  const std::string sha1 = sha1_hex(context.args[2]);
  if (prepare(context.reply, sha1, context.args[2], true) != nullptr) context.reply.bulk(sha1);
}

void EvalScripts::exists(SessionContext& context) {
  const auto names = context.args.subspan(2);
  context.reply.array(static_cast<int64_t>(names.size()));
  for (const Bytes name : names) context.reply.integer(cache_.find(to_lower(name)) ? 1 : 0);
}

void EvalScripts::flush(SessionContext& context) {
  const auto& args = context.args;
  const bool understood =
      args.size() == 2 || (args.size() == 3 && (equal_ignore_case(args[2], "sync") ||
                                                equal_ignore_case(args[2], "async")));
  if (!understood) {
    return context.reply.error("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  }
  cache_.clear();
  replace_vm(context.keys.access().large_garbage());
  context.reply.ok();
}

// The rows of EVAL and SCRIPT.

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

CommandRow EvalScripts::evaluation_row(Bytes name, bool by_sha1, bool read_only) {
  uint32_t flags = kNoScript | kSkipMonitor | kNoMandatoryKeys | kStale | kMovableKeys;
  flags |= read_only ? kReadOnly : kMayReplicate;
  return {
      .name = name,
      .arity = -3,
      .flags = flags,
      .flags_of = [this, by_sha1,
                   flags](std::span<const Bytes> args) { return flags_of(args, by_sha1, flags); },
      .keys = {keys_counted(2, read_only ? KeyUse("RO access") : KeyUse("RW access update"))},
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
CommandRow EvalScripts::script_row() {
  const auto bound = [this](void (EvalScripts::*handler)(SessionContext&)) {
    return [this, handler](SessionContext& context) { (this->*handler)(context); };
  };
  return {
      .name = "script", .arity = -2, .group = "scripting", .since = "2.6.0",
      .complexity = "Depends on the subcommand", .summary = "About scripts that are kept.",
      .subcommands = {
          part({.name = "load", .arity = 3, .flags = kStale | kInStream,
                .scope = LockScope::kEverything,
                .session_handler = bound(&EvalScripts::load),
                .tips = "request_policy:all_nodes response_policy:all_succeeded",
                .since = "2.6.0", .complexity = "O(N) for N bytes of script",
                .summary = "Keeps a script, to be called by its SHA1 digest.",
                .syntax = "script"}),
          part({.name = "exists", .arity = -3, .scope = LockScope::kEverything,
                .session_handler = bound(&EvalScripts::exists),
                .tips = "request_policy:all_shards response_policy:agg_logical_and",
                .since = "2.6.0", .complexity = "O(N) for N digests",
                .summary = "Tells which of the scripts are kept.", .syntax = "sha1 [sha1 ...]"}),
          part({.name = "flush", .arity = -2, .flags = kInStream, .scope = LockScope::kEverything,
                .session_handler = bound(&EvalScripts::flush),
                .tips = "request_policy:all_nodes response_policy:all_succeeded",
                .since = "2.6.0", .history = "6.2.0 Takes ASYNC and SYNC",
                .complexity = "O(N) for N scripts that are kept",
                .summary = "Forgets all scripts.", .syntax = "flush-type:[ASYNC | SYNC]@6.2.0"}),
          part({.name = "kill", .arity = 2, .flags = kAllowBusy,
                .session_handler = [this](SessionContext& c) { runner_.kill(c.reply, false); },
                .tips = "request_policy:all_shards response_policy:one_succeeded",
                .since = "2.6.0", .complexity = "O(1)",
                .summary = "Ends the script that runs, if it has written nothing."}),
          part({.name = "debug", .arity = 3, .session_handler = debug, .since = "3.2.0",
                .complexity = "O(1)",
                .summary = "Refuses all but NO: scripts are not debugged step by step.",
                .syntax = "mode:<YES | SYNC | NO>"}),
          {.name = "help", .arity = 2, .flags = kLoading | kStale, .session_handler = help,
           .group = "scripting", .since = "5.0.0", .complexity = "O(1)",
           .summary = "Lists the subcommands."}}};
}
// clang-format on

std::vector<CommandRow> EvalScripts::rows() {
  std::vector<CommandRow> rows;
  rows.push_back(evaluation_row("eval", false, false));
  rows.push_back(evaluation_row("evalsha", true, false));
  rows.push_back(evaluation_row("eval_ro", false, true));
  rows.push_back(evaluation_row("evalsha_ro", true, true));
  rows.push_back(script_row());
  return rows;
}

}  // namespace tandem
