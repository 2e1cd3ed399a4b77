// CRC-64 in two ways.
//
// By tables: table[k][b] is the checksum of byte b followed by k zero bytes, so sixteen bytes fold
// in one step of independent look-ups.
//
// By carry-less products, where the processor has them, some times as fast: bytes are the
// coefficients of a polynomial over bits, the first bit the highest, and the checksum is its
// remainder. Sixteen bytes A in front of n bits more count as much as A * x^n; of that the
// remainders of x^(n+64) and x^n times the two halves of A are left, which take sixteen bytes again
// and are added to those n bits behind. Four such folds go on beside each other; the sixteen bytes
// that are left at the end go through the tables with what follows them.
#include "base/checksum.h"

#include <array>
#include <bit>
#include <cstring>

#include <immintrin.h>
#include <openssl/evp.h>

#include "base/check.h"

namespace tandem {
namespace {

constexpr uint64_t kPolynomialReflected = 0x95ac9329ac4bc9b5;
constexpr size_t kSlices = 16;
using Tables = std::array<std::array<uint64_t, 256>, kSlices>;

constexpr Tables make_tables() {
  Tables tables{};
  for (uint64_t byte = 0; byte < 256; ++byte) {
    uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomialReflected : 0);
    tables[0][byte] = crc;
  }
  for (size_t slice = 1; slice < kSlices; ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint64_t before = tables[slice - 1][byte];
      tables[slice][byte] = tables[0][before & 0xff] ^ (before >> 8);
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

static_assert(std::endian::native == std::endian::little, "words are folded as they lie in memory");

uint64_t crc64_by_tables(uint64_t crc, Bytes bytes) {
  const auto* at = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= kSlices; left -= kSlices, at += kSlices) {
    uint64_t low;
    uint64_t high;
    std::memcpy(&low, at, 8);
    std::memcpy(&high, at + 8, 8);
    low ^= crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) {
      crc ^= kTables[15 - i][(low >> (8 * i)) & 0xff] ^ kTables[7 - i][(high >> (8 * i)) & 0xff];
    }
  }
  for (; left > 0; --left, ++at) crc = kTables[0][(crc ^ *at) & 0xff] ^ (crc >> 8);
  return crc;
}

// The remainder of x^n; as in a checksum the highest bit stands for x^0.
constexpr uint64_t remainder_of_power(int n) {
  uint64_t power = uint64_t{1} << 63;
  for (; n > 0; --n) power = (power >> 1) ^ ((power & 1) ? kPolynomialReflected : 0);
  return power;
}

constexpr size_t kLanes = 4;
constexpr size_t kLaneBytes = 16;
constexpr size_t kFoldBytes = kLanes * kLaneBytes;

#define TANDEM_PRODUCTS __attribute__((target("pclmul,sse4.1")))

// A product of two halves comes out one bit lower than it should, so the powers are one less.
TANDEM_PRODUCTS inline __m128i folded(__m128i block, __m128i powers) {
  return _mm_xor_si128(_mm_clmulepi64_si128(block, powers, 0x00),
                       _mm_clmulepi64_si128(block, powers, 0x11));
}

template <int kBits>
TANDEM_PRODUCTS inline __m128i powers_over() {
  constexpr uint64_t kFirstHalf = remainder_of_power(kBits + 64 - 1);
  constexpr uint64_t kSecondHalf = remainder_of_power(kBits - 1);
  return _mm_set_epi64x(static_cast<int64_t>(kSecondHalf), static_cast<int64_t>(kFirstHalf));
}

// REQUIRES: kFoldBytes or more.
TANDEM_PRODUCTS uint64_t crc64_by_products(uint64_t crc, Bytes bytes) {
  const auto load = [](const char* from) TANDEM_PRODUCTS {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  const char* at = bytes.data();
  size_t left = bytes.size() - kFoldBytes;
  __m128i lanes[kLanes];
  for (size_t i = 0; i < kLanes; ++i) lanes[i] = load(at + i * kLaneBytes);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128(static_cast<int64_t>(crc)));
  at += kFoldBytes;
  const __m128i over_all = powers_over<8 * kFoldBytes>();
  for (; left >= kFoldBytes; left -= kFoldBytes, at += kFoldBytes) {
    for (size_t i = 0; i < kLanes; ++i) {
      lanes[i] = _mm_xor_si128(folded(lanes[i], over_all), load(at + i * kLaneBytes));
    }
  }
  const __m128i over_one = powers_over<8 * kLaneBytes>();
  __m128i block = lanes[0];
  for (size_t i = 1; i < kLanes; ++i) block = _mm_xor_si128(folded(block, over_one), lanes[i]);
  for (; left >= kLaneBytes; left -= kLaneBytes, at += kLaneBytes) {
    block = _mm_xor_si128(folded(block, over_one), load(at));
  }
  char rest[kLaneBytes];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), block);
  return crc64_by_tables(crc64_by_tables(0, Bytes(rest, kLaneBytes)), Bytes(at, left));
}

}  // namespace

uint64_t crc64(uint64_t crc, Bytes bytes) {
  constexpr size_t kProductsBytesMin = 2 * kFoldBytes;
  static const bool has_products =
      __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
  if (bytes.size() >= kProductsBytesMin && has_products) return crc64_by_products(crc, bytes);
  return crc64_by_tables(crc, bytes);
}

Sha1Digest sha1(Bytes bytes) {
  Sha1Digest digest;
  unsigned int length = 0;
  const int done =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha1(), nullptr);
  CHECK(done == 1 && length == digest.size(), "the library of SHA-1 is unusable");
  return digest;
}

std::string sha1_hex(Bytes bytes) { return hex_text(sha1(bytes)); }

}  // namespace tandem
