// Buffers that are used again and again keep their room for the next use, but only up to a limit:
// one large use must not cost its memory for ever.
#pragma once

#include <cstddef>

namespace tandem {

// Empties the buffer. If it has room for more than `kept_max` items (of a string: bytes), all of it
// is given back.
template <class Buffer>
void clear_and_keep(Buffer& buffer, size_t kept_max) {
  if (buffer.capacity() <= kept_max) [[likely]]
    return buffer.clear();
  Buffer().swap(buffer);
}

}  // namespace tandem
