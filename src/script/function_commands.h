// FCALL, FCALL_RO and FUNCTION (script/function_libraries.h).
#pragma once

#include <vector>

#include "engine/context.h"
#include "script/function_libraries.h"
#include "script/script_runner.h"

namespace tandem {

// Both outlive the rows.
std::vector<CommandRow> function_rows(FunctionLibraries& libraries, ScriptRunner& runner);

}  // namespace tandem
