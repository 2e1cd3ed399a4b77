#include "base/checksum.h"

#include <string>

#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

// Bit by bit, straight from the polynomial.
uint64_t slow_crc64(uint64_t crc, Bytes bytes) {
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x95ac9329ac4bc9b5 : 0);
  }
  return crc;
}

TEST(Crc64, KnownValue) { EXPECT_EQ(crc64(0, "123456789"), 0xe9c6d914c4b8d9caull); }

TEST(Crc64, AnySplitGivesTheSlowResult) {
  Random random(64);
  for (int round = 0; round < 600; ++round) {
    std::string bytes;
    for (uint64_t left = random.below(round % 2 == 0 ? 100 : 1000); left > 0; --left) {
      bytes.push_back(static_cast<char>(random.next()));
    }
    const size_t cut = random.below(bytes.size() + 1);
    const uint64_t start = random.next();
    const uint64_t parts =
        crc64(crc64(start, Bytes(bytes).substr(0, cut)), Bytes(bytes).substr(cut));
    ASSERT_EQ(parts, slow_crc64(start, bytes));
  }
}

TEST(Sha1, KnownValue) {
  EXPECT_EQ(sha1_hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(sha1_hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

}  // namespace
}  // namespace tandem
