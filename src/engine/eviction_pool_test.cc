#include "engine/eviction_pool.h"

#include <gtest/gtest.h>

#include "base/number.h"

namespace tandem {
namespace {

TEST(EvictionPool, GivesTheBestFirst) {
  EvictionPool pool;
  for (const uint64_t score : {3, 9, 1, 7}) pool.offer(score, 0, int64_text(score));
  for (const Bytes key : {"9", "7", "3", "1"}) EXPECT_EQ(pool.take_best().key, key);
  EXPECT_TRUE(pool.empty());
}

TEST(EvictionPool, KeepsTheBestOfMany) {
  EvictionPool pool;
  constexpr uint64_t kMany = 1000;
  for (uint64_t i = 0; i < kMany; ++i) pool.offer(i * 7 % kMany, 0, int64_text(i * 7 % kMany));
  for (size_t i = 1; i <= EvictionPool::kCandidatesMax; ++i) {
    EXPECT_EQ(pool.take_best().score, kMany - i);
  }
  EXPECT_TRUE(pool.empty());
}

TEST(EvictionPool, HoldsAKeyOnce) {
  EvictionPool pool;
  pool.offer(5, 0, "a");
  pool.offer(8, 0, "a");
  pool.offer(6, 1, "a");
  EXPECT_EQ(pool.take_best().score, 8U);
  EXPECT_EQ(pool.take_best().database, 1);
  EXPECT_TRUE(pool.empty());
}

}  // namespace
}  // namespace tandem
