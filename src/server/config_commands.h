// CONFIG GET, SET, REWRITE, RESETSTAT.
#pragma once

#include <functional>
#include <vector>

#include "config/config.h"
#include "engine/command.h"

namespace tandem {

// `config` outlives the rows. Both calls may come on any worker's thread.
std::vector<CommandRow> config_rows(Config& config, std::function<void()> reset_statistics);

}  // namespace tandem
