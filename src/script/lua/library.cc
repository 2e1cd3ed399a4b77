// redis.register_function, in both of its forms. What it has read so far lies in the call state,
// for an error may leave it at any point.
#include "script/lua/library.h"

#include <algorithm>

#include "script/lua/lua.h"
#include "script/lua/redis.h"
#include "script/lua/reply.h"
#include "script/script_text.h"

namespace tandem {
namespace {

bool read_text(lua_State* lua, int index, std::string& text) {
  if (lua_isstring(lua, index) == 0) return false;
  size_t size = 0;
  const char* bytes = lua_tolstring(lua, index, &size);
  text.assign(bytes, size);
  return true;
}

// The list on top of the stack, up to its first hole. False: one of them is no flag.
bool read_flags(lua_State* lua, uint32_t& flags) {
  for (int i = 1;; ++i) {
    lua_rawgeti(lua, -1, i);
    const bool end = lua_isnil(lua, -1);
    // A number is no flag, and reads like none.
    const Bytes name = end || lua_type(lua, -1) != LUA_TSTRING ? "" : lua_tostring(lua, -1);
    lua_pop(lua, 1);
    if (end) return true;
    const auto known = std::ranges::find_if(kScriptFlagNames, [name](const ScriptFlagName& flag) {
      return equal_ignore_case(flag.name, name);
    });
    if (known == std::end(kScriptFlagNames)) return false;
    flags |= known->flag;
  }
}

// One named argument: its value is on top of the stack, its name below. A callback goes into the
// slot at index 2. Null, or what is wrong.
const char* read_named(lua_State* lua, LibraryFunction& function, bool& is_named) {
  if (lua_isstring(lua, -2) == 0) {
    return "named argument key given to redis.register_function is not a string";
  }
  const Bytes name = lua_type(lua, -2) == LUA_TSTRING ? lua_tostring(lua, -2) : "";
  if (equal_ignore_case(name, "function_name")) {
    is_named = true;
    if (read_text(lua, -1, function.name)) return nullptr;
    return "function_name argument given to redis.register_function must be a string";
  }
  if (equal_ignore_case(name, "description")) {
    if (read_text(lua, -1, function.description.emplace())) return nullptr;
    return "description argument given to redis.register_function must be a string";
  }
  if (equal_ignore_case(name, "callback")) {
    if (!lua_isfunction(lua, -1)) {
      return "callback argument given to redis.register_function must be a function";
    }
    lua_pushvalue(lua, -1);
    lua_replace(lua, 2);
    return nullptr;
  }
  if (equal_ignore_case(name, "flags")) {
    if (!lua_istable(lua, -1)) {
      return "flags argument to redis.register_function must be a table representing function "
             "flags";
    }
    return read_flags(lua, function.flags) ? nullptr : "unknown flag given";
  }
  return "unknown argument given to redis.register_function";
}

// Leaves the callback at index 2. Null, or what is wrong.
const char* read_table(lua_State* lua, LibraryFunction& function) {
  if (!lua_istable(lua, 1)) {
    return "calling redis.register_function with a single argument is only applicable to Lua table "
           "(representing named arguments).";
  }
  bool is_named = false;
  lua_settop(lua, 2);
  lua_pushnil(lua);
  while (lua_next(lua, 1) != 0) {
    if (const char* wrong = read_named(lua, function, is_named); wrong != nullptr) return wrong;
    lua_pop(lua, 1);
  }
  if (!is_named) return "redis.register_function must get a function name argument";
  if (lua_isnil(lua, 2)) return "redis.register_function must get a callback argument";
  return nullptr;
}

const char* read_pair(lua_State* lua, LibraryFunction& function) {
  if (!read_text(lua, 1, function.name)) {
    return "first argument to redis.register_function must be a string";
  }
  if (!lua_isfunction(lua, 2)) {
    return "second argument to redis.register_function must be a function";
  }
  return nullptr;
}

const char* read_function(lua_State* lua, LuaCallState& state) {
  if (state.registered == nullptr) {
    return "redis.register_function can only be called on FUNCTION LOAD command";
  }
  LibraryFunction& function = state.function;
  function = {};
  const int arguments = lua_gettop(lua);
  if (arguments < 1 || arguments > 2) {
    return "wrong number of arguments to redis.register_function";
  }
  const char* wrong = arguments == 1 ? read_table(lua, function) : read_pair(lua, function);
  if (wrong != nullptr) return wrong;
  if (!is_library_name(function.name)) return kNoLibraryName;
  const bool is_new = !state.registered->contains(function.name);
  return is_new ? nullptr : "Function already exists in the library";
}

int register_function(lua_State* lua) {
  LuaCallState& state = call_state_of(lua);
  if (const char* wrong = read_function(lua, state); wrong != nullptr) {
    push_error(lua, wrong);
    return lua_error(lua);
  }
  lua_settop(lua, 2);
  state.function.callback = luaL_ref(lua, LUA_REGISTRYINDEX);
  state.registered->emplace(state.function.name, state.function);
  return 0;
}

}  // namespace

void push_load_library(lua_State* lua, void* call_state) {
  lua_newtable(lua);
  lua_pushlightuserdata(lua, call_state);
  lua_pushcclosure(lua, register_function, 1);
  lua_setfield(lua, -2, "register_function");
  add_logging(lua, call_state);
  add_versions(lua);
}

}  // namespace tandem
