// The `bit` library as Redis's scripts know it: operations on 32-bit integers, results signed.
#pragma once

struct lua_State;

namespace tandem {

// Pushes the library's table.
void push_bit_library(lua_State* lua);

}  // namespace tandem
