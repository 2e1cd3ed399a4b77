// CLIENT and its subcommands.
#pragma once

#include <vector>

#include "engine/command.h"
#include "server/client_registry.h"
#include "server/pause.h"

namespace tandem {

// Both outlive the rows.
std::vector<CommandRow> client_rows(ClientRegistry& clients, Pause& pause);

}  // namespace tandem
