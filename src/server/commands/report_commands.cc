#include <cmath>
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

// LATENCY: spikes as the monitor keeps them, and the histograms of all commands.

namespace {

void latest(SessionContext& c, CommandReports& reports) {
  const auto events = reports.latency().events();
  c.reply.array(static_cast<int64_t>(events.size()));
  for (const LatencyEvent& event : events) {
    c.reply.array(4);
    c.reply.bulk(event.name);
    c.reply.integer(event.samples.back().unix_s);
    c.reply.integer(event.samples.back().milliseconds);
    c.reply.integer(event.worst_ms);
  }
}

void history(SessionContext& c, CommandReports& reports) {
  for (const LatencyEvent& event : reports.latency().events()) {
    if (event.name != c.args[2]) continue;
    c.reply.array(static_cast<int64_t>(event.samples.size()));
    for (const LatencySample& sample : event.samples) {
      c.reply.array(2);
      c.reply.integer(sample.unix_s);
      c.reply.integer(sample.milliseconds);
    }
    return;
  }
  c.reply.array(0);
}

void reset(SessionContext& c, CommandReports& reports) {
  int64_t count = 0;
  for (const Bytes event : c.args.subspan(2)) count += reports.latency().reset(event) ? 1 : 0;
  if (c.args.size() == 2) {
    for (const LatencyEvent& event : reports.latency().events()) {
      count += reports.latency().reset(event.name) ? 1 : 0;
    }
  }
  c.reply.integer(count);
}

void doctor(SessionContext& c, CommandReports& reports) {
  const auto events = reports.latency().events();
  if (events.empty() && !reports.monitors_latency()) {
    return c.reply.verbatim(
        "Nothing is watched: CONFIG SET latency-monitor-threshold <milliseconds> starts it.\n");
  }
  if (events.empty()) return c.reply.verbatim("No spikes so far.\n");
  std::string report;
  for (const LatencyEvent& event : events) {
    int64_t sum_ms = 0;
    for (const LatencySample& sample : event.samples) sum_ms += sample.milliseconds;
    const auto count = static_cast<int64_t>(event.samples.size());
    report += fmt::format("{}: {} spikes, {} ms on average, {} ms at worst.\n", event.name, count,
                          sum_ms / count, event.worst_ms);
  }
  c.reply.verbatim(report + "SLOWLOG GET shows the commands.\n");
}

// Redis's marks: each about twice the one before it, up to what has all calls below it.
void write_histogram(ReplyWriter& reply, const Command& command, const LatencyDistribution& times) {
  constexpr int64_t kFirstMarkNs = 1024;
  constexpr int64_t kNsPerUs = 1000;
  constexpr int64_t kMarkParts = 128;  // a mark is the end of a bucket of this part of it
  reply.bulk(command.full_name);
  reply.map(2);
  reply.bulk("calls");
  reply.integer(static_cast<int64_t>(times.total()));
  reply.bulk("histogram_usec");
  const auto map = reply.mark();
  int64_t marks = 0;
  uint64_t before = 0;
  for (int64_t mark_ns = kFirstMarkNs; before < times.total(); mark_ns *= 2) {
    const int64_t mark_us = (mark_ns + mark_ns / kMarkParts - 1) / kNsPerUs;
    const uint64_t count = times.count_up_to(mark_us);
    if (count == before) continue;
    reply.integer(mark_us);
    reply.integer(static_cast<int64_t>(count));
    before = count;
    ++marks;
  }
  reply.end_map(map, marks);
}

void histogram(SessionContext& c, const Status& status) {
  const Registry& registry = c.executor.engine().registry;
  const auto map = c.reply.mark();
  int64_t written = 0;
  const auto visit = [&](const Command& command) {
    const auto one = [&](const Command& which) {
      const LatencyDistribution times = status.latency_of(which);
      if (times.total() == 0) return;
      write_histogram(c.reply, which, times);
      ++written;
    };
    one(command);
    for (const Command* subcommand : command.subcommands) one(*subcommand);
  };
  if (c.args.size() == 2) {
    for (const Command* command : registry.commands()) visit(*command);
  }
  for (const Bytes name : c.args.subspan(2)) {
    if (const Command* command = registry.find_full(name)) visit(*command);
  }
  c.reply.end_map(map, written);
}

constexpr Bytes kHelp[] = {
    "DOCTOR",
    "    Return a human readable latency analysis report.",
    "HISTORY <event>",
    "    Return time-latency samples for the <event> class.",
    "LATEST",
    "    Return the latest latency samples for all events.",
    "RESET [<event> ...]",
    "    Reset latency data of one or more <event> classes.",
    "    (default: reset all data for all event classes)",
    "HISTOGRAM [COMMAND ...]",
    "    Return a cumulative distribution of latencies in the format of a histogram for the "
    "specified command names.",
    "    If no commands are specified then all histograms are replied.",
};

// A row that states what LATENCY's subcommands do not share.
CommandRow part(CommandRow row) {
  row.flags = kAdmin | kNoScript | kLoading | kStale;
  row.group = "server";
  if (row.tips.empty()) {
    row.tips = "nondeterministic_output request_policy:all_nodes response_policy:special";
  }
  if (row.complexity.empty()) row.complexity = "O(1)";
  return row;
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> latency_rows(CommandReports& reports, const Status& status) {
  const auto bound = [&reports](auto handler) {
    return [&reports, handler](SessionContext& c) { handler(c, reports); };
  };
  const auto histogram_of = [&status](SessionContext& c) { histogram(c, status); };
  return {
      {.name = "latency", .arity = -2, .group = "server", .since = "2.8.13",
       .complexity = "Depends on the subcommand", .summary = "About how long things took.",
       .subcommands = {
           part({.name = "latest", .arity = 2, .session_handler = bound(latest),
                 .since = "2.8.13", .summary = "Tells the latest spikes."}),
           part({.name = "history", .arity = 3, .session_handler = bound(history),
                 .since = "2.8.13", .summary = "Tells an event's spikes.", .syntax = "event"}),
           part({.name = "reset", .arity = -2, .session_handler = bound(reset),
                 .tips = "request_policy:all_nodes response_policy:agg_sum", .since = "2.8.13",
                 .complexity = "O(N) for N events", .summary = "Forgets spikes.",
                 .syntax = "[event [event ...]]"}),
           part({.name = "histogram", .arity = -2, .session_handler = histogram_of,
                 .since = "7.0.0", .complexity = "O(N) for N commands",
                 .summary = "Tells how long commands took.", .syntax = "[command [command ...]]"}),
           part({.name = "doctor", .arity = 2, .session_handler = bound(doctor),
                 .since = "2.8.13", .summary = "Sums up the spikes."}),
           help_row("latency", "server", kHelp, "2.8.13")}},
  };
}
// clang-format on

}  // namespace tandem
