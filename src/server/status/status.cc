// Rates are named in a table of their own (kRates): sample() reads all counters once and gives each
// rate its own. Which metric INFO shows where is in stats/info.cc.
#include "server/status/status.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/version.h"
#include "stats/info.h"

namespace tandem {
namespace {

constexpr int64_t kMsPerSecond = 1000;
constexpr int64_t kUsPerSecond = 1'000'000;
constexpr double kPercent = 100.0;
constexpr auto kText = MetricKind::kText;
constexpr auto kBytes = MetricUnit::kBytes;

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) / static_cast<double>(kUsPerSecond);
}

rusage usage_of(int whom) {
  rusage usage{};
  ::getrusage(whom, &usage);
  return usage;
}

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// ---- The process. ----

struct Process {
  const Status::Parts& parts;
  int64_t uptime_seconds;
  int64_t unix_us;
};

MetricValue system_name(const Process&) {
  utsname machine{};
  ::uname(&machine);
  return fmt::format("{} {} {}", machine.sysname, machine.release, machine.machine);
}

MetricValue executable(const Process&) {
  std::error_code unknown;
  return std::filesystem::read_symlink("/proc/self/exe", unknown).string();
}

MetricValue supervisor(const Process& process) {
  switch (process.parts.options.server.supervised.get()) {
    case Supervisor::kUpstart:
      return "upstart";
    case Supervisor::kSystemd:
      return "systemd";
    default:
      return "no";
  }
}

constexpr MetricRow<Process> kProcess[] = {
    {{.name = "redis_version", .kind = kText, .help = "The version of Redis that it behaves like."},
     [](const Process&) -> MetricValue { return std::string(kRedisVersion); }},
    {{.name = "os", .kind = kText, .help = "The system below."}, system_name},
    {{.name = "gcc_version", .kind = kText, .help = "The compiler, as it says it compares to GCC."},
     [](const Process&) -> MetricValue {
       return fmt::format("{}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
     }},
    {{.name = "process_id", .help = "The process."},
     [](const Process&) -> MetricValue { return ::getpid(); }},
    {{.name = "process_supervised", .kind = kText, .help = "Who waits to hear of it, if anybody."},
     supervisor},
    {{.name = "run_id", .kind = kText, .help = "Another at each start."},
     [](const Process& process) -> MetricValue { return process.parts.run_id; }},
    {{.name = "tcp_port", .help = "Where it listens; 0: not on TCP."},
     [](const Process& process) -> MetricValue {
       return process.parts.options.server.network.port.get();
     }},
    {{.name = "server_time_usec",
      .unit = MetricUnit::kUnixMicroseconds,
      .help = "The time of this answer."},
     metric_read<&Process::unix_us>},
    {{.name = "uptime_in_seconds", .unit = MetricUnit::kSeconds, .help = "Since the start."},
     metric_read<&Process::uptime_seconds>},
    {{.name = "uptime_in_days", .help = "The same, in whole days."},
     [](const Process& process) -> MetricValue {
       constexpr int64_t kSecondsPerDay = 24 * 60 * 60;
       return process.uptime_seconds / kSecondsPerDay;
     }},
    {{.name = "hz", .unit = MetricUnit::kPerSecond, .help = "As configured."},
     [](const Process& process) -> MetricValue { return process.parts.options.server.hz.get(); }},
    {{.name = "lru_clock", .help = "The low 24 bits of the time in seconds."},
     [](const Process& process) -> MetricValue {
       return process.unix_us / kUsPerSecond & 0xffffff;
     }},
    {{.name = "executable", .kind = kText, .help = "The program's file."}, executable},
    {{.name = "config_file", .kind = kText, .help = "The configuration's file, if it has one."},
     [](const Process& process) -> MetricValue { return process.parts.config.file(); }},
};

constexpr MetricRow<Process> kOwnOfProcess[] = {
    {{.name = "tandem_version", .kind = kText, .help = "The version of Tandem."},
     [](const Process&) -> MetricValue { return std::string(kTandemVersion); }},
    {{.name = "worker_threads", .help = "Threads that serve clients, but for the one standing by."},
     [](const Process& process) -> MetricValue {
       // The primary's stream has an executor, too.
       int64_t executors = 0;
       process.parts.each_executor([&](const ExecutorCounters&) { ++executors; });
       return executors - 2;
     }},
};

// ---- Clients. ----

struct ClientFigures {
  int64_t connected = 0;
  int64_t clients_max = 0;
  int64_t blocked = 0;
  int64_t largest_input_bytes = 0;
  int64_t largest_output_bytes = 0;
};

int64_t query_bytes(const ClientCard& card) {
  return card.query_bytes.load(std::memory_order_relaxed) +
         card.query_free_bytes.load(std::memory_order_relaxed);
}

ClientFigures look_at_clients(const Status::Parts& parts) {
  ClientFigures clients;
  for (const auto& card : parts.clients.list()) {
    if (!card->is(kClientReplica)) ++clients.connected;
    if (card->is_blocked() || card->is(kClientHeldBack)) ++clients.blocked;
    clients.largest_input_bytes = std::max(clients.largest_input_bytes, query_bytes(*card));
    clients.largest_output_bytes = std::max(clients.largest_output_bytes, card->unsent_bytes());
  }
  clients.clients_max = parts.options.server.network.clients_max.get();
  return clients;
}

constexpr MetricRow<ClientFigures> kClients[] = {
    {{.name = "connected_clients", .help = "Connections, but for replicas'."},
     metric_read<&ClientFigures::connected>},
    {{.name = "maxclients", .help = "How many there may be."},
     metric_read<&ClientFigures::clients_max>},
    {{.name = "client_recent_max_input_buffer",
      .unit = kBytes,
      .help = "The largest query buffer of a client."},
     metric_read<&ClientFigures::largest_input_bytes>},
    {{.name = "client_recent_max_output_buffer",
      .unit = kBytes,
      .help = "The most that waits to be sent to a client."},
     metric_read<&ClientFigures::largest_output_bytes>},
    {{.name = "blocked_clients", .help = "Clients that wait, in a command or held back."},
     metric_read<&ClientFigures::blocked>},
};

// ---- Memory. ----

using Memory = MemoryReport;

// From one measure of memory to the next: what the one has more than the other.
using Figures = MemoryFigures;
template <auto kMore, auto kLess>
constexpr auto kRatio =
    [](const Memory& memory) -> MetricValue { return ratio(memory.now.*kMore, memory.now.*kLess); };
template <auto kMore, auto kLess>
constexpr auto kDifference =
    [](const Memory& memory) -> MetricValue { return memory.now.*kMore - memory.now.*kLess; };

constexpr MetricRow<Memory> kMemory[] = {
    {{.name = "used_memory", .unit = kBytes, .help = "What the program asked for and holds."},
     [](const Memory& memory) -> MetricValue { return memory.now.used_bytes; }},
    {{.name = "used_memory_rss", .unit = kBytes, .help = "What is resident, by the kernel."},
     [](const Memory& memory) -> MetricValue { return memory.now.resident_bytes; }},
    {{.name = "used_memory_peak", .unit = kBytes, .help = "The most it has held so far."},
     metric_read<&Memory::peak_bytes>},
    {{.name = "used_memory_peak_perc",
      .unit = MetricUnit::kPercent,
      .help = "What it holds, as a share of that."},
     [](const Memory& memory) -> MetricValue {
       return ratio(memory.now.used_bytes, memory.peak_bytes) * kPercent;
     }},
    {{.name = "used_memory_overhead",
      .unit = kBytes,
      .help = "What is known to be no data, without the tables."},
     metric_read<&Memory::overhead_bytes>},
    {{.name = "used_memory_startup", .unit = kBytes, .help = "What it held at the start."},
     metric_read<&Memory::startup_bytes>},
    {{.name = "used_memory_dataset", .unit = kBytes, .help = "What it holds but for the overhead."},
     metric_read<&Memory::dataset_bytes>},
    {{.name = "used_memory_dataset_perc",
      .unit = MetricUnit::kPercent,
      .help = "The data's share of what came since the start."},
     [](const Memory& memory) -> MetricValue {
       return ratio(memory.dataset_bytes(), std::max<int64_t>(memory.grown_bytes(), 1)) * kPercent;
     }},
    {{.name = "allocator_active", .unit = kBytes, .help = "Pages that hold any of it."},
     [](const Memory& memory) -> MetricValue { return memory.now.active_bytes; }},
    {{.name = "allocator_resident", .unit = kBytes, .help = "What is resident, by the allocator."},
     [](const Memory& memory) -> MetricValue { return memory.now.mapped_bytes; }},
    {{.name = "total_system_memory", .unit = kBytes, .help = "The machine's."},
     [](const Memory& memory) -> MetricValue { return memory.now.system_bytes; }},
    {{.name = "mem_clients_slaves", .unit = kBytes, .help = "Held for the sake of replicas."},
     metric_read<&Memory::replicas_bytes>},
    {{.name = "mem_clients_normal", .unit = kBytes, .help = "Held for the sake of other clients."},
     metric_read<&Memory::clients_bytes>},
    {{.name = "mem_allocator", .kind = kText, .help = "The allocator."},
     [](const Memory&) -> MetricValue { return allocator_name(); }},
    {{.name = "allocator_frag_ratio", .unit = MetricUnit::kRatio, .help = "Active to used."},
     kRatio<&Figures::active_bytes, &Figures::used_bytes>},
    {{.name = "allocator_frag_bytes", .unit = kBytes, .help = "Active, but not used."},
     kDifference<&Figures::active_bytes, &Figures::used_bytes>},
    {{.name = "allocator_rss_ratio", .unit = MetricUnit::kRatio, .help = "Resident to active."},
     kRatio<&Figures::mapped_bytes, &Figures::active_bytes>},
    {{.name = "allocator_rss_bytes", .unit = kBytes, .help = "Resident, but not active."},
     kDifference<&Figures::mapped_bytes, &Figures::active_bytes>},
    {{.name = "rss_overhead_ratio",
      .unit = MetricUnit::kRatio,
      .help = "The kernel's resident to the allocator's."},
     kRatio<&Figures::resident_bytes, &Figures::mapped_bytes>},
    {{.name = "rss_overhead_bytes", .unit = kBytes, .help = "Resident beside the allocator."},
     kDifference<&Figures::resident_bytes, &Figures::mapped_bytes>},
    {{.name = "mem_fragmentation_ratio", .unit = MetricUnit::kRatio, .help = "Resident to used."},
     kRatio<&Figures::resident_bytes, &Figures::used_bytes>},
    {{.name = "mem_fragmentation_bytes", .unit = kBytes, .help = "Resident, but not used."},
     kDifference<&Figures::resident_bytes, &Figures::used_bytes>},
};

// ---- Processor time. ----

struct CpuFigures {
  double system_seconds;
  double user_seconds;
  double main_system_seconds;
  double main_user_seconds;
};

constexpr Metric cpu_seconds(std::string_view name, std::string_view help) {
  return {.name = name,
          .kind = MetricKind::kCounter,
          .unit = MetricUnit::kSeconds,
          .help = help,
          .digits = 6};
}

constexpr MetricRow<CpuFigures> kCpu[] = {
    {cpu_seconds("used_cpu_sys", "In the kernel, all threads."),
     metric_read<&CpuFigures::system_seconds>},
    {cpu_seconds("used_cpu_user", "In the program, all threads."),
     metric_read<&CpuFigures::user_seconds>},
    {cpu_seconds("used_cpu_sys_main_thread", "In the kernel, the main thread."),
     metric_read<&CpuFigures::main_system_seconds>},
    {cpu_seconds("used_cpu_user_main_thread", "In the program, the main thread."),
     metric_read<&CpuFigures::main_user_seconds>},
};

// ---- Rates. ----

struct RateRow {
  Metric metric;
  std::string_view counter;
  std::string_view base = {};  // another counter; empty: the time
  double scale = 1;            // by which it is multiplied
  bool is_whole = true;        // shown without a fraction
};

constexpr double kBytesToKib = 1.0 / 1024.0;
constexpr auto kKibPerSecond = MetricUnit::kKibPerSecond;

constexpr RateRow kRateRows[] = {
    {{.name = "instantaneous_ops_per_sec",
      .unit = MetricUnit::kPerSecond,
      .help = "Commands a second."},
     "total_commands_processed"},
    {{.name = "instantaneous_input_kbps", .unit = kKibPerSecond, .help = "From clients."},
     "total_net_input_bytes",
     {},
     kBytesToKib,
     false},
    {{.name = "instantaneous_output_kbps", .unit = kKibPerSecond, .help = "To clients."},
     "total_net_output_bytes",
     {},
     kBytesToKib,
     false},
    {{.name = "instantaneous_input_repl_kbps", .unit = kKibPerSecond, .help = "From the primary."},
     "total_net_repl_input_bytes",
     {},
     kBytesToKib,
     false},
    {{.name = "instantaneous_output_repl_kbps", .unit = kKibPerSecond, .help = "To replicas."},
     "total_net_repl_output_bytes",
     {},
     kBytesToKib,
     false},
    {{.name = "instantaneous_eventloop_cycles_per_sec",
      .unit = MetricUnit::kPerSecond,
      .help = "Turns of the workers' event loops."},
     "eventloop_cycles"},
    {{.name = "instantaneous_eventloop_duration_usec",
      .unit = MetricUnit::kMicroseconds,
      .help = "How long such a turn takes."},
     "eventloop_duration_sum",
     "eventloop_cycles"},
};

}  // namespace

Status::Status(Parts parts)
    : parts_(std::move(parts)),
      started_ms_(parts_.engine.clock.monotonic_ms()),
      startup_bytes_(read_memory(parts_.files).used_bytes),
      tables_(own_tables()) {
  static_assert(std::size(kRateRows) == kRates);
}

MetricTables Status::own_tables() {
  const auto process = [this] {
    const Clock& clock = parts_.engine.clock;
    return Process{parts_, (clock.monotonic_ms() - started_ms_) / kMsPerSecond, clock.unix_us()};
  };
  const auto cpu = [this] {
    const rusage all = usage_of(RUSAGE_SELF);
    return CpuFigures{seconds(all.ru_stime), seconds(all.ru_utime), main_system_seconds_.load(),
                      main_user_seconds_.load()};
  };
  MetricTables tables = parts_.tables;
  add_tables(
      tables,
      {MetricTable::looked_at<Process>("server", kProcess, process),
       MetricTable("server", [this](MetricTable::Visit visit) { read_listeners(visit); }),
       MetricTable::looked_at<Process>("server", kOwnOfProcess, process),
       MetricTable::looked_at<ClientFigures>("clients", kClients,
                                             [this] { return look_at_clients(parts_); }),
       MetricTable::looked_at<Memory>("memory", kMemory, [this] { return memory(); }),
       MetricTable::looked_at<CpuFigures>("cpu", kCpu, cpu),
       MetricTable("latencystats", [this](MetricTable::Visit visit) { read_latencies(visit); }),
       MetricTable(
           "stats", [this](MetricTable::Visit visit) { read_rates(visit); },
           [this] {
             for (Rate& rate : rates_) rate.reset();
           })});
  return tables;
}

void Status::sample() {
  const auto values = read_metrics(tables_, "stats");
  const auto value_of = [&](std::string_view name) {
    const auto found = values.find(name);
    const int64_t* integer = found == values.end() ? nullptr : found->second.integer();
    return integer == nullptr ? 0 : *integer;
  };
  const int64_t now_ms = parts_.engine.clock.monotonic_ms();
  for (size_t at = 0; at < kRates; ++at) {
    const RateRow& row = kRateRows[at];
    rates_[at].sample(value_of(row.counter), row.base.empty() ? now_ms : value_of(row.base));
  }
  const rusage own = usage_of(RUSAGE_THREAD);
  main_system_seconds_.store(seconds(own.ru_stime), std::memory_order_relaxed);
  main_user_seconds_.store(seconds(own.ru_utime), std::memory_order_relaxed);
  if (now_ms - memory_sampled_ms_ < kMsPerSecond) return;
  memory_sampled_ms_ = now_ms;
  (void)memory();
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
  int64_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (peak < report.now.used_bytes &&
         !peak_bytes_.compare_exchange_weak(peak, report.now.used_bytes)) {
  }
  report.peak_bytes = std::max(peak, report.now.used_bytes);
  return report;
}

void Status::read_listeners(MetricTable::Visit visit) const {
  const NetworkOptions& network = parts_.options.server.network;
  std::vector<std::string> all;
  if (network.port.get() != 0) {
    std::string& tcp = all.emplace_back("name=tcp");
    for (const std::string& address : network.bind.get()) tcp += ",bind=" + address;
    tcp += fmt::format(",port={}", network.port.get());
  }
  const std::string path = network.unix_socket.get();
  if (!path.empty()) all.push_back("name=unix,bind=" + path);
  for (size_t at = 0; at < all.size(); ++at) {
    const std::string name = fmt::format("listener{}", at);
    visit({.name = name, .kind = kText, .help = "Where it listens."}, all[at], {});
  }
}

void Status::read_latencies(MetricTable::Visit visit) const {
  if (!parts_.options.server.latency_tracking.get()) return;
  const std::vector<double> percentiles = parts_.options.server.latency_percentiles.get();
  const Registry& registry = parts_.engine.registry;
  for (size_t id = 0; id < registry.id_count(); ++id) {
    const Command& command = registry.by_id(static_cast<int>(id));
    const LatencyDistribution times = latency_of(command);
    if (times.total() == 0) continue;
    // A line, also where no percentile is asked for.
    visit({}, MetricValue(), command.full_name);
    for (const double percentile : percentiles) {
      const std::string name = fmt::format("p{:g}", percentile);
      visit({.name = name,
             .unit = MetricUnit::kMicroseconds,
             .help = "So many percent of the calls took no longer.",
             .digits = 3},
            static_cast<double>(times.percentile(percentile)), command.full_name);
    }
  }
}

void Status::read_rates(MetricTable::Visit visit) const {
  for (size_t at = 0; at < kRates; ++at) {
    const RateRow& row = kRateRows[at];
    const double per_second = row.base.empty() ? static_cast<double>(kMsPerSecond) : 1.0;
    const double value = rates_[at].value() * per_second * row.scale;
    visit(row.metric, row.is_whole ? MetricValue(static_cast<int64_t>(value)) : MetricValue(value),
          {});
  }
}

void Status::reset() {
  for (const MetricTable& table : tables_) table.reset();
}

}  // namespace tandem
