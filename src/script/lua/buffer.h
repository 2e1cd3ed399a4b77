// A growing run of bytes that lives in Lua's own memory: it counts towards the limit of scripts,
// and an error that is raised leaves nothing behind.
#pragma once

#include <cstddef>

#include "base/bytes.h"

struct lua_State;

namespace tandem {

class LuaBuffer {
 public:
  // Pushes the value that holds the bytes; it must stay where it is. One more slot of the stack
  // must be free while bytes are added. Raises a Lua error where memory ends, as add() does.
  explicit LuaBuffer(lua_State* lua);
  LuaBuffer(const LuaBuffer&) = delete;
  LuaBuffer& operator=(const LuaBuffer&) = delete;

  void add(Bytes bytes);
  void add(char byte) { add(Bytes(&byte, 1)); }
  // The lowest `size` bytes of `value`, the highest first; beyond its eight bytes are zeros.
  void add_big_endian(uint64_t value, size_t size);
  void add_little_endian(uint64_t value, size_t size);
  void add_zeros(size_t count);
  // Makes room for `more` bytes at once.
  void reserve(size_t more);

  size_t size() const { return size_; }
  // Pushes the bytes as a string.
  void push_string() const;

 private:
  static constexpr size_t kFirstBytes = 256;

  void grow(size_t more);

  lua_State* lua_;
  int slot_;
  char* bytes_;
  size_t size_ = 0;
  size_t capacity_ = kFirstBytes;
};

}  // namespace tandem
