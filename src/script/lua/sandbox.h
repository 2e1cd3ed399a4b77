// What of Lua a script gets, and that no script can change it for the next.
//
// The libraries are those that Redis gives (no io, os, debug, package; no bytecode). Every library
// table and the globals are seen through an empty proxy whose reads go to the real table and whose
// writes are errors; the few functions that look past metatables (next, pairs, rawset, rawget,
// setmetatable, table.insert) know the proxies.
#pragma once

struct lua_State;

namespace tandem {

class LuaRandom;

// Opens the libraries and the `bit`, `cjson`, `cmsgpack` and `struct` modules in a fresh state;
// `random` outlives it. May raise a Lua error. `push_redis` pushes the table of the redis library.
void open_sandbox(lua_State* lua, LuaRandom& random, void (*push_redis)(lua_State*, void*),
                  void* redis_argument);

// A second set of globals, which holds but the table on top of the stack, as `redis`; pops it.
// Reading a field that it lacks is an error. May raise a Lua error.
void add_load_globals(lua_State* lua);
// Which set all code sees from here on, what was made before included. Raises no Lua error.
void show_load_globals(lua_State* lua, bool on);

// Sets a global that scripts may change the content of, from the value on top of the stack; pops
// it.
void set_script_global(lua_State* lua, const char* name);

}  // namespace tandem
