// CLIENT and its subcommands.
#pragma once

#include <vector>

#include "engine/command.h"
#include "server/client_registry.h"

namespace tandem {

// Both outlive the rows.
std::vector<CommandRow> client_rows(ClientRegistry& clients);

}  // namespace tandem
