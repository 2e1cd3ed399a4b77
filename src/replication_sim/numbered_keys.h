// Keys that are written one after the other, in a circle, with numbers that grow by one: number n
// into key n modulo kNumberedKeys. So whoever reads some of them, at whatever moment, can tell
// whether what they hold belongs to one place in a history.
#pragma once

#include <optional>
#include <string>

#include "base/random.h"
#include "engine/engine.h"
#include "replication_sim/node.h"

namespace tandem {

// Writes the next numbers on a primary: one by one, several in a command, or in a transaction.
void write_numbers(SimNode& node, Random& chance);

// What is wrong with those keys that nobody holds at the moment; nothing if they may be read. As a
// client's look would be: each key's stripe must be free.
std::optional<std::string> check_numbers(Engine& engine);

}  // namespace tandem
