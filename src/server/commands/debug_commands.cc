#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/logging.h"
#include "base/number.h"
#include "commands/digest.h"
#include "engine/blocked_clients.h"
#include "engine/executor.h"
#include "server/client/client.h"
#include "server/commands/rows.h"
#include "stats/info.h"

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
  const Clock& clock = c.executor.engine().clock;
  // A millisecond that has begun is not over.
  if (c.block_externally(clock.unix_ms() + length_ms + 1, [] { return std::string("+OK\r\n"); })) {
    c.executor.engine().pauses.begin(PauseReason::kDebug, PauseKind::kAll,
                                     clock.monotonic_ms() + length_ms);
  } else {
    c.reply.ok();
  }
}

constexpr Bytes kCannotReload = "-ERR Error trying to load the RDB dump, check server logs.\r\n";

// Everybody stands still while the file is written and read again, in the background: both take all
// stripes, which are held here.
void reload(SessionContext& c, const DebugParts& parts) {
  const bool save = c.args.size() == 2;
  if (c.args.size() > 3 || (!save && !equal_ignore_case(c.args[2], "nosave"))) {
    return c.reply.error("ERR DEBUG RELOAD only supports the NOSAVE option.");
  }
  const auto waiter = c.block_externally(0, [] { return std::string(kCannotReload); });
  if (waiter == nullptr) return c.reply.error("ERR DEBUG RELOAD is no part of a transaction.");
  Engine& engine = c.executor.engine();
  const auto finish = [&engine, waiter](std::string reply) {
    engine.pauses.end(PauseReason::kDebug);
    waiter->end_with(std::move(reply));
  };
  const auto load = [&engine, &file_load = parts.file_load, finish] {
    const Result<void> loaded = file_load.reload(!engine.gate.is(Gate::kReplica));
    log_notice("DEBUG RELOAD: {}", loaded ? "the file was read" : loaded.error().text);
    finish(loaded ? "+OK\r\n" : std::string(kCannotReload));
  };
  engine.pauses.begin(PauseReason::kDebug, PauseKind::kAll);
  if (!save) return parts.persistence.in_background(load);
  parts.persistence.save_for(
      [load, finish](const Result<void>& saved) { saved ? load() : finish("-ERR\r\n"); });
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

// MEMORY STATS: Redis's names and order, and the metric that each shows; none: it does not exist
// here.
struct MemoryLine {
  std::string_view name;
  std::string_view metric = {};
};

constexpr MemoryLine kBeforeDatabases[] = {
    {"peak.allocated", "used_memory_peak"},
    {"total.allocated", "used_memory"},
    {"startup.allocated", "used_memory_startup"},
    {"replication.backlog", "mem_replication_backlog"},
    {"clients.slaves", "mem_clients_slaves"},
    {"clients.normal", "mem_clients_normal"},
    {"cluster.links"},
    {"aof.buffer"},
    {"lua.caches", "used_memory_scripts_eval"},
    {"functions.caches", "used_memory_functions"},
};
constexpr MemoryLine kBehindDatabases[] = {
    {"peak.percentage", "used_memory_peak_perc"},
    {"allocator.allocated", "used_memory"},
    {"allocator.active", "allocator_active"},
    {"allocator.resident", "allocator_resident"},
    {"allocator-fragmentation.ratio", "allocator_frag_ratio"},
    {"allocator-fragmentation.bytes", "allocator_frag_bytes"},
    {"allocator-rss.ratio", "allocator_rss_ratio"},
    {"allocator-rss.bytes", "allocator_rss_bytes"},
    {"rss-overhead.ratio", "rss_overhead_ratio"},
    {"rss-overhead.bytes", "rss_overhead_bytes"},
    {"fragmentation", "mem_fragmentation_ratio"},
    {"fragmentation.bytes", "mem_fragmentation_bytes"},
};

using MemoryMetrics = std::map<std::string, MetricValue, std::less<>>;

void write_lines(ReplyWriter& reply, std::span<const MemoryLine> lines,
                 const MemoryMetrics& metrics) {
  for (const MemoryLine& line : lines) {
    const auto found = metrics.find(line.metric);
    reply.bulk(line.name);
    if (found == metrics.end()) {
      reply.integer(0);
    } else if (const double* fraction = found->second.fraction()) {
      reply.number(*fraction);
    } else {
      reply.integer(*found->second.integer());
    }
  }
}

// What a database costs beside its keys and values.
struct DatabaseOverhead {
  int index = 0;
  int64_t keys = 0;
  int64_t table_bytes = 0;
  int64_t expiry_bytes = 0;
};

// Of the databases that hold keys.
std::vector<DatabaseOverhead> database_overheads(const AllStripes& /*all*/, Keyspace& keyspace) {
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
  constexpr int64_t kComputed = 5;
  constexpr double kPercent = 100.0;
  const auto databases = database_overheads(c.keys.all_stripes(), c.executor.engine().keyspace);
  const MemoryMetrics metrics = read_metrics(status.tables(), "memory");
  const auto bytes = [&](std::string_view name) { return *metrics.find(name)->second.integer(); };
  int64_t keys = 0;
  int64_t overhead = bytes("used_memory_overhead");
  for (const DatabaseOverhead& of : databases) {
    keys += of.keys;
    overhead += of.table_bytes + of.expiry_bytes;
  }
  const int64_t used = bytes("used_memory");
  const int64_t grown = std::max<int64_t>(used - bytes("used_memory_startup"), 1);
  const int64_t dataset = std::max<int64_t>(used - overhead, 0);
  c.reply.map(static_cast<int64_t>(std::size(kBeforeDatabases) + databases.size() +
                                   std::size(kBehindDatabases)) +
              kComputed);
  write_lines(c.reply, kBeforeDatabases, metrics);
  for (const DatabaseOverhead& of : databases) reply_overhead(c.reply, of);
  c.reply.bulk("overhead.total");
  c.reply.integer(overhead);
  c.reply.bulk("keys.count");
  c.reply.integer(keys);
  c.reply.bulk("keys.bytes-per-key");
  c.reply.integer(keys == 0 ? 0 : grown / keys);
  c.reply.bulk("dataset.bytes");
  c.reply.integer(dataset);
  c.reply.bulk("dataset.percentage");
  c.reply.number(static_cast<double>(dataset) / static_cast<double>(grown) * kPercent);
  write_lines(c.reply, kBehindDatabases, metrics);
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
    "RELOAD [NOSAVE]",
    "    Save the RDB on disk and reload it back to memory. With NOSAVE the file is",
    "    loaded as it is.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Setting it to 0 disables expiring keys in background when they are not",
    "    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the",
    "    default.",
    "SLEEP <seconds>",
    "    Stop the server for <seconds>. Decimals allowed.",
};

// As in Redis these are no subcommands of the table: whatever does not fit gets the same answer.
void debug(SessionContext& c, const DebugParts& parts) {
  const size_t count = c.args.size();
  const auto is = [&](Bytes name) { return equal_ignore_case(c.args[1], name); };
  if (is("help") && count == 2) return reply_help(c, "debug", kDebugHelp);
  if (is("sleep") && count == 3) return stand_still(c);
  if (is("set-active-expire") && count == 3) return set_active_expire(c);
  if (is("error") && count == 3) return error(c);
  if (is("reload")) return reload(c, parts);
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

std::vector<CommandRow> debug_rows(const DebugParts& parts) {
  return {{.name = "debug",
           .arity = -2,
           .flags = kAdmin | kNoScript | kLoading | kStale,
           .scope = LockScope::kEverything,
           .session_handler =
               [parts](SessionContext& c) {
                 if (!allowed(c, parts.options)) return c.reply.error(kNotAllowed);
                 debug(c, parts);
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
