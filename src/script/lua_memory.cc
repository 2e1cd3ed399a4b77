#include "script/lua_memory.h"

#include <cstdlib>

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
  if (new_bytes > old_bytes && new_bytes - old_bytes > self->bytes_max_ - self->bytes_) {
    return nullptr;
  }
  void* moved = std::realloc(block, new_bytes);
  if (moved != nullptr) self->bytes_ += new_bytes - old_bytes;
  return moved;
}

}  // namespace tandem
