// Every byte is counted before it is read, and a count of elements claims no memory: only elements
// that are there do. Nesting ends where Lua's own stack is full.
#include <bit>
#include <climits>

#include "base/bytes.h"
#include "script/lua_headers.h"
#include "script/lua_msgpack.h"
#include "script/msgpack_format.h"

namespace tandem {
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
