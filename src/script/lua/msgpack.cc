#include <bit>
#include <climits>
#include <cmath>
#include <cstdint>

#include "base/bytes.h"
#include "script/lua/buffer.h"
#include "script/lua/libraries.h"
#include "script/lua/limits.h"
#include "script/lua/lua.h"

// MessagePack, as far as scripts know it: the specification without its binary and extension types.
//
//   value   = integer | float | string | array | map | nil | false | true
//   integer = 0x00..0x7f, 0xe0..0xff (itself, signed) | uint8 .. uint64 | int8 .. int64
//   string  = 0xa0..0xbf (5 bits of length) | str8 | str16 | str32, then the bytes
//   array   = 0x90..0x9f (4 bits of count) | array16 | array32, then the elements
//   map     = 0x80..0x8f (4 bits of count) | map16 | map32, then key and value in turn
//
// Numbers of several bytes have the highest first.

namespace tandem::msgpack {

inline constexpr uint8_t kFixMap = 0x80;
inline constexpr uint8_t kFixArray = 0x90;
inline constexpr uint8_t kFixString = 0xa0;
inline constexpr uint8_t kNil = 0xc0;
inline constexpr uint8_t kFalse = 0xc2;
inline constexpr uint8_t kTrue = 0xc3;
inline constexpr uint8_t kFloat = 0xca;
inline constexpr uint8_t kDouble = 0xcb;
inline constexpr uint8_t kUnsigned = 0xcc;  // and the next three: 1, 2, 4, 8 bytes
inline constexpr uint8_t kSigned = 0xd0;    // likewise
inline constexpr uint8_t kString8 = 0xd9;   // 16 and 32 bits follow
inline constexpr uint8_t kString32 = 0xdb;
inline constexpr uint8_t kArray16 = 0xdc;
inline constexpr uint8_t kArray32 = 0xdd;
inline constexpr uint8_t kMap16 = 0xde;
inline constexpr uint8_t kMap32 = 0xdf;
inline constexpr uint8_t kNegative = 0xe0;  // the least integer of one byte, -32

inline constexpr uint64_t kFixContainerMax = 15;
inline constexpr uint64_t kFixStringMax = 31;

}  // namespace tandem::msgpack

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

// Numbers take the fewest bytes: an integer where the value is one, else four bytes of floating
// point where they hold it exactly, else eight. A table is an array if its keys are 1 to n.

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

// Every byte is counted before it is read, and a count of elements claims no memory: only elements
// that are there do. Nesting ends where Lua's own stack is full.

namespace {

constexpr const char* kTooManyValues =
    "too many return values at once; use unpack_one or unpack_limit instead.";

class Unpacker {
 public:
  Unpacker(lua_State* lua, Bytes rest) : lua_(lua), rest_(rest) {}

  Bytes rest() const { return rest_; }

  // Pushes one value, or raises what is wrong.
  void value() {
    luaL_checkstack(lua_, 1, kTooManyValues);
    const auto type = static_cast<uint8_t>(take(1)[0]);
    if (type < msgpack::kFixMap || type >= msgpack::kNegative) {
      return lua_pushnumber(lua_, static_cast<int8_t>(type));
    }
    if (type < msgpack::kFixArray) return map(type - msgpack::kFixMap);
    if (type < msgpack::kFixString) return array(type - msgpack::kFixArray);
    if (type < msgpack::kNil) return string(type - msgpack::kFixString);
    if (type >= msgpack::kUnsigned && type < msgpack::kString8) return integer(type);
    coded(type);
  }

 private:
  Bytes take(uint64_t size) {
    if (size > rest_.size()) luaL_error(lua_, "Missing bytes in input.");
    const Bytes taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  uint64_t number(size_t bytes) {
    uint64_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }

  void coded(uint8_t type) {
    switch (type) {
      case msgpack::kNil:
        return lua_pushnil(lua_);
      case msgpack::kFalse:
      case msgpack::kTrue:
        return lua_pushboolean(lua_, type == msgpack::kTrue ? 1 : 0);
      case msgpack::kFloat:
        return lua_pushnumber(lua_, std::bit_cast<float>(static_cast<uint32_t>(number(4))));
      case msgpack::kDouble:
        return lua_pushnumber(lua_, std::bit_cast<double>(number(8)));
      case msgpack::kString8:
      case msgpack::kString8 + 1:
      case msgpack::kString32:
        return string(number(size_t{1} << (type - msgpack::kString8)));
      case msgpack::kArray16:
      case msgpack::kArray32:
        return array(number(type == msgpack::kArray16 ? 2 : 4));
      case msgpack::kMap16:
      case msgpack::kMap32:
        return map(number(type == msgpack::kMap16 ? 2 : 4));
      default:
        luaL_error(lua_, "Bad data format in input.");
    }
  }

  // 64 bits are read as signed, whatever the type says.
  void integer(uint8_t type) {
    if (type > msgpack::kSigned + 3) {
      luaL_error(lua_, "Bad data format in input.");
      return;
    }
    const size_t bytes = size_t{1} << (type & 3);
    uint64_t value = number(bytes);
    const auto unused = static_cast<int>(64 - 8 * bytes);
    if (type < msgpack::kSigned)
      return lua_pushnumber(lua_, static_cast<double>(static_cast<int64_t>(value)));
    value <<= unused;
    lua_pushnumber(lua_, static_cast<double>(static_cast<int64_t>(value) >> unused));
  }

  void string(uint64_t size) {
    const Bytes text = take(size);
    lua_pushlstring(lua_, text.data(), text.size());
  }

  void array(uint64_t count) {
    luaL_checkstack(lua_, 2, "in function mp_decode_to_lua_array");
    lua_newtable(lua_);
    for (uint64_t i = 1; i <= count; ++i) {
      lua_pushnumber(lua_, static_cast<double>(i));
      value();
      lua_rawset(lua_, -3);
    }
  }

  void map(uint64_t count) {
    lua_newtable(lua_);
    for (uint64_t i = 0; i < count; ++i) {
      value();
      value();
      lua_rawset(lua_, -3);
    }
  }

  lua_State* lua_;
  Bytes rest_;
};

// `count` 0 at offset 0: everything, and no next offset before it.
int unpack(lua_State* lua, lua_Integer count, lua_Integer offset) {
  size_t size = 0;
  const char* text = luaL_checklstring(lua, 1, &size);
  const auto shown = static_cast<int>(size);
  if (offset < 0 || count < 0) {
    return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.",
                      static_cast<int>(offset), shown);
  }
  if (static_cast<size_t>(offset) > size) {
    return luaL_error(lua, "Start offset %d greater than input length %d.",
                      static_cast<int>(offset), shown);
  }
  const bool all = count == 0 && offset == 0;
  Unpacker unpacker(lua, Bytes(text, size).substr(static_cast<size_t>(offset)));
  lua_settop(lua, 1);
  const lua_Integer values_max = all ? INT_MAX : count;
  for (lua_Integer i = 0; i < values_max && !unpacker.rest().empty(); ++i) unpacker.value();
  if (!all) {
    luaL_checkstack(lua, 1, "in function mp_unpack_full");
    const Bytes rest = unpacker.rest();
    lua_pushnumber(lua, rest.empty() ? -1 : static_cast<double>(size - rest.size()));
    lua_insert(lua, 2);
  }
  return lua_gettop(lua) - 1;
}

}  // namespace

int msgpack_unpack(lua_State* lua) { return unpack(lua, 0, 0); }

int msgpack_unpack_one(lua_State* lua) { return unpack(lua, 1, luaL_optinteger(lua, 2, 0)); }

int msgpack_unpack_limit(lua_State* lua) {
  const lua_Integer count = luaL_checkinteger(lua, 2);
  return unpack(lua, count, luaL_optinteger(lua, 3, 0));
}

}  // namespace tandem
