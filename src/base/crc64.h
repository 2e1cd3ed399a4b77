// The CRC-64 that closes RDB files and DUMP payloads: polynomial of Jones, reflected, no final xor.
// crc64(0, "123456789") is e9c6d914c4b8d9ca.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tandem {

// Continues from `crc`, the checksum of what came before; 0 to begin.
uint64_t crc64(uint64_t crc, Bytes bytes);

}  // namespace tandem
