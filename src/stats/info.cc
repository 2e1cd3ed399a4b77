#include "stats/info.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "base/ascii.h"
#include "base/version.h"

namespace tandem {
namespace {

// Lines of "name:value", a section after the other.
class Report {
 public:
  void section(std::string_view title) {
    if (!text_.empty()) text_ += "\r\n";
    text_ += fmt::format("# {}\r\n", title);
  }
  template <class T>
  void line(std::string_view name, const T& value) {
    text_ += fmt::format("{}:{}\r\n", name, value);
  }
  void bytes(std::string_view name, int64_t value) {
    line(name, value);
    line(fmt::format("{}_human", name), human_bytes(value));
  }
  // Fields that clients read but that have no meaning here.
  void zeros(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) line(name, 0);
  }
  void raw(std::string_view lines) { text_ += lines; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

double ratio(int64_t a, int64_t b) {
  return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
}

std::string two_digits(double value) { return fmt::format("{:.2f}", value); }

void write(Report& report, const ServerFigures& server) {
  constexpr int64_t kSecondsPerDay = 24 * 60 * 60;
  utsname machine{};
  ::uname(&machine);
  report.section("Server");
  report.line("redis_version", kRedisVersion);
  report.line("redis_git_sha1", "00000000");
  report.line("redis_git_dirty", 0);
  report.line("redis_build_id", 0);
  report.line("redis_mode", "standalone");
  report.line("os", fmt::format("{} {} {}", machine.sysname, machine.release, machine.machine));
  report.line("arch_bits", 64);
  report.line("monotonic_clock", "POSIX clock_gettime");
  report.line("multiplexing_api", "epoll");
  report.line("atomicvar_api", "c11-builtin");
  report.line("gcc_version",
              fmt::format("{}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__));
  report.line("process_id", server.process_id);
  report.line("process_supervised", "no");
  report.line("run_id", server.run_id);
  report.line("tcp_port", server.port);
  report.line("server_time_usec", server.unix_us);
  report.line("uptime_in_seconds", server.uptime_seconds);
  report.line("uptime_in_days", server.uptime_seconds / kSecondsPerDay);
  report.line("hz", server.hz);
  report.line("configured_hz", server.hz);
  report.line("lru_clock", server.unix_us / 1000000 & 0xffffff);
  report.line("executable", server.executable);
  report.line("config_file", server.config_file);
  report.line("io_threads_active", 0);
  for (size_t at = 0; at < server.listeners.size(); ++at) {
    report.line(fmt::format("listener{}", at), server.listeners[at]);
  }
  report.line("tandem_version", kTandemVersion);
  report.line("worker_threads", server.worker_threads);
}

void write(Report& report, const ClientFigures& clients) {
  report.section("Clients");
  report.line("connected_clients", clients.connected);
  report.line("cluster_connections", 0);
  report.line("maxclients", clients.clients_max);
  report.line("client_recent_max_input_buffer", clients.largest_input_bytes);
  report.line("client_recent_max_output_buffer", clients.largest_output_bytes);
  report.line("blocked_clients", clients.blocked);
  report.line("tracking_clients", 0);
  report.line("clients_in_timeout_table", clients.blocked_with_deadline);
  report.line("total_blocking_keys", clients.blocking_keys);
  report.line("total_blocking_keys_on_nokey", 0);
}

void write_allocator(Report& report, const MemoryFigures& now) {
  report.line("allocator_frag_ratio", two_digits(ratio(now.active_bytes, now.used_bytes)));
  report.line("allocator_frag_bytes", now.active_bytes - now.used_bytes);
  report.line("allocator_rss_ratio", two_digits(ratio(now.mapped_bytes, now.active_bytes)));
  report.line("allocator_rss_bytes", now.mapped_bytes - now.active_bytes);
  report.line("rss_overhead_ratio", two_digits(ratio(now.resident_bytes, now.mapped_bytes)));
  report.line("rss_overhead_bytes", now.resident_bytes - now.mapped_bytes);
  report.line("mem_fragmentation_ratio", two_digits(ratio(now.resident_bytes, now.used_bytes)));
  report.line("mem_fragmentation_bytes", now.resident_bytes - now.used_bytes);
}

void write(Report& report, const MemoryReport& memory) {
  const MemoryFigures& now = memory.now;
  const int64_t overhead = memory.startup_bytes + memory.backlog_bytes + memory.clients_bytes;
  const int64_t dataset = std::max<int64_t>(now.used_bytes - overhead, 0);
  constexpr double kPercent = 100.0;
  report.section("Memory");
  report.bytes("used_memory", now.used_bytes);
  report.bytes("used_memory_rss", now.resident_bytes);
  report.bytes("used_memory_peak", memory.peak_bytes);
  report.line("used_memory_peak_perc",
              two_digits(ratio(now.used_bytes, memory.peak_bytes) * kPercent) + "%");
  report.line("used_memory_overhead", overhead);
  report.line("used_memory_startup", memory.startup_bytes);
  report.line("used_memory_dataset", dataset);
  report.line(
      "used_memory_dataset_perc",
      two_digits(ratio(dataset, std::max<int64_t>(now.used_bytes - memory.startup_bytes, 1)) *
                 kPercent) +
          "%");
  report.line("allocator_allocated", now.used_bytes);
  report.line("allocator_active", now.active_bytes);
  report.line("allocator_resident", now.mapped_bytes);
  report.bytes("total_system_memory", now.system_bytes);
  report.line("used_memory_lua", memory.script_vm_bytes);
  report.line("used_memory_vm_eval", memory.script_vm_bytes);
  report.line("used_memory_lua_human", human_bytes(memory.script_vm_bytes));
  report.line("used_memory_scripts_eval", memory.script_bytes);
  report.line("number_of_cached_scripts", memory.scripts);
  report.zeros({"number_of_functions", "number_of_libraries", "used_memory_vm_functions"});
  report.bytes("used_memory_vm_total", memory.script_vm_bytes);
  report.line("used_memory_functions", 0);
  report.bytes("used_memory_scripts", memory.script_bytes);
  report.bytes("maxmemory", 0);
  report.line("maxmemory_policy", "noeviction");
  write_allocator(report, now);
  report.line("mem_not_counted_for_evict", 0);
  report.line("mem_replication_backlog", memory.backlog_bytes);
  report.line("mem_total_replication_buffers", memory.backlog_bytes);
  report.line("mem_clients_slaves", memory.replicas_bytes);
  report.line("mem_clients_normal", memory.clients_bytes);
  report.zeros({"mem_cluster_links", "mem_aof_buffer"});
  report.line("mem_allocator", allocator_name());
  report.line("active_defrag_running", 0);
  report.line("lazyfree_pending_objects", memory.keys_to_free);
  report.line("lazyfreed_objects", memory.keys_freed);
}

// Only while the file is read, as in Redis.
void write(Report& report, const LoadFigures& load) {
  constexpr double kPercent = 100.0;
  const int64_t left = std::max<int64_t>(load.bytes_total - load.bytes_read, 0);
  const double per_second = ratio(load.bytes_read, std::max<int64_t>(load.running_seconds, 1));
  report.line("loading_start_time", load.started_unix_s);
  report.line("loading_total_bytes", load.bytes_total);
  report.line("loading_rdb_used_mem", load.memory_bytes_at_save);
  report.line("loading_loaded_bytes", load.bytes_read);
  report.line("loading_loaded_perc",
              two_digits(ratio(load.bytes_read, load.bytes_total) * kPercent));
  report.line("loading_eta_seconds",
              per_second > 0 ? static_cast<int64_t>(static_cast<double>(left) / per_second) : 1);
}

void write(Report& report, const PersistenceFigures& saves) {
  constexpr double kPercent = 100.0;
  report.section("Persistence");
  report.line("loading", saves.load.running ? 1 : 0);
  report.zeros({"async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age"});
  report.line("current_fork_perc",
              two_digits(ratio(saves.keys_processed, saves.keys_total) * kPercent));
  report.line("current_save_keys_processed", saves.keys_processed);
  report.line("current_save_keys_total", saves.keys_total);
  report.line("rdb_changes_since_last_save", saves.changes_since_save);
  report.line("rdb_bgsave_in_progress", saves.save_in_progress ? 1 : 0);
  report.line("rdb_last_save_time", saves.last_save_unix_s);
  report.line("rdb_last_bgsave_status", saves.last_save_ok ? "ok" : "err");
  report.line("rdb_last_bgsave_time_sec", saves.last_save_seconds);
  report.line("rdb_current_bgsave_time_sec", saves.current_save_seconds);
  report.line("rdb_saves", saves.saves);
  report.line("rdb_last_cow_size", 0);
  report.line("rdb_last_load_keys_expired", saves.load.keys_expired);
  report.line("rdb_last_load_keys_loaded", saves.load.keys_loaded);
  report.zeros({"aof_enabled", "aof_rewrite_in_progress", "aof_rewrite_scheduled"});
  report.line("aof_last_rewrite_time_sec", -1);
  report.line("aof_current_rewrite_time_sec", -1);
  report.line("aof_last_bgrewrite_status", "ok");
  report.zeros({"aof_rewrites", "aof_rewrites_consecutive_failures"});
  report.line("aof_last_write_status", "ok");
  report.zeros({"aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"});
  if (saves.load.running) write(report, saves.load);
}

void write(Report& report, const StatsFigures& stats) {
  report.section("Stats");
  report.line("total_connections_received", stats.connections);
  report.line("total_commands_processed", stats.commands);
  report.line("instantaneous_ops_per_sec", stats.ops_per_second);
  report.line("total_net_input_bytes", stats.input_bytes);
  report.line("total_net_output_bytes", stats.output_bytes);
  report.line("total_net_repl_input_bytes", stats.replication_input_bytes);
  report.line("total_net_repl_output_bytes", stats.replication_output_bytes);
  report.line("instantaneous_input_kbps", two_digits(stats.input_kib_per_second));
  report.line("instantaneous_output_kbps", two_digits(stats.output_kib_per_second));
  report.line("instantaneous_input_repl_kbps", two_digits(stats.replication_input_kib_per_second));
  report.line("instantaneous_output_repl_kbps",
              two_digits(stats.replication_output_kib_per_second));
  report.line("rejected_connections", stats.rejected_connections);
  report.line("sync_full", stats.syncs_full);
  report.line("sync_partial_ok", stats.syncs_partial);
  report.line("sync_partial_err", stats.syncs_partial_refused);
  report.line("expired_keys", stats.expired_keys);
  report.line("expired_stale_perc", "0.00");
  report.line("expired_time_cap_reached_count", stats.expire_cut_short);
  report.line("expire_cycle_cpu_milliseconds", stats.expire_ms);
  report.zeros({"evicted_keys", "evicted_clients", "total_eviction_exceeded_time",
                "current_eviction_exceeded_time"});
  report.line("keyspace_hits", stats.keyspace_hits);
  report.line("keyspace_misses", stats.keyspace_misses);
  report.line("pubsub_channels", stats.channels);
  report.line("pubsub_patterns", stats.patterns);
  report.zeros(
      {"pubsubshard_channels", "latest_fork_usec", "total_forks", "migrate_cached_sockets"});
  report.line("slave_expires_tracked_keys", stats.own_expiries);
  report.zeros({"active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits",
                "active_defrag_key_misses", "total_active_defrag_time",
                "current_active_defrag_time", "tracking_total_keys", "tracking_total_items",
                "tracking_total_prefixes"});
  report.line("unexpected_error_replies", stats.unexpected_error_replies);
  report.line("total_error_replies", stats.error_replies);
  report.line("dump_payload_sanitizations", 0);
  report.line("total_reads_processed", stats.reads);
  report.line("total_writes_processed", stats.writes);
  report.zeros({"io_threaded_reads_processed", "io_threaded_writes_processed",
                "reply_buffer_shrinks", "reply_buffer_expands"});
  report.line("acl_access_denied_auth", stats.authentications_denied);
  report.zeros({"acl_access_denied_cmd", "acl_access_denied_key", "acl_access_denied_channel"});
}

void write(Report& report, const CpuFigures& cpu) {
  report.section("CPU");
  report.line("used_cpu_sys", fmt::format("{:.6f}", cpu.system_seconds));
  report.line("used_cpu_user", fmt::format("{:.6f}", cpu.user_seconds));
  report.line("used_cpu_sys_children", "0.000000");
  report.line("used_cpu_user_children", "0.000000");
  report.line("used_cpu_sys_main_thread", fmt::format("{:.6f}", cpu.main_system_seconds));
  report.line("used_cpu_user_main_thread", fmt::format("{:.6f}", cpu.main_user_seconds));
}

void write(Report& report, std::span<const CommandFigures> commands) {
  report.section("Commandstats");
  for (const CommandFigures& command : commands) {
    const double each = command.calls == 0 ? 0.0
                                           : static_cast<double>(command.microseconds) /
                                                 static_cast<double>(command.calls);
    report.line(
        "cmdstat_" + command.name,
        fmt::format("calls={},usec={},usec_per_call={:.2f},rejected_calls={},"
                    "failed_calls={}",
                    command.calls, command.microseconds, each, command.rejected, command.failed));
  }
}

void write(Report& report, std::span<const LatencyFigures> latencies) {
  report.section("Latencystats");
  for (const LatencyFigures& latency : latencies) {
    std::string line;
    for (const auto& [percentile, microseconds] : latency.percentiles) {
      line += fmt::format("{}p{:g}={:.3f}", line.empty() ? "" : ",", percentile,
                          static_cast<double>(microseconds));
    }
    report.line("latency_percentiles_usec_" + latency.command, line);
  }
}

}  // namespace

std::set<std::string> info_sections(std::span<const Bytes> words) {
  static constexpr std::array kDefault{"server",     "clients", "memory",      "persistence",
                                       "stats",      "cpu",     "replication", "modules",
                                       "errorstats", "cluster", "keyspace"};
  static constexpr std::array kMore{"commandstats", "latencystats"};
  std::set<std::string> wanted;
  for (const Bytes word : words) wanted.insert(to_lower(word));
  const bool all = wanted.contains("all") || wanted.contains("everything");
  if (words.empty() || all || wanted.contains("default")) {
    wanted.insert(kDefault.begin(), kDefault.end());
  }
  if (all) wanted.insert(kMore.begin(), kMore.end());
  return wanted;
}

std::string info_text(const InfoFigures& figures, const std::set<std::string>& sections) {
  Report report;
  if (sections.contains("server")) write(report, figures.server);
  if (sections.contains("clients")) write(report, figures.clients);
  if (sections.contains("memory")) write(report, figures.memory);
  if (sections.contains("persistence")) write(report, figures.persistence);
  if (sections.contains("stats")) write(report, figures.stats);
  if (sections.contains("replication")) {
    report.section("Replication");
    report.raw(figures.replication);
  }
  if (sections.contains("cpu")) write(report, figures.cpu);
  if (sections.contains("modules")) report.section("Modules");
  if (sections.contains("commandstats")) write(report, figures.commands);
  if (sections.contains("errorstats")) {
    report.section("Errorstats");
    for (const auto& [code, count] : figures.errors) {
      report.line("errorstat_" + code, fmt::format("count={}", count));
    }
  }
  if (sections.contains("latencystats")) write(report, figures.latencies);
  if (sections.contains("cluster")) {
    report.section("Cluster");
    report.line("cluster_enabled", 0);
  }
  if (sections.contains("keyspace")) {
    report.section("Keyspace");
    for (const DatabaseFigures& database : figures.databases) {
      report.line(fmt::format("db{}", database.index),
                  fmt::format("keys={},expires={},avg_ttl={}", database.keys, database.expiring,
                              database.average_ttl_ms));
    }
  }
  return report.take();
}

std::string human_bytes(int64_t bytes) {
  constexpr double kUnit = 1024.0;
  if (bytes < static_cast<int64_t>(kUnit)) return fmt::format("{}B", bytes);
  double value = static_cast<double>(bytes);
  for (const char unit : {'K', 'M', 'G', 'T', 'P'}) {
    value /= kUnit;
    if (value < kUnit || unit == 'P') return fmt::format("{:.2f}{}", value, unit);
  }
  return "";
}

}  // namespace tandem
