// Redis's glob patterns (KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET): `*`, `?`, `[a-z]`, `[^a]` and
// `\` to escape. The work is bounded by the product of the two lengths, whatever the pattern.
#pragma once

#include "base/bytes.h"

namespace tandem {

enum class GlobCase { kSensitive, kIgnore };

bool glob_match(Bytes pattern, Bytes text, GlobCase letter_case = GlobCase::kSensitive);

}  // namespace tandem
