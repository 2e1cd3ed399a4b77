// Mechanism: run() is the whole way of a command, in the order in which it reads. What the command
// may touch is declared, the locks are taken, the handler runs, its effects get their place in the
// log, waiting clients are served, and the locks are let go.
// The command is judged twice. The first look (execute) is cheap and spares the locks. But while a
// command waits for its stripes the node may change its role or be paused; so lock() looks once
// more when the stripes are held. Whoever changes such a condition takes all stripes after it:
// nobody can act on an old answer.
// Executions may lie inside each other: EXEC and scripts call commands, and these run under the
// locks of the outer one. Each level has a Frame of its own, kept from one command to the next so
// that nothing is allocated.
#include "engine/executor.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/error_text.h"
#include "engine/admission.h"

namespace tandem {
namespace {

std::string unknown_command(std::span<const Bytes> args) {
  static constexpr size_t kShownMax = 128;
  std::string shown;
  for (const Bytes arg : args.subspan(1)) {
    if (shown.size() >= kShownMax) break;
    shown += error_text("'{}' ", arg.substr(0, kShownMax - shown.size()));
  }
  return error_text("ERR unknown command '{}', with args beginning with: {}",
                    args[0].substr(0, kShownMax), shown);
}

std::string unknown_subcommand(std::span<const Bytes> args) {
  return error_text("ERR unknown subcommand '{}'. Try {} HELP.", args[1].substr(0, 128),
                    to_upper(args[0]));
}

// A web page can make a browser send any text to any port, wrapped into a request of HTTP. These
// are the words with which such a request shows itself before its body's lines come.
bool is_foreign(Bytes word) {
  return equal_ignore_case(word, "POST") || equal_ignore_case(word, "Host:");
}

// Where it is a part of something, that is one moment.
bool takes_all(const Command& command, std::span<const Bytes> args) {
  return command.scope(args) != LockScope::kKeys;
}

bool visits(const Call& call) {
  return call.command.row.scope == LockScope::kVisits && call.client.kind == ClientKind::kNormal;
}

// A transaction whose parts failed did not fail itself.
bool is_error(Bytes reply) { return reply.starts_with('-'); }

}  // namespace

Executor::Executor(Engine& engine, uint64_t random_seed)
    : engine_(engine),
      exec_(engine.registry.find_original("exec")),
      random_(random_seed),
      clock_(engine.clock),
      accounts_(engine),
      serving_(engine, random_, clock_, accounts_),
      expiry_(engine, clock_, accounts_, serving_),
      eviction_(engine, random_, clock_, accounts_, serving_) {}

Executor::~Executor() = default;

// Uses a frame as long as it lives.
class Executor::Entered {
 public:
  explicit Entered(Executor& executor) : executor_(executor) {
    auto& frames = executor.frames_;
    if (executor.entered_ == frames.size()) {
      frames.push_back(std::make_unique<Frame>(executor.engine_));
    }
    frame_ = frames[executor.entered_++].get();
  }
  ~Entered() { --executor_.entered_; }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;
  Frame& frame() { return *frame_; }

 private:
  Executor& executor_;
  Frame* frame_;
};

void Executor::begin_batch() {
  clock_.begin_batch();
  eviction_.begin_batch();
  if (serving_.has_more() && entered_ == 0) [[unlikely]]
    serving_.finish();
}

Outcome Executor::execute(ClientState& client, std::span<const Bytes> args, Bytes raw,
                          ReplyWriter& reply) {
  const Command* command = engine_.registry.resolve(args);
  if (command == nullptr || !command->arity_fits(args.size())) [[unlikely]] {
    return turn_away(command, client, args, reply);
  }
  client.last_command = command;
  // Nothing is evicted in the middle of a script.
  if (entered_ == 0 && client.kind != ClientKind::kScript) eviction_.before_command();
  const uint64_t word = engine_.gate.word();
  switch (judge(*command, client, args, word, reply)) {
    case Verdict::kLetIn:
      break;
    case Verdict::kRefused:
      return Outcome::kDone;
    case Verdict::kHeldBack:
      return Outcome::kPaused;
  }
  if (client.in_transaction && !command->has(kNotQueued)) {
    queue(*command, client, args, reply);
    return Outcome::kDone;
  }
  Call call{*command, client, args, raw, reply};
  call.may_block = client.kind == ClientKind::kNormal;
  return run(call, word);
}

Outcome Executor::execute_rest(ClientState& client, const Command& rest,
                               std::span<const Bytes> args, ReplyWriter& reply) {
  const uint64_t word = engine_.gate.word();
  const Verdict verdict = judge(rest, client, args, word, reply);
  if (verdict != Verdict::kLetIn) return outcome_of(verdict);
  Call call{rest, client, args, {}, reply};
  call.goes_on = true;
  return run(call, word);
}

Outcome Executor::turn_away(const Command* command, ClientState& client,
                            std::span<const Bytes> args, ReplyWriter& reply) {
  if (command == nullptr && is_foreign(args[0]) && client.kind == ClientKind::kNormal) {
    return Outcome::kForeign;
  }
  if (command == nullptr) {
    if (client.in_transaction) client.transaction_failed = true;
    const bool unknown = engine_.registry.find(args[0]) == nullptr;
    refuse(nullptr, unknown ? unknown_command(args) : unknown_subcommand(args), reply);
    return Outcome::kDone;
  }
  refuse_in(client, *command,
            fmt::format("ERR wrong number of arguments for '{}' command", command->full_name),
            reply);
  return Outcome::kDone;
}

Executor::Verdict Executor::judge(const Command& command, ClientState& client,
                                  std::span<const Bytes> args, uint64_t word, ReplyWriter& reply) {
  if (is_let_in_at_once(command, client, word)) [[likely]]
    return Verdict::kLetIn;
  const uint32_t flags = effective_flags(command, client, args);
  if (const auto refused = objection(command, flags, client, args, word)) [[unlikely]] {
    refuse_in(client, command, *refused, reply);
    return Verdict::kRefused;
  }
  const auto bits = static_cast<uint32_t>(word);
  return is_held_back(flags, client, bits) ? Verdict::kHeldBack : Verdict::kLetIn;
}

// Who has still to say who it is, is told that first; and what may not be queued is no matter of
// rights.
std::optional<std::string> Executor::objection(const Command& command, uint32_t flags,
                                               ClientState& client, std::span<const Bytes> args,
                                               uint64_t word) {
  take_rights(client, word);
  const auto bits = static_cast<uint32_t>(word);
  const bool is_asked =
      !locked_out(client, bits) && !(client.in_transaction && command.has(kNoMulti));
  if (is_asked) {
    if (const auto denied = denial(command, args, client)) {
      tell_denied(client, command, args, *denied,
                  client.in_transaction ? DenialContext::kTransaction : DenialContext::kAlone);
      return "NOPERM " + denial_text(*denied, command, client.account->name);
    }
  }
  return refusal(command, flags, client, bits);
}

// A transaction fails with what could not become a part of it, and ends with a refused EXEC.
void Executor::refuse_in(ClientState& client, const Command& command, Bytes error,
                         ReplyWriter& reply) {
  if (client.in_transaction) client.transaction_failed = true;
  if (!command.has(kRunsQueue)) return refuse(&command, error, reply);
  // Only codes that say more than that it is an error are repeated.
  const Bytes reason = error.starts_with("ERR ") ? error.substr(4) : error;
  refuse(&command, fmt::format("EXECABORT Transaction discarded because of: {}", reason), reply);
  end_transaction(client);
}

void Executor::refuse(const Command* command, Bytes error, ReplyWriter& reply) {
  if (command != nullptr) accounts_.refused(*command);
  const ReplyWriter::Mark before = reply.mark();
  reply.error(error);
  accounts_.error(reply.written_since(before));
}

void Executor::queue(const Command& command, ClientState& client, std::span<const Bytes> args,
                     ReplyWriter& reply) {
  if (command.has(kNoMulti)) {
    client.transaction_failed = true;
    return refuse(&command, "ERR Command not allowed inside a transaction", reply);
  }
  QueuedCommand queued{&command, {}};
  queued.args.reserve(args.size());
  for (const Bytes arg : args) {
    queued.args.emplace_back(arg);
    client.queue_bytes += arg.size() + sizeof(std::string);
  }
  client.queue.push_back(std::move(queued));
  const uint32_t flags = effective_flags(command, client, args);
  client.queued_any |= flags;
  client.queued_all &= flags;
  reply.simple("QUEUED");
}

// Leads a command that visits stripes from one to the next. At each it is judged again if the
// conditions have changed, as one that waited for its only stripe is.
class Executor::Door final : public StripeDoor {
 public:
  Door(Executor& executor, Frame& frame, Call& call)
      : executor_(executor), frame_(frame), call_(call), before_(call.reply.mark()) {
    if (visits(call)) call.door = this;
  }

  bool enter(int stripe) override {
    if (verdict_ != Verdict::kLetIn) return false;
    if (frame_.locks.held().has(stripe)) return true;
    leave_stripe();
    frame_.execution.declare_visit(stripe);
    const ReplyWriter::Mark here = call_.reply.mark();
    verdict_ = executor_.lock(frame_, call_);
    if (verdict_ != Verdict::kLetIn) {
      forget_reply(here);
      return false;
    }
    frame_.execution.access().set_mode(expiry_mode(executor_.engine_.gate, call_.client, false));
    return true;
  }
  Verdict verdict() const { return verdict_; }

 private:
  // Keys whose time was over are gone, and that is stated before anybody else gets the stripe.
  void leave_stripe() {
    Execution& execution = frame_.execution;
    if (execution.effects().count() != 0 || execution.access().has_outcome()) [[unlikely]] {
      execution.commit(call_);
      if (!execution.ready().empty()) executor_.serving_.serve(frame_.locks, execution.ready());
      execution.effects().clear();
    }
    frame_.locks.release();
  }

  // All but the refusal, which came last.
  void forget_reply(ReplyWriter::Mark refusal) {
    const std::string error(call_.reply.written_since(refusal));
    call_.reply.discard_to(before_);
    call_.reply.raw(error);
  }

  Executor& executor_;
  Frame& frame_;
  Call& call_;
  const ReplyWriter::Mark before_;
  Verdict verdict_ = Verdict::kLetIn;
};

Outcome Executor::run(Call& call, uint64_t word) {
  Entered entered(*this);
  Frame& frame = entered.frame();
  Execution& execution = frame.execution;
  const ReplyWriter::Mark before = call.reply.mark();
  const int64_t started_us = clock_.monotonic_us();
  frame.judged_under = word;
  declare(execution, call);
  if (const Verdict verdict = lock(frame, call); verdict != Verdict::kLetIn) [[unlikely]]
    return outcome_of(verdict);
  execution.begin(frame.locks, call.client.id, clock_.unix_ms(),
                  expiry_mode(engine_.gate, call.client, call.command.has(kWrite)));
  // Without a transaction EXEC is an error, and leaves alone what is watched for one to come.
  const bool ends_transaction = call.command.has(kRunsQueue) && call.client.in_transaction;
  Door door(*this, frame, call);
  invoke(frame, call);
  if (door.verdict() != Verdict::kLetIn) [[unlikely]] {
    execution.end();
    return outcome_of(door.verdict());
  }
  execution.note_reads(call.command, call.client, call.args);
  execution.commit(call);
  if (call.blocked) serving_.wait(call, execution);
  accounts_.keys(execution.access().counters());
  if (!execution.ready().empty()) [[unlikely]]
    serving_.serve(frame.locks, execution.ready());
  frame.locks.release();
  execution.end();
  const Bytes written = call.reply.written_since(before);
  if (is_error(written) && !call.error_counted) accounts_.error(written);
  conclude(call, is_error(written), started_us);
  if (ends_transaction) end_transaction(call.client);
  if (serving_.has_more()) [[unlikely]]
    serving_.finish();
  return call.blocked ? Outcome::kBlocked : Outcome::kDone;
}

Outcome Executor::outcome_of(Verdict verdict) {
  return verdict == Verdict::kHeldBack ? Outcome::kPaused : Outcome::kDone;
}

// The clock may have moved on inside: others are answered while a script is busy.
void Executor::conclude(Call& call, bool failed, int64_t started_us) {
  clock_.advance();
  const int64_t duration_us = clock_.monotonic_us() - started_us;
  // What waits for keys, or goes on later, is counted when it ends.
  if (!call.blocked || !call.client.waiter->is_counted_later()) {
    accounts_.counters.command_us.add(static_cast<uint64_t>(duration_us));
    accounts_.executed(call.command, call.client, call.args, failed, duration_us, clock_.unix_us());
  }
  // With the database that SELECT has chosen, EXEC behind what it executed.
  if (!call.command.has(kSkipMonitor) || call.command.has(kRunsQueue)) {
    show(call.command, call.client, call.args);
  }
}

// What goes into the log without naming a key (PUBLISH, a primary's PING) still holds one stripe,
// so that it is wholly before or after whatever takes them all. So does what subscribes: when the
// right to a channel is taken, nobody is about to get there.
void Executor::declare(Execution& execution, const Call& call) const {
  execution.declare_nothing();
  const ClientState& client = call.client;
  bool everything = takes_all(call.command, call.args) && !visits(call);
  if (call.command.has(kRunsQueue)) {
    std::vector<Bytes> args;
    for (const QueuedCommand& queued : client.queue) {
      args.assign(queued.args.begin(), queued.args.end());
      everything = everything || takes_all(*queued.command, args);
      execution.declare(*queued.command, args);
    }
    for (const WatchedKey& watched : client.watched) execution.declare_key(watched.key);
  } else if (!everything) {
    execution.declare(call.command, call.args);
  }
  if (everything) return execution.declare_everything();
  constexpr uint32_t kNeedsOne = kMayReplicate | kNamesChannels;
  const bool needs_one = (effective_flags(call.command, client, call.args) & kNeedsOne) != 0 ||
                         client.kind == ClientKind::kLink;
  if (needs_one && !execution.has_declared_keys()) execution.declare_partition(0);
}

// Once the stripes are held no change of role and no pause can come between the judgement and the
// act, for both end by taking all stripes.
Executor::Verdict Executor::lock(Frame& frame, Call& call) {
  while (!take_locks(frame, call)) {
    frame.judged_under = engine_.gate.word();
    const Verdict verdict =
        judge(call.command, call.client, call.args, frame.judged_under, call.reply);
    if (verdict != Verdict::kLetIn) return verdict;
  }
  if (!frame.locks.any()) return Verdict::kLetIn;
  if (call.client.kind == ClientKind::kLink) {
    // After a change of role the former primary's stream has no say any more.
    if (!engine_.is_replica_since(call.client.role_generation)) {
      frame.locks.release();
      return Verdict::kRefused;
    }
    // Nothing is applied behind what a server that shuts down leaves behind.
    if (engine_.journal.closed()) {
      frame.locks.release();
      return Verdict::kHeldBack;
    }
  }
  if (call.client.is_killed()) [[unlikely]] {
    frame.locks.release();
    return Verdict::kRefused;
  }
  const uint64_t word = engine_.gate.word();
  if ((word & Gate::kKeysMoving) != 0 && meets_moving_key(frame.execution, call)) [[unlikely]] {
    frame.locks.release();
    return Verdict::kHeldBack;
  }
  if (word == frame.judged_under) [[likely]]
    return Verdict::kLetIn;
  frame.judged_under = word;
  const Verdict verdict = judge(call.command, call.client, call.args, word, call.reply);
  if (verdict != Verdict::kLetIn) frame.locks.release();
  return verdict;
}

// The stripes are held. What takes all of them for the data's sake meets every key; what is about
// the server (PSYNC, REPLICAOF) does not.
bool Executor::meets_moving_key(const Execution& execution, const Call& call) const {
  if (call.client.kind == ClientKind::kLink || call.goes_on) return false;
  if (execution.stripes().is_all()) return !call.command.has(kAdmin);
  MovingKeys& moving = engine_.moving;
  return std::ranges::any_of(execution.declared(), [&](const DeclaredKey& declared) {
    if (declared.key.data() == nullptr) return false;  // a partition alone
    return call.command.has(kRunsQueue) ? moving.has_in_any_database(declared.key)
                                        : moving.has(call.client.database, declared.key);
  });
}

// False: a script is busy, and the client need not wait for its end.
bool Executor::take_locks(Frame& frame, const Call& call) {
  const StripeSet& stripes = frame.execution.stripes();
  if (stripes.empty()) return true;
  if (call.client.kind == ClientKind::kLink) {
    frame.locks.take(stripes);
  } else if (!frame.locks.take_unless(stripes,
                                      [this] { return engine_.gate.is(Gate::kBusyScript); })) {
    return false;
  }
  const bool writes = call.command.has(kWrite | kRunsQueue);
  return !writes || serving_.cover(frame.locks, frame.execution, call.client.database);
}

void Executor::invoke(Frame& frame, Call& call) {
  if (call.command.row.handler != nullptr) [[likely]] {
    return frame.execution.invoke(call, random_);
  }
  View view(frame.execution.access(), call.client.database);
  SessionContext session{frame.execution.context(call, view, random_), call.client, *this};
  call.command.row.session_handler(session);
  call.blocked = session.blocked;
  call.error_counted = session.error_counted;
  if (session.blocked) call.request = std::move(session.block_request);
}

void Executor::show(const Command& command, const ClientState& client,
                    std::span<const Bytes> args) {
  accounts_.show(command, client, args, clock_.unix_us());
}

const Command* Executor::find_for_script(std::span<const Bytes> args, ReplyWriter& reply) {
  const Command* command = engine_.registry.resolve(args);
  if (command == nullptr) {
    refuse(nullptr, "ERR Unknown Redis command called from script", reply);
    return nullptr;
  }
  const bool fits = command->arity_fits(args.size());
  const bool allowed = !command->has(kNoScript) || engine_.gate.is(Gate::kScriptsMayAll);
  if (fits && allowed) return command;
  refuse(command,
         fits ? "ERR This Redis command is not allowed from script"
              : "ERR Wrong number of args calling Redis command from script",
         reply);
  return nullptr;
}

// Inside a transaction or a script: the locks are held, nothing more is taken.
void Executor::call(const Command& command, ClientState& client, std::span<const Bytes> args,
                    ReplyWriter& reply) {
  Frame& frame = *frames_[entered_ - 1];
  const ReplyWriter::Mark before = reply.mark();
  const int64_t started_us = engine_.clock.monotonic_us();
  Call inner{command, client, args, {}, reply};
  frame.execution.go_on(expiry_mode(engine_.gate, client, command.has(kWrite)));
  invoke(frame, inner);
  frame.execution.note_reads(command, client, args);
  const int64_t duration_us = engine_.clock.monotonic_us() - started_us;
  const Bytes written = reply.written_since(before);
  const bool failed = is_error(written);
  accounts_.executed(command, client, args, failed, duration_us, clock_.unix_us());
  if (failed) {
    client.inner_error(command, written);
    if (!inner.error_counted) accounts_.error(written);
  }
  if (!command.has(kSkipMonitor)) show(command, client, args);
}

uint64_t Executor::expire_some(int64_t budget_us) {
  begin_batch();
  return expiry_.expire_some(budget_us);
}

bool Executor::evict_some() {
  begin_batch();
  return entered_ == 0 && engine_.memory.exists() && eviction_.make_room();
}

bool Executor::time_out(const std::shared_ptr<Waiter>& waiter, std::string& reply) {
  if (!waiter->end()) return false;
  engine_.blocked.remove(*waiter);
  if (waiter->for_keys()) accounts_.count(*waiter->command(), false, 0);
  reply = waiter->wait().timeout_reply();
  return true;
}

bool Executor::unblock_with_error(const std::shared_ptr<Waiter>& waiter, std::string& reply) {
  if (!waiter->end()) return false;
  engine_.blocked.remove(*waiter);
  if (waiter->for_keys()) {
    accounts_.count(*waiter->command(), true, 0);
  } else {
    accounts_.failed(*waiter->command());
  }
  if (waiter->wait().let_go) waiter->wait().let_go();
  reply = "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n";
  return true;
}

void Executor::abandon(const std::shared_ptr<Waiter>& waiter) {
  if (!waiter->end()) return;
  engine_.blocked.remove(*waiter);
  if (waiter->for_keys()) accounts_.count(*waiter->command(), false, 0);
  if (waiter->wait().let_go) waiter->wait().let_go();
}

}  // namespace tandem
