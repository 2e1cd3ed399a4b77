// SHA-1, where Redis's formats ask for it: the names of scripts and DEBUG DIGEST. Not for secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace tandem {

using Sha1Digest = std::array<uint8_t, 20>;

Sha1Digest sha1(Bytes bytes);
// Forty lower-case hexadecimal digits.
std::string sha1_hex(Bytes bytes);
std::string hex_text(const Sha1Digest& digest);

}  // namespace tandem
