// The checksums of Redis's formats. No secret is kept by them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace tandem {

// The CRC-64 that closes RDB files and DUMP payloads: polynomial of Jones, reflected, no final xor.
// crc64(0, "123456789") is e9c6d914c4b8d9ca.

// Continues from `crc`, the checksum of what came before; 0 to begin.
uint64_t crc64(uint64_t crc, Bytes bytes);

// SHA-1, where Redis's formats ask for it: the names of scripts and DEBUG DIGEST. Not for secrets.
using Sha1Digest = std::array<uint8_t, 20>;

Sha1Digest sha1(Bytes bytes);
// Forty lower-case hexadecimal digits.
std::string sha1_hex(Bytes bytes);

}  // namespace tandem
