// Numbers take the fewest bytes: an integer where the value is one, else four bytes of floating
// point where they hold it exactly, else eight. A table is an array if its keys are 1 to n.
#include <bit>
#include <cmath>

#include "script/lua_buffer.h"
#include "script/lua_headers.h"
#include "script/lua_interrupt.h"
#include "script/lua_msgpack.h"
#include "script/lua_number.h"
#include "script/msgpack_format.h"

namespace tandem {
namespace {

// A table deeper than that becomes nil.
constexpr int kNestingMax = 16;
constexpr int64_t kStepsPerValue = 10;

class Packer {
 public:
  Packer(lua_State* lua, LuaBuffer& out) : lua_(lua), out_(out), interrupt_(interrupt_of(lua)) {}

  // The value on top of the stack, which stays.
  void value(int depth) {
    luaL_checkstack(lua_, 4, "in function mp_encode_lua_type");
    count_steps(lua_, interrupt_, kStepsPerValue);
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING:
        return string();
      case LUA_TBOOLEAN:
        return code(lua_toboolean(lua_, -1) != 0 ? msgpack::kTrue : msgpack::kFalse);
      case LUA_TNUMBER:
        return number(lua_tonumber(lua_, -1));
      case LUA_TTABLE:
        return depth == kNestingMax ? code(msgpack::kNil) : table(depth);
      default:
        return code(msgpack::kNil);
    }
  }

 private:
  void code(uint64_t byte) { out_.add(static_cast<char>(byte)); }

  void coded(uint8_t type, uint64_t value, size_t bytes) {
    code(type);
    out_.add_big_endian(value, bytes);
  }

  void string() {
    size_t size = 0;
    const char* text = lua_tolstring(lua_, -1, &size);
    if (size <= msgpack::kFixStringMax) {
      code(msgpack::kFixString + size);
    } else if (size <= UINT8_MAX) {
      coded(msgpack::kString8, size, 1);
    } else {
      count(size, msgpack::kString8 + 1);
    }
    out_.add(Bytes(text, size));
  }

  // `type` with 16 bits, the next one with 32.
  void count(uint64_t count, uint8_t type) {
    if (count <= UINT16_MAX) return coded(type, count, 2);
    if (count > UINT32_MAX) luaL_error(lua_, "not enough memory");
    coded(type + 1, count, 4);
  }

  void number(double value) {
    if (value >= -kTwoTo63 && value < kTwoTo63 && std::trunc(value) == value) {
      return integer(static_cast<int64_t>(value));
    }
    const auto narrow = static_cast<float>(value);
    if (static_cast<double>(narrow) == value) {
      return coded(msgpack::kFloat, std::bit_cast<uint32_t>(narrow), 4);
    }
    coded(msgpack::kDouble, std::bit_cast<uint64_t>(value), 8);
  }

  void integer(int64_t value) {
    const auto bits = static_cast<uint64_t>(value);
    if (value >= -32 && value <= INT8_MAX) return code(bits & 0xff);
    const uint8_t type = value < 0 ? msgpack::kSigned : msgpack::kUnsigned;
    const auto fits = [&](int width) {
      return value < 0 ? value >= -(int64_t{1} << (width - 1)) : (bits >> width) == 0;
    };
    if (fits(8)) return coded(type, bits, 1);
    if (fits(16)) return coded(type + 1, bits, 2);
    if (fits(32)) return coded(type + 2, bits, 4);
    coded(type + 3, bits, 8);
  }

  void table(int depth) {
    double largest = 0;
    bool indexed = true;
    uint64_t entries = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      ++entries;
      lua_pop(lua_, 1);
      const double key = lua_type(lua_, -1) == LUA_TNUMBER ? lua_tonumber(lua_, -1) : 0;
      indexed = indexed && key >= 1 && std::trunc(key) == key;
      if (key > largest) largest = key;
    }
    indexed = indexed && largest == static_cast<double>(entries) && entries <= INT32_MAX;
    const auto type = indexed ? msgpack::kFixArray : msgpack::kFixMap;
    if (entries <= msgpack::kFixContainerMax) {
      code(type + entries);
    } else {
      count(entries, indexed ? msgpack::kArray16 : msgpack::kMap16);
    }
    indexed ? elements(static_cast<int>(entries), depth) : pairs(depth);
  }

  void elements(int count, int depth) {
    for (int i = 1; i <= count; ++i) {
      lua_rawgeti(lua_, -1, i);
      value(depth + 1);
      lua_pop(lua_, 1);
    }
  }

  void pairs(int depth) {
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      lua_pushvalue(lua_, -2);
      value(depth + 1);
      lua_pop(lua_, 1);
      value(depth + 1);
      lua_pop(lua_, 1);
    }
  }

  lua_State* lua_;
  LuaBuffer& out_;
  LuaInterrupt& interrupt_;
};

}  // namespace

int msgpack_pack(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count == 0) return luaL_argerror(lua, 0, "MessagePack pack needs input.");
  if (lua_checkstack(lua, count) == 0) {
    return luaL_argerror(lua, 0, "Too many arguments for MessagePack pack.");
  }
  LuaBuffer out(lua);
  Packer packer(lua, out);
  for (int i = 1; i <= count; ++i) {
    lua_pushvalue(lua, i);
    packer.value(0);
    lua_pop(lua, 1);
  }
  out.push_string();
  return 1;
}

}  // namespace tandem
