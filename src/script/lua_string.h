// The functions of Lua's string library that can be made to run for ever or to exhaust the stack,
// with the same results: find, match, gmatch, gsub and rep.
#pragma once

struct lua_State;

namespace tandem {

// In the table on top of the stack.
void replace_string_functions(lua_State* lua);

}  // namespace tandem
