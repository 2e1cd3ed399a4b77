#include "data/bits.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

std::string random_bytes(Random& random, size_t size) {
  // Long runs of equal bytes among others: there the word loops take their turns.
  std::string bytes;
  while (bytes.size() < size) {
    const uint64_t kind = random.below(4);
    const char byte = kind == 0 ? '\0' : kind == 1 ? '\xFF' : static_cast<char>(random.below(256));
    bytes.append(1 + random.below(kind < 2 ? 40 : 2), byte);
  }
  bytes.resize(size);
  return bytes;
}

TEST(Bits, AreNumberedFromTheHighestOfTheFirstByte) {
  std::string bytes(2, '\0');
  set_bit(bytes, 0, true);
  EXPECT_EQ(bytes, std::string("\x80\0", 2));
  set_bit(bytes, 15, true);
  EXPECT_EQ(bytes, std::string("\x80\x01", 2));
  set_bit(bytes, 0, false);
  EXPECT_EQ(bytes, std::string("\0\x01", 2));
  EXPECT_TRUE(bit_at(bytes, 15));
  EXPECT_FALSE(bit_at(bytes, 14));
  EXPECT_FALSE(bit_at(bytes, 16));
  EXPECT_FALSE(bit_at({}, 0));
}

// Against one bit after the other.
TEST(Bits, AreCountedAndFoundInAnyRange) {
  Random random(1);
  for (int round = 0; round < 3000; ++round) {
    const std::string bytes = random_bytes(random, 1 + random.below(70));
    const uint64_t first = random.below(bytes.size() * 8);
    const BitRange range{first, first + random.below(bytes.size() * 8 - first)};
    uint64_t set = 0;
    std::optional<uint64_t> found[2];
    for (uint64_t at = range.first; at <= range.last; ++at) {
      const bool bit = bit_at(bytes, at);
      set += bit ? 1 : 0;
      if (!found[bit]) found[bit] = at;
    }
    EXPECT_EQ(count_bits(bytes, range), set);
    EXPECT_EQ(find_bit(bytes, range, false), found[0]);
    EXPECT_EQ(find_bit(bytes, range, true), found[1]);
  }
  EXPECT_EQ(count_bits({}), 0u);
}

TEST(Bits, FieldsAreReadAndWrittenAnywhere) {
  Random random(2);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = random_bytes(random, 9 + random.below(20));
    const int width = 1 + static_cast<int>(random.below(64));
    const uint64_t at = random.below(bytes.size() * 8 - static_cast<uint64_t>(width) + 1);
    std::string expected = bytes;
    const uint64_t number = random.next();
    uint64_t before = 0;
    for (int i = 0; i < width; ++i) {
      const uint64_t bit = at + static_cast<uint64_t>(i);
      before = before << 1 | (bit_at(bytes, bit) ? 1 : 0);
      set_bit(expected, bit, (number >> (width - 1 - i) & 1) != 0);
    }
    EXPECT_EQ(read_field(bytes, at, width), before);
    write_field(bytes, at, width, number);
    EXPECT_EQ(bytes, expected) << "at " << at << ", " << width << " bits";
  }
}

TEST(Bits, BehindTheEndAreZeros) {
  EXPECT_EQ(read_field("\xFF", 4, 8), 0xF0u);
  EXPECT_EQ(read_field("\xFF", 8, 64), 0u);
  EXPECT_EQ(read_field({}, uint64_t{1} << 35, 63), 0u);
}

uint8_t of_one_byte(BitOperation operation, uint8_t result, uint8_t source) {
  switch (operation) {
    case BitOperation::kAnd:
      return result & source;
    case BitOperation::kOr:
      return result | source;
    case BitOperation::kXor:
      return result ^ source;
    case BitOperation::kNot:
      return static_cast<uint8_t>(~result);
  }
  return 0;
}

TEST(Bits, AreCombinedByteByByte) {
  Random random(3);
  for (const BitOperation operation :
       {BitOperation::kAnd, BitOperation::kOr, BitOperation::kXor, BitOperation::kNot}) {
    for (int round = 0; round < 40; ++round) {
      const size_t count = operation == BitOperation::kNot ? 1 : 1 + random.below(4);
      const size_t size_max = round < 30 ? 40 : 40'000;  // several blocks
      std::vector<std::string> texts;
      for (size_t i = 0; i < count; ++i) {
        texts.push_back(random_bytes(random, random.below(size_max)));
      }
      const std::vector<Bytes> sources(texts.begin(), texts.end());
      size_t size = 0;
      for (const Bytes source : sources) size = std::max(size, source.size());
      std::string expected;
      for (size_t at = 0; at < size; ++at) {
        const auto byte = [&](size_t i) {
          return static_cast<uint8_t>(at < sources[i].size() ? sources[i][at] : '\0');
        };
        uint8_t result = byte(0);
        if (operation == BitOperation::kNot) result = of_one_byte(operation, result, 0);
        for (size_t i = 1; i < count; ++i) result = of_one_byte(operation, result, byte(i));
        expected += static_cast<char>(result);
      }
      EXPECT_EQ(combine_bits(operation, sources), expected);
    }
  }
}

}  // namespace
}  // namespace tandem
