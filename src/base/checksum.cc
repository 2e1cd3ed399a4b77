// Sixteen tables: table[k][b] is the checksum of byte b followed by k zero bytes, so sixteen bytes
// fold in one step of independent look-ups.
#include "base/checksum.h"

#include <array>
#include <bit>
#include <cstring>

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

}  // namespace

uint64_t crc64(uint64_t crc, Bytes bytes) {
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

Sha1Digest sha1(Bytes bytes) {
  Sha1Digest digest;
  unsigned int length = 0;
  const int done =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha1(), nullptr);
  CHECK(done == 1 && length == digest.size(), "the library of SHA-1 is unusable");
  return digest;
}

std::string hex_text(const Sha1Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(digest.size() * 2);
  for (const uint8_t byte : digest) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::string sha1_hex(Bytes bytes) { return hex_text(sha1(bytes)); }

}  // namespace tandem
