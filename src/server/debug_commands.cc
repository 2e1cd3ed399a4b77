#include "server/debug_commands.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ascii.h"
#include "base/number.h"
#include "commands/digest.h"
#include "server/client.h"
#include "server/command_help.h"

namespace tandem {
namespace {

constexpr Bytes kNotAllowed =
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you "
    "can run it from a local connection, otherwise you need to set this option in the "
    "configuration file, and then restart the server.";

bool allowed(SessionContext& c, const ServerOptions& options) {
  constexpr int kLocalOnly = 1;
  const int access = options.debug_command_access.get();
  if (access != kLocalOnly) return access != 0;
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
  const Clock& clock = c.executor.engine().clock;
  if (c.block_externally(clock.unix_ms() + length_ms, [] { return std::string("+OK\r\n"); })) {
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

void digest(SessionContext& c) { c.reply.simple(digest_text(digest_of_all(c.keys))); }

void digest_value(SessionContext& c) {
  c.reply.array(static_cast<int64_t>(c.args.size()) - 2);
  for (const Bytes key : c.args.subspan(2)) {
    const Entry* entry = c.keys.peek(key);
    c.reply.simple(digest_text(entry == nullptr ? Digest{} : digest_of_value(*entry)));
  }
}

using MemoryFigure = std::pair<std::string_view, std::variant<int64_t, double>>;

// What a database costs beside its keys and values.
struct DatabaseOverhead {
  int index = 0;
  int64_t keys = 0;
  int64_t table_bytes = 0;
  int64_t expiry_bytes = 0;
};

// Of the databases that hold keys. REQUIRES: all stripes held.
std::vector<DatabaseOverhead> database_overheads(Keyspace& keyspace) {
  constexpr int64_t kExpiryBytes = 8;  // in the key's entry
  std::vector<DatabaseOverhead> found;
  for (int index = 0; index < keyspace.database_count(); ++index) {
    DatabaseTables* tables = keyspace.tables(index);
    if (tables == nullptr || tables->keys() == 0) continue;
    DatabaseOverhead& of = found.emplace_back();
    of.index = index;
    of.keys = tables->keys();
    of.expiry_bytes = tables->expiring() * kExpiryBytes;
    for (int i = 0; i < kPartitions; ++i) {
      of.table_bytes += static_cast<int64_t>(tables->partition(i).memory_bytes());
    }
  }
  return found;
}

// With Redis's names and order.
std::vector<MemoryFigure> memory_figures(const MemoryReport& memory,
                                         std::span<const DatabaseOverhead> databases) {
  const MemoryFigures& now = memory.now;
  const auto ratio = [](int64_t part, int64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  constexpr double kPercent = 100.0;
  int64_t keys = 0;
  int64_t overhead = memory.startup_bytes + memory.backlog_bytes + memory.clients_bytes;
  for (const DatabaseOverhead& of : databases) {
    keys += of.keys;
    overhead += of.table_bytes + of.expiry_bytes;
  }
  const int64_t dataset = std::max<int64_t>(now.used_bytes - overhead, 0);
  const int64_t grown = std::max<int64_t>(now.used_bytes - memory.startup_bytes, 0);
  return {
      {"peak.allocated", memory.peak_bytes},
      {"total.allocated", now.used_bytes},
      {"startup.allocated", memory.startup_bytes},
      {"replication.backlog", memory.backlog_bytes},
      {"clients.slaves", memory.replicas_bytes},
      {"clients.normal", memory.clients_bytes},
      {"cluster.links", int64_t{0}},
      {"aof.buffer", int64_t{0}},
      {"lua.caches", memory.script_bytes},
      {"functions.caches", int64_t{0}},
      {"overhead.total", overhead},
      {"keys.count", keys},
      {"keys.bytes-per-key", keys == 0 ? 0 : grown / keys},
      {"dataset.bytes", dataset},
      {"dataset.percentage", ratio(dataset, grown) * kPercent},
      {"peak.percentage", ratio(now.used_bytes, memory.peak_bytes) * kPercent},
      {"allocator.allocated", now.used_bytes},
      {"allocator.active", now.active_bytes},
      {"allocator.resident", now.mapped_bytes},
      {"allocator-fragmentation.ratio", ratio(now.active_bytes, now.used_bytes)},
      {"allocator-fragmentation.bytes", now.active_bytes - now.used_bytes},
      {"allocator-rss.ratio", ratio(now.mapped_bytes, now.active_bytes)},
      {"allocator-rss.bytes", now.mapped_bytes - now.active_bytes},
      {"rss-overhead.ratio", ratio(now.resident_bytes, now.mapped_bytes)},
      {"rss-overhead.bytes", now.resident_bytes - now.mapped_bytes},
      {"fragmentation", ratio(now.resident_bytes, now.used_bytes)},
      {"fragmentation.bytes", now.resident_bytes - now.used_bytes},
  };
}

void reply_overhead(ReplyWriter& reply, const DatabaseOverhead& of) {
  const std::pair<Bytes, int64_t> figures[] = {{"overhead.hashtable.main", of.table_bytes},
                                               {"overhead.hashtable.expires", of.expiry_bytes},
                                               {"overhead.hashtable.slot-to-keys", 0}};
  reply.bulk("db." + std::to_string(of.index));
  reply.map(std::size(figures));
  for (const auto& [name, bytes] : figures) {
    reply.bulk(name);
    reply.integer(bytes);
  }
}

void memory_stats(SessionContext& c, const Status& status) {
  const auto databases = database_overheads(c.executor.engine().keyspace);
  const auto figures = memory_figures(status.memory(), databases);
  c.reply.map(static_cast<int64_t>(figures.size() + databases.size()));
  for (const auto& [name, value] : figures) {
    if (name == "overhead.total") {
      for (const DatabaseOverhead& of : databases) reply_overhead(c.reply, of);
    }
    c.reply.bulk(name);
    if (const auto* whole = std::get_if<int64_t>(&value)) {
      c.reply.integer(*whole);
    } else {
      c.reply.number(std::get<double>(value));
    }
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

void memory_doctor(SessionContext& c) {
  c.reply.verbatim("The memory doctor is not supported yet.\n");
}

void memory_purge(SessionContext& c) {
  purge_memory();
  c.reply.ok();
}

constexpr Bytes kMemoryHelp[] = {
    "DOCTOR",
    "    Return memory problems reports.",
    "PURGE",
    "    Attempt to purge dirty pages for reclamation by the allocator.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value. Nested values are",
    "    sampled up to <count> times (default: 5, 0 means sample all).",
};

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

// clang-format off: a row is a record
std::vector<CommandRow> memory_rows(const Status& status) {
  const auto stats = [&status](SessionContext& c) { memory_stats(c, status); };
  return {
      {.name = "memory", .arity = -2, .group = "server", .since = "4.0.0",
       .complexity = "Depends on the subcommand", .summary = "About memory.",
       .subcommands = {
           {.name = "stats", .arity = 2, .scope = LockScope::kEverything,
            .session_handler = stats, .group = "server",
            .tips = "nondeterministic_output request_policy:all_shards response_policy:special",
            .since = "4.0.0", .complexity = "O(1)", .summary = "Tells where the memory is."},
           {.name = "doctor", .arity = 2, .session_handler = memory_doctor, .group = "server",
            .tips = "nondeterministic_output request_policy:all_shards response_policy:special",
            .since = "4.0.0", .complexity = "O(1)", .summary = "Explains the use of memory."},
           {.name = "purge", .arity = 2, .session_handler = memory_purge, .group = "server",
            .tips = "request_policy:all_shards response_policy:all_succeeded", .since = "4.0.0",
            .complexity = "Depends on how much memory is free",
            .summary = "Gives unused memory back to the system."},
           help_row("memory", "server", kMemoryHelp, "4.0.0")}},
  };
}
// clang-format on

}  // namespace tandem
