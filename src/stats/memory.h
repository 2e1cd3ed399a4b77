// How much memory the program uses, from the allocator and from the kernel. Reading costs some
// microseconds: for INFO and timers, not for commands on keys. Thread safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "io/files.h"

namespace tandem {

struct MemoryFigures {
  // What the program asked for and holds, each piece as large as the allocator's class for it. Room
  // that was never written into counts, and is not resident: with much of it (replies that wait)
  // this is more than resident_bytes.
  int64_t used_bytes = 0;
  int64_t active_bytes = 0;    // in pages that hold any of it
  int64_t mapped_bytes = 0;    // resident by the allocator's account
  int64_t resident_bytes = 0;  // by the kernel's
  int64_t system_bytes = 0;    // the machine's memory
};

// What the memory is used for, as far as it is known apart.
struct MemoryReport {
  MemoryFigures now;
  int64_t peak_bytes = 0;
  int64_t startup_bytes = 0;
  int64_t backlog_bytes = 0;
  int64_t clients_bytes = 0;
  int64_t replicas_bytes = 0;

  // All that is no data.
  int64_t overhead_bytes() const {
    return startup_bytes + backlog_bytes + clients_bytes + replicas_bytes;
  }
  int64_t dataset_bytes() const { return std::max<int64_t>(now.used_bytes - overhead_bytes(), 0); }
  // Since the start.
  int64_t grown_bytes() const { return std::max<int64_t>(now.used_bytes - startup_bytes, 0); }
};

// Without jemalloc (sanitizer builds) the kernel's figure stands for the pages'.
MemoryFigures read_memory(Files& files);

// MEMORY DOCTOR's answer: what is unusual about the use of memory, and what helps. Pure.
std::string memory_advice(const MemoryReport& report, int64_t clients, int64_t cached_scripts);

// What the allocator tells of itself: pages of text.
std::string allocator_report();

// "jemalloc-5.3.0", or "libc".
const char* allocator_name();

// Gives unused pages back to the system (MEMORY PURGE).
void purge_memory();

}  // namespace tandem
