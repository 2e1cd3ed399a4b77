#include "base/sha1.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace tandem {

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
