#include "script/lua/limits.h"

#include <algorithm>
#include <cstdlib>

#include "script/lua/lua.h"
#include "script/lua/reply.h"

namespace tandem {

void* LuaMemory::allocate(void* memory, void* block, size_t old_bytes, size_t new_bytes) {
  auto* self = static_cast<LuaMemory*>(memory);
  if (block == nullptr) old_bytes = 0;
  if (new_bytes == 0) {
    std::free(block);
    self->bytes_ -= old_bytes;
    return nullptr;
  }
  // Shrinking must never fail.
  const size_t room = self->bytes_max_ - std::min(self->bytes_, self->bytes_max_);
  const bool fits = new_bytes <= old_bytes || new_bytes - old_bytes <= room;
  if (!fits && self->lifted_ == 0) return nullptr;
  void* moved = std::realloc(block, new_bytes);
  if (moved != nullptr) self->bytes_ += new_bytes - old_bytes;
  return moved;
}

namespace {

constexpr const char* kInterruptKey = "tandem.interrupt";

void hook(lua_State* lua, lua_Debug*) { ask_watch(lua, interrupt_of(lua)); }

}  // namespace

void register_interrupt(lua_State* lua, LuaInterrupt& interrupt) {
  lua_pushlightuserdata(lua, &interrupt);
  lua_setfield(lua, LUA_REGISTRYINDEX, kInterruptKey);
}

LuaInterrupt& interrupt_of(lua_State* lua) {
  lua_getfield(lua, LUA_REGISTRYINDEX, kInterruptKey);
  auto* interrupt = static_cast<LuaInterrupt*>(lua_touserdata(lua, -1));
  lua_pop(lua, 1);
  return *interrupt;
}

void ask_watch(lua_State* lua, LuaInterrupt& interrupt) {
  interrupt.steps_left = LuaInterrupt::kStepsPerQuestion;
  if (interrupt.text == nullptr && interrupt.watch != nullptr) {
    interrupt.text = interrupt.watch->interruption();
  }
  raise_if_interrupted(lua);
}

void arm_interrupt(lua_State* lua) { lua_sethook(lua, hook, LUA_MASKCOUNT, kHookInstructions); }

void disarm_interrupt(lua_State* lua) { lua_sethook(lua, nullptr, 0, 0); }

void raise_if_interrupted(lua_State* lua) {
  const char* text = interrupt_of(lua).text;
  if (text == nullptr) return;
  lua_sethook(lua, hook, LUA_MASKLINE, 0);
  push_error(lua, text);
  lua_error(lua);
}

}  // namespace tandem
