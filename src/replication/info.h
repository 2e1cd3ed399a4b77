// Replication as INFO, ROLE and the metrics show it. Any thread.
#pragma once

#include <string>

#include "base/metric.h"
#include "replication/control.h"
#include "resp/reply_writer.h"

namespace tandem {

// Replication as INFO and ROLE show it, with Redis's field names. Any thread.

// The lines of INFO's section, without its title.
std::string replication_info(const ReplicationControl& control);

// ROLE's reply.
void write_role(const ReplicationControl& control, ReplyWriter& reply);

// What replication counts, as tables (base/metric.h).

// Sections: stats, replication. It outlives the tables.
MetricTables replication_metrics(ReplicationControl& control);

}  // namespace tandem
