// A section is put together from all tables that are filed under it: first the lines of the layout,
// each from the metric that it names, then whatever else the tables tell. Of metrics with labels
// all of a label become one line.
#include "stats/info.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"

namespace tandem {
namespace {

std::string shown(const Metric& metric, const MetricValue& value) {
  if (const int64_t* integer = value.integer()) return fmt::format("{}", *integer);
  if (const double* fraction = value.fraction()) {
    return fmt::format("{:.{}f}", *fraction, metric.digits);
  }
  const std::string* text = value.text();
  return text == nullptr ? std::string() : *text;
}

// What one section's tables tell at one moment.
class Readings {
 public:
  Readings(const MetricTables& tables, std::string_view section) {
    for (const MetricTable& table : tables) {
      if (table.section() != section) continue;
      table.read([this](const Metric& metric, const MetricValue& value, std::string_view label) {
        label.empty() ? take(metric, value) : take(metric, value, label);
      });
    }
  }

  struct Reading {
    std::string text;
    int64_t integer = 0;
    bool has_line = false;
  };
  // Null: nothing is told of it now.
  Reading* find(std::string_view name) {
    const auto found = places_.find(name);
    return found == places_.end() ? nullptr : &readings_[found->second].second;
  }
  // In the tables' order.
  const std::vector<std::pair<std::string, Reading>>& all() const { return readings_; }
  const std::vector<std::pair<std::string, std::string>>& labels() const { return labels_; }

 private:
  void take(const Metric& metric, const MetricValue& value) {
    if (value.is_nothing() || places_.contains(metric.name)) return;
    places_.emplace(metric.name, readings_.size());
    const int64_t* integer = value.integer();
    readings_.emplace_back(metric.name, Reading{.text = shown(metric, value),
                                                .integer = integer == nullptr ? 0 : *integer});
  }
  void take(const Metric& metric, const MetricValue& value, std::string_view label) {
    if (labels_.empty() || labels_.back().first != label) labels_.emplace_back(label, "");
    if (value.is_nothing()) return;
    std::string& line = labels_.back().second;
    if (!line.empty()) line += ',';
    line += fmt::format("{}={}", metric.name, shown(metric, value));
  }

  std::vector<std::pair<std::string, Reading>> readings_;
  std::map<std::string, size_t, std::less<>> places_;
  std::vector<std::pair<std::string, std::string>> labels_;
};

void add_line(std::string& out, std::string_view name, std::string_view value) {
  out += fmt::format("{}:{}\r\n", name, value);
}

void add_line(std::string& out, const InfoLine& line, Readings& readings) {
  if (line.form == InfoLine::Form::kConstant) return add_line(out, line.name, line.of);
  Readings::Reading* reading = readings.find(line.of.empty() ? line.name : line.of);
  if (reading == nullptr) return;
  reading->has_line = true;
  switch (line.form) {
    case InfoLine::Form::kHuman:
      return add_line(out, line.name, human_bytes(reading->integer));
    case InfoLine::Form::kPercent:
      return add_line(out, line.name, reading->text + "%");
    default:
      return add_line(out, line.name, reading->text);
  }
}

void add_section(std::string& out, const InfoSection& section, const MetricTables& tables) {
  if (!out.empty()) out += "\r\n";
  out += fmt::format("# {}\r\n", section.title);
  Readings readings(tables, section.word);
  for (const InfoLine& line : section.lines) add_line(out, line, readings);
  for (const auto& [name, reading] : readings.all()) {
    if (!reading.has_line) add_line(out, name, reading.text);
  }
  for (const auto& [label, line] : readings.labels()) {
    add_line(out, fmt::format("{}{}", section.label_prefix, label), line);
  }
}

}  // namespace

std::set<std::string> info_sections(std::span<const Bytes> words) {
  std::set<std::string> wanted;
  for (const Bytes word : words) wanted.insert(to_lower(word));
  const bool all = wanted.contains("all") || wanted.contains("everything");
  const bool defaults = words.empty() || all || wanted.contains("default");
  for (const InfoSection& section : info_layout()) {
    const bool by_default = section.asked == InfoSection::Asked::kByDefault;
    if (by_default ? defaults : all) wanted.emplace(section.word);
  }
  return wanted;
}

std::string info_text(const MetricTables& tables, const std::set<std::string>& sections) {
  std::string out;
  for (const InfoSection& section : info_layout()) {
    if (sections.contains(std::string(section.word))) add_section(out, section, tables);
  }
  return out;
}

std::map<std::string, MetricValue, std::less<>> read_metrics(const MetricTables& tables,
                                                             std::string_view section) {
  std::map<std::string, MetricValue, std::less<>> values;
  for (const MetricTable& table : tables) {
    if (table.section() != section) continue;
    table.read([&](const Metric& metric, const MetricValue& value, std::string_view label) {
      if (label.empty()) values.emplace(metric.name, value);
    });
  }
  return values;
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

namespace {

constexpr InfoLine constant(std::string_view name, std::string_view text) {
  return {name, InfoLine::Form::kConstant, text};
}
constexpr InfoLine zero(std::string_view name) { return constant(name, "0"); }
constexpr InfoLine human(std::string_view name, std::string_view of) {
  return {name, InfoLine::Form::kHuman, of};
}
constexpr InfoLine percent(std::string_view name) { return {name, InfoLine::Form::kPercent}; }

constexpr InfoLine kServer[] = {
    {"redis_version"},
    // Of redis-server's build.
    constant("redis_git_sha1", "00000000"),
    zero("redis_git_dirty"),
    zero("redis_build_id"),
    constant("redis_mode", "standalone"),
    {"os"},
    constant("arch_bits", "64"),
    constant("monotonic_clock", "POSIX clock_gettime"),
    constant("multiplexing_api", "epoll"),
    constant("atomicvar_api", "c11-builtin"),
    {"gcc_version"},
    {"process_id"},
    {"process_supervised"},
    {"run_id"},
    {"tcp_port"},
    {"server_time_usec"},
    {"uptime_in_seconds"},
    {"uptime_in_days"},
    {"hz"},
    {"configured_hz", InfoLine::Form::kValue, "hz"},
    {"lru_clock"},
    {"executable"},
    {"config_file"},
    zero("io_threads_active"),  // workers are more than threads for input and output
    {"shutdown_in_milliseconds"},
};

constexpr InfoLine kClients[] = {
    {"connected_clients"},
    zero("cluster_connections"),  // no cluster
    {"maxclients"},
    {"client_recent_max_input_buffer"},
    {"client_recent_max_output_buffer"},
    {"blocked_clients"},
    {"tracking_clients"},
    {"clients_in_timeout_table"},
    {"total_blocking_keys"},
    zero("total_blocking_keys_on_nokey"),  // no command waits for a key to vanish
};

constexpr InfoLine kMemory[] = {
    {"used_memory"},
    human("used_memory_human", "used_memory"),
    {"used_memory_rss"},
    human("used_memory_rss_human", "used_memory_rss"),
    {"used_memory_peak"},
    human("used_memory_peak_human", "used_memory_peak"),
    percent("used_memory_peak_perc"),
    {"used_memory_overhead"},
    {"used_memory_startup"},
    {"used_memory_dataset"},
    percent("used_memory_dataset_perc"),
    {"allocator_allocated", InfoLine::Form::kValue, "used_memory"},
    {"allocator_active"},
    {"allocator_resident"},
    {"total_system_memory"},
    human("total_system_memory_human", "total_system_memory"),
    {"used_memory_lua", InfoLine::Form::kValue, "used_memory_vm_eval"},
    {"used_memory_vm_eval"},
    human("used_memory_lua_human", "used_memory_vm_eval"),
    {"used_memory_scripts_eval"},
    {"number_of_cached_scripts"},
    {"number_of_functions"},
    {"number_of_libraries"},
    {"used_memory_vm_functions"},
    {"used_memory_vm_total"},
    human("used_memory_vm_total_human", "used_memory_vm_total"),
    {"used_memory_functions"},
    {"used_memory_scripts"},
    human("used_memory_scripts_human", "used_memory_scripts"),
    {"maxmemory"},
    human("maxmemory_human", "maxmemory"),
    {"maxmemory_policy"},
    {"allocator_frag_ratio"},
    {"allocator_frag_bytes"},
    {"allocator_rss_ratio"},
    {"allocator_rss_bytes"},
    {"rss_overhead_ratio"},
    {"rss_overhead_bytes"},
    {"mem_fragmentation_ratio"},
    {"mem_fragmentation_bytes"},
    {"mem_not_counted_for_evict"},
    {"mem_replication_backlog"},
    // Replicas read the backlog's own blocks.
    {"mem_total_replication_buffers", InfoLine::Form::kValue, "mem_replication_backlog"},
    {"mem_clients_slaves"},
    {"mem_clients_normal"},
    zero("mem_cluster_links"),
    zero("mem_aof_buffer"),
    {"mem_allocator"},
    zero("active_defrag_running"),  // the allocator's matter
    {"lazyfree_pending_objects"},
    {"lazyfreed_objects"},
};

constexpr InfoLine kPersistence[] = {
    {"loading"},
    zero("async_loading"),
    // No fork, so nothing is copied when it is written.
    zero("current_cow_peak"),
    zero("current_cow_size"),
    zero("current_cow_size_age"),
    {"current_fork_perc"},
    {"current_save_keys_processed"},
    {"current_save_keys_total"},
    {"rdb_changes_since_last_save"},
    {"rdb_bgsave_in_progress"},
    {"rdb_last_save_time"},
    {"rdb_last_bgsave_status"},
    {"rdb_last_bgsave_time_sec"},
    {"rdb_current_bgsave_time_sec"},
    {"rdb_saves"},
    zero("rdb_last_cow_size"),
    {"rdb_last_load_keys_expired"},
    {"rdb_last_load_keys_loaded"},
    // No append-only file.
    zero("aof_enabled"),
    zero("aof_rewrite_in_progress"),
    zero("aof_rewrite_scheduled"),
    constant("aof_last_rewrite_time_sec", "-1"),
    constant("aof_current_rewrite_time_sec", "-1"),
    constant("aof_last_bgrewrite_status", "ok"),
    zero("aof_rewrites"),
    zero("aof_rewrites_consecutive_failures"),
    constant("aof_last_write_status", "ok"),
    zero("aof_last_cow_size"),
    // No modules.
    zero("module_fork_in_progress"),
    zero("module_fork_last_cow_size"),
    // While the file is read.
    {"loading_start_time"},
    {"loading_total_bytes"},
    {"loading_rdb_used_mem"},
    {"loading_loaded_bytes"},
    {"loading_loaded_perc"},
    {"loading_eta_seconds"},
};

constexpr InfoLine kStats[] = {
    {"total_connections_received"},
    {"total_commands_processed"},
    {"instantaneous_ops_per_sec"},
    {"total_net_input_bytes"},
    {"total_net_output_bytes"},
    {"total_net_repl_input_bytes"},
    {"total_net_repl_output_bytes"},
    {"instantaneous_input_kbps"},
    {"instantaneous_output_kbps"},
    {"instantaneous_input_repl_kbps"},
    {"instantaneous_output_repl_kbps"},
    {"rejected_connections"},
    {"sync_full"},
    {"sync_partial_ok"},
    {"sync_partial_err"},
    {"expired_keys"},
    constant("expired_stale_perc", "0.00"),  // the expirer goes through all, and takes no samples
    {"expired_time_cap_reached_count"},
    {"expire_cycle_cpu_milliseconds"},
    {"evicted_keys"},
    {"evicted_clients"},
    {"total_eviction_exceeded_time"},
    {"current_eviction_exceeded_time"},
    {"keyspace_hits"},
    {"keyspace_misses"},
    {"pubsub_channels"},
    {"pubsub_patterns"},
    {"pubsubshard_channels"},
    // No fork, no MIGRATE.
    zero("latest_fork_usec"),
    zero("total_forks"),
    zero("migrate_cached_sockets"),
    {"slave_expires_tracked_keys"},
    // The allocator's matter.
    zero("active_defrag_hits"),
    zero("active_defrag_misses"),
    zero("active_defrag_key_hits"),
    zero("active_defrag_key_misses"),
    zero("total_active_defrag_time"),
    zero("current_active_defrag_time"),
    {"tracking_total_keys"},
    {"tracking_total_items"},
    {"tracking_total_prefixes"},
    {"unexpected_error_replies"},
    {"total_error_replies"},
    zero("dump_payload_sanitizations"),  // every payload is read with all checks
    {"total_reads_processed"},
    {"total_writes_processed"},
    // Workers read and write for themselves.
    zero("io_threaded_reads_processed"),
    zero("io_threaded_writes_processed"),
    // Replies have no buffer whose size is adapted.
    zero("reply_buffer_shrinks"),
    zero("reply_buffer_expands"),
    {"eventloop_cycles"},
    {"eventloop_duration_sum"},
    {"eventloop_duration_cmd_sum"},
    {"instantaneous_eventloop_cycles_per_sec"},
    {"instantaneous_eventloop_duration_usec"},
    {"acl_access_denied_auth"},
    {"acl_access_denied_cmd"},
    {"acl_access_denied_key"},
    {"acl_access_denied_channel"},
};

constexpr InfoLine kCpu[] = {
    {"used_cpu_sys"},
    {"used_cpu_user"},
    // No child processes.
    constant("used_cpu_sys_children", "0.000000"),
    constant("used_cpu_user_children", "0.000000"),
    {"used_cpu_sys_main_thread"},
    {"used_cpu_user_main_thread"},
};

constexpr InfoLine kCluster[] = {zero("cluster_enabled")};

constexpr auto kDefault = InfoSection::Asked::kByDefault;
constexpr auto kWithAll = InfoSection::Asked::kWithAll;

constexpr InfoSection kSections[] = {
    {"server", "Server", kDefault, kServer},
    {"clients", "Clients", kDefault, kClients},
    {"memory", "Memory", kDefault, kMemory},
    {"persistence", "Persistence", kDefault, kPersistence},
    {"stats", "Stats", kDefault, kStats},
    {"replication", "Replication"},
    {"cpu", "CPU", kDefault, kCpu},
    {"modules", "Modules"},
    {"commandstats", "Commandstats", kWithAll, {}, "cmdstat_"},
    {"errorstats", "Errorstats", kDefault, {}, "errorstat_"},
    {"latencystats", "Latencystats", kWithAll, {}, "latency_percentiles_usec_"},
    {"cluster", "Cluster", kDefault, kCluster},
    {"keyspace", "Keyspace", kDefault, {}, "db"},
};

}  // namespace

std::span<const InfoSection> info_layout() { return kSections; }

}  // namespace tandem
