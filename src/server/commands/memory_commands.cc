// MEMORY, but for what it tells of one key (commands/object.cc).
#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/executor.h"
#include "server/commands/rows.h"
#include "stats/info.h"
#include "stats/memory.h"

namespace tandem {
namespace {

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

void memory_doctor(SessionContext& c, const Status& status) {
  const auto integer = [](const MemoryMetrics& metrics, std::string_view name) {
    const auto found = metrics.find(name);
    return found == metrics.end() ? 0 : *found->second.integer();
  };
  const int64_t clients = integer(read_metrics(status.tables(), "clients"), "connected_clients");
  const int64_t scripts =
      integer(read_metrics(status.tables(), "memory"), "number_of_cached_scripts");
  c.reply.verbatim(memory_advice(status.memory(), clients, scripts));
}

void memory_malloc_stats(SessionContext& c) { c.reply.verbatim(allocator_report()); }

void memory_purge(SessionContext& c) {
  purge_memory();
  c.reply.ok();
}

constexpr Bytes kMemoryHelp[] = {
    "DOCTOR",
    "    Return memory problems reports.",
    "MALLOC-STATS",
    "    Return internal statistics report from the memory allocator.",
    "PURGE",
    "    Attempt to purge dirty pages for reclamation by the allocator.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value. Nested values are",
    "    sampled up to <count> times (default: 5, 0 means sample all).",
};

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> memory_rows(const Status& status) {
  const auto stats = [&status](SessionContext& c) { memory_stats(c, status); };
  const auto doctor = [&status](SessionContext& c) { memory_doctor(c, status); };
  return {
      {.name = "memory", .arity = -2, .group = "server", .since = "4.0.0",
       .complexity = "Depends on the subcommand", .summary = "About memory.",
       .subcommands = {
           {.name = "stats", .arity = 2, .scope = LockScope::kEverything,
            .session_handler = stats, .group = "server",
            .tips = "nondeterministic_output request_policy:all_shards response_policy:special",
            .since = "4.0.0", .complexity = "O(1)", .summary = "Tells where the memory is."},
           {.name = "doctor", .arity = 2, .session_handler = doctor, .group = "server",
            .tips = "nondeterministic_output request_policy:all_shards response_policy:special",
            .since = "4.0.0", .complexity = "O(1)", .summary = "Explains the use of memory."},
           {.name = "malloc-stats", .arity = 2, .session_handler = memory_malloc_stats,
            .group = "server",
            .tips = "nondeterministic_output request_policy:all_shards response_policy:special",
            .since = "4.0.0", .complexity = "Depends on how much memory is allocated",
            .summary = "Tells what the allocator says of itself."},
           {.name = "purge", .arity = 2, .session_handler = memory_purge, .group = "server",
            .tips = "request_policy:all_shards response_policy:all_succeeded", .since = "4.0.0",
            .complexity = "Depends on how much memory is free",
            .summary = "Gives unused memory back to the system."},
           help_row("memory", "server", kMemoryHelp, "4.0.0")}},
  };
}
// clang-format on

}  // namespace tandem
