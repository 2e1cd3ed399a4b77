#include "data/hash.h"

#include <map>

#include <gtest/gtest.h>

#include "base/random.h"
#include "data/test_bytes.h"

namespace tandem {
namespace {

using Pairs = std::map<std::string, std::string>;

Pairs pairs(const Hash& hash) {
  Pairs out;
  hash.for_each([&](Bytes field, Bytes value) {
    EXPECT_TRUE(out.emplace(field, value).second) << "shown twice";
    return true;
  });
  return out;
}

Pairs scanned(const Hash& hash) {
  Pairs out;
  uint64_t cursor = 0;
  do {
    cursor = hash.scan(cursor, [&](Bytes field, Bytes value) { out.emplace(field, value); });
  } while (cursor != 0);
  return out;
}

TEST(Hash, WritesTheBytesThatRedisWrites) {
  const EncodingLimits limits;
  Hash hash;
  hash.set("f1", "v1", limits);
  hash.set("2", "300", limits);
  EXPECT_EQ(to_hex(hash.listpack()->bytes()), "14000000040082663103827631030201c12c02ff");
}

TEST(Hash, ChangesItsEncodingWhereRedisDoes) {
  EncodingLimits limits;
  Hash hash;
  for (int i = 0; i < 512; ++i) hash.set(int64_text(i), "v", limits);
  EXPECT_EQ(hash.encoding_name(), "listpack");
  hash.set("512", "v", limits);
  EXPECT_EQ(hash.encoding_name(), "hashtable");
  EXPECT_EQ(hash.size(), 513u);

  Hash longer;
  longer.set("f", std::string(64, 'v'), limits);
  EXPECT_EQ(longer.encoding_name(), "listpack");
  longer.set("f", std::string(65, 'v'), limits);
  EXPECT_EQ(longer.encoding_name(), "hashtable");
  EXPECT_EQ(longer.get("f")->copy(), std::string(65, 'v'));
  EXPECT_EQ(longer.size(), 1u);
}

TEST(Hash, LoadsBlobsAndRefusesBrokenOnes) {
  EncodingLimits limits;
  Listpack pack;
  for (const char* text : {"a", "1", "b", "1"}) pack.append(text);
  Result<Hash> hash = Hash::from_listpack(pack.bytes(), limits);
  ASSERT_TRUE(hash.has_value());
  EXPECT_EQ(pairs(*hash), (Pairs{{"a", "1"}, {"b", "1"}}));
  limits.hash_max_listpack_entries = 1;
  EXPECT_EQ(Hash::from_listpack(pack.bytes(), limits)->encoding_name(), "hashtable");
  pack.append("c");
  EXPECT_FALSE(Hash::from_listpack(pack.bytes(), limits).has_value());
  pack.append("1");
  EXPECT_TRUE(Hash::from_listpack(pack.bytes(), limits).has_value());
  pack.append("a");
  pack.append("2");
  EXPECT_FALSE(Hash::from_listpack(pack.bytes(), limits).has_value());
  EXPECT_TRUE(Hash::from_listpack(Listpack().bytes(), limits)->empty());
}

TEST(Hash, FollowsAModelThroughRandomChanges) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Random random{seed};
    EncodingLimits limits;
    limits.hash_seed = seed;
    limits.hash_max_listpack_entries = seed < 9 ? 40 * seed : 1000;
    Hash hash;
    Pairs model;
    for (int step = 0; step < 4000; ++step) {
      const std::string field = int64_text(static_cast<int64_t>(random.below(600)));
      const std::string value =
          random.below(2) == 0 ? random.hex(static_cast<int>(random.below(9))) : int64_text(step);
      if (random.below(4) == 0) {
        ASSERT_EQ(hash.remove(field), model.erase(field) == 1);
      } else {
        ASSERT_EQ(hash.set(field, value, limits), model.insert_or_assign(field, value).second);
      }
      ASSERT_EQ(hash.size(), model.size());
      const auto found = model.find(field);
      const auto held = hash.get(field);
      ASSERT_EQ(held.has_value(), found != model.end());
      if (held) ASSERT_EQ(held->copy(), found->second);
      if (!model.empty()) {
        const Hash::Pair pair = hash.random_pair(random);
        ASSERT_EQ(model.at(pair.field.copy()), pair.value.copy());
      }
      if (step % 100 == 0) {
        ASSERT_EQ(pairs(hash), model);
        ASSERT_EQ(scanned(hash), model);
      }
    }
    EXPECT_EQ(hash.encoding_name(), seed < 9 ? "hashtable" : "listpack");
  }
}

TEST(Hash, CountsWhatItHolds) {
  const EncodingLimits limits;
  Hash hash;
  const size_t empty = hash.memory_bytes();
  for (int i = 0; i < 1000; ++i) hash.set(int64_text(i), std::string(100, 'm'), limits);
  const size_t full = hash.memory_bytes();
  EXPECT_GT(full, empty + 100'000);
  EXPECT_LT(full, empty + 150'000);
  for (int i = 0; i < 1000; ++i) hash.set(int64_text(i), "", limits);
  EXPECT_LT(hash.memory_bytes(), full - 90'000);
}

}  // namespace
}  // namespace tandem
