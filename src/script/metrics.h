// What scripting counts, as a table (base/metric.h).
#pragma once

#include "base/metric.h"
#include "script/scripting.h"

namespace tandem {

// Section: memory. It outlives the table.
MetricTable script_metrics(const Scripting& scripting);

}  // namespace tandem
