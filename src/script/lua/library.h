// What the code of a library sees while FUNCTION LOAD runs it: a `redis` with register_function,
// log and the constants about logging and versions, and no other global. The functions that it
// makes see the usual globals when they are called.
#pragma once

struct lua_State;

namespace tandem {

// Pushes that `redis`; `call_state` is a LuaCallState, whose `registered` takes what is registered.
void push_load_library(lua_State* lua, void* call_state);

}  // namespace tandem
