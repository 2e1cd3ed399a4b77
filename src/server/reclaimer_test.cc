#include "server/reclaimer.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "data/hash.h"

namespace tandem {
namespace {

Garbage large_hash() {
  auto hash = std::make_unique<Hash>();
  for (int i = 0; i < 1000; ++i) hash->set(std::to_string(i), "value", {});
  Garbage garbage;
  garbage.add(Entry::make("key", Value(std::move(hash)), kNoExpiry));
  return garbage;
}

// The address sanitizer tells if anything stays.
TEST(Reclaimer, FreesWhatIsLeftWhenItEnds) {
  Reclaimer reclaimer;
  ASSERT_TRUE(reclaimer.start());
  for (int i = 0; i < 50; ++i) reclaimer.free_later(large_hash());
  auto tables = std::make_shared<DatabaseTables>();
  const std::weak_ptr<DatabaseTables> watched = tables;
  reclaimer.free_later(Garbage(std::move(tables)));
  while (reclaimer.freed() < 50) std::this_thread::yield();
  EXPECT_EQ(reclaimer.pending() + reclaimer.freed(), 50);
  while (!watched.expired()) std::this_thread::yield();
}

TEST(Reclaimer, WhatNobodyTakesIsFreedWithItsOwner) {
  const Garbage kept = large_hash();
  EXPECT_EQ(kept.keys(), 1);
}

}  // namespace
}  // namespace tandem
