// What the clients of the simulation say, at random: few keys, so that commands meet, and many that
// live for some milliseconds to seconds only.
#pragma once

#include "base/random.h"
#include "replication_sim/node.h"

namespace tandem {

void write_at_random(SimNode& node, Random& chance);
// On a replica it must change nothing, whatever has expired there.
void read_at_random(SimNode& node, Random& chance);

}  // namespace tandem
