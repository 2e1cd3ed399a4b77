// The listpack of Redis, byte for byte: what RDB files and DUMP payloads carry.
//
//   listpack  = total-bytes:u32le count:u16le entry* 0xFF
//   entry     = encoding data backlen
//   encoding  = 0xxxxxxx                  unsigned integer of 7 bits, no data
//             | 10xxxxxx                  text of x bytes (0..63)
//             | 110xxxxx xxxxxxxx         signed integer of 13 bits, no data
//             | 1110xxxx xxxxxxxx         text of x bytes (64..4095)
//             | 11110000 u32le            text of that many bytes
//             | 11110001 .. 11110100      signed integer of 16, 24, 32, 64 bits, little-endian
//   backlen   = the length of encoding and data, 7 bits a byte, the most significant byte first;
//               every byte but the first has its high bit set: it is read from right to left
//
// total-bytes counts the whole blob. count is 65535 when there are 65535 or more entries: then they
// must be counted. Text that is a canonical integer is stored as an integer. A backlen takes 1 byte
// up to 127, 2 below 16383, 3 below 2097151, 4 below 268435455, else 5.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tandem::listpack_format {

inline constexpr uint32_t kHeaderBytes = 6;
inline constexpr uint32_t kEmptyBytes = kHeaderBytes + 1;
inline constexpr Bytes kEmpty("\x07\0\0\0\0\0\xff", kEmptyBytes);
inline constexpr uint16_t kCountUnknown = 65535;
inline constexpr uint8_t kEnd = 0xFF;

inline constexpr uint8_t kText12 = 0xE0;
inline constexpr uint8_t kText32 = 0xF0;
inline constexpr uint8_t kText6 = 0x80;
inline constexpr uint8_t kInt13 = 0xC0;
inline constexpr uint8_t kInt16 = 0xF1;
inline constexpr uint8_t kInt24 = 0xF2;
inline constexpr uint8_t kInt32 = 0xF3;
inline constexpr uint8_t kInt64 = 0xF4;

// No listpack grows past this through us; containers leave the compact form before.
inline constexpr uint64_t kBytesMax = uint64_t{1} << 30;

constexpr uint32_t backlen_bytes(uint64_t length) {
  if (length <= 127) return 1;
  if (length < 16383) return 2;
  if (length < 2097151) return 3;
  if (length < 268435455) return 4;
  return 5;
}

}  // namespace tandem::listpack_format
