// Both directions recurse by nesting, and stop where Lua's own stack is full. Fields are read raw:
// no metamethod of a script runs while its result is written.
#include "script/lua/reply.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/number.h"
#include "script/lua/lua.h"

namespace tandem {
namespace {

void push_bytes(lua_State* lua, Bytes bytes) { lua_pushlstring(lua, bytes.data(), bytes.size()); }

void push_field(lua_State* lua, const char* name, Bytes bytes) {
  lua_createtable(lua, 0, 1);
  push_bytes(lua, bytes);
  lua_setfield(lua, -2, name);
}

class Pusher {
 public:
  Pusher(lua_State* lua, Bytes reply) : lua_(lua), rest_(reply) {}

  void value() {
    luaL_checkstack(lua_, 8, "reply is nested too deep");
    const char type = rest_[0];
    const Bytes text = line();
    switch (type) {
      case '+':
        return push_field(lua_, "ok", text);
      case '-':
        push_field(lua_, "err", text);
        lua_pushboolean(lua_, 1);
        return lua_setfield(lua_, -2, kFromCommand);
      case ':':
        return lua_pushnumber(lua_, static_cast<double>(parse_int64(text).value_or(0)));
      case '$':
        return text == "-1" ? lua_pushboolean(lua_, 0) : push_bytes(lua_, bulk(text));
      case '*':
      case '>':
        return text == "-1" ? lua_pushboolean(lua_, 0) : array(text);
      default:
        return resp3_value(type, text);
    }
  }

 private:
  Bytes line() {
    const size_t end = rest_.find('\r');
    const Bytes text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 2);
    return text;
  }
  Bytes bulk(Bytes length) {
    const auto size = static_cast<size_t>(parse_int64(length).value_or(0));
    const Bytes bytes = rest_.substr(0, size);
    rest_.remove_prefix(size + 2);
    return bytes;
  }
  static int count(Bytes text) { return static_cast<int>(parse_int64(text).value_or(0)); }

  void array(Bytes text) {
    const int elements = count(text);
    lua_createtable(lua_, elements, 0);
    for (int i = 1; i <= elements; ++i) {
      value();
      lua_rawseti(lua_, -2, i);
    }
  }

  void map(Bytes text) {
    const int pairs = count(text);
    lua_createtable(lua_, 0, 1);
    lua_createtable(lua_, 0, pairs);
    for (int i = 0; i < pairs; ++i) {
      value();
      value();
      store_pair();
    }
    lua_setfield(lua_, -2, "map");
  }

  void set(Bytes text) {
    const int members = count(text);
    lua_createtable(lua_, 0, 1);
    lua_createtable(lua_, 0, members);
    for (int i = 0; i < members; ++i) {
      value();
      lua_pushboolean(lua_, 1);
      store_pair();
    }
    lua_setfield(lua_, -2, "set");
  }

  // Key and value lie on the stack; nil cannot be a key.
  void store_pair() { lua_isnil(lua_, -2) ? lua_pop(lua_, 2) : lua_rawset(lua_, -3); }

  void verbatim(Bytes length) {
    const Bytes bytes = bulk(length);
    lua_createtable(lua_, 0, 1);
    lua_createtable(lua_, 0, 2);
    push_bytes(lua_, bytes.substr(4));
    lua_setfield(lua_, -2, "string");
    push_bytes(lua_, bytes.substr(0, 3));
    lua_setfield(lua_, -2, "format");
    lua_setfield(lua_, -2, "verbatim_string");
  }

  void resp3_value(char type, Bytes text) {
    switch (type) {
      case '%':
        return map(text);
      case '~':
        return set(text);
      case '#':
        return lua_pushboolean(lua_, text == "t" ? 1 : 0);
      case ',':
        lua_createtable(lua_, 0, 1);
        lua_pushnumber(lua_, text == "nan" ? NAN : parse_double(text).value_or(0));
        return lua_setfield(lua_, -2, "double");
      case '(':
        return push_field(lua_, "big_number", text);
      case '=':
        return verbatim(text);
      default:
        return lua_pushnil(lua_);
    }
  }

  lua_State* lua_;
  Bytes rest_;
};

Bytes string_at(lua_State* lua, int index) {
  size_t size = 0;
  const char* bytes = lua_tolstring(lua, index, &size);
  return Bytes(bytes, size);
}

class Writer {
 public:
  Writer(lua_State* lua, ReplyWriter& reply, int script_protocol)
      : lua_(lua), reply_(reply), script_protocol_(script_protocol) {}

  // Consumes the value on top of the stack.
  void value() {
    if (lua_checkstack(lua_, 6) == 0) {
      lua_pop(lua_, 1);
      return reply_.error("ERR reached lua stack limit");
    }
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING:
        reply_.bulk(string_at(lua_, -1));
        break;
      case LUA_TNUMBER:
        reply_.integer(to_integer(lua_tonumber(lua_, -1)));
        break;
      case LUA_TBOOLEAN:
        boolean(lua_toboolean(lua_, -1) != 0);
        break;
      case LUA_TTABLE:
        table();
        break;
      default:
        reply_.null();
    }
    lua_pop(lua_, 1);
  }

 private:
  void boolean(bool value) {
    if (script_protocol_ >= 3) return reply_.boolean(value);
    value ? reply_.integer(1) : reply_.null();
  }

  // Pushes the field of the table on top if it has the type; else pushes nothing.
  bool field(const char* name, int type) {
    lua_pushstring(lua_, name);
    lua_rawget(lua_, -2);
    if (lua_type(lua_, -1) == type) return true;
    lua_pop(lua_, 1);
    return false;
  }

  void table() {
    if (field("err", LUA_TSTRING)) {
      reply_.error(up_to_zero(string_at(lua_, -1)));
    } else if (field("ok", LUA_TSTRING)) {
      reply_.simple(up_to_zero(string_at(lua_, -1)));
    } else if (field("double", LUA_TNUMBER)) {
      reply_.number(lua_tonumber(lua_, -1));
    } else if (field("map", LUA_TTABLE)) {
      entries(true);
    } else if (field("set", LUA_TTABLE)) {
      entries(false);
    } else if (field("big_number", LUA_TSTRING)) {
      big_number();
    } else if (!field("verbatim_string", LUA_TTABLE)) {
      return array();
    } else if (!verbatim()) {
      lua_pop(lua_, 1);
      return array();
    }
    lua_pop(lua_, 1);
  }

  // Line ends become spaces.
  void big_number() {
    std::string digits(string_at(lua_, -1));
    std::ranges::replace_if(digits, [](char c) { return c == '\r' || c == '\n'; }, ' ');
    reply_.big_number(digits);
  }

  bool verbatim() {
    if (!field("string", LUA_TSTRING)) return false;
    const Bytes text = string_at(lua_, -1);
    lua_pop(lua_, 1);  // the table holds on to it
    if (!field("format", LUA_TSTRING)) return false;
    // Three characters, cut off or filled up with spaces.
    std::array<char, 3> shown = {' ', ' ', ' '};
    const Bytes format = string_at(lua_, -1);
    std::copy_n(format.data(), std::min(format.size(), shown.size()), shown.begin());
    reply_.verbatim(text, Bytes(shown.data(), shown.size()));
    lua_pop(lua_, 1);
    return true;
  }

  // The table on top, as a map or, of its keys, a set.
  void entries(bool as_map) {
    const ReplyWriter::Mark start = reply_.mark();
    int64_t count = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      ++count;
      lua_pushvalue(lua_, -2);
      value();
      if (as_map) {
        value();
      } else {
        lua_pop(lua_, 1);
      }
    }
    as_map ? reply_.end_map(start, count) : reply_.end_set(start, count);
  }

  void array() {
    const ReplyWriter::Mark start = reply_.begin_array();
    int count = 0;
    for (;; ++count) {
      lua_rawgeti(lua_, -1, count + 1);
      if (lua_isnil(lua_, -1)) break;
      value();
    }
    lua_pop(lua_, 1);
    reply_.end_array(start, count);
  }

  lua_State* lua_;
  ReplyWriter& reply_;
  int script_protocol_;
};

// Before the first other character, and after the last.
Bytes without_line_ends(Bytes text) {
  while (text.starts_with('\n') || text.starts_with('\r')) text.remove_prefix(1);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// Of the value on top.
bool is_error_of_command(lua_State* lua) {
  if (!lua_istable(lua, -1) || lua_checkstack(lua, 2) == 0) return false;
  lua_pushliteral(lua, "err");
  lua_rawget(lua, -2);
  lua_pushstring(lua, kFromCommand);
  lua_rawget(lua, -3);
  const bool marked = lua_type(lua, -2) == LUA_TSTRING && lua_toboolean(lua, -1) != 0;
  lua_pop(lua, 2);
  return marked;
}

}  // namespace

void push_reply(lua_State* lua, Bytes reply) { Pusher(lua, reply).value(); }

void push_error(lua_State* lua, Bytes text) {
  text = up_to_zero(text);
  Bytes code = "ERR ";
  const bool has_dash = text.starts_with('-');
  if (has_dash) text.remove_prefix(1);
  if (const size_t space = text.find(' '); has_dash && space != Bytes::npos) {
    code = text.substr(0, space + 1);
    text.remove_prefix(space + 1);
  }
  lua_createtable(lua, 0, 1);
  push_bytes(lua, code);
  push_bytes(lua, without_line_ends(text));
  lua_concat(lua, 2);
  lua_setfield(lua, -2, "err");
}

bool write_lua_value(lua_State* lua, ReplyWriter& reply, int script_protocol) {
  const bool passes_error_on = is_error_of_command(lua);
  Writer(lua, reply, script_protocol).value();
  return passes_error_on;
}

}  // namespace tandem
