// Numbers of Lua as integers of 64 bits: cut off towards zero, and what does not fit becomes what
// the processors that Redis runs on make of it, for its conversions leave that to them.
#pragma once

#include <cstdint>

namespace tandem {

inline constexpr double kTwoTo63 = 9223372036854775808.0;

// What does not fit, and no number at all: the smallest integer.
inline int64_t to_integer(double number) {
  if (!(number >= -kTwoTo63 && number < kTwoTo63)) return INT64_MIN;
  return static_cast<int64_t>(number);
}

// Negative numbers wrap around; what is too large: 0.
inline uint64_t to_unsigned(double number) {
  if (number >= 2 * kTwoTo63) return 0;
  if (number >= kTwoTo63) return static_cast<uint64_t>(number);
  return static_cast<uint64_t>(to_integer(number));
}

}  // namespace tandem
