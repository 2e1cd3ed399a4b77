// Whether a listpack from outside names anything twice: what sets, hashes and sorted sets must
// refuse when they are built from a blob.
#pragma once

#include <cstdint>

#include "data/listpack.h"

namespace tandem {

// Looks at every `stride`-th entry, from the first on.
bool entries_are_distinct(ListpackView entries, uint32_t stride);

}  // namespace tandem
