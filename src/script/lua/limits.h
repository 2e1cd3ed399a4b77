// What bounds a script: its memory, and its time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "script/script_host.h"

struct lua_State;

namespace tandem {

// An allocator for a Lua state that refuses to grow over a limit; Lua then raises "not enough
// memory".
class LuaMemory {
 public:
  explicit LuaMemory(size_t bytes_max) : bytes_max_(bytes_max) {}
  LuaMemory(const LuaMemory&) = delete;
  LuaMemory& operator=(const LuaMemory&) = delete;

  size_t bytes() const { return bytes_; }
  size_t bytes_max() const { return bytes_max_; }

  // For who cleans up what filled it: that takes a little, and nobody is there to hear an error.
  class Lifted {
   public:
    explicit Lifted(LuaMemory& memory) : memory_(memory) { ++memory_.lifted_; }
    ~Lifted() { --memory_.lifted_; }
    Lifted(const Lifted&) = delete;
    Lifted& operator=(const Lifted&) = delete;

   private:
    LuaMemory& memory_;
  };

  // Lua's lua_Alloc, with a LuaMemory as its first argument.
  static void* allocate(void* memory, void* block, size_t old_bytes, size_t new_bytes);

 private:
  const size_t bytes_max_;
  size_t bytes_ = 0;
  int lifted_ = 0;
};

// Ends a running script for good: no pcall and no coroutine of the script's holds it up.
//
// A hook asks the watch every kHookInstructions. Once it says to stop, the error is raised at every
// further line of that coroutine, and the functions that catch errors raise it anew in theirs.
struct LuaInterrupt {
  static constexpr int64_t kStepsPerQuestion = 1'000'000;

  ScriptWatch* watch = nullptr;
  const char* text = nullptr;  // why to stop, once it is so
  int64_t steps_left = kStepsPerQuestion;
};

// Once a state; may raise a Lua error. `interrupt` outlives the state.
void register_interrupt(lua_State* lua, LuaInterrupt& interrupt);

// Around a run.
void arm_interrupt(lua_State* lua);
void disarm_interrupt(lua_State* lua);

// Called where a script's error was caught.
void raise_if_interrupted(lua_State* lua);

// For functions in C that can run for long, where no hook is called: every so many steps of theirs
// (some nanoseconds each) the watch is asked here.
LuaInterrupt& interrupt_of(lua_State* lua);
void ask_watch(lua_State* lua, LuaInterrupt& interrupt);
inline void count_steps(lua_State* lua, LuaInterrupt& interrupt, int64_t steps) {
  if ((interrupt.steps_left -= steps) < 0) ask_watch(lua, interrupt);
}

}  // namespace tandem
