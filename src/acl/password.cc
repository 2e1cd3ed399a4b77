#include "acl/password.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <openssl/evp.h>

#include "base/check.h"

namespace tandem {
namespace {

constexpr size_t kDigestBytes = 32;

}  // namespace

std::string password_hash(Bytes password) {
  std::array<uint8_t, kDigestBytes> digest{};
  unsigned int length = 0;
  const int done =
      EVP_Digest(password.data(), password.size(), digest.data(), &length, EVP_sha256(), nullptr);
  CHECK(done == 1 && length == digest.size(), "the library of SHA-256 is unusable");
  return hex_text(digest);
}

bool is_password_hash(Bytes text) {
  return text.size() == kDigestBytes * 2 &&
         std::ranges::all_of(text, [](char c) { return ascii_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool same_password_hash(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t at = 0; at < a.size(); ++at) difference |= static_cast<unsigned char>(a[at] ^ b[at]);
  return difference == 0;
}

}  // namespace tandem
