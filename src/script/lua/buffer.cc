#include "script/lua/buffer.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "script/lua/lua.h"

namespace tandem {

LuaBuffer::LuaBuffer(lua_State* lua)
    : lua_(lua), bytes_(static_cast<char*>(lua_newuserdata(lua, kFirstBytes))) {
  slot_ = lua_gettop(lua);
}

// The old block is garbage from then on.
void LuaBuffer::grow(size_t more) {
  const size_t capacity = std::max(capacity_ * 2, size_ + more);
  auto* bytes = static_cast<char*>(lua_newuserdata(lua_, capacity));
  std::memcpy(bytes, bytes_, size_);
  lua_replace(lua_, slot_);
  bytes_ = bytes;
  capacity_ = capacity;
}

void LuaBuffer::reserve(size_t more) {
  if (more > capacity_ - size_) grow(more);
}

void LuaBuffer::add(Bytes bytes) {
  if (bytes.empty()) return;
  reserve(bytes.size());
  std::memcpy(bytes_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void LuaBuffer::add_big_endian(uint64_t value, size_t size) {
  for (size_t i = size; i > 0; --i) {
    add(i > sizeof value ? '\0' : static_cast<char>(value >> (8 * (i - 1))));
  }
}

void LuaBuffer::add_little_endian(uint64_t value, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    add(i >= sizeof value ? '\0' : static_cast<char>(value >> (8 * i)));
  }
}

void LuaBuffer::add_zeros(size_t count) {
  for (size_t i = 0; i < count; ++i) add('\0');
}

void LuaBuffer::push_string() const { lua_pushlstring(lua_, bytes_, size_); }

}  // namespace tandem
