#include "script/lua/random.h"

#include <cmath>

#include "script/lua/lua.h"

namespace tandem {
namespace {

LuaRandom& self(lua_State* lua) {
  return *static_cast<LuaRandom*>(lua_touserdata(lua, lua_upvalueindex(1)));
}

int random_number(lua_State* lua) {
  constexpr uint32_t kMax = 0x7fffffff;
  const double fraction = static_cast<double>(self(lua).next() % kMax) / kMax;
  const int arguments = lua_gettop(lua);
  if (arguments == 0) {
    lua_pushnumber(lua, fraction);
    return 1;
  }
  if (arguments > 2) return luaL_error(lua, "wrong number of arguments");
  const auto low = arguments == 1 ? 1.0 : static_cast<double>(luaL_checkint(lua, 1));
  const auto high = static_cast<double>(luaL_checkint(lua, arguments));
  luaL_argcheck(lua, low <= high, arguments, "interval is empty");
  lua_pushnumber(lua, std::floor(fraction * (high - low + 1)) + low);
  return 1;
}

int random_seed(lua_State* lua) {
  self(lua).seed(static_cast<uint32_t>(luaL_checkint(lua, 1)));
  return 0;
}

}  // namespace

void LuaRandom::install(lua_State* lua) {
  lua_pushlightuserdata(lua, this);
  lua_pushcclosure(lua, random_number, 1);
  lua_setfield(lua, -2, "random");
  lua_pushlightuserdata(lua, this);
  lua_pushcclosure(lua, random_seed, 1);
  lua_setfield(lua, -2, "randomseed");
}

}  // namespace tandem
