// What the allocator knows about memory in use: of the program in some ten microseconds, and of one
// thread at the price of two loads.
//
// Sanitizer builds have another allocator, which counts the program as well, but no single thread.
#pragma once

#include <cstdint>

namespace tandem {

// Bytes that the program asked for and holds, each piece as large as the allocator's class for it.
// Any thread.
int64_t allocated_bytes();

// What one thread has asked for more than it has given back since its start. That may be negative:
// it gives back what others asked for. The differences of all threads add up to the program's.
//
// Confined to that thread, from the first look on.
class ThreadAllocations {
 public:
#ifdef TANDEM_JEMALLOC
  static constexpr bool kAreCounted = true;
#else
  static constexpr bool kAreCounted = false;  // it always holds nothing
#endif
  int64_t held_bytes() {
    if (allocated_ == nullptr) [[unlikely]]
      find();
    return static_cast<int64_t>(*allocated_ - *freed_);
  }

 private:
  void find();

  const uint64_t* allocated_ = nullptr;
  const uint64_t* freed_ = nullptr;
};

}  // namespace tandem
