// The `cmsgpack` library of scripts: values of Lua as MessagePack and back, in the very bytes and
// with the errors of Redis's library of that name.
#pragma once

struct lua_State;

namespace tandem {

// Pushes the library's table.
void push_msgpack_library(lua_State* lua);

// Functions of Lua.
int msgpack_pack(lua_State* lua);          // (value, ...) -> string
int msgpack_unpack(lua_State* lua);        // (string) -> every value
int msgpack_unpack_one(lua_State* lua);    // (string [, offset]) -> next offset or -1, value
int msgpack_unpack_limit(lua_State* lua);  // (string, count [, offset]) -> next offset or -1, ...

}  // namespace tandem
