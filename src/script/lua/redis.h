// The `redis` library: call, pcall, error_reply, status_reply, sha1hex, log, setresp and their kin.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/number.h"
#include "script/function_library.h"
#include "script/script_host.h"

struct lua_State;

namespace tandem {

// What the library's functions work on. It owns what a C function must not own itself
// (script/lua/lua.h) and outlives the Lua state.
struct LuaCallState {
  using Registered = std::map<std::string, LibraryFunction, std::less<>>;

  ScriptHost* host = nullptr;  // null outside a run
  int protocol = 2;            // redis.setresp
  std::vector<Bytes> args;
  std::vector<std::array<char, kDoubleTextMax>> number_texts;
  std::string reply;
  std::string text;
  Registered* registered = nullptr;  // null unless a library of functions is being loaded
  LibraryFunction function;          // that is about to be registered
};

// Pushes the library's table; `call_state` is a LuaCallState. A function sees less of it than a
// script.
void push_redis_library(lua_State* lua, void* call_state);
void push_redis_library_of_functions(lua_State* lua, void* call_state);

// Parts of it, into the table on top of the stack: log with its levels, and the versions.
void add_logging(lua_State* lua, void* call_state);
void add_versions(lua_State* lua);

// In a function of C that has the state as its first upvalue, as all of the library have.
LuaCallState& call_state_of(lua_State* lua);

}  // namespace tandem
