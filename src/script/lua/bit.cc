// The guard runs in tohex's place, which it calls as a plain function from there, so that tohex
// still reports the script's line.
#include <algorithm>

#include "script/lua/libraries.h"
#include "script/lua/lua.h"

namespace tandem {
namespace {

constexpr lua_Integer kHexDigitsMax = 8;

// Upvalues: the library's tobit, which knows what integer it takes a number for, and its tohex.
int to_hex(lua_State* lua) {
  if (lua_isnumber(lua, 2) != 0) {
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_pushvalue(lua, 2);
    lua_call(lua, 1, 1);
    const lua_Integer digits = lua_tointeger(lua, -1);
    lua_pop(lua, 1);
    lua_pushinteger(lua, std::clamp(digits, -kHexDigitsMax, kHexDigitsMax));
    lua_replace(lua, 2);
  }
  return lua_tocfunction(lua, lua_upvalueindex(2))(lua);
}

}  // namespace

void guard_hex_digits(lua_State* lua) {
  lua_getfield(lua, -1, "tobit");
  lua_getfield(lua, -2, "tohex");
  lua_pushcclosure(lua, to_hex, 2);
  lua_setfield(lua, -2, "tohex");
}

}  // namespace tandem
