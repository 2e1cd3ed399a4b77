// The one list of all commands that work on the keyspace.
#pragma once

#include <vector>

#include "engine/command.h"

namespace tandem {

std::vector<CommandRow> keyspace_rows();

}  // namespace tandem
