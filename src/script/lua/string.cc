#include <algorithm>

#include "script/lua/buffer.h"
#include "script/lua/libraries.h"
#include "script/lua/lua.h"
#include "script/lua/pattern.h"

namespace tandem {
namespace {

Bytes argument(lua_State* lua, int index) {
  size_t size = 0;
  const char* text = luaL_checklstring(lua, index, &size);
  return Bytes(text, size);
}

// Where to begin, from 0: argument `index` counts from 1, or backwards from the end if negative.
size_t start_argument(lua_State* lua, int index, size_t size) {
  const lua_Integer place = luaL_optinteger(lua, index, 1);
  const auto length = static_cast<lua_Integer>(size);
  const lua_Integer start = place < 0 ? place + length : place - 1;
  return static_cast<size_t>(std::clamp(start, lua_Integer{0}, length));
}

bool is_plain(Bytes pattern) {
  return pattern.substr(0, pattern.find('\0')).find_first_of("^$*+?.([%-") == Bytes::npos;
}

int find_plain(lua_State* lua, Bytes subject, Bytes text, size_t start) {
  const size_t found = subject.find(text, start);
  if (found == Bytes::npos) {
    lua_pushnil(lua);
    return 1;
  }
  lua_pushnumber(lua, static_cast<double>(found + 1));
  lua_pushnumber(lua, static_cast<double>(found + text.size()));
  return 2;
}

// string.find and string.match: (subject, pattern [, start [, plain]])
int search(lua_State* lua, bool wants_place) {
  const Bytes subject = argument(lua, 1);
  const Bytes text = argument(lua, 2);
  size_t start = start_argument(lua, 3, subject.size());
  if (wants_place && (lua_toboolean(lua, 4) != 0 || is_plain(text))) {
    return find_plain(lua, subject, text, start);
  }
  LuaPattern pattern(lua, subject, text);
  const bool anchored = pattern.take_anchor();
  for (; start <= subject.size(); ++start) {
    const size_t end = pattern.match(start);
    if (end != LuaPattern::kNoMatch) {
      if (!wants_place) return pattern.push_captures(start, end, true);
      lua_pushnumber(lua, static_cast<double>(start + 1));
      lua_pushnumber(lua, static_cast<double>(end));
      return 2 + pattern.push_captures(start, end, false);
    }
    if (anchored) break;
  }
  lua_pushnil(lua);
  return 1;
}

int find(lua_State* lua) { return search(lua, true); }
int match(lua_State* lua) { return search(lua, false); }

// Upvalues: subject, pattern, where to go on.
int next_match(lua_State* lua) {
  const Bytes subject = argument(lua, lua_upvalueindex(1));
  LuaPattern pattern(lua, subject, argument(lua, lua_upvalueindex(2)));
  auto start = static_cast<size_t>(lua_tonumber(lua, lua_upvalueindex(3)));
  for (; start <= subject.size(); ++start) {
    const size_t end = pattern.match(start);
    if (end == LuaPattern::kNoMatch) continue;
    // An empty match moves on too.
    lua_pushnumber(lua, static_cast<double>(end == start ? end + 1 : end));
    lua_replace(lua, lua_upvalueindex(3));
    return pattern.push_captures(start, end, true);
  }
  return 0;
}

// string.gmatch(subject, pattern)
int match_all(lua_State* lua) {
  luaL_checkstring(lua, 1);
  luaL_checkstring(lua, 2);
  lua_settop(lua, 2);
  lua_pushnumber(lua, 0);
  lua_pushcclosure(lua, next_match, 3);
  return 1;
}

// string.gsub's third argument, applied to a match.
class Replacement {
 public:
  Replacement(lua_State* lua, LuaPattern& pattern, LuaBuffer& out)
      : lua_(lua), pattern_(pattern), out_(out), type_(lua_type(lua, 3)) {}

  void add(Bytes subject, size_t start, size_t end) {
    if (type_ == LUA_TSTRING || type_ == LUA_TNUMBER) return add_template(start, end);
    if (type_ == LUA_TFUNCTION) {
      lua_pushvalue(lua_, 3);
      lua_call(lua_, pattern_.push_captures(start, end, true), 1);
    } else {
      pattern_.push_capture(0, start, end);
      lua_gettable(lua_, 3);
    }
    if (lua_toboolean(lua_, -1) == 0) {
      out_.add(subject.substr(start, end - start));  // the original stays
    } else if (lua_isstring(lua_, -1) != 0) {
      out_.add(argument(lua_, -1));
    } else {
      luaL_error(lua_, "invalid replacement value (a %s)", luaL_typename(lua_, -1));
    }
    lua_pop(lua_, 1);
  }

 private:
  void add_template(size_t start, size_t end) {
    const Bytes text = argument(lua_, 3);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        out_.add(text[i]);
        continue;
      }
      const char c = ++i < text.size() ? text[i] : '\0';
      if (c < '0' || c > '9') {
        out_.add(c);
      } else {
        add_capture(c, start, end);
      }
    }
  }

  // "%0" is the whole match, whatever captures there are.
  void add_capture(char digit, size_t start, size_t end) {
    if (digit == '0') {
      out_.add(argument(lua_, 1).substr(start, end - start));
      return;
    }
    pattern_.push_capture(static_cast<size_t>(digit - '1'), start, end);
    out_.add(argument(lua_, -1));
    lua_pop(lua_, 1);
  }

  lua_State* lua_;
  LuaPattern& pattern_;
  LuaBuffer& out_;
  int type_;
};

// string.gsub(subject, pattern, replacement [, most]) -> string, how many
int replace_all(lua_State* lua) {
  const Bytes subject = argument(lua, 1);
  const Bytes text = argument(lua, 2);
  const int type = lua_type(lua, 3);
  const auto most = luaL_optinteger(lua, 4, static_cast<lua_Integer>(subject.size()) + 1);
  luaL_argcheck(
      lua,
      type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
      "string/function/table expected");
  lua_settop(lua, 3);
  LuaBuffer out(lua);
  LuaPattern pattern(lua, subject, text);
  const bool anchored = pattern.take_anchor();
  Replacement replacement(lua, pattern, out);
  size_t start = 0;
  lua_Integer count = 0;
  while (count < most) {
    const size_t end = pattern.match(start);
    if (end != LuaPattern::kNoMatch) {
      ++count;
      replacement.add(subject, start, end);
    }
    if (end != LuaPattern::kNoMatch && end > start) {
      start = end;
    } else if (start < subject.size()) {
      out.add(subject[start++]);
    } else {
      break;
    }
    if (anchored) break;
  }
  out.add(subject.substr(start));
  out.push_string();
  lua_pushnumber(lua, static_cast<double>(count));
  return 2;
}

// string.rep(text, count)
int repeat(lua_State* lua) {
  const Bytes text = argument(lua, 1);
  const int count = luaL_checkint(lua, 2);
  LuaBuffer out(lua);
  if (!text.empty() && count > 0) out.reserve(text.size() * static_cast<size_t>(count));
  for (int i = 0; i < count && !text.empty(); ++i) out.add(text);
  out.push_string();
  return 1;
}

}  // namespace

void replace_string_functions(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {
      {"find", find},       {"match", match},      {"gmatch", match_all},
      {"gfind", match_all}, {"gsub", replace_all}, {"rep", repeat},
  };
  for (const luaL_Reg& function : kFunctions) {
    lua_pushcfunction(lua, function.func);
    lua_setfield(lua, -2, function.name);
  }
}

}  // namespace tandem
