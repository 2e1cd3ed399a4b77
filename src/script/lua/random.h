// math.random and math.randomseed: the 48-bit linear congruential generator of POSIX, beginning
// where Redis's does. It goes on from script to script; a script that wants the same sequence
// every time seeds it.
#pragma once

#include <cstdint>

struct lua_State;

namespace tandem {

class LuaRandom {
 public:
  void seed(uint32_t value) { state_ = (uint64_t{value} << 16) + 0x330e; }
  // 31 bits.
  uint32_t next() {
    state_ = (state_ * 0x5deece66d + 0xb) & 0xffffffffffff;
    return static_cast<uint32_t>(state_ >> 17);
  }

  // Replaces both functions in the table on top of the stack; this object outlives the state.
  void install(lua_State* lua);

 private:
  uint64_t state_ = 0x1234abcd330e;
};

}  // namespace tandem
