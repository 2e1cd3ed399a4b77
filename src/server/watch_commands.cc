#include <limits>

#include "base/number.h"
#include "server/admin_commands.h"
#include "server/command_help.h"

namespace tandem {
namespace {

void info(SessionContext& c, Status& status) {
  const auto sections = info_sections(c.args.subspan(1));
  c.reply.verbatim(info_text(status.collect(sections), sections));
}

void monitor(SessionContext& c, CommandWatch& watch) {
  Session* session = session_of(c);
  if (session == nullptr || !c.may_block) {
    return c.reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  // As in Redis, which hears nothing of a second one.
  if (session->card().is(kClientMonitor)) return;
  session->is_monitor = true;
  watch.add_monitor(session->shared_card());
  c.reply.ok();
}

void time(SessionContext& c) {
  constexpr int64_t kUsPerSecond = 1000000;
  const int64_t now_us = c.executor.engine().clock.unix_us();
  c.reply.array(2);
  c.reply.bulk_integer(now_us / kUsPerSecond);
  c.reply.bulk_integer(now_us % kUsPerSecond);
}

void slowlog_get(SessionContext& c, CommandWatch& watch) {
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
  const auto entries = watch.slow_commands(static_cast<size_t>(count));
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

void slowlog_len(SessionContext& c, CommandWatch& watch) {
  c.reply.integer(static_cast<int64_t>(watch.slow_count()));
}

void slowlog_reset(SessionContext& c, CommandWatch& watch) {
  watch.reset_slow();
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

CommandRow row(std::string_view name, int arity, uint32_t flags, SessionHandler handler,
               std::string_view since, std::string_view summary, std::string_view syntax = "") {
  return {.name = name,
          .arity = arity,
          .flags = flags,
          .session_handler = std::move(handler),
          .group = "server",
          .since = since,
          .complexity = "O(1)",
          .summary = summary,
          .syntax = syntax};
}

constexpr uint32_t kAdminFlags = kAdmin | kNoScript | kLoading | kStale;

CommandRow slowlog_row(CommandWatch& watch) {
  const auto bound = [&watch](auto handler) {
    return [&watch, handler](SessionContext& c) { handler(c, watch); };
  };
  CommandRow slowlog = row("slowlog", -2, 0, nullptr, "2.2.12", "About commands that took long.");
  slowlog.subcommands.push_back(
      tipped("request_policy:all_nodes nondeterministic_output",
             row("get", -2, kAdmin | kLoading | kStale, bound(slowlog_get), "2.2.12",
                 "Tells the newest entries.", "[count]")));
  slowlog.subcommands.push_back(
      tipped("request_policy:all_nodes response_policy:agg_sum nondeterministic_output",
             row("len", 2, kAdmin | kLoading | kStale, bound(slowlog_len), "2.2.12",
                 "Tells how many entries there are.")));
  slowlog.subcommands.push_back(
      tipped("request_policy:all_nodes response_policy:all_succeeded",
             row("reset", 2, kAdmin | kLoading | kStale, bound(slowlog_reset), "2.2.12",
                 "Forgets all entries.")));
  slowlog.subcommands.push_back(help_row("slowlog", "server", kSlowlogHelp, "6.2.0"));
  return slowlog;
}

}  // namespace

std::vector<CommandRow> watch_rows(CommandWatch& watch, Status& status) {
  std::vector<CommandRow> rows;
  rows.push_back(tipped(
      "nondeterministic_output request_policy:all_shards response_policy:special",
      row(
          "info", -1, kLoading | kStale, [&status](SessionContext& c) { info(c, status); }, "1.0.0",
          "Tells the state and the statistics of the server.", "[section [section ...]]")));
  rows.back().categories = "dangerous";
  rows.push_back(row(
      "monitor", 1, kAdminFlags, [&watch](SessionContext& c) { monitor(c, watch); }, "1.0.0",
      "Shows every command as it is executed."));
  rows.push_back(tipped("nondeterministic_output",
                        row("time", 1, kLoading | kStale | kFast, time, "2.6.0",
                            "Tells the server's time, in seconds and microseconds.")));
  rows.push_back(slowlog_row(watch));
  return rows;
}

}  // namespace tandem
