// An allocator for a Lua state that refuses to grow over a limit; Lua then raises "not enough
// memory".
#pragma once

#include <cstddef>

namespace tandem {

class LuaMemory {
 public:
  explicit LuaMemory(size_t bytes_max) : bytes_max_(bytes_max) {}
  LuaMemory(const LuaMemory&) = delete;
  LuaMemory& operator=(const LuaMemory&) = delete;

  size_t bytes() const { return bytes_; }
  size_t bytes_max() const { return bytes_max_; }

  // Lua's lua_Alloc, with a LuaMemory as its first argument.
  static void* allocate(void* memory, void* block, size_t old_bytes, size_t new_bytes);

 private:
  const size_t bytes_max_;
  size_t bytes_ = 0;
};

}  // namespace tandem
