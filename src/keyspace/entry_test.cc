#include "keyspace/entry.h"

#include <cstdlib>
#include <memory>

#include <gtest/gtest.h>
#include <malloc.h>

namespace tandem {
namespace {

size_t bytes_of(Bytes key, Bytes text, int64_t expiry_ms = kNoExpiry) {
  const std::unique_ptr<Entry, void (*)(Entry*)> entry(Entry::make_string(key, text, expiry_ms),
                                                       Entry::destroy);
  return entry->memory_bytes();
}

// What the allocator takes for so many bytes.
size_t allocated(size_t bytes) {
  const std::unique_ptr<void, void (*)(void*)> memory(std::malloc(bytes), std::free);
  return malloc_usable_size(memory.get());
}

// memory_bytes() counts all that an entry owns, so these are one allocation each.
TEST(Entry, AKeyWithAShortValueIsOneAllocation) {
  EXPECT_EQ(bytes_of("a key of 16 byte", "8 bytes!"), allocated(32));
  EXPECT_EQ(bytes_of("a key of 16 byte", "12345678"), allocated(32)) << "an integer";
  EXPECT_EQ(bytes_of("a key of 16 byte", "8 bytes!", 1000), allocated(40)) << "with an expiry";
#ifdef TANDEM_JEMALLOC
  EXPECT_EQ(allocated(32), 32U);
#endif
}

}  // namespace
}  // namespace tandem
