// SELECT and the transaction commands: what the engine itself is about.

#include <algorithm>
#include <limits>

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/number.h"
#include "engine/admission.h"
#include "engine/executor.h"

namespace tandem {
namespace {

constexpr size_t kKeptMax = 64;  // by each client, of queued commands and of watched keys

}  // namespace

void Executor::end_transaction(ClientState& client) {
  client.in_transaction = false;
  client.transaction_failed = false;
  clear_and_keep(client.queue, kKeptMax);
  client.queue_bytes = 0;
  client.queued_any = 0;
  client.queued_all = ~uint32_t{0};
  unwatch(client);
}

void Executor::unwatch(ClientState& client) {
  if (client.watch_mark == nullptr) return;
  for (const WatchedKey& watched : client.watched) {
    engine_.watch_table.remove(watched.database, watched.key, client.watch_mark);
  }
  clear_and_keep(client.watched, kKeptMax);
  client.watch_mark.reset();
}

void Executor::watch(SessionContext& context, std::span<const Bytes> keys) {
  ClientState& client = context.client;
  if (client.watch_mark == nullptr) client.watch_mark = std::make_shared<WatchMark>();
  for (const Bytes key : keys) {
    const auto same = [&](const WatchedKey& other) {
      return other.database == client.database && other.key == key;
    };
    if (std::any_of(client.watched.begin(), client.watched.end(), same)) continue;
    context.keys.find_about(key);  // on a primary this ends a key whose time is over
    client.watched.push_back({client.database, std::string(key), context.keys.has_expired(key)});
    engine_.watch_table.add(client.database, key, client.watch_mark);
  }
}

// What has come to speak against a queued command since EXEC was let in. Rights are always looked
// at: they may be others than when it was queued.
std::optional<std::string> Executor::late_objection(const Command& command, ClientState& client,
                                                    std::span<const Bytes> args,
                                                    uint64_t judged_under) {
  if (client.kind == ClientKind::kLink) return std::nullopt;
  const uint64_t word = engine_.gate.word();
  take_rights(client, word);
  if (const auto denied = denial(command, args, client)) {
    static constexpr Bytes kReasons[] = {
        "no permission to execute the command or subcommand",
        "no permission to touch the specified keys",
        "no permission to access one of the channels used as arguments to the command"};
    tell_denied(client, command, args, *denied, DenialContext::kTransaction);
    return fmt::format(
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
        "call. This command is no longer allowed for the following reason: {}",
        kReasons[static_cast<size_t>(denied->reason)]);
  }
  // What came before may have changed the conditions (REPLICAOF). Memory is a matter of the whole.
  if (word == judged_under) return std::nullopt;
  const uint32_t flags = effective_flags(command, client, args) & ~uint32_t{kDenyOom};
  return refusal(command, flags, client, static_cast<uint32_t>(word));
}

void Executor::run_queue(SessionContext& context) {
  ClientState& client = context.client;
  const std::vector<QueuedCommand> queue = std::move(client.queue);
  client.queue.clear();
  // What is queued runs as outside a transaction, except that it cannot block.
  client.in_transaction = false;
  context.reply.array(static_cast<int64_t>(queue.size()));
  std::vector<Bytes> args;
  const Frame& frame = *frames_[entered_ - 1];
  for (const QueuedCommand& queued : queue) {
    args.assign(queued.args.begin(), queued.args.end());
    const Command& command = *queued.command;
    if (const auto refused = late_objection(command, client, args, frame.judged_under)) {
      refuse(nullptr, *refused, context.reply);  // no command that was rejected, to Redis
    } else {
      call(command, client, args, context.reply);
    }
  }
}

namespace {

void select(SessionContext& c) {
  const auto index = parse_int64(c.args[1]);
  if (!index) return c.reply.error(kNotInteger);
  using Limits = std::numeric_limits<int>;
  if (*index < Limits::min() || *index > Limits::max()) return c.reply.error(kNoSmallInteger);
  if (*index < 0 || *index >= c.keys.database_count()) {
    return c.reply.error("ERR DB index is out of range");
  }
  c.client.database = static_cast<int>(*index);
  c.reply.ok();
}

void multi(SessionContext& c) {
  if (c.client.in_transaction) return c.reply.error("ERR MULTI calls can not be nested");
  c.client.in_transaction = true;
  c.reply.ok();
}

bool has_lost_watch(SessionContext& c) {
  if (c.client.watch_mark == nullptr) return false;
  if (c.client.watch_mark->dirty.load(std::memory_order_relaxed)) return true;
  for (const WatchedKey& watched : c.client.watched) {
    View view = c.keys.at(watched.database);
    if (!watched.expired_already && view.has_expired(watched.key)) return true;
  }
  return false;
}

// The executor ends the transaction after this, when the locks are free.
void exec(SessionContext& c) {
  if (!c.client.in_transaction) return c.reply.error("ERR EXEC without MULTI");
  if (c.client.transaction_failed) {
    return c.reply.error("EXECABORT Transaction discarded because of previous errors.");
  }
  if (has_lost_watch(c)) return c.reply.null_array();
  c.executor.run_queue(c);
}

void discard(SessionContext& c) {
  if (!c.client.in_transaction) return c.reply.error("ERR DISCARD without MULTI");
  c.executor.end_transaction(c.client);
  c.reply.ok();
}

void watch(SessionContext& c) {
  if (c.client.in_transaction) return c.reply.error("ERR WATCH inside MULTI is not allowed");
  c.executor.watch(c, c.args.subspan(1));
  c.reply.ok();
}

void unwatch(SessionContext& c) {
  c.executor.unwatch(c.client);
  c.reply.ok();
}

}  // namespace

std::vector<CommandRow> engine_rows() {
  static constexpr uint32_t kControl = kNoScript | kLoading | kStale | kFast | kAllowBusy;
  return {
      {.name = "select",
       .arity = 2,
       .flags = kLoading | kStale | kFast | kInStream,
       .session_handler = select,
       .group = "connection",
       .since = "1.0.0",
       .complexity = "O(1)",
       .summary = "Makes another database the current one.",
       .syntax = "index"},
      {.name = "multi",
       .arity = 1,
       .flags = kControl | kNotQueued | kInStream,
       .session_handler = multi,
       .group = "transactions",
       .since = "1.2.0",
       .complexity = "O(1)",
       .summary = "Begins a transaction: what follows is queued until EXEC."},
      {.name = "exec",
       .arity = 1,
       .flags = kNoScript | kLoading | kStale | kSkipSlowlog | kNotQueued | kRunsQueue |
                kEndsTransaction | kInStream,
       .session_handler = exec,
       .group = "transactions",
       .since = "1.2.0",
       .complexity = "Depends on the queued commands",
       .summary = "Executes everything queued since MULTI at once."},
      {.name = "discard",
       .arity = 1,
       .flags = kControl | kNotQueued | kEndsTransaction,
       .session_handler = discard,
       .group = "transactions",
       .since = "2.0.0",
       .complexity = "O(N), N queued commands",
       .summary = "Drops the transaction."},
      {.name = "watch",
       .arity = -2,
       .flags = kControl | kNotQueued,
       .keys = {keys_range(1, -1, 1, "RO")},
       .session_handler = watch,
       .group = "transactions",
       .since = "2.2.0",
       .complexity = "O(1) a key",
       .summary = "Makes EXEC fail if one of the keys changes before it.",
       .syntax = "key [key ...]"},
      {.name = "unwatch",
       .arity = 1,
       .flags = kControl,
       .session_handler = unwatch,
       .group = "transactions",
       .since = "2.2.0",
       .complexity = "O(1)",
       .summary = "Forgets all watched keys."},
  };
}

}  // namespace tandem
