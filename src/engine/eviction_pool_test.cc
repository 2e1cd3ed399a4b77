#include "engine/eviction_pool.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

KeyPlace at(uint64_t hash) { return {3, hash}; }

TEST(EvictionPool, GivesTheBestFirst) {
  EvictionPool pool;
  for (const uint64_t score : {3, 9, 1, 7}) pool.offer(score, 0, at(score));
  for (const uint64_t hash : {9, 7, 3, 1}) EXPECT_EQ(pool.take_best().place, at(hash));
  EXPECT_TRUE(pool.empty());
}

TEST(EvictionPool, KeepsTheBestOfMany) {
  EvictionPool pool;
  constexpr uint64_t kMany = 1000;
  for (uint64_t i = 0; i < kMany; ++i) pool.offer(i * 7 % kMany, 0, at(i));
  for (size_t i = 1; i <= EvictionPool::kCandidatesMax; ++i) {
    EXPECT_EQ(pool.take_best().score, kMany - i);
  }
  EXPECT_TRUE(pool.empty());
}

TEST(EvictionPool, HoldsAKeyOnce) {
  EvictionPool pool;
  pool.offer(5, 0, at(1));
  pool.offer(8, 0, at(1));
  pool.offer(6, 1, at(1));
  EXPECT_EQ(pool.take_best().score, 8U);
  EXPECT_EQ(pool.take_best().database, 1);
  EXPECT_TRUE(pool.empty());
}

TEST(EvictionPool, TellsWhatItTakes) {
  EvictionPool pool;
  for (uint64_t i = 0; i < EvictionPool::kCandidatesMax; ++i) {
    EXPECT_TRUE(pool.takes(0));
    pool.offer(5 + i, 0, at(i));
  }
  EXPECT_FALSE(pool.takes(5));
  EXPECT_TRUE(pool.takes(6));
}

}  // namespace
}  // namespace tandem
