// The names of scripts, which are the SHA-1 of their text: EVAL brings the text each time, and to
// compare it with one that was seen before costs far less than the digest.
//
// Threads: whoever holds all stripes.
#pragma once

#include <array>
#include <string>

#include <xxhash.h>

#include "base/bytes.h"
#include "base/checksum.h"

namespace tandem {

class ScriptNames {
 public:
  // 40 lower-case hexadecimal digits, valid until the next call.
  const std::string& name_of(Bytes text) {
    if (text.size() > kTextBytesMax) return large_ = sha1_hex(text);
    Known& known = known_[XXH3_64bits(text.data(), text.size()) % kKnown];
    if (known.name.empty() || known.text != text) known = {std::string(text), sha1_hex(text)};
    return known.name;
  }

 private:
  static constexpr size_t kKnown = 64;
  static constexpr size_t kTextBytesMax = 16 * 1024;

  struct Known {
    std::string text;
    std::string name;
  };
  std::array<Known, kKnown> known_;
  std::string large_;
};

}  // namespace tandem
