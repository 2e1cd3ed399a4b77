#include "script/metrics.h"

namespace tandem {
namespace {

constexpr MetricRow<Scripting> kMetrics[] = {
    {{.name = "used_memory_vm_eval",
      .unit = MetricUnit::kBytes,
      .help = "Memory of the virtual machine that runs scripts."},
     metric_read<&Scripting::vm_bytes>},
    {{.name = "used_memory_scripts_eval",
      .unit = MetricUnit::kBytes,
      .help = "Memory of the scripts that are kept for EVALSHA."},
     metric_read<&Scripting::cached_script_bytes>},
    {{.name = "number_of_cached_scripts", .help = "Scripts that are kept for EVALSHA."},
     metric_read<&Scripting::cached_scripts>},
};

}  // namespace

MetricTable script_metrics(const Scripting& scripting) {
  return MetricTable("memory", kMetrics, scripting);
}

}  // namespace tandem
