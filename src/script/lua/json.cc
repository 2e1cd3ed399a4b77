// The guard runs in the encoder's place with the encoder's own upvalue, so that the encoder, called
// as a plain function from there, still finds its settings and still reports the script's line.
#include <algorithm>

#include "base/bytes.h"
#include "script/lua/libraries.h"
#include "script/lua/limits.h"
#include "script/lua/lua.h"

namespace tandem {
namespace {

constexpr size_t kNumberBytesMax = 32;
constexpr size_t kLiteralBytes = 5;
constexpr size_t kEscapedBytes = 6;

// What the script has told the encoder.
struct Settings {
  int depth_max;
  // An array with holes has a null for each, unless it has more than `sparse_safe` places and more
  // than `sparse_ratio` of them (if that is not 0) for each element.
  double sparse_ratio;
  double sparse_safe;
};

// Adds up how long the text of a value can become.
class Estimate {
 public:
  Estimate(lua_State* lua, const Settings& settings)
      : lua_(lua), interrupt_(interrupt_of(lua)), settings_(settings) {}

  // The value on top of the stack, which stays.
  void add(int depth) {
    count_steps(lua_, interrupt_, 4);
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING:
        return add_string();
      case LUA_TNUMBER:
        return add_bytes(kNumberBytesMax);
      case LUA_TTABLE:
        return add_table(depth + 1);
      default:
        return add_bytes(kLiteralBytes);
    }
  }

 private:
  void add_bytes(size_t bytes) {
    total_ += bytes;
    if (total_ > kJsonBytesMax) luaL_error(lua_, "not enough memory");
  }

  // While it is written, the encoder wants room as if every character needed an escape.
  void add_string() {
    size_t size = 0;
    const char* text = lua_tolstring(lua_, -1, &size);
    count_steps(lua_, interrupt_, static_cast<int64_t>(size / 4));
    const auto escaped = static_cast<size_t>(std::ranges::count_if(Bytes(text, size), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == '/' || c == 0x7f;
    }));
    if (size > kJsonBytesMax / kEscapedBytes) luaL_error(lua_, "not enough memory");
    add_bytes(size + escaped * (kEscapedBytes - 1) + 2);
  }

  void add_table(int depth) {
    if (depth > settings_.depth_max || lua_checkstack(lua_, 4) == 0) {
      luaL_error(lua_, "Cannot serialise, excessive nesting (%d)", depth);
    }
    add_bytes(2);
    double elements = 0;
    double places = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      add(depth);
      lua_pop(lua_, 1);
      add_bytes(2);
      if (lua_type(lua_, -1) == LUA_TSTRING) {
        add_string();
      } else {
        add_bytes(kNumberBytesMax);
        places = std::max(places, lua_tonumber(lua_, -1));
      }
      ++elements;
    }
    add_holes(elements, places);
  }

  void add_holes(double elements, double places) {
    const bool sparse = settings_.sparse_ratio > 0 && places > settings_.sparse_safe &&
                        places > elements * settings_.sparse_ratio;
    if (sparse || places <= elements) return;
    constexpr double kMost = kJsonBytesMax;
    add_bytes(static_cast<size_t>(std::min(places - elements, kMost)) * kLiteralBytes);
  }

  lua_State* lua_;
  LuaInterrupt& interrupt_;
  Settings settings_;
  size_t total_ = 0;
};

// Upvalues: the encoder's settings, the encoder, and the functions that tell the settings.
int encode(lua_State* lua) {
  if (lua_gettop(lua) == 1) {
    lua_pushvalue(lua, lua_upvalueindex(3));
    lua_call(lua, 0, 1);
    lua_pushvalue(lua, lua_upvalueindex(4));
    lua_call(lua, 0, 3);
    const Settings settings = {.depth_max = static_cast<int>(lua_tointeger(lua, 2)),
                               .sparse_ratio = lua_tonumber(lua, 4),
                               .sparse_safe = lua_tonumber(lua, 5)};
    lua_settop(lua, 1);
    Estimate(lua, settings).add(0);
  }
  return lua_tocfunction(lua, lua_upvalueindex(2))(lua);
}

// Upvalues: the library's settings, its own function.
int make_another(lua_State* lua) {
  const int results = lua_tocfunction(lua, lua_upvalueindex(2))(lua);
  guard_json_encoder(lua);
  return results;
}

// Pushes the upvalue of the table's function, and the function.
void push_function(lua_State* lua, const char* name) {
  lua_getfield(lua, -1, name);
  if (lua_getupvalue(lua, -1, 1) == nullptr) lua_pushnil(lua);
  lua_insert(lua, -2);
}

}  // namespace

void guard_json_encoder(lua_State* lua) {
  push_function(lua, "encode");
  lua_getfield(lua, -3, "encode_max_depth");
  lua_getfield(lua, -4, "encode_sparse_array");
  lua_pushcclosure(lua, encode, 4);
  lua_setfield(lua, -2, "encode");
  push_function(lua, "new");
  lua_pushcclosure(lua, make_another, 2);
  lua_setfield(lua, -2, "new");
}

}  // namespace tandem
