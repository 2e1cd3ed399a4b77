// The libraries of scripts that are no classes, and the guards of those that others wrote: each has
// its own .cc, and one function here that brings it into a Lua state.
#pragma once

#include <cstddef>

struct lua_State;

namespace tandem {

// Keeps bit.tohex within its buffer: asked for -2^31 digits, the library writes far past its end.

// In the library's table on top of the stack.
void guard_hex_digits(lua_State* lua);

// Keeps cjson.encode within bounds: its text grows outside Lua's memory, where nothing else limits
// it, and a few tables that hold each other many times are a text without end.

// A text that might become longer than that is refused with "not enough memory".
inline constexpr size_t kJsonBytesMax = size_t{512} << 20;

// In the library's table on top of the stack.
void guard_json_encoder(lua_State* lua);

// The `cmsgpack` library of scripts: values of Lua as MessagePack and back, in the very bytes and
// with the errors of Redis's library of that name.

// Pushes the library's table.
void push_msgpack_library(lua_State* lua);

// Functions of Lua.
int msgpack_pack(lua_State* lua);          // (value, ...) -> string
int msgpack_unpack(lua_State* lua);        // (string) -> every value
int msgpack_unpack_one(lua_State* lua);    // (string [, offset]) -> next offset or -1, value
int msgpack_unpack_limit(lua_State* lua);  // (string, count [, offset]) -> next offset or -1, ...

// The `struct` library of scripts: numbers and strings as packed bytes by a format, and back, as
// the Lua library of that name does (Redis gives it to scripts).
//
//   > <        big and little endian, from there on (little at first)
//   ! [n]      the largest alignment, a power of 2 (8 without n; 1 at first)
//   b B        one byte, signed and unsigned; h H: two; l L T: eight
//   i I [n]    n bytes, 1 to 32 (4 without n)
//   f d        floating point of four and eight bytes
//   c [n]      n bytes of a string (1 without n); c0 packs all of it and unpacks as many as the
//              number before says
//   s          a string up to its zero byte
//   x          a zero byte; a space: nothing

// Pushes the library's table.
void push_struct_library(lua_State* lua);

// The functions of Lua's string library that can be made to run for ever or to exhaust the stack,
// with the same results: find, match, gmatch, gsub and rep.

// In the table on top of the stack.
void replace_string_functions(lua_State* lua);

}  // namespace tandem
