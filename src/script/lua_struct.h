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
#pragma once

struct lua_State;

namespace tandem {

// Pushes the library's table.
void push_struct_library(lua_State* lua);

}  // namespace tandem
