// The `redis` library: call, pcall, error_reply, status_reply, sha1hex, log, setresp and their kin.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/number.h"
#include "script/script_host.h"

struct lua_State;

namespace tandem {

// What the library's functions work on. It owns what a C function must not own itself
// (script/lua/lua.h) and outlives the Lua state.
struct LuaCallState {
  ScriptHost* host = nullptr;  // null outside a run
  int protocol = 2;            // redis.setresp
  std::vector<Bytes> args;
  std::vector<std::array<char, kDoubleTextMax>> number_texts;
  std::string reply;
  std::string text;
};

// Pushes the library's table; `call_state` is a LuaCallState.
void push_redis_library(lua_State* lua, void* call_state);

}  // namespace tandem
