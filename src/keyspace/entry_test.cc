#include "keyspace/entry.h"

#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <malloc.h>

#include "base/random.h"
#include "data/hash.h"

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

Hash small_hash(int fields) {
  Hash hash;
  for (int i = 0; i < fields; ++i) hash.set("field" + std::to_string(i), "some text", {});
  return hash;
}

TEST(Entry, AKeyWithASmallHashIsOneAllocation) {
  const size_t listpack = small_hash(5).listpack()->bytes().size();
  for (const int64_t expiry_ms : {kNoExpiry, int64_t{1000}}) {
    Entry* entry = Entry::make("a key", Value(std::make_unique<Hash>(small_hash(5))), expiry_ms);
    const size_t expiry = expiry_ms == kNoExpiry ? 0 : 8;
    const size_t one = allocated(16 + expiry + 5 + listpack);
    EXPECT_EQ(entry->memory_bytes(), one);
    entry->as<Hash>().set("field0", "other txt", {});
    EXPECT_EQ(entry->memory_bytes(), one) << "as long as before";
    entry->as<Hash>().set("field0", "longer than before", {});
    EXPECT_GT(entry->memory_bytes(), one);
    entry = entry->take_in();
    EXPECT_EQ(entry->memory_bytes(), allocated(16 + expiry + 5 + listpack + 9));
    EXPECT_EQ(entry->as<Hash>().get("field0")->copy(), "longer than before");
    Entry::destroy(entry);
  }
}

// A hash that grows and shrinks in its entry, across both of its forms, while the entry is made
// anew around it.
TEST(Entry, AHashFollowsAModelInItsEntry) {
  const EncodingLimits limits{.hash_max_listpack_entries = 24};
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    std::map<std::string, std::string> model;
    Entry* entry = Entry::make("key", Value(std::make_unique<Hash>()), kNoExpiry);
    for (int step = 0; step < 2000; ++step) {
      const std::string field = "f" + std::to_string(random.below(step % 400 < 200 ? 40 : 12));
      Hash& hash = entry->as<Hash>();
      switch (random.below(8)) {
        case 0:
        case 1:
        case 2:
          model[field] = std::string(random.below(30), 'v');
          hash.set(field, model[field], limits);
          break;
        case 3:
          model[field] = std::to_string(random.below(200));
          hash.set(field, model[field], limits);
          break;
        case 4:
          EXPECT_EQ(hash.remove(field), model.erase(field) == 1);
          break;
        case 5:
          entry = entry->set_expiry(random.below(2) == 0 ? kNoExpiry : 1000 + step);
          break;
        case 6:
          entry = entry->take_in();
          break;
        default: {
          Value value = random.below(2) == 0 ? Value(std::make_unique<Hash>(hash.copy()))
                                             : entry->take_value();
          Entry::destroy(entry);
          entry = Entry::make("another key", std::move(value), kNoExpiry);
          break;
        }
      }
      std::map<std::string, std::string> found;
      entry->as<Hash>().for_each(
          [&](Bytes name, Bytes value) { return found.emplace(name, value).second; });
      ASSERT_EQ(found, model) << "seed " << seed << " step " << step;
    }
    Entry::destroy(entry);
  }
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
