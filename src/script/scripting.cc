#include "script/scripting.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/logging.h"
#include "base/number.h"
#include "engine/admission.h"
#include "engine/executor.h"
#include "resp/reply_writer.h"
#include "script/script_cache.h"

namespace tandem {
namespace {

constexpr Bytes kNoScriptFound = "NOSCRIPT No matching script. Please use EVAL.";
constexpr size_t kSha1Digits = 40;

// The client that a script's commands run as: in its caller's database, in a protocol of its own.
struct ScriptClient final : ClientState {
  ScriptClient(const ClientState& caller) : ClientState(ClientKind::kScript, caller.obeys_primary) {
    id = caller.id;
    database = caller.database;
  }
  std::string address() const override { return "lua"; }
};

// Why a script may not even begin, or nothing. Its flags stand for those of a command; without any
// its commands are looked at one by one.
std::optional<std::string> refused_at_start(const ScriptCache::Script& script, bool read_only,
                                            const SessionContext& context, uint32_t bits) {
  uint32_t flags = context.command.row.flags & ~uint32_t{kStale};
  if (!script.has_flags) {
    return Gate::refuses_stale(bits) ? refusal(context.command, flags, context.client, bits)
                                     : std::nullopt;
  }
  const bool writes = (script.flags & kScriptNoWrites) == 0;
  if ((script.flags & kScriptAllowStale) != 0) flags |= kStale;
  if (writes) flags |= kWrite;
  if (writes && (script.flags & kScriptAllowOom) == 0) flags |= kDenyOom;
  if (auto refused = refusal(context.command, flags, context.client, bits)) return refused;
  if (!read_only || !writes) return std::nullopt;
  return "ERR Can not execute a script with write flag using *_ro command.";
}

// With the word BLOCK among its options, as far as they are read before it.
bool reads_blocking(const Command& command, std::span<const Bytes> args) {
  if (!command.has(kBlocksByOption)) return false;
  for (size_t i = 1; i + 1 < args.size(); ++i) {
    if (equal_ignore_case(args[i], "block")) return true;
    if (equal_ignore_case(args[i], "streams")) return false;
    if (equal_ignore_case(args[i], "count")) i += 1;
    if (equal_ignore_case(args[i], "group")) i += 2;
  }
  return false;
}

}  // namespace

// One execution, as the virtual machine sees it.
class Scripting::Run final : public ScriptHost {
 public:
  Run(Scripting& scripting, SessionContext& outer, bool read_only, bool allow_oom)
      : scripting_(scripting),
        outer_(outer),
        client_(outer.client),
        read_only_(read_only),
        allow_oom_(allow_oom),
        start_ms_(scripting.parts_.clock.monotonic_ms()) {
    scripting_.control_.begin();
  }
  ~Run() override {
    scripting_.control_.end();
    if (busy_) scripting_.parts_.gate.set(Gate::kBusyScript, false);
  }

  void call(std::span<const Bytes> args, int protocol, std::string& reply_text) override {
    ReplyWriter reply(reply_text, protocol);
    client_.protocol = protocol;
    const Command* command = outer_.executor.find_for_script(args, reply);
    if (command == nullptr) return;
    if (const auto refused = refusal_of(*command, args)) {
      return outer_.executor.refuse(command, *refused, reply);
    }
    if (command->has(kWrite)) {
      if (!scripting_.control_.note_write()) return reply.error(std::string("ERR ") + kKilledText);
      has_written_ = true;
    }
    outer_.executor.call(*command, client_, args, reply);
  }

  bool knows_command(std::span<const Bytes> args) override {
    return outer_.executor.engine().registry.resolve(args) != nullptr;
  }

  const char* interruption() override {
    if (scripting_.control_.stopped()) return kKilledText;
    const int64_t limit_ms = scripting_.parts_.busy_after_ms.get();
    const int64_t elapsed_ms = scripting_.parts_.clock.monotonic_ms() - start_ms_;
    if (limit_ms <= 0 || elapsed_ms < limit_ms) return nullptr;
    if (!busy_) {
      busy_ = true;
      scripting_.parts_.gate.set(Gate::kBusyScript, true);
      log_warning("Slow script detected: still in execution after {} milliseconds.", elapsed_ms);
    }
    if (scripting_.parts_.while_busy != nullptr) scripting_.parts_.while_busy();
    return scripting_.control_.stopped() ? kKilledText : nullptr;
  }

 private:
  std::optional<std::string> refusal_of(const Command& command, std::span<const Bytes> args) const {
    const uint32_t bits = outer_.from_primary ? 0 : scripting_.parts_.gate.bits();
    if (Gate::refuses_stale(bits) && !command.has(kStale)) {
      return "ERR Can not execute the command on a stale replica";
    }
    if (read_only_ && command.has(kWrite | kMayReplicate)) {
      return "ERR Write commands are not allowed from read-only scripts.";
    }
    if (reads_blocking(command, args)) {
      return "ERR " + std::string(args[0]) +
             " command is not allowed with BLOCK option from scripts";
    }
    // What has begun to write goes on, whatever has become of the node since.
    if (has_written_) return std::nullopt;
    const uint32_t flags = command.row.flags & (allow_oom_ ? ~uint32_t{kDenyOom} : ~uint32_t{0});
    return refusal(command, flags, client_, bits);
  }

  static constexpr const char* kKilledText = "Script killed by user with SCRIPT KILL...";

  Scripting& scripting_;
  SessionContext& outer_;
  ScriptClient client_;
  bool read_only_;
  bool allow_oom_;
  bool has_written_ = false;
  int64_t start_ms_;
  bool busy_ = false;
};

Scripting::Scripting(ScriptingParts parts) : parts_(std::move(parts)) { replace_vm(); }

Scripting::~Scripting() = default;

void Scripting::replace_vm() {
  cache_.forget_functions();
  vm_ = std::make_unique<ScriptVm>(parts_.memory_bytes_max, random_);
  vm_bytes_.store(static_cast<int64_t>(vm_->memory_bytes()), std::memory_order_relaxed);
}

ScriptCache::Script* Scripting::prepare(ReplyWriter& reply, Bytes sha1, Bytes text, bool loaded) {
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

void Scripting::evaluate(SessionContext& context, bool by_sha1, bool read_only) {
  ReplyWriter& reply = context.reply;
  context.executor.show(context.command, context.client, context.args);
  std::string sha1;
  if (by_sha1) {
    if (context.args[1].size() != kSha1Digits) return reply.error(kNoScriptFound);
    sha1 = to_lower(context.args[1]);
  }
  const std::optional<int64_t> key_count = parse_int64(context.args[2]);
  if (!key_count) return reply.error(kNotInteger);
  if (*key_count > static_cast<int64_t>(context.args.size()) - 3) {
    return reply.error("ERR Number of keys can't be greater than number of args");
  }
  if (*key_count < 0) return reply.error("ERR Number of keys can't be negative");
  if (by_sha1) {
    if (cache_.find(sha1) == nullptr) return reply.error(kNoScriptFound);
  } else {
    sha1 = sha1_hex(context.args[1]);
  }
  ScriptCache::Script* script = prepare(reply, sha1, context.args[1], false);
  if (script != nullptr) execute(context, *script, sha1, *key_count, read_only);
}

void Scripting::execute(SessionContext& context, ScriptCache::Script& script, Bytes sha1,
                        int64_t key_count, bool read_only) {
  const uint32_t bits = context.from_primary ? 0 : parts_.gate.bits();
  if (const auto refused = refused_at_start(script, read_only, context, bits)) {
    return context.reply.error(*refused);
  }
  {
    Run host(*this, context, read_only || (script.flags & kScriptNoWrites) != 0,
             (script.flags & kScriptAllowOom) != 0);
    const auto arguments = context.args.subspan(3);
    const auto keys = static_cast<size_t>(key_count);
    context.error_counted = vm_->run({.function = script.function,
                                      .name = sha1,
                                      .keys = arguments.first(keys),
                                      .args = arguments.subspan(keys),
                                      .host = host,
                                      .reply = context.reply});
  }
  if (vm_->is_crowded()) replace_vm();
  vm_bytes_.store(static_cast<int64_t>(vm_->memory_bytes()), std::memory_order_relaxed);
}

void Scripting::load(SessionContext& context) {
  const std::string sha1 = sha1_hex(context.args[2]);
  if (prepare(context.reply, sha1, context.args[2], true) != nullptr) context.reply.bulk(sha1);
}

void Scripting::exists(SessionContext& context) {
  const auto names = context.args.subspan(2);
  context.reply.array(static_cast<int64_t>(names.size()));
  for (const Bytes name : names) context.reply.integer(cache_.find(to_lower(name)) ? 1 : 0);
}

void Scripting::flush(SessionContext& context) {
  const auto& args = context.args;
  const bool understood =
      args.size() == 2 || (args.size() == 3 && (equal_ignore_case(args[2], "sync") ||
                                                equal_ignore_case(args[2], "async")));
  if (!understood) {
    return context.reply.error("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  }
  cache_.clear();
  replace_vm();
  context.reply.ok();
}

void Scripting::kill(SessionContext& context) {
  switch (control_.kill()) {
    case ScriptControl::Killed::kYes:
      return context.reply.ok();
    case ScriptControl::Killed::kNothingRuns:
      return context.reply.error("NOTBUSY No scripts in execution right now.");
    case ScriptControl::Killed::kHasWritten:
      return context.reply.error(
          "UNKILLABLE Sorry the script already executed write commands against the dataset. You "
          "can either wait the script termination or kill the server in a hard way using the "
          "SHUTDOWN NOSAVE command.");
  }
}

namespace {

constexpr MetricRow<Scripting> kMetrics[] = {
    {{.name = "used_memory_vm_eval",
      .unit = MetricUnit::kBytes,
      .help = "Memory of the virtual machine that runs scripts."},
     metric_read<&Scripting::vm_bytes>},
    {{.name = "used_memory_scripts_eval",
      .unit = MetricUnit::kBytes,
      .help = "Memory of the scripts that are kept for EVALSHA."},
     metric_read<&Scripting::cached_script_bytes>},
    {{.name = "number_of_cached_scripts", .help = "Scripts that are kept for EVALSHA."},
     metric_read<&Scripting::cached_scripts>},
};

}  // namespace

MetricTable script_metrics(const Scripting& scripting) {
  return MetricTable("memory", kMetrics, scripting);
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

CommandRow Scripting::evaluation_row(Bytes name, bool by_sha1, bool read_only) {
  uint32_t flags = kNoScript | kSkipMonitor | kNoMandatoryKeys | kStale | kMovableKeys;
  flags |= read_only ? kReadOnly : kMayReplicate;
  return {
      .name = name,
      .arity = -3,
      .flags = flags,
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
