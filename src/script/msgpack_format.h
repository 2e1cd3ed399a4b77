// MessagePack, as far as scripts know it: the specification without its binary and extension types.
//
//   value   = integer | float | string | array | map | nil | false | true
//   integer = 0x00..0x7f, 0xe0..0xff (itself, signed) | uint8 .. uint64 | int8 .. int64
//   string  = 0xa0..0xbf (5 bits of length) | str8 | str16 | str32, then the bytes
//   array   = 0x90..0x9f (4 bits of count) | array16 | array32, then the elements
//   map     = 0x80..0x8f (4 bits of count) | map16 | map32, then key and value in turn
//
// Numbers of several bytes have the highest first.
#pragma once

#include <cstdint>

namespace tandem::msgpack {

inline constexpr uint8_t kFixMap = 0x80;
inline constexpr uint8_t kFixArray = 0x90;
inline constexpr uint8_t kFixString = 0xa0;
inline constexpr uint8_t kNil = 0xc0;
inline constexpr uint8_t kFalse = 0xc2;
inline constexpr uint8_t kTrue = 0xc3;
inline constexpr uint8_t kFloat = 0xca;
inline constexpr uint8_t kDouble = 0xcb;
inline constexpr uint8_t kUnsigned = 0xcc;  // and the next three: 1, 2, 4, 8 bytes
inline constexpr uint8_t kSigned = 0xd0;    // likewise
inline constexpr uint8_t kString8 = 0xd9;   // 16 and 32 bits follow
inline constexpr uint8_t kString32 = 0xdb;
inline constexpr uint8_t kArray16 = 0xdc;
inline constexpr uint8_t kArray32 = 0xdd;
inline constexpr uint8_t kMap16 = 0xde;
inline constexpr uint8_t kMap32 = 0xdf;
inline constexpr uint8_t kNegative = 0xe0;  // the least integer of one byte, -32

inline constexpr uint64_t kFixContainerMax = 15;
inline constexpr uint64_t kFixStringMax = 31;

}  // namespace tandem::msgpack
