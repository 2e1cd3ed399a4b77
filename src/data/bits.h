// The bits of strings, numbered as Redis numbers them: bit 0 is the highest of the first byte, bit
// 7 its lowest, bit 8 the highest of the second. Pure; a word at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"

namespace tandem {

// Both ends belong to it; first <= last.
struct BitRange {
  uint64_t first;
  uint64_t last;
};

// How many bits are set. The range lies inside of the bytes.
uint64_t count_bits(Bytes bytes);
uint64_t count_bits(Bytes bytes, BitRange range);

// The first bit of this value. The range lies inside of the bytes.
std::optional<uint64_t> find_bit(Bytes bytes, BitRange range, bool value);

// Behind the end of the bytes all bits are 0.
bool bit_at(Bytes bytes, uint64_t at);
void set_bit(std::span<char> bytes, uint64_t at, bool value);  // inside of the bytes

// `width` bits from `at` on as a number, 64 at most, the first bit the highest. Behind the end of
// the bytes all bits are 0.
uint64_t read_field(Bytes bytes, uint64_t at, int width);
// The low bits of the number; the field lies inside of the bytes.
void write_field(std::span<char> bytes, uint64_t at, int width, uint64_t number);

enum class BitOperation : uint8_t { kAnd, kOr, kXor, kNot };

// The operation on all sources, bit by bit (kNot: on the only one). As long as the longest of them;
// the others count as filled up with zeros. REQUIRES: a source.
std::string combine_bits(BitOperation operation, std::span<const Bytes> sources);

}  // namespace tandem
