// The server's statistics together: the tables of all parts and of what belongs to none of them
// (the process, its memory, its clients), and what only a regular look can know: rates, the
// memory's peak, the main thread's time. INFO and MEMORY STATS show them, CONFIG RESETSTAT resets
// them.
//
// Threads: sample() belongs to one thread; the rest to any. Everything it is given outlives it.
#pragma once

#include <array>
#include <atomic>
#include <string>

#include "base/metric.h"
#include "config/config.h"
#include "engine/engine.h"
#include "engine/metrics.h"
#include "io/files.h"
#include "server/client/client_registry.h"
#include "stats/counters.h"
#include "stats/memory.h"

namespace tandem {

class Status {
 public:
  struct Parts {
    const Options& options;
    const Config& config;
    Engine& engine;
    Files& files;
    const ClientRegistry& clients;
    EachExecutor each_executor;
    std::string run_id;
    MetricTables tables;  // of all other parts
  };

  explicit Status(Parts parts);
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;

  // On the main thread, about every 100 ms.
  void sample();

  const MetricTables& tables() const { return tables_; }
  MemoryReport memory() const;
  // How long a command took, of all workers together.
  LatencyDistribution latency_of(const Command& command) const {
    return tandem::latency_of(command, parts_.each_executor);
  }
  // CONFIG RESETSTAT.
  void reset();

 private:
  static constexpr size_t kRates = 7;

  MetricTables own_tables();
  void read_listeners(MetricTable::Visit visit) const;
  void read_latencies(MetricTable::Visit visit) const;
  void read_rates(MetricTable::Visit visit) const;

  const Parts parts_;
  const int64_t started_ms_;
  const int64_t startup_bytes_;
  mutable std::atomic<int64_t> peak_bytes_{0};
  // Of the main thread, which alone can ask for them.
  std::atomic<double> main_system_seconds_{0};
  std::atomic<double> main_user_seconds_{0};
  std::array<Rate, kRates> rates_;
  int64_t memory_sampled_ms_ = 0;
  const MetricTables tables_;
};

}  // namespace tandem
