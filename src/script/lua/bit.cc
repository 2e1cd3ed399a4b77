#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>

#include "script/lua/libraries.h"
#include "script/lua/lua.h"

namespace tandem {
namespace {

// Any number, taken modulo 2^32.
uint32_t argument(lua_State* lua, int index) {
  const double number = luaL_checknumber(lua, index);
  if (!std::isfinite(number)) return 0;
  const double wrapped = std::fmod(std::nearbyint(number), 4294967296.0);
  return static_cast<uint32_t>(static_cast<int64_t>(wrapped));
}

int result(lua_State* lua, uint32_t value) {
  lua_pushnumber(lua, static_cast<int32_t>(value));
  return 1;
}

int to_bit(lua_State* lua) { return result(lua, argument(lua, 1)); }
int bit_not(lua_State* lua) { return result(lua, ~argument(lua, 1)); }
int byte_swap(lua_State* lua) { return result(lua, __builtin_bswap32(argument(lua, 1))); }

template <class Operation>
int fold(lua_State* lua, Operation operation) {
  uint32_t value = argument(lua, 1);
  for (int i = lua_gettop(lua); i > 1; --i) value = operation(value, argument(lua, i));
  return result(lua, value);
}

int bit_and(lua_State* lua) {
  return fold(lua, [](uint32_t a, uint32_t b) { return a & b; });
}
int bit_or(lua_State* lua) {
  return fold(lua, [](uint32_t a, uint32_t b) { return a | b; });
}
int bit_xor(lua_State* lua) {
  return fold(lua, [](uint32_t a, uint32_t b) { return a ^ b; });
}

int shift_left(lua_State* lua) { return result(lua, argument(lua, 1) << (argument(lua, 2) & 31)); }
int shift_right(lua_State* lua) { return result(lua, argument(lua, 1) >> (argument(lua, 2) & 31)); }
int shift_arithmetic(lua_State* lua) {
  const auto value = static_cast<int32_t>(argument(lua, 1));
  return result(lua, static_cast<uint32_t>(value >> (argument(lua, 2) & 31)));
}
int rotate_left(lua_State* lua) {
  return result(lua, std::rotl(argument(lua, 1), static_cast<int>(argument(lua, 2) & 31)));
}
int rotate_right(lua_State* lua) {
  return result(lua, std::rotr(argument(lua, 1), static_cast<int>(argument(lua, 2) & 31)));
}

// bit.tohex(x [, digits]); a negative count means capital letters.
int to_hex(lua_State* lua) {
  uint32_t value = argument(lua, 1);
  auto digits = lua_isnone(lua, 2) ? 8 : static_cast<int32_t>(argument(lua, 2));
  const char* alphabet = digits < 0 ? "0123456789ABCDEF" : "0123456789abcdef";
  if (digits < 0) digits = digits < -8 ? 8 : -digits;
  if (digits > 8) digits = 8;
  char text[8];
  for (int i = digits; --i >= 0; value >>= 4) text[i] = alphabet[value & 15];
  lua_pushlstring(lua, text, static_cast<size_t>(digits));
  return 1;
}

}  // namespace

void push_bit_library(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {
      {"tobit", to_bit},      {"bnot", bit_not},       {"bswap", byte_swap},
      {"band", bit_and},      {"bor", bit_or},         {"bxor", bit_xor},
      {"lshift", shift_left}, {"rshift", shift_right}, {"arshift", shift_arithmetic},
      {"rol", rotate_left},   {"ror", rotate_right},   {"tohex", to_hex},
  };
  lua_createtable(lua, 0, static_cast<int>(std::size(kFunctions)));
  for (const luaL_Reg& function : kFunctions) {
    lua_pushcfunction(lua, function.func);
    lua_setfield(lua, -2, function.name);
  }
}

}  // namespace tandem
