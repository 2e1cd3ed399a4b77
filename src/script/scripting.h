// All about scripts: EVAL and SCRIPT, FCALL and FUNCTION. They share the one who runs them, and
// chance.
#pragma once

#include <functional>
#include <vector>

#include "base/clock.h"
#include "base/metric.h"
#include "base/option.h"
#include "engine/command.h"
#include "engine/gate.h"
#include "script/eval_scripts.h"
#include "script/function_libraries.h"
#include "script/lua/random.h"
#include "script/script_runner.h"

namespace tandem {

struct ScriptingParts {
  ScriptRunner::Parts running;
  // Of each of the two virtual machines, that of scripts and that of functions.
  size_t memory_bytes_max = size_t{512} * 1024 * 1024;
};

// For INFO.
struct ScriptFigures {
  int64_t script_vm_bytes;
  int64_t cached_scripts;
  int64_t cached_script_bytes;
  int64_t function_vm_bytes;
  int64_t libraries;
  int64_t functions;
  int64_t library_bytes;
  int64_t vm_bytes() const { return script_vm_bytes + function_vm_bytes; }
  int64_t text_bytes() const { return cached_script_bytes + library_bytes; }
};

class Scripting {
 public:
  explicit Scripting(ScriptingParts parts)
      : runner_(std::move(parts.running)),
        scripts_(runner_, random_, parts.memory_bytes_max),
        functions_(runner_.clock(), runner_.control(), random_, parts.memory_bytes_max) {}

  // The rows refer to this object.
  std::vector<CommandRow> rows();

  ScriptControl& control() { return runner_.control(); }
  FunctionLibraries& functions() { return functions_; }
  // Any thread.
  ScriptFigures figures() const;

 private:
  ScriptRunner runner_;
  LuaRandom random_;
  EvalScripts scripts_;
  FunctionLibraries functions_;
};

// What scripting counts, as a table (base/metric.h).

// Section: memory. It outlives the table.
MetricTable script_metrics(const Scripting& scripting);

}  // namespace tandem
