// DEBUG and MEMORY: looking inside, for tests and for people.
#pragma once

#include <vector>

#include "config/server_options.h"
#include "engine/command.h"
#include "server/status.h"

namespace tandem {

// What they are given outlives the rows.
std::vector<CommandRow> debug_rows(const ServerOptions& options);
std::vector<CommandRow> memory_rows(const Status& status);

}  // namespace tandem
