#include "data/intset.h"

#include <set>

#include <gtest/gtest.h>

#include "base/random.h"
#include "data/test_bytes.h"

namespace tandem {
namespace {

Intset intset_of(std::initializer_list<int64_t> values) {
  Intset set;
  for (const int64_t value : values) set.add(value);
  return set;
}

TEST(Intset, WritesTheBytesThatRedisWrites) {
  EXPECT_EQ(to_hex(intset_of({1, -5, 300}).bytes()), "0200000003000000fbff01002c01");
  EXPECT_EQ(to_hex(intset_of({1, -70000}).bytes()), "040000000200000090eefeff01000000");
  EXPECT_EQ(to_hex(intset_of({1, 5000000000, -2}).bytes()),
            "0800000003000000feffffffffffffff010000000000000000f2052a01000000");
}

TEST(Intset, RefusesMalformedBlobs) {
  EXPECT_TRUE(Intset::validate(from_hex("0200000000000000")));
  EXPECT_FALSE(Intset::validate(""));
  EXPECT_FALSE(Intset::validate(from_hex("0300000000000000")));                  // width
  EXPECT_FALSE(Intset::validate(from_hex("02000000020000000100")));              // cut
  EXPECT_FALSE(Intset::validate(from_hex("0200000001000000010002")));            // too long
  EXPECT_FALSE(Intset::validate(from_hex("020000000200000002000100")));          // order
  EXPECT_FALSE(Intset::validate(from_hex("020000000200000001000100")));          // twice
  EXPECT_FALSE(Intset::validate(from_hex("08000000ffffffff0100000000000000")));  // count
}

TEST(Intset, FollowsAModelThroughRandomChanges) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random{seed};
    Intset set;
    std::set<int64_t> model;
    for (int step = 0; step < 1000; ++step) {
      const auto shift = 63 - random.below(8 + 3 * seed) % 64;
      const int64_t value = static_cast<int64_t>(random.next()) >> shift;
      if (random.below(3) == 0) {
        EXPECT_EQ(set.remove(value), model.erase(value) == 1);
      } else {
        EXPECT_EQ(set.add(value), model.insert(value).second);
      }
      ASSERT_EQ(set.contains(value), model.contains(value));
    }
    ASSERT_TRUE(Intset::validate(set.bytes()));
    ASSERT_EQ(set.size(), model.size());
    uint32_t index = 0;
    for (const int64_t value : model) EXPECT_EQ(set.at(index++), value);
  }
}

}  // namespace
}  // namespace tandem
