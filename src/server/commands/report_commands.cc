#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/number.h"
#include "engine/executor.h"
#include "server/client/client.h"
#include "server/commands/rows.h"
#include "stats/info.h"

namespace tandem {
namespace {

void info(SessionContext& c, Status& status) {
  const auto sections = info_sections(c.args.subspan(1));
  c.reply.verbatim(info_text(status.tables(), sections));
}

void monitor(SessionContext& c, CommandReports& reports) {
  const ClientConnection* connection = client_of(c);
  if (connection == nullptr || !c.may_block) {
    return c.reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  // As in Redis, which hears nothing of a second one.
  if (connection->card()->is(kClientMonitor)) return;
  c.client.set(kMonitors, true);
  reports.add_monitor(connection->card());
  c.reply.ok();
}

void time(SessionContext& c) {
  constexpr int64_t kUsPerSecond = 1000000;
  const int64_t now_us = c.executor.engine().clock.unix_us();
  c.reply.array(2);
  c.reply.bulk_integer(now_us / kUsPerSecond);
  c.reply.bulk_integer(now_us % kUsPerSecond);
}

void slowlog_get(SessionContext& c, CommandReports& reports) {
  constexpr size_t kWithCount = 3;
  constexpr int64_t kCountDefault = 10;
  if (c.args.size() > kWithCount) return reply_subcommand_syntax(c, "slowlog");
  int64_t count = kCountDefault;
  if (c.args.size() == kWithCount) {
    const auto given = parse_int64(c.args[2]);
    if (!given || *given < -1) {
      return c.reply.error("ERR count should be greater than or equal to -1");
    }
    count = *given == -1 ? std::numeric_limits<int64_t>::max() : *given;
  }
  const auto entries = reports.slow_commands(static_cast<size_t>(count));
  c.reply.array(static_cast<int64_t>(entries.size()));
  for (const SlowCommand& entry : entries) {
    c.reply.array(6);
    c.reply.integer(entry.id);
    c.reply.integer(entry.unix_s);
    c.reply.integer(entry.duration_us);
    c.reply.array(static_cast<int64_t>(entry.args.size()));
    for (const std::string& argument : entry.args) c.reply.bulk(argument);
    c.reply.bulk(entry.address);
    c.reply.bulk(entry.name);
  }
}

void slowlog_len(SessionContext& c, CommandReports& reports) {
  c.reply.integer(static_cast<int64_t>(reports.slow_count()));
}

void slowlog_reset(SessionContext& c, CommandReports& reports) {
  reports.reset_slow();
  c.reply.ok();
}

constexpr Bytes kSlowlogHelp[] = {
    "GET [<count>]",
    "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
    "    Entries are made of:",
    "    id, timestamp, time in microseconds, arguments array, client IP and port,",
    "    client name",
    "LEN",
    "    Return the length of the slowlog.",
    "RESET",
    "    Reset the slowlog.",
};

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> report_rows(CommandReports& reports, Status& status) {
  constexpr uint32_t kSlowlogFlags = kAdmin | kLoading | kStale;
  const auto bound = [&reports](auto handler) {
    return [&reports, handler](SessionContext& c) { handler(c, reports); };
  };
  return {
      {.name = "info", .arity = -1, .flags = kLoading | kStale,
       .session_handler = [&status](SessionContext& c) { info(c, status); }, .group = "server",
       .categories = "dangerous",
       .tips = "nondeterministic_output request_policy:all_shards response_policy:special",
       .since = "1.0.0", .history = "7.0.0 Takes several sections", .complexity = "O(1)",
       .summary = "Tells the state and the statistics of the server.",
       .syntax = "[section [section ...]]"},
      {.name = "monitor", .arity = 1, .flags = kAdmin | kNoScript | kLoading | kStale,
       .session_handler = bound(monitor), .group = "server", .since = "1.0.0",
       .summary = "Shows every command as it is executed."},
      {.name = "time", .arity = 1, .flags = kLoading | kStale | kFast, .session_handler = time,
       .group = "server", .tips = "nondeterministic_output", .since = "2.6.0",
       .complexity = "O(1)",
       .summary = "Tells the server's time, in seconds and microseconds."},
      {.name = "slowlog", .arity = -2, .group = "server", .since = "2.2.12",
       .complexity = "Depends on the subcommand", .summary = "About commands that took long.",
       .subcommands = {
           {.name = "get", .arity = -2, .flags = kSlowlogFlags,
            .session_handler = bound(slowlog_get), .group = "server",
            .tips = "request_policy:all_nodes nondeterministic_output", .since = "2.2.12",
            .history = "4.0.0 Tells the client's address and name",
            .complexity = "O(N) for N entries", .summary = "Tells the newest entries.",
            .syntax = "[count]"},
           {.name = "len", .arity = 2, .flags = kSlowlogFlags,
            .session_handler = bound(slowlog_len), .group = "server",
            .tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output",
            .since = "2.2.12", .complexity = "O(1)",
            .summary = "Tells how many entries there are."},
           {.name = "reset", .arity = 2, .flags = kSlowlogFlags,
            .session_handler = bound(slowlog_reset), .group = "server",
            .tips = "request_policy:all_nodes response_policy:all_succeeded", .since = "2.2.12",
            .complexity = "O(N) for N entries", .summary = "Forgets all entries."},
           help_row("slowlog", "server", kSlowlogHelp, "6.2.0")}},
  };
}
// clang-format on

}  // namespace tandem
