// LATENCY: spikes as the monitor keeps them, and the histograms of all commands.
#include <fmt/format.h>

#include "base/bytes.h"
#include "engine/executor.h"
#include "server/commands/rows.h"
#include "server/status/latency_texts.h"

namespace tandem {
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

void graph(SessionContext& c, CommandReports& reports) {
  constexpr int64_t kUsPerSecond = 1'000'000;
  for (const LatencyEvent& event : reports.latency().events()) {
    if (event.name != c.args[2]) continue;
    const int64_t now_unix_s = c.executor.engine().clock.unix_us() / kUsPerSecond;
    return c.reply.verbatim(latency_graph(event, now_unix_s));
  }
  c.reply.error(fmt::format("ERR No samples available for event '{}'", c.args[2]));
}

void doctor(SessionContext& c, CommandReports& reports) {
  c.reply.verbatim(latency_report(reports.latency().events(), reports.monitors_latency()));
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
    "GRAPH <event>",
    "    Return an ASCII latency graph for the <event> class.",
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
           part({.name = "graph", .arity = 3, .session_handler = bound(graph),
                 .since = "2.8.13", .summary = "Draws an event's spikes.", .syntax = "event"}),
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
