// Registry of the state: kRealGlobals holds the real table of globals, kLoadGlobals that of what
// loads a library; the one proxy of globals shows either. kProxies maps each proxy to its real
// table, kSealed is the one metatable that scripts get to see, itself a proxy of an empty
// table.
#include "script/lua/sandbox.h"

#include "script/lua/buffer.h"
#include "script/lua/libraries.h"
#include "script/lua/limits.h"
#include "script/lua/lua.h"
#include "script/lua/random.h"

namespace tandem {
namespace {

constexpr const char* kRealGlobals = "tandem.globals";
constexpr const char* kLoadGlobals = "tandem.load_globals";
constexpr const char* kProxies = "tandem.proxies";
constexpr const char* kSealed = "tandem.sealed";
constexpr int64_t kStepsPerMove = 10;
constexpr const char* kReadOnly = "Attempt to modify a readonly table";

// ---- Functions that know the proxies ----

// Replaces a proxy at `index` by its real table. False: it was none.
bool unwrap(lua_State* lua, int index) {
  if (lua_type(lua, index) != LUA_TTABLE) return false;
  lua_getfield(lua, LUA_REGISTRYINDEX, kProxies);
  lua_pushvalue(lua, index);
  lua_rawget(lua, -2);
  const bool found = !lua_isnil(lua, -1);
  if (found) lua_replace(lua, index);
  lua_pop(lua, found ? 1 : 2);
  return found;
}

int refuse_write(lua_State* lua) { return luaL_error(lua, kReadOnly); }

// Without a position, as a function of the language itself reports it.
int refuse_raw_write(lua_State* lua) {
  lua_pushstring(lua, kReadOnly);
  return lua_error(lua);
}

int missing_global(lua_State* lua) {
  return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'",
                    lua_isstring(lua, 2) != 0 ? lua_tostring(lua, 2) : luaL_typename(lua, 2));
}

int next_entry(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  unwrap(lua, 1);
  if (lua_next(lua, 1) != 0) return 2;
  lua_pushnil(lua);
  return 1;
}

int next_plain_entry(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  if (lua_next(lua, 1) != 0) return 2;
  lua_pushnil(lua);
  return 1;
}

// The real table never leaves: a proxy is walked by the function that looks through it.
int pairs(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 1);
  lua_pushvalue(lua, 1);
  const bool proxy = unwrap(lua, 2);
  lua_pushcfunction(lua, proxy ? next_entry : next_plain_entry);
  lua_pushvalue(lua, 1);
  lua_pushnil(lua);
  return 3;
}

int raw_get(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  unwrap(lua, 1);
  lua_rawget(lua, 1);
  return 1;
}

int raw_set(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  luaL_checkany(lua, 3);
  lua_settop(lua, 3);
  if (unwrap(lua, 1)) return refuse_raw_write(lua);
  lua_rawset(lua, 1);
  return 1;
}

int set_metatable(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int type = lua_type(lua, 2);
  luaL_argcheck(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
  if (unwrap(lua, 1)) return refuse_raw_write(lua);
  if (luaL_getmetafield(lua, 1, "__metatable") != 0) {
    return luaL_error(lua, "cannot change a protected metatable");
  }
  lua_settop(lua, 2);
  lua_setmetatable(lua, 1);
  return 1;
}

// table.insert(t, [position,] value)
int table_insert(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int arguments = lua_gettop(lua);
  if (arguments != 2 && arguments != 3) {
    return luaL_error(lua, "wrong number of arguments to 'insert'");
  }
  const auto size = static_cast<int>(lua_objlen(lua, 1));
  const int position = arguments == 2 ? size + 1 : luaL_checkint(lua, 2);
  lua_pushvalue(lua, 1);
  const bool proxy = unwrap(lua, arguments + 1);
  lua_settop(lua, arguments);
  if (proxy) return refuse_raw_write(lua);
  LuaInterrupt& interrupt = interrupt_of(lua);
  for (int i = size + 1; i > position; --i) {
    count_steps(lua, interrupt, kStepsPerMove);
    lua_rawgeti(lua, 1, i - 1);
    lua_rawseti(lua, 1, i);
  }
  lua_rawseti(lua, 1, position);
  return 0;
}

// As lua_pcall, but an error table of redis.call arrives as its text, which scripts have always
// relied on.
int protected_call(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0) == 0) {
    lua_pushboolean(lua, 1);
    lua_insert(lua, 1);
    return lua_gettop(lua);
  }
  raise_if_interrupted(lua);
  if (lua_istable(lua, -1)) {
    lua_getfield(lua, -1, "err");
    if (lua_isstring(lua, -1) != 0) {
      lua_replace(lua, -2);
    } else {
      lua_pop(lua, 1);
    }
  }
  lua_pushboolean(lua, 0);
  lua_insert(lua, -2);
  return 2;
}

// The language's own function (upvalue 1) that catches errors: not that of an interruption.
int catching(lua_State* lua) {
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, LUA_MULTRET);
  raise_if_interrupted(lua);
  return lua_gettop(lua);
}

// ---- Compiling inside scripts: text only, for crafted bytecode can do anything ----

int compile(lua_State* lua, const char* text, size_t size, const char* name) {
  if (size > 0 && text[0] == LUA_SIGNATURE[0]) {
    lua_pushnil(lua);
    lua_pushliteral(lua, "bytecode is not allowed");
    return 2;
  }
  if (luaL_loadbuffer(lua, text, size, name) == 0) return 1;
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

int load_string(lua_State* lua) {
  size_t size = 0;
  const char* text = luaL_checklstring(lua, 1, &size);
  return compile(lua, text, size, luaL_optstring(lua, 2, text));
}

// load(function): its pieces are gathered first. An error in between is an answer too.
int load_pieces(lua_State* lua) {
  const char* name = luaL_optstring(lua, 2, "=(load)");
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  lua_settop(lua, 2);
  LuaBuffer pieces(lua);
  for (;;) {
    lua_pushvalue(lua, 1);
    const int status = lua_pcall(lua, 0, 1, 0);
    raise_if_interrupted(lua);
    size_t size = 0;
    if (status == 0 && lua_isnil(lua, -1)) break;
    const char* piece = lua_tolstring(lua, -1, &size);
    if (status != 0 || piece == nullptr) {
      if (status == 0) lua_pushliteral(lua, "reader function must return a string");
      lua_pushnil(lua);
      lua_insert(lua, -2);
      return 2;
    }
    if (size == 0) break;
    pieces.add(Bytes(piece, size));
    lua_pop(lua, 1);
  }
  pieces.push_string();
  size_t size = 0;
  const char* text = lua_tolstring(lua, -1, &size);
  return compile(lua, text, size, name);
}

// ---- Building the sandbox ----

void open_library(lua_State* lua, const char* name, lua_CFunction open) {
  lua_pushcfunction(lua, open);
  lua_pushstring(lua, name);
  lua_call(lua, 1, 0);
}

void set_function(lua_State* lua, const char* name, lua_CFunction function) {
  lua_pushcfunction(lua, function);
  lua_setfield(lua, -2, name);
}

void catch_less(lua_State* lua, const char* name) {
  lua_getfield(lua, -1, name);
  lua_pushcclosure(lua, catching, 1);
  lua_setfield(lua, -2, name);
}

// Replaces the real table on top by a proxy of it.
void make_proxy(lua_State* lua) {
  lua_newtable(lua);                               // real proxy
  lua_getfield(lua, LUA_REGISTRYINDEX, kProxies);  // real proxy proxies
  lua_pushvalue(lua, -2);
  lua_pushvalue(lua, -4);
  lua_rawset(lua, -3);  // proxies[proxy] = real
  lua_pop(lua, 1);
  lua_createtable(lua, 0, 3);  // real proxy meta
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_write);
  lua_setfield(lua, -2, "__newindex");
  lua_getfield(lua, LUA_REGISTRYINDEX, kSealed);
  if (lua_isnil(lua, -1)) {  // this very proxy becomes the sealed one
    lua_pop(lua, 1);
    lua_pushvalue(lua, -2);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, LUA_REGISTRYINDEX, kSealed);
  }
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_remove(lua, -2);
}

// Reading what the table on top lacks is an error from here on.
void refuse_missing(lua_State* lua) {
  lua_createtable(lua, 0, 1);
  lua_pushcfunction(lua, missing_global);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
}

void replace_base_functions(lua_State* lua) {
  set_function(lua, "next", next_entry);
  set_function(lua, "pairs", pairs);
  set_function(lua, "rawget", raw_get);
  set_function(lua, "rawset", raw_set);
  set_function(lua, "setmetatable", set_metatable);
  set_function(lua, "pcall", protected_call);
  catch_less(lua, "xpcall");
  set_function(lua, "loadstring", load_string);
  set_function(lua, "load", load_pieces);
  static constexpr const char* kRemoved[] = {"print",   "dofile",  "loadfile", "newproxy",
                                             "getfenv", "setfenv", "module",   "require"};
  for (const char* name : kRemoved) {
    lua_pushnil(lua);
    lua_setfield(lua, -2, name);
  }
}

// Every library of the real globals on top becomes a proxy.
void wrap_libraries(lua_State* lua) {
  static constexpr const char* kLibraries[] = {"string", "table",    "math",   "coroutine", "bit",
                                               "cjson",  "cmsgpack", "struct", "redis"};
  for (const char* name : kLibraries) {
    lua_getfield(lua, -1, name);
    make_proxy(lua);
    lua_setfield(lua, -2, name);
  }
  // ("x"):rep(2) looks into the metatable of strings, which nobody else needs to see.
  lua_pushliteral(lua, "");
  if (lua_getmetatable(lua, -1) != 0) {
    lua_getfield(lua, LUA_REGISTRYINDEX, kSealed);
    lua_setfield(lua, -2, "__metatable");
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
}

}  // namespace

void open_sandbox(lua_State* lua, LuaRandom& random, void (*push_redis)(lua_State*, void*),
                  void* redis_argument) {
  open_library(lua, "", luaopen_base);
  open_library(lua, LUA_TABLIBNAME, luaopen_table);
  open_library(lua, LUA_STRLIBNAME, luaopen_string);
  open_library(lua, LUA_MATHLIBNAME, luaopen_math);
  lua_newtable(lua);
  lua_setfield(lua, LUA_REGISTRYINDEX, kProxies);
  lua_newtable(lua);
  make_proxy(lua);
  lua_pop(lua, 1);

  lua_pushvalue(lua, LUA_GLOBALSINDEX);
  lua_pushcfunction(lua, luaopen_cjson);
  lua_call(lua, 0, 1);
  guard_json_encoder(lua);
  lua_setfield(lua, -2, "cjson");
  lua_pushcfunction(lua, luaopen_bit);
  lua_call(lua, 0, 1);
  guard_hex_digits(lua);
  lua_setfield(lua, -2, "bit");
  push_msgpack_library(lua);
  lua_setfield(lua, -2, "cmsgpack");
  push_struct_library(lua);
  lua_setfield(lua, -2, "struct");
  push_redis(lua, redis_argument);
  lua_setfield(lua, -2, "redis");
  lua_getfield(lua, -1, "math");
  random.install(lua);
  lua_pop(lua, 1);
  lua_getfield(lua, -1, "table");
  set_function(lua, "insert", table_insert);
  lua_pop(lua, 1);
  lua_getfield(lua, -1, "string");
  replace_string_functions(lua);
  lua_pop(lua, 1);
  replace_base_functions(lua);
  lua_getfield(lua, -1, LUA_COLIBNAME);
  catch_less(lua, "resume");
  lua_pop(lua, 1);
  wrap_libraries(lua);

  // Unlike for a field of a library.
  refuse_missing(lua);
  lua_pushvalue(lua, -1);
  lua_setfield(lua, LUA_REGISTRYINDEX, kRealGlobals);
  lua_pushvalue(lua, -1);
  make_proxy(lua);
  lua_pushvalue(lua, -1);
  lua_replace(lua, LUA_GLOBALSINDEX);
  lua_setfield(lua, -2, "_G");
  lua_pop(lua, 1);
}

void add_load_globals(lua_State* lua) {
  refuse_missing(lua);
  make_proxy(lua);
  lua_createtable(lua, 0, 1);
  lua_insert(lua, -2);
  lua_setfield(lua, -2, "redis");
  refuse_missing(lua);
  lua_setfield(lua, LUA_REGISTRYINDEX, kLoadGlobals);
}

// All texts in it are there already, so nothing is allocated.
void show_load_globals(lua_State* lua, bool on) {
  lua_getmetatable(lua, LUA_GLOBALSINDEX);
  lua_getfield(lua, LUA_REGISTRYINDEX, on ? kLoadGlobals : kRealGlobals);
  lua_setfield(lua, -2, "__index");
  lua_pop(lua, 1);
}

void set_script_global(lua_State* lua, const char* name) {
  lua_getfield(lua, LUA_REGISTRYINDEX, kRealGlobals);
  lua_insert(lua, -2);
  lua_setfield(lua, -2, name);
  lua_pop(lua, 1);
}

}  // namespace tandem
