// How much memory the program uses, from the allocator and from the kernel. Reading costs some
// microseconds: for INFO and timers, not for commands on keys. Thread safe.
#pragma once

#include <cstdint>

#include "io/files.h"

namespace tandem {

struct MemoryFigures {
  int64_t used_bytes = 0;      // what the program asked for and holds
  int64_t active_bytes = 0;    // in pages that hold any of it
  int64_t mapped_bytes = 0;    // resident by the allocator's account
  int64_t resident_bytes = 0;  // by the kernel's
  int64_t system_bytes = 0;    // the machine's memory
};

// Without jemalloc (sanitizer builds) only the kernel's figures are known, and stand for the
// others.
MemoryFigures read_memory(Files& files);

// "jemalloc-5.3.0", or "libc".
const char* allocator_name();

// Gives unused pages back to the system (MEMORY PURGE).
void purge_memory();

}  // namespace tandem
