// Lua 5.1's C headers.
//
// Lua reports errors by longjmp. Every C function given to Lua therefore keeps nothing on its stack
// that needs a destructor: what must be owned lives in the virtual machine object.
#pragma once

extern "C" {
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
}

// Names lua_State without including lua.h.
extern "C" {
#include <lua-cjson.h>
}
