// For the tests of this folder: hexadecimal bytes, and random values that cover every encoding.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/number.h"
#include "base/random.h"

namespace tandem {

inline std::string from_hex(Bytes hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  }
  return out;
}

inline std::string to_hex(Bytes bytes) {
  constexpr Bytes kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
    out.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
  }
  return out;
}

// Integers of every width, short texts, and now and then a long one.
inline std::string random_text(Random& random) {
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return int64_text(static_cast<int64_t>(random.next()) >> random.below(64));
    case 3:
      return std::string(random.below(200), 'x');
    case 4:
      return random.below(20) == 0 ? std::string(random.below(6000), 'y') : "";
    default:
      return random.hex(static_cast<int>(1 + random.below(8)));
  }
}

}  // namespace tandem
