// Keeps cjson.encode within bounds: its text grows outside Lua's memory, where nothing else limits
// it, and a few tables that hold each other many times are a text without end.
#pragma once

#include <cstddef>

struct lua_State;

namespace tandem {

// A text that might become longer than that is refused with "not enough memory".
inline constexpr size_t kJsonBytesMax = size_t{512} << 20;

// In the library's table on top of the stack.
void guard_json_encoder(lua_State* lua);

}  // namespace tandem
