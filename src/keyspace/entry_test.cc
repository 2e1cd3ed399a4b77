#include "keyspace/entry.h"

#include <cstdlib>
#include <memory>
#include <string>

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

// Beyond the bits of the header that all forms have for it.
TEST(Entry, AKeyMayBeLongerThan16Megabytes) {
  const std::string text(3, 'v');
  for (const size_t size :
       {(size_t{1} << 24) - 1, size_t{1} << 24, (size_t{1} << 24) + 5, (size_t{3} << 24) + 1000}) {
    const std::string key(size, 'k');
    Entry* entry = Entry::make_string(key, text, kNoExpiry);
    entry->set_use(0xabcdef);
    const auto expect = [&](Bytes value) {
      char digits[kInt64TextMax];
      ASSERT_EQ(entry->key(), key);
      EXPECT_EQ(entry->text(digits), value);
    };
    expect(text);
    EXPECT_EQ(entry->use(), 0xabcdefU);
    entry = entry->set_expiry(1000);
    expect(text);
    EXPECT_EQ(entry->expiry_ms(), 1000);
    entry = entry->set_integer(12);
    expect("12");
    entry = entry->set_expiry(kNoExpiry);
    expect("12");
    entry = entry->set_text(text);
    expect(text);
    char* data = nullptr;
    entry = entry->resize_text(4, data);
    expect(Bytes("vvv\0", 4));
    EXPECT_GE(entry->memory_bytes(), size);
    EXPECT_LT(entry->memory_bytes(), size + size / 4 + 4096);
    Entry::destroy(entry);
  }
}

}  // namespace
}  // namespace tandem
