// COMMAND and its subcommands: what the table says about itself.
#pragma once

#include <vector>

#include "engine/command.h"

namespace tandem {

std::vector<CommandRow> command_rows();

}  // namespace tandem
