#include "engine/executor.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/ascii.h"
#include "base/check.h"

namespace tandem {

namespace {

constexpr int64_t kWallClockPeriodUs = 500;

}  // namespace

Executor::Executor(Engine& engine, uint64_t random_seed)
    : engine_(engine),
      exec_(engine.registry.find_original("exec")),
      random_(random_seed),
      counters_(engine.registry.id_count()),
      access_(engine.keyspace, engine.limits, effects_) {
  begin_batch();
}

Executor::~Executor() = default;

void Executor::begin_batch() {
  now_monotonic_us_ = engine_.clock.monotonic_us();
  // Between two looks at the wall clock the monotonic one serves as well, at half the price.
  if (now_monotonic_us_ - batch_monotonic_us_ < kWallClockPeriodUs) return;
  batch_unix_us_ = engine_.clock.unix_us();
  batch_monotonic_us_ = now_monotonic_us_;
}

namespace {

std::string unknown_command(std::span<const Bytes> args) {
  static constexpr size_t kShownMax = 128;
  std::string shown;
  for (const Bytes arg : args.subspan(1)) {
    if (shown.size() >= kShownMax) break;
    shown += fmt::format("'{}' ", arg.substr(0, kShownMax - shown.size()));
  }
  return fmt::format("ERR unknown command '{}', with args beginning with: {}",
                     args[0].substr(0, kShownMax), shown);
}

std::string unknown_subcommand(std::span<const Bytes> args) {
  std::string upper(args[0]);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return fmt::format("ERR unknown subcommand '{}'. Try {} HELP.", args[1].substr(0, 128), upper);
}

// A web page can make a browser send any text to any port, wrapped into a request of HTTP. These
// are the words with which such a request shows itself before its body's lines come.
bool is_foreign(Bytes word) {
  return equal_ignore_case(word, "POST") || equal_ignore_case(word, "Host:");
}

bool is_transaction_control(const Command& command) {
  const Bytes name = command.row.name;
  return name == "exec" || name == "discard" || name == "multi" || name == "watch" ||
         name == "quit" || name == "reset";
}

// A transaction whose parts failed did not fail itself.
bool is_error(Bytes reply) { return reply.starts_with('-'); }

// EXEC does what is queued.
uint32_t effective_flags(const Command& command, const Command* exec, const ClientState& client) {
  uint32_t flags = command.row.flags;
  if (&command != exec) return flags;
  for (const QueuedCommand& queued : client.queue) {
    flags |= queued.command->row.flags & (kWrite | kMayReplicate | kDenyOom);
  }
  return flags;
}

}  // namespace

Outcome Executor::execute(ClientState& client, std::span<const Bytes> args, Bytes raw,
                          ReplyWriter& reply) {
  const Command* command = engine_.registry.resolve(args);
  if (command == nullptr || !command->arity_fits(args.size())) [[unlikely]] {
    return turn_away(command, client, args, reply);
  }
  client.last_command = command;
  if (!admit(*command, client, args, reply)) return Outcome::kDone;
  const uint32_t bits = engine_.gate.bits();
  if (bits != 0 && is_paused(effective_flags(*command, exec_, client), client, bits)) {
    return Outcome::kPaused;
  }
  if (client.in_transaction && !is_transaction_control(*command)) {
    queue(*command, client, args, reply);
    return Outcome::kDone;
  }
  return run(*command, client, args, raw, reply);
}

Outcome Executor::turn_away(const Command* command, ClientState& client,
                            std::span<const Bytes> args, ReplyWriter& reply) {
  if (command == nullptr && is_foreign(args[0]) && client.kind == ClientKind::kNormal) {
    return Outcome::kForeign;
  }
  if (client.in_transaction) client.transaction_failed = true;
  if (command == nullptr) {
    const bool unknown = engine_.registry.find(args[0]) == nullptr;
    refuse(nullptr, unknown ? unknown_command(args) : unknown_subcommand(args), reply);
    return Outcome::kDone;
  }
  const std::string reason =
      fmt::format("wrong number of arguments for '{}' command", command->full_name);
  if (command == exec_) {
    refuse(command, "EXECABORT Transaction discarded because of: " + reason, reply);
    end_transaction(client);
  } else {
    refuse(command, "ERR " + reason, reply);
  }
  return Outcome::kDone;
}

bool Executor::admit(const Command& command, ClientState& client, std::span<const Bytes>,
                     ReplyWriter& reply) {
  const auto refused =
      refusal(command, effective_flags(command, exec_, client), client, engine_.gate.bits());
  if (!refused) [[likely]]
    return true;
  if (client.in_transaction) client.transaction_failed = true;
  if (&command == exec_) {
    // Only codes that say more than that it is an error are repeated.
    const Bytes reason = refused->starts_with("ERR ") ? Bytes(*refused).substr(4) : *refused;
    refuse(&command, fmt::format("EXECABORT Transaction discarded because of: {}", reason), reply);
    end_transaction(client);
  } else {
    refuse(&command, *refused, reply);
  }
  return false;
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
  reply.simple("QUEUED");
}

void Executor::show(const Command& command, const ClientState& client,
                    std::span<const Bytes> args) {
  if ((engine_.gate.bits() & Gate::kMonitored) != 0 && engine_.observer != nullptr) [[unlikely]] {
    engine_.observer->command_shown(client, command, args, now_unix_us());
  }
}

Outcome Executor::run(const Command& command, ClientState& client, std::span<const Bytes> args,
                      Bytes raw, ReplyWriter& reply) {
  Run run{command, client, args, raw, reply};
  run.may_block = client.kind == ClientKind::kNormal;
  const ReplyWriter::Mark before = reply.mark();
  // Without a transaction EXEC is an error, and leaves alone what is watched for one to come.
  const bool ends_transaction = &command == exec_ && client.in_transaction;
  declare(run);
  // After a change of role the former primary's stream has no say any more.
  if (client.kind == ClientKind::kLink && !engine_.is_replica_since(client.role_generation)) {
    unlock(run);
    return Outcome::kDone;
  }
  begin(run);
  invoke(run);
  commit(run);
  account_keys();
  if (!ready_.empty()) [[unlikely]]
    serve_ready(run.everything);
  unlock(run);
  release_garbage();
  // What waits for keys is counted when it ends.
  const bool counts_later = run.blocked && !client.waiter->keys.empty();
  if (counts_later) {
    now_monotonic_us_ = engine_.clock.monotonic_us();
  } else {
    const bool failed = is_error(reply.written_since(before));
    if (failed && !run.error_counted) note_error(reply.written_since(before));
    account(command, client, args, failed);
  }
  // With the database that SELECT has chosen, EXEC behind what it executed.
  if (!command.has(kSkipMonitor) || &command == exec_) show(command, client, args);
  if (ends_transaction) end_transaction(client);
  if (!served_.empty() || !later_.empty()) [[unlikely]]
    finish_serving();
  return run.blocked ? Outcome::kBlocked : Outcome::kDone;
}

void Executor::declare_keys(const Command& command, std::span<const Bytes> args) {
  positions_.clear();
  find_key_positions(command, args, positions_);
  for (const int position : positions_) {
    const Bytes key = args[static_cast<size_t>(position)];
    declared_.push_back({key, engine_.keyspace.place(key)});
  }
}

void Executor::declare_queue(const ClientState& client, bool& everything) {
  std::vector<Bytes> args;
  for (const QueuedCommand& queued : client.queue) {
    everything = everything || queued.command->row.scope == LockScope::kEverything;
    args.assign(queued.args.begin(), queued.args.end());
    declare_keys(*queued.command, args);
  }
  for (const WatchedKey& watched : client.watched) {
    declared_.push_back({watched.key, engine_.keyspace.place(watched.key)});
  }
}

// Finds out what to lock, and locks it.
void Executor::declare(Run& run) {
  declared_.clear();
  bool everything = run.command.row.scope == LockScope::kEverything;
  if (&run.command == exec_) {
    declare_queue(run.client, everything);
  } else if (!everything) {
    declare_keys(run.command, run.args);
  }
  run.everything = everything;
  // What goes into the log without naming a key (PUBLISH, a primary's PING) still holds one stripe,
  // so that it is wholly before or after whatever takes them all.
  if (declared_.empty() && !everything &&
      (run.command.has(kMayReplicate) || run.client.kind == ClientKind::kLink)) {
    declared_.push_back({Bytes(), KeyPlace{}});
  }
  if (everything) return engine_.keyspace.lock_all();
  stripes_.clear();
  for (const DeclaredKey& declared : declared_) stripes_.push_back(declared.place.stripe());
  lock_stripes();
  if (run.command.has(kWrite) || &run.command == exec_) run.everything = cover_waiters();
}

void Executor::put_in_order(std::vector<int>& stripes) {
  if (stripes.size() < 2) return;
  std::sort(stripes.begin(), stripes.end());
  stripes.erase(std::unique(stripes.begin(), stripes.end()), stripes.end());
}

void Executor::lock_stripes() {
  put_in_order(stripes_);
  for (const int stripe : stripes_) engine_.keyspace.stripe(stripe).lock();
}

void Executor::unlock_stripes() const {
  for (const int stripe : stripes_) engine_.keyspace.stripe(stripe).unlock();
}

void Executor::unlock(const Run& run) {
  run.everything ? engine_.keyspace.unlock_all() : unlock_stripes();
}

ExpiryMode Executor::expiry_mode(const ClientState& client, bool writes) const {
  if (client.kind == ClientKind::kLink) return ExpiryMode::kIgnore;
  const uint32_t bits = engine_.gate.bits();
  if ((bits & (Gate::kPausedWrites | Gate::kPausedAll)) != 0) return ExpiryMode::kHide;
  if ((bits & Gate::kReplica) == 0) return ExpiryMode::kDelete;
  // A write of a writable replica's own client must not revive what no client can see.
  const bool clears = writes && (bits & Gate::kReadOnlyReplica) == 0;
  return clears ? ExpiryMode::kClear : ExpiryMode::kHide;
}

void Executor::begin(Run& run) {
  // A replica's log is its primary's: what its own clients do there stays here.
  effects_.begin(engine_.log.active() && !engine_.gate.is(Gate::kReplica));
  access_.begin(now_unix_us() / 1000, expiry_mode(run.client, run.command.has(kWrite)), declared_,
                run.everything);
}

void Executor::invoke(Run& run) {
  View view(access_, run.client.database);
  Context context{.command = run.command,
                  .args = run.args,
                  .keys = view,
                  .reply = run.reply,
                  .random = random_,
                  .now_ms = access_.now_ms(),
                  .raw = run.raw,
                  .may_block = run.may_block,
                  .from_primary = run.client.kind == ClientKind::kLink};
  if (run.command.row.handler != nullptr) [[likely]] {
    run.command.row.handler(context);
    run.blocked = context.blocked;
    if (context.blocked) run.request = std::move(context.block_request);
  } else {
    SessionContext session{std::move(context), run.client, *this};
    run.command.row.session_handler(session);
    run.blocked = session.blocked;
    run.error_counted = session.error_counted;
    if (session.blocked) run.request = std::move(session.block_request);
  }
}

// With the stripes still held: the effects get their place in the log, watchers and waiters hear of
// the changes.
void Executor::commit(Run& run) {
  if (run.client.kind == ClientKind::kLink) {
    if (run.client.in_transaction) return;  // MULTI: its bytes come with the EXEC
    engine_.log.append_verbatim(run.raw);
    engine_.log.set_context(static_cast<uint32_t>(run.client.database));
  } else if (effects_.count() != 0) {
    const int database = effects_.first_database();
    run.client.last_write_offset = engine_.log.append(
        effects_.record(), static_cast<uint32_t>(database), select_command(database));
  }
  if (const uint64_t changes = access_.counters().changes; changes != 0) {
    counters_.changes.add(changes);
  }
  note_changes();
  for (OwnExpiry& expiry : access_.own_expiries()) engine_.own_expiries.note(std::move(expiry));
  if (run.blocked) register_waiter(run);
}

void Executor::note_changes() {
  for (KeyName& changed : access_.changed_keys()) {
    engine_.watch_table.mark_dirty(changed.database, changed.key);
    if (engine_.waiting_room.anybody_waits_for(changed.database, changed.key)) {
      ready_.push_back(std::move(changed));
    }
  }
  for (const KeyAccess::ChangedDatabase& changed : access_.changed_databases()) {
    const auto concerned = [&](Bytes key) { return changed.concerns(engine_.keyspace, key); };
    engine_.watch_table.mark_database_dirty(changed.database, concerned);
    for (std::string& key : engine_.waiting_room.keys_waited_for(changed.database)) {
      ready_.push_back({changed.database, std::move(key)});
    }
  }
}

void Executor::release_garbage() {
  access_.free_garbage();
  if (!access_.large_garbage().empty()) [[unlikely]] {
    engine_.discard(std::exchange(access_.large_garbage(), Garbage()));
  }
  for (TablesRef& tables : access_.dropped_tables()) engine_.discard(Garbage(std::move(tables)));
  access_.dropped_tables().clear();
  access_.changed_databases().clear();
}

void Executor::account(const Command& command, const ClientState& client,
                       std::span<const Bytes> args, bool failed) {
  const int64_t now = engine_.clock.monotonic_us();
  const int64_t duration = now - now_monotonic_us_;
  count(command, duration, failed);
  report_if_slow(command, client, args, duration);
  now_monotonic_us_ = now;
}

void Executor::account_keys() {
  const KeyAccess::Counters& seen = access_.counters();
  if (seen.hits != 0) counters_.keyspace_hits.add(seen.hits);
  if (seen.misses != 0) counters_.keyspace_misses.add(seen.misses);
  if (seen.expired != 0) counters_.expired_keys.add(seen.expired);
}

void Executor::count(const Command& command, int64_t duration_us, bool failed) {
  CommandCounters& mine = counters_.by_command[static_cast<size_t>(command.id)];
  mine.calls.add(1);
  mine.microseconds.add(static_cast<uint64_t>(duration_us));
  counters_.commands.add(1);
  if (engine_.track_latency.load(std::memory_order_relaxed)) mine.latency.record(duration_us);
  if (failed) mine.failed.add(1);
}

void Executor::report_if_slow(const Command& command, const ClientState& client,
                              std::span<const Bytes> args, int64_t duration_us) {
  const int64_t limit = engine_.slow_command_us.load(std::memory_order_relaxed);
  if (limit >= 0 && duration_us >= limit && engine_.observer != nullptr) [[unlikely]] {
    engine_.observer->slow_command(client, command, args, now_unix_us(), duration_us);
  }
}

const Command* Executor::find_for_script(std::span<const Bytes> args, ReplyWriter& reply) {
  const Command* command = engine_.registry.resolve(args);
  if (command == nullptr) {
    refuse(nullptr, "ERR Unknown Redis command called from script", reply);
    return nullptr;
  }
  const bool fits = command->arity_fits(args.size());
  if (fits && !command->has(kNoScript)) return command;
  refuse(command,
         fits ? "ERR This Redis command is not allowed from script"
              : "ERR Wrong number of args calling Redis command from script",
         reply);
  return nullptr;
}

void Executor::call(const Command& command, ClientState& client, std::span<const Bytes> args,
                    ReplyWriter& reply) {
  run_nested(command, client, args, reply);
  if (!command.has(kSkipMonitor)) show(command, client, args);
}

void Executor::refuse(const Command* command, Bytes error, ReplyWriter& reply) {
  if (command != nullptr) counters_.by_command[static_cast<size_t>(command->id)].rejected.add(1);
  const ReplyWriter::Mark before = reply.mark();
  reply.error(error);
  note_error(reply.written_since(before));
}

void Executor::note_error(Bytes reply) {
  if (engine_.observer != nullptr) engine_.observer->error_reply(reply);
}

// Inside a transaction or a script: the locks are held, nothing more is taken.
void Executor::run_nested(const Command& command, ClientState& client, std::span<const Bytes> args,
                          ReplyWriter& reply) {
  const ReplyWriter::Mark before = reply.mark();
  const int64_t started_us = engine_.clock.monotonic_us();
  Run run{command, client, args, {}, reply};
  run.everything = true;
  access_.set_mode(expiry_mode(client, command.has(kWrite)));
  invoke(run);
  const int64_t duration_us = engine_.clock.monotonic_us() - started_us;
  const bool failed = is_error(reply.written_since(before));
  count(command, duration_us, failed);
  report_if_slow(command, client, args, duration_us);
  if (!failed) return;
  client.inner_error(command, reply.written_since(before));
  if (!run.error_counted) note_error(reply.written_since(before));
}

}  // namespace tandem
