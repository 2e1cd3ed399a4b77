// What an engine and its executors count, as tables (base/metric.h).
#pragma once

#include <functional>

#include "base/function_ref.h"
#include "base/metric.h"
#include "engine/command_stats.h"
#include "engine/engine.h"

namespace tandem {

// Calls with the counters of each executor there is.
using EachExecutor = std::function<void(FunctionRef<void(ExecutorCounters&)>)>;

// The engine outlives the tables. Sections: stats, clients, memory, commandstats, keyspace.
MetricTables engine_metrics(Engine& engine, const EachExecutor& each_executor);

// How long a command took, of all executors together.
LatencyDistribution latency_of(const Command& command, const EachExecutor& each_executor);

}  // namespace tandem
