// How many descriptors the system lets this process have open. Any thread.
#pragma once

#include <cstdint>

namespace tandem {

// Raises the limit in force (the soft one) to `wanted`, or as far as the hard one lets it; gives
// what is in force now, which may be more.
int64_t raise_descriptor_limit(int64_t wanted);

}  // namespace tandem
