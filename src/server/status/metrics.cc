#include "server/status/metrics.h"

#include <algorithm>
#include <utility>

namespace tandem {
namespace {

constexpr auto kCounter = MetricKind::kCounter;
constexpr auto kText = MetricKind::kText;
constexpr auto kBytes = MetricUnit::kBytes;
constexpr auto kSeconds = MetricUnit::kSeconds;
constexpr double kPercent = 100.0;

double share(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

constexpr MetricRow<NetworkCounters> kNetwork[] = {
    {{.name = "total_connections_received", .kind = kCounter, .help = "Connections accepted."},
     metric_read<&NetworkCounters::connections>,
     metric_reset<&NetworkCounters::connections>},
    {{.name = "rejected_connections",
      .kind = kCounter,
      .help = "Connections refused: too many clients, or protected mode."},
     metric_read<&NetworkCounters::rejected_connections>,
     metric_reset<&NetworkCounters::rejected_connections>},
    {{.name = "total_net_input_bytes",
      .kind = kCounter,
      .unit = kBytes,
      .help = "Bytes received from clients."},
     metric_read<&NetworkCounters::input_bytes>,
     metric_reset<&NetworkCounters::input_bytes>},
    {{.name = "total_net_output_bytes",
      .kind = kCounter,
      .unit = kBytes,
      .help = "Bytes sent to clients."},
     metric_read<&NetworkCounters::output_bytes>,
     metric_reset<&NetworkCounters::output_bytes>},
    {{.name = "total_reads_processed", .kind = kCounter, .help = "Reads from clients' sockets."},
     metric_read<&NetworkCounters::reads>,
     metric_reset<&NetworkCounters::reads>},
    {{.name = "total_writes_processed", .kind = kCounter, .help = "Writes to clients' sockets."},
     metric_read<&NetworkCounters::writes>,
     metric_reset<&NetworkCounters::writes>},
};

constexpr MetricRow<LoopCounters> kLoops[] = {
    {{.name = "eventloop_cycles", .kind = kCounter, .help = "Turns of the workers' event loops."},
     metric_read<&LoopCounters::turns>,
     metric_reset<&LoopCounters::turns>},
    {{.name = "eventloop_duration_sum",
      .kind = kCounter,
      .unit = MetricUnit::kMicroseconds,
      .help = "Time in these turns, without the wait for events."},
     metric_read<&LoopCounters::busy_us>,
     metric_reset<&LoopCounters::busy_us>},
};

constexpr MetricRow<PersistenceFigures> kSaves[] = {
    {{.name = "current_fork_perc",
      .unit = MetricUnit::kPercent,
      .help = "How much of the save under way is done, in keys."},
     [](const PersistenceFigures& saves) -> MetricValue {
       return share(saves.keys_processed, saves.keys_total) * kPercent;
     }},
    {{.name = "current_save_keys_processed", .help = "Keys that the save under way has written."},
     metric_read<&PersistenceFigures::keys_processed>},
    {{.name = "current_save_keys_total", .help = "Keys that the save under way will write."},
     metric_read<&PersistenceFigures::keys_total>},
    {{.name = "rdb_changes_since_last_save", .help = "Writes that are in no file yet."},
     metric_read<&PersistenceFigures::changes_since_save>},
    {{.name = "rdb_bgsave_in_progress", .help = "1 while a snapshot is under way."},
     metric_read<&PersistenceFigures::save_in_progress>},
    {{.name = "rdb_last_save_time",
      .unit = MetricUnit::kUnixSeconds,
      .help = "When the file was last written."},
     metric_read<&PersistenceFigures::last_save_unix_s>},
    {{.name = "rdb_last_bgsave_status", .kind = kText, .help = "How the last save ended."},
     [](const PersistenceFigures& saves) -> MetricValue {
       return saves.last_save_ok ? "ok" : "err";
     }},
    {{.name = "rdb_last_bgsave_time_sec",
      .unit = kSeconds,
      .help = "How long the last save took; -1: there was none."},
     metric_read<&PersistenceFigures::last_save_seconds>},
    {{.name = "rdb_current_bgsave_time_sec",
      .unit = kSeconds,
      .help = "How long the save under way has taken; -1: there is none."},
     metric_read<&PersistenceFigures::current_save_seconds>},
};

constexpr MetricRow<Persistence> kPersistence[] = {
    {{.name = "rdb_saves", .kind = kCounter, .help = "Files written."},
     [](const Persistence& persistence) -> MetricValue { return persistence.figures().saves; },
     [](Persistence& persistence) { persistence.reset_saves(); }},
};

// Of a file that is read, and nothing once it is.
template <auto kRead>
constexpr auto kWhileLoading = [](const LoadFigures& load) -> MetricValue {
  if (!load.running) return {};
  return kRead(load);
};

int64_t seconds_left(const LoadFigures& load) {
  const double per_second = share(load.bytes_read, std::max<int64_t>(load.running_seconds, 1));
  const int64_t left = std::max<int64_t>(load.bytes_total - load.bytes_read, 0);
  return per_second > 0 ? static_cast<int64_t>(static_cast<double>(left) / per_second) : 1;
}

double percent_read(const LoadFigures& load) {
  return share(load.bytes_read, load.bytes_total) * kPercent;
}

constexpr MetricRow<LoadFigures> kLoad[] = {
    {{.name = "loading", .help = "1 while the file is read."}, metric_read<&LoadFigures::running>},
    {{.name = "rdb_last_load_keys_expired", .help = "Keys of the file whose time was over."},
     metric_read<&LoadFigures::keys_expired>},
    {{.name = "rdb_last_load_keys_loaded", .help = "Keys of the file that were taken."},
     metric_read<&LoadFigures::keys_loaded>},
    {{.name = "loading_start_time",
      .unit = MetricUnit::kUnixSeconds,
      .help = "When it began to be read."},
     kWhileLoading<metric_read<&LoadFigures::started_unix_s>>},
    {{.name = "loading_total_bytes", .unit = kBytes, .help = "The file's size."},
     kWhileLoading<metric_read<&LoadFigures::bytes_total>>},
    {{.name = "loading_rdb_used_mem", .unit = kBytes, .help = "The memory of who wrote it."},
     kWhileLoading<metric_read<&LoadFigures::memory_bytes_at_save>>},
    {{.name = "loading_loaded_bytes", .unit = kBytes, .help = "How much of it is read."},
     kWhileLoading<metric_read<&LoadFigures::bytes_read>>},
    {{.name = "loading_loaded_perc", .unit = MetricUnit::kPercent, .help = "The same, as a share."},
     kWhileLoading<percent_read>},
    {{.name = "loading_eta_seconds", .unit = kSeconds, .help = "How long the rest will take."},
     kWhileLoading<seconds_left>},
};

constexpr MetricRow<Reclaimer> kReclaimer[] = {
    {{.name = "lazyfree_pending_objects", .help = "Keys that wait to be freed."},
     metric_read<&Reclaimer::pending>},
    {{.name = "lazyfreed_objects", .kind = kCounter, .help = "Keys freed on a thread of its own."},
     metric_read<&Reclaimer::freed>,
     [](Reclaimer& reclaimer) { reclaimer.reset_freed(); }},
};

constexpr MetricRow<Shutdown> kShutdown[] = {
    {{.name = "shutdown_in_milliseconds",
      .unit = MetricUnit::kMilliseconds,
      .help = "How much longer a shutdown waits for replicas."},
     [](const Shutdown& shutdown) -> MetricValue {
       const int64_t left_ms = shutdown.waits_ms();
       return left_ms < 0 ? MetricValue() : left_ms;
     }},
};

}  // namespace

MetricTables worker_metrics(const std::vector<std::unique_ptr<Worker>>& workers,
                            EachLoop each_loop) {
  return {
      MetricTable::summed<NetworkCounters>("stats", kNetwork,
                                           [&workers](FunctionRef<void(NetworkCounters&)> visit) {
                                             for (const auto& worker : workers) {
                                               visit(worker->counters());
                                             }
                                           }),
      MetricTable::summed<LoopCounters>("stats", kLoops, std::move(each_loop)),
  };
}

MetricTables persistence_metrics(Persistence& persistence, const FileLoad& file_load) {
  return {
      MetricTable::looked_at<LoadFigures>("persistence", kLoad,
                                          [&file_load] { return file_load.figures(); }),
      MetricTable::looked_at<PersistenceFigures>("persistence", kSaves,
                                                 [&persistence] { return persistence.figures(); }),
      MetricTable("persistence", kPersistence, persistence),
  };
}

MetricTable reclaimer_metrics(Reclaimer& reclaimer) {
  return MetricTable("memory", kReclaimer, reclaimer);
}

MetricTable shutdown_metrics(const Shutdown& shutdown) {
  return MetricTable("server", kShutdown, shutdown);
}

}  // namespace tandem
