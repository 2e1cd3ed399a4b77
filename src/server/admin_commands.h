// Commands about the server as a whole: SAVE, BGSAVE, LASTSAVE, SHUTDOWN, INFO, MONITOR, SLOWLOG,
// LATENCY.
#pragma once

#include <vector>

#include "engine/command.h"
#include "server/command_watch.h"
#include "server/persistence.h"
#include "server/shutdown.h"
#include "server/status.h"

namespace tandem {

// What they are given outlives the rows.
std::vector<CommandRow> persistence_rows(Persistence& persistence, Shutdown& shutdown);
std::vector<CommandRow> watch_rows(CommandWatch& watch, Status& status);
std::vector<CommandRow> latency_rows(CommandWatch& watch, const Status& status);

}  // namespace tandem
