#include <algorithm>
#include <cmath>
#include <string>

#include "base/bytes.h"
#include "base/number.h"
#include "commands/digest.h"
#include "engine/executor.h"
#include "server/client/client.h"
#include "server/commands/rows.h"

namespace tandem {
namespace {

constexpr Bytes kNotAllowed =
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you "
    "can run it from a local connection, otherwise you need to set this option in the "
    "configuration file, and then restart the server.";

bool allowed(SessionContext& c, const ServerOptions& options) {
  const int access = options.debug_command_access.get();
  if (access != kAccessLocal) return access == kAccessAll;
  const ClientConnection* connection = client_of(c);
  return connection != nullptr && connection->peer().is_local();
}

// Everybody stands still for the time, as if the server slept; the answer comes at its end.
void stand_still(SessionContext& c) {
  const auto seconds = parse_double(c.args[2]);
  constexpr double kMsPerSecond = 1000.0;
  constexpr double kSecondsMax = 1e6;
  const double ms = std::clamp(seconds.value_or(0), 0.0, kSecondsMax) * kMsPerSecond;
  const auto length_ms = static_cast<int64_t>(std::llround(ms));
  if (length_ms == 0) return c.reply.ok();
  Engine& engine = c.executor.engine();
  const Clock& clock = engine.clock;
  const auto answer = [&engine, length_ms] {
    constexpr int64_t kUsPerMs = 1000;
    if (engine.observer != nullptr) {
      engine.observer->slow_step("command", engine.clock.unix_us(), length_ms * kUsPerMs);
    }
    return std::string("+OK\r\n");
  };
  // A millisecond that has begun is not over.
  if (c.block_externally(clock.unix_ms() + length_ms + 1, answer)) {
    c.executor.engine().pauses.begin(PauseReason::kDebugSleep, PauseKind::kAll,
                                     clock.monotonic_ms() + length_ms);
  } else {
    c.reply.ok();
  }
}

void set_active_expire(SessionContext& c) {
  c.executor.engine().gate.set(Gate::kActiveExpireOff, c.args[2] == "0");
  c.reply.ok();
}

void digest(SessionContext& c) {
  c.reply.simple(digest_text(digest_of_all(c.keys.all_stripes(), c.keys)));
}

void digest_value(SessionContext& c) {
  c.reply.array(static_cast<int64_t>(c.args.size()) - 2);
  for (const Bytes key : c.args.subspan(2)) {
    const Entry* entry = c.keys.peek(key);
    c.reply.simple(digest_text(entry == nullptr ? Digest{} : digest_of_value(*entry)));
  }
}

// As it was asked for: a test's own error, which no statistic counts.
void error(SessionContext& c) {
  std::string line = "-" + std::string(c.args[2]) + "\r\n";
  std::replace_if(
      line.begin(), line.end() - 2, [](char ch) { return ch == '\r' || ch == '\n'; }, ' ');
  c.reply.raw(line);
}

constexpr Bytes kDebugHelp[] = {
    "DIGEST",
    "    Output a hex signature representing the current DB content.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    Output a hex signature of the values of all the specified keys.",
    "ERROR <string>",
    "    Return a Redis protocol error with <string> as message. Useful for clients",
    "    unit tests to simulate Redis errors.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Setting it to 0 disables expiring keys in background when they are not",
    "    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the",
    "    default.",
    "SLEEP <seconds>",
    "    Stop the server for <seconds>. Decimals allowed.",
};

// As in Redis these are no subcommands of the table: whatever does not fit gets the same answer.
void debug(SessionContext& c) {
  const size_t count = c.args.size();
  const auto is = [&](Bytes name) { return equal_ignore_case(c.args[1], name); };
  if (is("help") && count == 2) return reply_help(c, "debug", kDebugHelp);
  if (is("sleep") && count == 3) return stand_still(c);
  if (is("set-active-expire") && count == 3) return set_active_expire(c);
  if (is("error") && count == 3) return error(c);
  if (is("digest") && count == 2) return digest(c);
  if (is("digest-value")) return digest_value(c);
  reply_subcommand_syntax(c, "debug");
}

}  // namespace

std::vector<CommandRow> debug_rows(const ServerOptions& options) {
  return {{.name = "debug",
           .arity = -2,
           .flags = kAdmin | kNoScript | kLoading | kStale,
           .scope = LockScope::kEverything,
           .session_handler =
               [&options](SessionContext& c) {
                 if (!allowed(c, options)) return c.reply.error(kNotAllowed);
                 debug(c);
               },
           .group = "server",
           .since = "1.0.0",
           .internal = true,
           .complexity = "Depends on the subcommand",
           .summary = "For tests and for people who look inside."}};
}

}  // namespace tandem
