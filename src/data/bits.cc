#include "data/bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace tandem {
namespace {

constexpr size_t kWordBytes = sizeof(uint64_t);

uint64_t word_at(const char* place) {
  uint64_t word;
  std::memcpy(&word, place, kWordBytes);
  return word;
}

uint8_t byte_at(Bytes bytes, uint64_t at) { return static_cast<uint8_t>(bytes[at]); }

// Of a byte, the bits from this one on.
constexpr uint8_t bits_from(uint64_t bit) { return static_cast<uint8_t>(0xFF >> bit); }

// A field of 64 bits lies in nine bytes at most.
using FieldWindow = unsigned __int128;
constexpr int kWindowBytes = 9;

FieldWindow window_at(Bytes bytes, uint64_t first_byte) {
  FieldWindow window = 0;
  for (uint64_t at = first_byte; at < first_byte + kWindowBytes; ++at) {
    window = window << 8 | (at < bytes.size() ? byte_at(bytes, at) : 0);
  }
  return window;
}

// How far the field's lowest bit is from the window's.
int shift_of(uint64_t at, int width) { return 8 * kWindowBytes - static_cast<int>(at % 8) - width; }

uint64_t mask_of(int width) { return ~uint64_t{0} >> (64 - width); }

template <class Operation>
void combine_into(std::span<char> result, Bytes source, Operation operation) {
  size_t at = 0;
  for (; at + kWordBytes <= source.size(); at += kWordBytes) {
    const uint64_t word = operation(word_at(&result[at]), word_at(&source[at]));
    std::memcpy(&result[at], &word, kWordBytes);
  }
  for (; at < source.size(); ++at) {
    result[at] = static_cast<char>(
        operation(static_cast<uint8_t>(result[at]), static_cast<uint8_t>(source[at])));
  }
}

void combine_into(std::span<char> result, Bytes source, BitOperation operation) {
  switch (operation) {
    case BitOperation::kAnd:
      combine_into(result, source, [](uint64_t a, uint64_t b) { return a & b; });
      std::ranges::fill(result.subspan(source.size()), '\0');
      return;
    case BitOperation::kOr:
      return combine_into(result, source, [](uint64_t a, uint64_t b) { return a | b; });
    case BitOperation::kXor:
      return combine_into(result, source, [](uint64_t a, uint64_t b) { return a ^ b; });
    case BitOperation::kNot:
      return combine_into(result, source, [](uint64_t, uint64_t b) { return ~b; });
  }
}

// What of the source lies between two places, which may be behind its end.
Bytes part_of(Bytes source, size_t from, size_t bytes) {
  return from < source.size() ? source.substr(from, bytes) : Bytes();
}

void combine_block(BitOperation operation, std::span<const Bytes> sources, size_t from,
                   std::span<char> result) {
  const Bytes first = part_of(sources.front(), from, result.size());
  if (operation == BitOperation::kNot) return combine_into(result, first, operation);
  std::ranges::copy(first, result.begin());
  std::ranges::fill(result.subspan(first.size()), '\0');
  for (const Bytes source : sources.subspan(1)) {
    combine_into(result, part_of(source, from, result.size()), operation);
  }
}

}  // namespace

uint64_t count_bits(Bytes bytes) {
  uint64_t count = 0;
  size_t at = 0;
  for (; at + kWordBytes <= bytes.size(); at += kWordBytes) {
    count += static_cast<uint64_t>(std::popcount(word_at(&bytes[at])));
  }
  for (; at < bytes.size(); ++at) count += static_cast<uint64_t>(std::popcount(byte_at(bytes, at)));
  return count;
}

uint64_t count_bits(Bytes bytes, BitRange range) {
  const uint64_t first = range.first / 8;
  const uint64_t last = range.last / 8;
  const auto before = static_cast<uint8_t>(byte_at(bytes, first) & ~bits_from(range.first % 8));
  const auto behind = static_cast<uint8_t>(byte_at(bytes, last) & (bits_from(range.last % 8) >> 1));
  return count_bits(bytes.substr(first, last - first + 1)) -
         static_cast<uint64_t>(std::popcount(before) + std::popcount(behind));
}

std::optional<uint64_t> find_bit(Bytes bytes, BitRange range, bool value) {
  const uint8_t others = value ? 0 : 0xFF;  // a byte without such a bit
  const uint64_t end = range.last / 8 + 1;
  uint64_t at = range.first / 8;
  // From here on a bit that is looked for is 1, whatever its value. In the first byte those before
  // the range are none.
  uint8_t found = (byte_at(bytes, at) ^ others) & bits_from(range.first % 8);
  if (found == 0) {
    ++at;
    const uint64_t word_of_others = value ? 0 : ~uint64_t{0};
    while (at + kWordBytes <= end && word_at(&bytes[at]) == word_of_others) at += kWordBytes;
    while (at < end && byte_at(bytes, at) == others) ++at;
    if (at == end) return std::nullopt;
    found = byte_at(bytes, at) ^ others;
  }
  const uint64_t bit = at * 8 + static_cast<uint64_t>(std::countl_zero(found));
  if (bit > range.last) return std::nullopt;
  return bit;
}

bool bit_at(Bytes bytes, uint64_t at) {
  return at / 8 < bytes.size() && (byte_at(bytes, at / 8) >> (7 - at % 8) & 1) != 0;
}

void set_bit(std::span<char> bytes, uint64_t at, bool value) {
  const auto bit = static_cast<char>(1 << (7 - at % 8));
  char& byte = bytes[at / 8];
  byte = static_cast<char>(value ? byte | bit : byte & ~bit);
}

uint64_t read_field(Bytes bytes, uint64_t at, int width) {
  return static_cast<uint64_t>(window_at(bytes, at / 8) >> shift_of(at, width)) & mask_of(width);
}

void write_field(std::span<char> bytes, uint64_t at, int width, uint64_t number) {
  const uint64_t first = at / 8;
  const int shift = shift_of(at, width);
  const FieldWindow mask = FieldWindow{mask_of(width)} << shift;
  FieldWindow window = window_at({bytes.data(), bytes.size()}, first);
  window = (window & ~mask) | (FieldWindow{number & mask_of(width)} << shift);
  const uint64_t last = (at + static_cast<uint64_t>(width) - 1) / 8;
  for (uint64_t to = first; to <= last; ++to) {
    const auto behind = static_cast<int>(first + kWindowBytes - 1 - to);
    bytes[to] = static_cast<char>(window >> (8 * behind));
  }
}

std::string combine_bits(BitOperation operation, std::span<const Bytes> sources) {
  // Small enough to stay near the processor while one source after the other goes into it.
  constexpr size_t kBlockBytes = 16 * 1024;
  CHECK(!sources.empty(), "bits of nothing");
  size_t size = 0;
  for (const Bytes source : sources) size = std::max(size, source.size());
  std::string result;
  result.resize_and_overwrite(size, [&](char* data, size_t) {
    const std::span<char> all(data, size);
    for (size_t from = 0; from < size; from += kBlockBytes) {
      combine_block(operation, sources, from,
                    all.subspan(from, std::min(kBlockBytes, size - from)));
    }
    return size;
  });
  return result;
}

}  // namespace tandem
