#include "base/allocation.h"

#ifdef TANDEM_JEMALLOC
#include <jemalloc/jemalloc.h>
#else
#include <sanitizer/allocator_interface.h>
#endif

#include "base/check.h"

namespace tandem {

#ifdef TANDEM_JEMALLOC

namespace {

const uint64_t* counter(const char* name) {
  uint64_t* found = nullptr;
  size_t size = sizeof(found);
  CHECK(::mallctl(name, static_cast<void*>(&found), &size, nullptr, 0) == 0,
        "the allocator counts by threads");
  return found;
}

int64_t figure(const char* name) {
  size_t bytes = 0;
  size_t size = sizeof(bytes);
  return ::mallctl(name, &bytes, &size, nullptr, 0) == 0 ? static_cast<int64_t>(bytes) : 0;
}

}  // namespace

// What threads keep at hand for their next allocations counts as allocated there, though nobody has
// it. Before the first thread's there is none, and the figure is missing.
int64_t allocated_bytes() {
  uint64_t epoch = 1;
  size_t size = sizeof(epoch);
  ::mallctl("epoch", &epoch, &size, &epoch, size);
  const int64_t kept =
      figure("stats.arenas.4096.tcache_bytes") + figure("stats.arenas.4096.tcache_stashed_bytes");
  return figure("stats.allocated") - kept;
}

void ThreadAllocations::find() {
  allocated_ = counter("thread.allocatedp");
  freed_ = counter("thread.deallocatedp");
}

#else

int64_t allocated_bytes() {
  return static_cast<int64_t>(__sanitizer_get_current_allocated_bytes());
}

void ThreadAllocations::find() {
  static constexpr uint64_t kNone = 0;
  allocated_ = freed_ = &kNone;
}

#endif

}  // namespace tandem
