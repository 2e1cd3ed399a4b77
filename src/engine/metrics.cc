#include "engine/metrics.h"

#include "base/number.h"

namespace tandem {
namespace {

constexpr auto kCounter = MetricKind::kCounter;

constexpr MetricRow<ExecutorCounters> kExecutor[] = {
    {{.name = "total_commands_processed", .kind = kCounter, .help = "Commands executed."},
     metric_read<&ExecutorCounters::commands>,
     metric_reset<&ExecutorCounters::commands>},
    {{.name = "expired_keys",
      .kind = kCounter,
      .help = "Keys deleted because their time was over."},
     metric_read<&ExecutorCounters::expired_keys>,
     metric_reset<&ExecutorCounters::expired_keys>},
    {{.name = "evicted_keys", .kind = kCounter, .help = "Keys deleted because memory ran out."},
     metric_read<&ExecutorCounters::evicted_keys>,
     metric_reset<&ExecutorCounters::evicted_keys>},
    {{.name = "expired_time_cap_reached_count",
      .kind = kCounter,
      .help = "How often active expiry had more to delete than time for it."},
     metric_read<&ExecutorCounters::expire_cut_short>,
     metric_reset<&ExecutorCounters::expire_cut_short>},
    {{.name = "expire_cycle_cpu_milliseconds",
      .kind = kCounter,
      .unit = MetricUnit::kMilliseconds,
      .help = "Time spent on active expiry."},
     [](const ExecutorCounters& counters) -> MetricValue {
       constexpr uint64_t kUsPerMs = 1000;
       return counters.expire_us.get() / kUsPerMs;
     },
     metric_reset<&ExecutorCounters::expire_us>},
    {{.name = "eventloop_duration_cmd_sum",
      .kind = kCounter,
      .unit = MetricUnit::kMicroseconds,
      .help = "Time spent on commands."},
     metric_read<&ExecutorCounters::command_us>,
     metric_reset<&ExecutorCounters::command_us>},
    {{.name = "keyspace_hits", .kind = kCounter, .help = "Reads of keys that were there."},
     metric_read<&ExecutorCounters::keyspace_hits>,
     metric_reset<&ExecutorCounters::keyspace_hits>},
    {{.name = "keyspace_misses", .kind = kCounter, .help = "Reads of keys that were not there."},
     metric_read<&ExecutorCounters::keyspace_misses>,
     metric_reset<&ExecutorCounters::keyspace_misses>},
};

// Of a command, all executors together.
struct CommandSums {
  uint64_t calls = 0;
  uint64_t microseconds = 0;
  uint64_t rejected = 0;
  uint64_t failed = 0;
};

constexpr MetricRow<CommandSums> kCommands[] = {
    {{.name = "calls", .kind = kCounter, .help = "Executed."}, metric_read<&CommandSums::calls>},
    {{.name = "usec",
      .kind = kCounter,
      .unit = MetricUnit::kMicroseconds,
      .help = "Time that the calls took."},
     metric_read<&CommandSums::microseconds>},
    {{.name = "usec_per_call", .unit = MetricUnit::kMicroseconds, .help = "The same, a call."},
     [](const CommandSums& sums) -> MetricValue {
       return sums.calls == 0
                  ? 0.0
                  : static_cast<double>(sums.microseconds) / static_cast<double>(sums.calls);
     }},
    {{.name = "rejected_calls", .kind = kCounter, .help = "Refused before they were executed."},
     metric_read<&CommandSums::rejected>},
    {{.name = "failed_calls", .kind = kCounter, .help = "Answered with an error."},
     metric_read<&CommandSums::failed>},
};

constexpr MetricRow<Engine> kBlocked[] = {
    {{.name = "clients_in_timeout_table", .help = "Blocked clients whose wait has an end."},
     [](const Engine& engine) -> MetricValue { return engine.blocked.timed_count(); }},
    {{.name = "total_blocking_keys", .help = "Keys that blocked clients wait for."},
     [](const Engine& engine) -> MetricValue { return engine.blocked.key_count(); }},
};

constexpr MetricRow<Tracking> kTrackers[] = {
    {{.name = "tracking_clients",
      .help = "Clients that are told what to take out of their caches."},
     metric_read<&Tracking::client_count>},
};

constexpr MetricRow<Tracking> kTracked[] = {
    {{.name = "tracking_total_keys", .help = "Keys that such clients have read."},
     metric_read<&Tracking::key_count>},
    {{.name = "tracking_total_items", .help = "The same, each counted once a client."},
     metric_read<&Tracking::item_count>},
    {{.name = "tracking_total_prefixes", .help = "Prefixes of which they are told every change."},
     metric_read<&Tracking::prefix_count>},
};

constexpr MetricRow<Engine> kKeys[] = {
    {{.name = "slave_expires_tracked_keys",
      .help = "Keys of a writable replica's own clients that will expire."},
     [](const Engine& engine) -> MetricValue { return engine.own_expiries.size(); }},
};

constexpr MetricRow<Engine> kLog[] = {
    {{.name = "mem_replication_backlog",
      .unit = MetricUnit::kBytes,
      .help = "Bytes of the replication log that are held."},
     [](const Engine& engine) -> MetricValue { return engine.log.window().bytes_held(); }},
};

struct DatabaseKeys {
  int64_t keys = 0;
  int64_t expiring = 0;
  int64_t average_ttl_ms = 0;
};

constexpr MetricRow<DatabaseKeys> kDatabases[] = {
    {{.name = "keys", .help = "Keys of the database."}, metric_read<&DatabaseKeys::keys>},
    {{.name = "expires", .help = "Those of them that will expire."},
     metric_read<&DatabaseKeys::expiring>},
    {{.name = "avg_ttl",
      .unit = MetricUnit::kMilliseconds,
      .help = "How long these have to live on average."},
     metric_read<&DatabaseKeys::average_ttl_ms>},
};

MetricTable command_table(const Registry& registry, const EachExecutor& each_executor) {
  return MetricTable::labelled<CommandSums>(
      "commandstats", kCommands,
      [&registry, each_executor](FunctionRef<void(std::string_view, const CommandSums&)> visit) {
        for (size_t id = 0; id < registry.id_count(); ++id) {
          CommandSums sums;
          each_executor([&](const ExecutorCounters& executor) {
            const CommandCounters& counters = executor.by_command[id];
            sums.calls += counters.calls.get();
            sums.microseconds += counters.microseconds.get();
            sums.rejected += counters.rejected.get();
            sums.failed += counters.failed.get();
          });
          if (sums.calls + sums.rejected + sums.failed == 0) continue;
          visit(registry.by_id(static_cast<int>(id)).full_name, sums);
        }
      },
      [each_executor] {
        each_executor([](ExecutorCounters& executor) {
          for (CommandCounters& counters : executor.by_command) {
            for (Counter* counter :
                 {&counters.calls, &counters.microseconds, &counters.rejected, &counters.failed}) {
              counter->reset();
            }
            counters.latency.reset();
          }
        });
      });
}

MetricTable database_table(const Keyspace& keyspace) {
  return MetricTable::labelled<DatabaseKeys>(
      "keyspace", kDatabases,
      [&keyspace](FunctionRef<void(std::string_view, const DatabaseKeys&)> visit) {
        for (int index = 0; index < keyspace.database_count(); ++index) {
          const int64_t keys = keyspace.keys(index);
          if (keys == 0) continue;
          visit(int64_text(index),
                {keys, keyspace.expiring(index), keyspace.average_ttl_ms(index)});
        }
      });
}

}  // namespace

MetricTables engine_metrics(Engine& engine, const EachExecutor& each_executor) {
  const Engine& seen = engine;
  MetricTables tables = memory_limit_metrics(engine.memory);
  add_tables(tables, {
                         MetricTable::summed<ExecutorCounters>("stats", kExecutor, each_executor),
                         MetricTable("stats", kKeys, seen),
                         MetricTable("clients", kBlocked, seen),
                         MetricTable("clients", kTrackers, seen.tracking),
                         MetricTable("stats", kTracked, seen.tracking),
                         MetricTable("memory", kLog, seen),
                         command_table(engine.registry, each_executor),
                         database_table(engine.keyspace),
                     });
  return tables;
}

LatencyDistribution latency_of(const Command& command, const EachExecutor& each_executor) {
  LatencyDistribution sum;
  each_executor([&](const ExecutorCounters& executor) {
    executor.by_command[static_cast<size_t>(command.id)].latency.add_to(sum);
  });
  return sum;
}

}  // namespace tandem
