#include "script/script_runner.h"

#include "base/bytes.h"
#include "base/logging.h"
#include "base/number.h"
#include "engine/admission.h"
#include "engine/executor.h"
#include "resp/reply_writer.h"
#include "script/script_text.h"

namespace tandem {
namespace {

constexpr size_t kArgumentsAt = 3;

// The client that a script's commands run as: its caller's user, in its database, in a protocol of
// its own. The script holds all stripes, so the user's rights do not change under it. What it reads
// its caller has read.
struct ScriptClient final : ClientState {
  ScriptClient(const ClientState& caller) : ClientState(ClientKind::kScript, caller.obeys_primary) {
    id = caller.id;
    database = caller.database;
    account = caller.account;
    rights = caller.rights;
    leaves_no_trace = caller.leaves_no_trace;
    set(kLimited, caller.is(kLimited));
    tracking = caller.tracking;
  }
  std::string address() const override { return "lua"; }
};

// Why a script may not even begin, or nothing. By its flags its command was judged already; without
// any the commands that it calls are judged one by one.
std::optional<std::string> refused_at_start(const SessionContext& context,
                                            const ScriptRunner::Job& job, uint32_t bits) {
  if (!job.has_flags) {
    if (!Gate::refuses_stale(bits)) return std::nullopt;
    const uint32_t flags = context.command.row.flags & ~uint32_t{kStale};
    return refusal(context.command, flags, context.client, bits);
  }
  if (!job.read_only || (job.flags & kScriptNoWrites) != 0) return std::nullopt;
  return "ERR Can not execute a script with write flag using *_ro command.";
}

}  // namespace

// One execution, as the virtual machine sees it.
class ScriptRunner::Run final : public ScriptHost {
 public:
  Run(ScriptRunner& runner, SessionContext& outer, const Job& job)
      : parts_(runner.parts_),
        control_(runner.control_),
        outer_(outer),
        client_(outer.client),
        read_only_(job.read_only || (job.flags & kScriptNoWrites) != 0),
        allow_oom_((job.flags & kScriptAllowOom) != 0),
        memory_at_start_(parts_.gate.bits() & Gate::kOutOfMemory),
        start_ms_(parts_.clock.monotonic_ms()),
        name_(job.name),
        is_function_(job.is_function) {
    control_.begin({.is_function = job.is_function,
                    .from_primary = outer.from_primary,
                    .name = job.name,
                    .command = outer.args,
                    .started_ms = start_ms_});
  }
  ~Run() override {
    control_.end();
    replicate(true);
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
      if (!control_.note_write()) return reply.error(std::string("ERR ") + kKilledText);
      has_written_ = true;
    }
    outer_.executor.call(*command, client_, args, reply);
  }

  std::optional<bool> is_allowed(std::span<const Bytes> args) override {
    const Command* command = outer_.executor.engine().registry.resolve(args);
    if (command == nullptr) return std::nullopt;
    return !denial(*command, args, client_);
  }

  void replicate(bool on) override { outer_.keys.access().effects().keep_back(!on); }

  const char* interruption() override {
    if (control_.stopped()) return killed();
    const int64_t limit_ms = parts_.busy_after_ms.get();
    const int64_t elapsed_ms = parts_.clock.monotonic_ms() - start_ms_;
    if (limit_ms <= 0 || elapsed_ms < limit_ms) return nullptr;
    if (!control_.is_slow()) {
      control_.call_slow();
      log_warning(
          "Slow script detected: still in execution after {} milliseconds. {} KILL ends it if it "
          "has written nothing. It is: {}",
          elapsed_ms, is_function_ ? "FUNCTION" : "SCRIPT", name_);
    }
    if (parts_.while_busy != nullptr) parts_.while_busy();
    return control_.stopped() ? killed() : nullptr;
  }

 private:
  const char* killed() {
    if (!std::exchange(told_, true)) log_notice("A client ended the script {}", name_);
    return kKilledText;
  }
  std::optional<std::string> refusal_of(const Command& command, std::span<const Bytes> args) const {
    const uint32_t now = (parts_.gate.bits() & ~uint32_t{Gate::kOutOfMemory}) | memory_at_start_;
    const uint32_t bits = outer_.from_primary ? 0 : now;
    if (Gate::refuses_stale(bits) && !command.has(kStale)) {
      return "ERR Can not execute the command on a stale replica";
    }
    if (const auto denied = denial(command, args, client_)) {
      outer_.executor.tell_denied(outer_.client, command, args, *denied, DenialContext::kScript);
      return "ERR ACL failure in script: " + denial_text(*denied, command, client_.account->name);
    }
    if (read_only_ && command.has(kWrite | kMayReplicate)) {
      return "ERR Write commands are not allowed from read-only scripts.";
    }
    // What has begun to write goes on, whatever has become of the node since.
    if (has_written_) return std::nullopt;
    const uint32_t flags = command.row.flags & (allow_oom_ ? ~uint32_t{kDenyOom} : ~uint32_t{0});
    return refusal(command, flags, client_, bits);
  }

  static constexpr const char* kKilledText = "Script killed by user with SCRIPT KILL...";

  const Parts& parts_;
  ScriptControl& control_;
  SessionContext& outer_;
  ScriptClient client_;
  bool read_only_;
  bool allow_oom_;
  // Memory that runs out meanwhile is no reason to stop it halfway.
  uint32_t memory_at_start_;
  bool has_written_ = false;
  int64_t start_ms_;
  const std::string name_;
  const bool is_function_;
  bool told_ = false;  // that it was ended
};

void ScriptRunner::run(SessionContext& context, const Job& job) {
  const uint32_t bits = context.from_primary ? 0 : parts_.gate.bits();
  if (const auto refused = refused_at_start(context, job, bits)) {
    return context.reply.error(*refused);
  }
  Run host(*this, context, job);
  const auto arguments = context.args.subspan(kArgumentsAt);
  context.error_counted = job.vm.run({.function = job.function,
                                      .name = job.name,
                                      .keys = arguments.first(job.key_count),
                                      .args = arguments.subspan(job.key_count),
                                      .host = host,
                                      .reply = context.reply});
}

void ScriptRunner::kill(ReplyWriter& reply, bool function) {
  switch (control_.kill(function)) {
    case ScriptControl::Killed::kYes:
      return reply.ok();
    case ScriptControl::Killed::kNothingRuns:
      return reply.error("NOTBUSY No scripts in execution right now.");
    case ScriptControl::Killed::kFromPrimary:
      return reply.error(
          "UNKILLABLE The busy script was sent by a master instance in the context of replication "
          "and cannot be killed.");
    case ScriptControl::Killed::kHasWritten:
      return reply.error(
          "UNKILLABLE Sorry the script already executed write commands against the dataset. You "
          "can either wait the script termination or kill the server in a hard way using the "
          "SHUTDOWN NOSAVE command.");
    case ScriptControl::Killed::kOtherKind:
      return reply.error(busy_text(function ? 0 : Gate::kBusyFunction));
  }
}

std::optional<size_t> read_key_count(SessionContext& context, Bytes not_a_number) {
  const auto refused = [&context](Bytes why) -> std::optional<size_t> {
    context.reply.error(why);
    return std::nullopt;
  };
  const std::optional<int64_t> count = parse_int64(context.args[2]);
  if (!count) return refused(not_a_number);
  if (*count > static_cast<int64_t>(context.args.size() - kArgumentsAt)) {
    return refused("ERR Number of keys can't be greater than number of args");
  }
  if (*count < 0) return refused("ERR Number of keys can't be negative");
  return static_cast<size_t>(*count);
}

uint32_t call_flags(uint32_t command_flags, uint32_t script_flags) {
  uint32_t flags = command_flags & ~uint32_t{kStale | kDenyOom | kWrite | kMayReplicate};
  const bool writes = (script_flags & kScriptNoWrites) == 0;
  if (writes) flags |= kWrite;
  if (writes && (script_flags & kScriptAllowOom) == 0) flags |= kDenyOom;
  if ((script_flags & kScriptAllowStale) != 0) flags |= kStale;
  return flags;
}

}  // namespace tandem
