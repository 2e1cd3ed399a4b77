// What the clients of the simulation say, at random: few keys, so that commands meet.
#pragma once

#include "base/random.h"
#include "replication_sim/node.h"

namespace tandem {

void write_at_random(SimNode& node, Random& chance);

}  // namespace tandem
