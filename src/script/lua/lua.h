// Lua 5.1's C headers, and its numbers as integers.
//
// Lua reports errors by longjmp. Every C function given to Lua therefore keeps nothing on its stack
// that needs a destructor: what must be owned lives in the virtual machine object.
#pragma once

extern "C" {
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
}

// These name lua_State without including lua.h.
extern "C" {
#include <lua-bitop.h>
#include <lua-cjson.h>
}

#include <cstdint>

namespace tandem {

// Numbers of Lua as integers of 64 bits: cut off towards zero, and what does not fit becomes what
// the processors that Redis runs on make of it, for its conversions leave that to them.

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
