#include "server/status.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tandem {
namespace {

constexpr int64_t kMsPerSecond = 1000;

double seconds(const timeval& time) {
  constexpr double kMicrosecond = 1e-6;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * kMicrosecond;
}

rusage usage_of(int whom) {
  rusage usage{};
  ::getrusage(whom, &usage);
  return usage;
}

std::vector<std::string> listeners(const NetworkOptions& network) {
  std::vector<std::string> all;
  if (network.port.get() != 0) {
    std::string& tcp = all.emplace_back("name=tcp");
    for (const std::string& address : network.bind.get()) tcp += ",bind=" + address;
    tcp += fmt::format(",port={}", network.port.get());
  }
  const std::string path = network.unix_socket.get();
  if (!path.empty()) all.push_back("name=unix,bind=" + path);
  return all;
}

}  // namespace

Status::Status(Parts parts)
    : parts_(std::move(parts)),
      started_ms_(parts_.engine.clock.monotonic_ms()),
      startup_bytes_(read_memory(parts_.files).used_bytes) {}

void Status::sample() {
  uint64_t commands = 0, input = 0, output = 0;
  each_executor([&](const ExecutorCounters& executor) { commands += executor.commands.get(); });
  for (const auto& worker : parts_.workers) {
    input += worker->counters().input_bytes.get();
    output += worker->counters().output_bytes.get();
  }
  const int64_t now_ms = parts_.engine.clock.monotonic_ms();
  commands_.sample(commands, now_ms);
  input_.sample(input, now_ms);
  output_.sample(output, now_ms);
  StatsFigures replication;
  parts_.more_stats(replication);
  replication_input_.sample(static_cast<uint64_t>(replication.replication_input_bytes), now_ms);
  replication_output_.sample(static_cast<uint64_t>(replication.replication_output_bytes), now_ms);
  const rusage own = usage_of(RUSAGE_THREAD);
  main_system_seconds_.store(seconds(own.ru_stime), std::memory_order_relaxed);
  main_user_seconds_.store(seconds(own.ru_utime), std::memory_order_relaxed);
  if (now_ms - memory_sampled_ms_ < kMsPerSecond) return;
  memory_sampled_ms_ = now_ms;
  (void)memory();
}

void Status::each_executor(FunctionRef<void(ExecutorCounters&)> visit) const {
  for (const auto& worker : parts_.workers) visit(worker->executor().counters());
  visit(parts_.stream);
}

int64_t Status::total_changes() const {
  uint64_t changes = 0;
  each_executor([&](const ExecutorCounters& executor) { changes += executor.changes.get(); });
  return static_cast<int64_t>(changes);
}

MemoryReport Status::memory() const {
  MemoryReport report;
  report.now = read_memory(parts_.files);
  report.startup_bytes = startup_bytes_;
  report.backlog_bytes = static_cast<int64_t>(parts_.engine.log.window().bytes_held());
  for (const auto& card : parts_.clients.list()) {
    const bool replica = card->is(kClientReplica);
    (replica ? report.replicas_bytes : report.clients_bytes) += card->memory_bytes();
  }
  parts_.more_memory(report);
  int64_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (peak < report.now.used_bytes &&
         !peak_bytes_.compare_exchange_weak(peak, report.now.used_bytes)) {
  }
  report.peak_bytes = std::max(peak, report.now.used_bytes);
  return report;
}

InfoFigures Status::collect(const std::set<std::string>& sections) const {
  InfoFigures figures;
  collect_server(figures.server);
  if (sections.contains("clients")) collect_clients(figures.clients);
  if (sections.contains("memory")) figures.memory = memory();
  figures.persistence = parts_.persistence.figures();
  figures.persistence.load = parts_.file_load.figures();
  figures.persistence.changes_since_save = parts_.persistence.changes_since_save();
  collect_stats(figures.stats);
  if (sections.contains("replication")) figures.replication = parts_.replication_lines();
  const rusage all = usage_of(RUSAGE_SELF);
  figures.cpu = {.system_seconds = seconds(all.ru_stime),
                 .user_seconds = seconds(all.ru_utime),
                 .main_system_seconds = main_system_seconds_.load(std::memory_order_relaxed),
                 .main_user_seconds = main_user_seconds_.load(std::memory_order_relaxed)};
  if (sections.contains("commandstats")) figures.commands = collect_commands();
  if (sections.contains("latencystats")) figures.latencies = collect_latencies();
  for (const auto& [code, count] : parts_.errors.list()) figures.errors.emplace_back(code, count);
  if (sections.contains("keyspace")) figures.databases = collect_databases();
  return figures;
}

void Status::collect_server(ServerFigures& server) const {
  const Clock& clock = parts_.engine.clock;
  server.run_id = parts_.run_id;
  server.config_file = parts_.config.file();
  std::error_code unknown;
  server.executable = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  server.process_id = ::getpid();
  server.port = parts_.options.server.network.port.get();
  server.unix_us = clock.unix_us();
  server.uptime_seconds = (clock.monotonic_ms() - started_ms_) / kMsPerSecond;
  server.hz = parts_.options.server.hz.get();
  server.listeners = listeners(parts_.options.server.network);
  server.worker_threads = static_cast<int64_t>(parts_.workers.size()) - 1;
}

void Status::collect_clients(ClientFigures& clients) const {
  for (const auto& card : parts_.clients.list()) {
    if (!card->is(kClientReplica)) ++clients.connected;
    if (card->is_blocked() || card->is(kClientHeldBack)) ++clients.blocked;
    clients.largest_input_bytes = std::max(
        clients.largest_input_bytes, card->query_bytes.load(std::memory_order_relaxed) +
                                         card->query_free_bytes.load(std::memory_order_relaxed));
    clients.largest_output_bytes = std::max(clients.largest_output_bytes, card->unsent_bytes());
  }
  clients.blocked_with_deadline = parts_.engine.blocked.timed_count();
  clients.blocking_keys = parts_.engine.blocked.key_count();
  clients.clients_max = parts_.options.server.network.clients_max.get();
}

void Status::collect_stats(StatsFigures& stats) const {
  const auto add = [](int64_t& sum, const Counter& counter) {
    sum += static_cast<int64_t>(counter.get());
  };
  int64_t expire_us = 0;
  for (const auto& worker : parts_.workers) {
    const NetworkCounters& network = worker->counters();
    add(stats.connections, network.connections);
    add(stats.rejected_connections, network.rejected_connections);
    add(stats.input_bytes, network.input_bytes);
    add(stats.output_bytes, network.output_bytes);
    add(stats.reads, network.reads);
    add(stats.writes, network.writes);
  }
  each_executor([&](const ExecutorCounters& executor) {
    add(stats.commands, executor.commands);
    add(stats.expired_keys, executor.expired_keys);
    add(stats.expire_cut_short, executor.expire_cut_short);
    add(expire_us, executor.expire_us);
    add(stats.keyspace_hits, executor.keyspace_hits);
    add(stats.keyspace_misses, executor.keyspace_misses);
  });
  constexpr int64_t kUsPerMs = 1000;
  stats.expire_ms = expire_us / kUsPerMs;
  stats.own_expiries = static_cast<int64_t>(parts_.engine.own_expiries.size());
  stats.error_replies = static_cast<int64_t>(parts_.errors.total());
  const auto errors = parts_.errors.list();
  if (const auto denied = errors.find("WRONGPASS"); denied != errors.end()) {
    stats.authentications_denied = static_cast<int64_t>(denied->second);
  }
  constexpr double kKib = 1024.0;
  stats.ops_per_second = static_cast<int64_t>(commands_.per_second());
  stats.input_kib_per_second = static_cast<double>(input_.per_second()) / kKib;
  stats.output_kib_per_second = static_cast<double>(output_.per_second()) / kKib;
  const auto kib = [](const Rate& rate) { return static_cast<double>(rate.per_second()) / kKib; };
  stats.replication_input_kib_per_second = kib(replication_input_);
  stats.replication_output_kib_per_second = kib(replication_output_);
  parts_.more_stats(stats);
}

std::vector<CommandFigures> Status::collect_commands() const {
  std::vector<CommandFigures> all;
  for (size_t id = 0; id < parts_.engine.registry.id_count(); ++id) {
    CommandFigures figures;
    figures.name = parts_.engine.registry.by_id(static_cast<int>(id)).full_name;
    each_executor([&](const ExecutorCounters& executor) {
      const CommandCounters& counters = executor.by_command[id];
      figures.calls += counters.calls.get();
      figures.microseconds += counters.microseconds.get();
      figures.rejected += counters.rejected.get();
      figures.failed += counters.failed.get();
    });
    if (figures.calls + figures.rejected + figures.failed > 0) all.push_back(std::move(figures));
  }
  return all;
}

LatencyDistribution Status::latency_of(const Command& command) const {
  LatencyDistribution sum;
  each_executor([&](const ExecutorCounters& executor) {
    executor.by_command[static_cast<size_t>(command.id)].latency.add_to(sum);
  });
  return sum;
}

std::vector<LatencyFigures> Status::collect_latencies() const {
  const std::vector<double> percentiles = parts_.options.server.latency_percentiles.get();
  std::vector<LatencyFigures> all;
  if (!parts_.options.server.latency_tracking.get()) return all;
  const Registry& registry = parts_.engine.registry;
  for (size_t id = 0; id < registry.id_count(); ++id) {
    const Command& command = registry.by_id(static_cast<int>(id));
    const LatencyDistribution times = latency_of(command);
    if (times.total() == 0) continue;
    LatencyFigures& figures = all.emplace_back();
    figures.command = command.full_name;
    for (const double percentile : percentiles) {
      figures.percentiles.emplace_back(percentile, times.percentile(percentile));
    }
  }
  return all;
}

std::vector<DatabaseFigures> Status::collect_databases() const {
  std::vector<DatabaseFigures> all;
  for (int index = 0; index < parts_.engine.keyspace.database_count(); ++index) {
    const int64_t keys = parts_.engine.keyspace.keys(index);
    if (keys == 0) continue;
    all.push_back({index, keys, parts_.engine.keyspace.expiring(index),
                   parts_.engine.keyspace.average_ttl_ms(index)});
  }
  return all;
}

void Status::reset() {
  for (const auto& worker : parts_.workers) {
    NetworkCounters& network = worker->counters();
    for (Counter* counter :
         {&network.connections, &network.rejected_connections, &network.input_bytes,
          &network.output_bytes, &network.reads, &network.writes}) {
      counter->reset();
    }
  }
  // Not the changes: the save points count them.
  each_executor([](ExecutorCounters& executor) {
    for (Counter* counter : {&executor.commands, &executor.keyspace_hits, &executor.keyspace_misses,
                             &executor.expired_keys, &executor.expire_us,
                             &executor.expire_cut_short, &executor.unblocked_clients}) {
      counter->reset();
    }
    for (CommandCounters& command : executor.by_command) {
      command.calls.reset();
      command.microseconds.reset();
      command.rejected.reset();
      command.failed.reset();
      command.latency.reset();
    }
  });
  parts_.errors.reset();
}

}  // namespace tandem
