#include "script/lua_msgpack.h"

#include "script/lua_headers.h"

namespace tandem {

void push_msgpack_library(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {
      {"pack", msgpack_pack},
      {"unpack", msgpack_unpack},
      {"unpack_one", msgpack_unpack_one},
      {"unpack_limit", msgpack_unpack_limit},
  };
  // What scripts may look up to learn which dialect it is.
  static constexpr struct {
    const char* name;
    const char* text;
  } kTexts[] = {
      {"_NAME", "cmsgpack"},
      {"_VERSION", "lua-cmsgpack 0.4.0"},
      {"_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"},
      {"_DESCRIPTION", "MessagePack C implementation for Lua"},
  };
  lua_createtable(lua, 0, 8);
  for (const luaL_Reg& function : kFunctions) {
    lua_pushcfunction(lua, function.func);
    lua_setfield(lua, -2, function.name);
  }
  for (const auto& text : kTexts) {
    lua_pushstring(lua, text.text);
    lua_setfield(lua, -2, text.name);
  }
}

}  // namespace tandem
