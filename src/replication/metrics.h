// What replication counts, as tables (base/metric.h).
#pragma once

#include "base/metric.h"
#include "replication/control.h"

namespace tandem {

// Sections: stats, replication. It outlives the tables.
MetricTables replication_metrics(ReplicationControl& control);

}  // namespace tandem
