#include "script/scripting.h"

#include "script/function_commands.h"

namespace tandem {

std::vector<CommandRow> Scripting::rows() {
  std::vector<CommandRow> rows = scripts_.rows();
  add_rows(rows, function_rows(functions_, runner_));
  return rows;
}

ScriptFigures Scripting::figures() const {
  const FunctionLibraries::Seen seen = functions_.seen();
  return {.script_vm_bytes = scripts_.vm_bytes(),
          .cached_scripts = scripts_.cached_scripts(),
          .cached_script_bytes = scripts_.cached_script_bytes(),
          .function_vm_bytes = functions_.vm_bytes(),
          .libraries = static_cast<int64_t>(seen->libraries().size()),
          .functions = seen->function_count(),
          .library_bytes = static_cast<int64_t>(seen->code_bytes())};
}

namespace {

constexpr MetricRow<ScriptFigures> kMetrics[] = {
    {{.name = "used_memory_vm_eval",
      .unit = MetricUnit::kBytes,
      .help = "Memory of the virtual machine that runs scripts."},
     metric_read<&ScriptFigures::script_vm_bytes>},
    {{.name = "used_memory_scripts_eval",
      .unit = MetricUnit::kBytes,
      .help = "Memory of the scripts that are kept for EVALSHA."},
     metric_read<&ScriptFigures::cached_script_bytes>},
    {{.name = "number_of_cached_scripts", .help = "Scripts that are kept for EVALSHA."},
     metric_read<&ScriptFigures::cached_scripts>},
    {{.name = "number_of_functions", .help = "Functions that can be called."},
     metric_read<&ScriptFigures::functions>},
    {{.name = "number_of_libraries", .help = "Libraries of functions that are loaded."},
     metric_read<&ScriptFigures::libraries>},
    {{.name = "used_memory_vm_functions",
      .unit = MetricUnit::kBytes,
      .help = "Memory of the virtual machine that runs functions."},
     metric_read<&ScriptFigures::function_vm_bytes>},
    {{.name = "used_memory_vm_total",
      .unit = MetricUnit::kBytes,
      .help = "Memory of both virtual machines."},
     metric_read<&ScriptFigures::vm_bytes>},
    {{.name = "used_memory_functions",
      .unit = MetricUnit::kBytes,
      .help = "Memory of the texts of libraries."},
     metric_read<&ScriptFigures::library_bytes>},
    {{.name = "used_memory_scripts",
      .unit = MetricUnit::kBytes,
      .help = "Memory of the texts of scripts and libraries."},
     metric_read<&ScriptFigures::text_bytes>},
};

}  // namespace

MetricTable script_metrics(const Scripting& scripting) {
  return MetricTable::looked_at<ScriptFigures>("memory", kMetrics,
                                               [&scripting] { return scripting.figures(); });
}

}  // namespace tandem
