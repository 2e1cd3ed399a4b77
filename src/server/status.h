// What INFO tells: collects the figures of all parts at the moment they are asked for, and keeps
// what only a regular look can know (rates, the memory's peak).
//
// Threads: sample() belongs to one thread; the rest to any. Everything it is given outlives it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "config/config.h"
#include "engine/engine.h"
#include "io/files.h"
#include "server/client_registry.h"
#include "server/file_load.h"
#include "server/persistence.h"
#include "server/worker.h"
#include "stats/error_counts.h"
#include "stats/info.h"
#include "stats/rate.h"

namespace tandem {

class Status {
 public:
  struct Parts {
    const Options& options;
    const Config& config;
    Engine& engine;
    Files& files;
    const ClientRegistry& clients;
    const std::vector<std::unique_ptr<Worker>>& workers;  // complete before the first command
    ExecutorCounters& stream;                             // of a primary's
    const Persistence& persistence;
    const FileLoad& file_load;
    ErrorCounts& errors;
    std::string run_id;
    // The lines of INFO's replication section, and the stats that replication keeps.
    std::function<std::string()> replication_lines;
    std::function<void(StatsFigures&)> more_stats;
    std::function<void(MemoryReport&)> more_memory;
  };

  explicit Status(Parts parts);

  // On the main thread, about every 100 ms.
  void sample();
  // Writes since the start, for the save points.
  int64_t total_changes() const;

  // Memory is read, and databases are counted, only for sections that show them.
  InfoFigures collect(const std::set<std::string>& sections) const;
  MemoryReport memory() const;
  // How long a command took, of all workers together.
  LatencyDistribution latency_of(const Command& command) const;
  // CONFIG RESETSTAT.
  void reset();

 private:
  // Of all workers and the primary's stream.
  void each_executor(FunctionRef<void(ExecutorCounters&)> visit) const;
  void collect_server(ServerFigures& server) const;
  void collect_clients(ClientFigures& clients) const;
  void collect_stats(StatsFigures& stats) const;
  std::vector<CommandFigures> collect_commands() const;
  std::vector<LatencyFigures> collect_latencies() const;
  std::vector<DatabaseFigures> collect_databases() const;

  const Parts parts_;
  const int64_t started_ms_;
  const int64_t startup_bytes_;
  mutable std::atomic<int64_t> peak_bytes_{0};
  // Of the main thread, which alone can ask for them.
  std::atomic<double> main_system_seconds_{0};
  std::atomic<double> main_user_seconds_{0};
  Rate commands_;
  Rate input_;
  Rate output_;
  Rate replication_input_;
  Rate replication_output_;
  int64_t memory_sampled_ms_ = 0;
};

}  // namespace tandem
