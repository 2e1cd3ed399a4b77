// LZF, the compression of RDB's strings: packing alone, made for many short strings one after the
// other. (Unpacking is liblzf's.) The packed form is a row of
//
//   000xxxxx                     x + 1 bytes as they are follow
//   nnnooooo oooooooo            n + 2 bytes come again, from o + 1 bytes before; n is 1 to 6
//   111ooooo mmmmmmmm oooooooo   the same with m + 9 bytes
//
// What is packed depends on the text alone. The table of places is small enough for the nearest
// cache, and needs no clearing between two texts; where nothing comes again it looks at fewer and
// fewer places, so that a text that does not compress is given up quickly.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace tandem {

// Confined to one thread.
class LzfPacker {
 public:
  // Longer texts are not packed.
  static constexpr size_t kTextBytesMax = size_t{1} << 30;

  // How many bytes of `out` the packed text takes; 0: it does not fit.
  size_t pack(Bytes text, std::span<char> out);

 private:
  static constexpr int kTableBits = 12;

  // By a hash of four bytes: where they were seen last, counted from base_ on. What is below base_
  // is of earlier texts.
  std::array<uint32_t, size_t{1} << kTableBits> seen_{};
  uint32_t base_ = 1;
};

}  // namespace tandem
