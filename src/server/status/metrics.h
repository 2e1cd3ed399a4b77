// What the server's own parts count, as tables (base/metric.h).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/metric.h"
#include "io/uv_loop.h"
#include "server/persistence/persistence.h"
#include "server/persistence/rdb_file.h"
#include "server/persistence/shutdown.h"
#include "server/reclaimer.h"
#include "server/worker.h"

namespace tandem {

// What they are given outlives the tables; the workers are complete before the first reading.

// Section: stats. Connections, bytes and calls of the network, and the turns of the workers' event
// loops.
using EachLoop = std::function<void(FunctionRef<void(LoopCounters&)>)>;
MetricTables worker_metrics(const std::vector<std::unique_ptr<Worker>>& workers,
                            EachLoop each_loop);
// Section: persistence.
MetricTables persistence_metrics(Persistence& persistence, const FileLoad& file_load);
// Section: memory.
MetricTable reclaimer_metrics(Reclaimer& reclaimer);
// Section: server.
MetricTable shutdown_metrics(const Shutdown& shutdown);

}  // namespace tandem
