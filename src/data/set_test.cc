#include "data/set.h"

#include <set>

#include <gtest/gtest.h>

#include "base/random.h"
#include "data/test_bytes.h"

namespace tandem {
namespace {

using Texts = std::set<std::string>;

Texts texts(const Set& set) {
  Texts out;
  set.for_each([&](Bytes member) {
    EXPECT_TRUE(out.emplace(member).second) << "shown twice";
    return true;
  });
  return out;
}

Texts scanned(const Set& set) {
  Texts out;
  uint64_t cursor = 0;
  do {
    cursor = set.scan(cursor, [&](Bytes member) { out.emplace(member); });
  } while (cursor != 0);
  return out;
}

TEST(Set, ChangesItsEncodingWhereRedisDoes) {
  const EncodingLimits limits;
  Set set;
  for (int i = 0; i < 512; ++i) set.add(int64_text(i), limits);
  EXPECT_EQ(set.encoding_name(), "intset");
  set.add("512", limits);
  EXPECT_EQ(set.encoding_name(), "hashtable");

  Set mixed;
  for (int i = 0; i < 127; ++i) mixed.add(int64_text(i), limits);
  mixed.add("x", limits);
  EXPECT_EQ(mixed.encoding_name(), "listpack");
  EXPECT_EQ(mixed.size(), 128u);
  EXPECT_FALSE(mixed.add("x", limits));
  mixed.add("y", limits);
  EXPECT_EQ(mixed.encoding_name(), "hashtable");
  EXPECT_EQ(mixed.size(), 129u);

  Set many;
  for (int i = 0; i < 128; ++i) many.add(int64_text(i), limits);
  many.add("x", limits);
  EXPECT_EQ(many.encoding_name(), "hashtable");

  Set longer;
  longer.add(std::string(64, 'a'), limits);
  EXPECT_EQ(longer.encoding_name(), "listpack");
  longer.add(std::string(65, 'a'), limits);
  EXPECT_EQ(longer.encoding_name(), "hashtable");
}

TEST(Set, StartsInTheFormThatFitsTheCommand) {
  const EncodingLimits limits;
  EXPECT_EQ(Set("1", 512, limits).encoding_name(), "intset");
  EXPECT_EQ(Set("a", 128, limits).encoding_name(), "listpack");
  EXPECT_EQ(Set("a", 129, limits).encoding_name(), "hashtable");
  EXPECT_EQ(Set("1", 513, limits).encoding_name(), "hashtable");
  Set set;
  set.add("1", limits);
  set.reserve(513, limits);
  EXPECT_EQ(set.encoding_name(), "hashtable");
  EXPECT_TRUE(set.contains("1"));
  set.become_intset_if_possible(limits);
  EXPECT_EQ(set.encoding_name(), "intset");
}

TEST(Set, LoadsBlobsAndRefusesMembersTwice) {
  const EncodingLimits limits;
  Listpack pack;
  pack.append("a");
  pack.append_integer(7);
  Result<Set> set = Set::from_listpack(pack.bytes(), limits);
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ(set->listpack()->bytes(), pack.bytes());
  EXPECT_EQ(texts(*set), (Texts{"7", "a"}));
  pack.append("7");
  EXPECT_FALSE(Set::from_listpack(pack.bytes(), limits).has_value());
  EXPECT_TRUE(Set::from_listpack(Listpack().bytes(), limits)->empty());

  Intset integers;
  for (int i = 0; i < 600; ++i) integers.add(i * 1000);
  Result<Set> loaded = Set::from_intset(integers.bytes(), limits);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->encoding_name(), "hashtable");
  EXPECT_EQ(loaded->size(), 600u);
  EXPECT_FALSE(Set::from_intset("junk", limits).has_value());
}

TEST(Set, FollowsAModelThroughRandomChanges) {
  Texts encodings;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    Random random{seed};
    EncodingLimits limits;
    limits.hash_seed = seed;
    limits.set_max_intset_entries = 40;
    limits.set_max_listpack_entries = 60;
    Set set;
    Texts model;
    for (int step = 0; step < 3000; ++step) {
      const bool number = step < 200 || random.below(2) == 0;
      const std::string member =
          number ? int64_text(static_cast<int64_t>(random.below(20 + seed * 30)))
                 : random.hex(static_cast<int>(1 + random.below(seed)));
      if (random.below(5) < 2) {
        ASSERT_EQ(set.remove(member), model.erase(member) == 1);
      } else {
        ASSERT_EQ(set.add(member, limits), model.insert(member).second);
      }
      ASSERT_EQ(set.size(), model.size());
      ASSERT_TRUE(model.empty() || model.contains(set.random_member(random).copy()));
      if (step % 50 == 0) {
        ASSERT_EQ(texts(set), model);
        ASSERT_EQ(scanned(set), model);
      }
      encodings.emplace(set.encoding_name());
    }
  }
  EXPECT_EQ(encodings, (Texts{"hashtable", "intset", "listpack"}));
}

TEST(Set, CountsWhatItHolds) {
  const EncodingLimits limits;
  Set set;
  const size_t empty = set.memory_bytes();
  for (int i = 0; i < 1000; ++i) set.add(std::string(100, 'm') + int64_text(i), limits);
  EXPECT_GT(set.memory_bytes(), empty + 100'000);
  EXPECT_LT(set.memory_bytes(), empty + 150'000);
}

}  // namespace
}  // namespace tandem
