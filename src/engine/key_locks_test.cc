#include "engine/key_locks.h"

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

constexpr int kTurns = 3000;

struct KeyLocksTest : testing::Test {
  // What a stripe keeps whole: two numbers that only who holds it changes, and both.
  struct Kept {
    int64_t one = 0;
    int64_t other = 0;
  };
  void change(int stripe) {
    Kept& kept = at(stripe);
    EXPECT_EQ(kept.one, kept.other);
    ++kept.one;
    ++kept.other;
    ++changes;
  }
  Kept& at(int stripe) { return guarded[static_cast<size_t>(stripe)]; }
  static StripeSet some(Random& random) {
    StripeSet stripes;
    for (int i = 0; i < 3; ++i) stripes.add(static_cast<int>(random.below(kStripes)));
    return stripes;
  }
  void change_held(const KeyLocks& locks) {
    locks.held().for_each([this](int stripe) {
      change(stripe);
      return true;
    });
  }

  Keyspace keyspace{{.databases = 1}};
  std::array<Kept, kStripes> guarded{};
  std::atomic<int64_t> changes = 0;
};

// One, several and all stripes, in every way in which they are taken, by threads at once.
TEST_F(KeyLocksTest, OneHolderOfEachStripeHoweverTheyAreTaken) {
  const auto several = [this](uint64_t seed) {
    Random random(seed);
    KeyLocks locks(keyspace);
    for (int i = 0; i < kTurns; ++i) {
      locks.take(some(random));
      locks.add_free(some(random));
      change_held(locks);
      if (locks.extend_unless(some(random), [] { return false; })) change_held(locks);
      locks.release();
      if (!locks.take_if_free(some(random))) continue;
      change_held(locks);
      locks.release();
    }
  };
  const auto in_a_row = [this] {
    Random random(3);
    KeyLocks locks(keyspace);
    for (int i = 0; i < kTurns; ++i) {
      locks.take_behind_others(some(random), Lock::Purpose::kStream);
      change_held(locks);
      locks.release_to_others(Lock::Purpose::kStream);
    }
  };
  const auto one = [this] {
    Random random(4);
    for (int i = 0; i < kTurns; ++i) {
      const int stripe = static_cast<int>(random.below(kStripes));
      {
        const PatientGuard guard(keyspace.stripe(stripe), Lock::Purpose::kSnapshot);
        change(stripe);
      }
      const Guard guard(keyspace.stripe(stripe));
      change(stripe);
    }
  };
  const auto all = [this](uint64_t seed) {
    Random random(seed);
    KeyLocks locks(keyspace);
    for (int i = 0; i < kTurns / 10; ++i) {
      int asked = 0;
      if (!locks.take_unless(StripeSet::all(), [&] { return ++asked > 3; })) continue;
      change_held(locks);
      locks.release();
      const ExclusiveGuard guard(keyspace);
      change(static_cast<int>(random.below(kStripes)));
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(several, 1);
  threads.emplace_back(several, 2);
  threads.emplace_back(in_a_row);
  threads.emplace_back(one);
  threads.emplace_back(all, 5);
  threads.emplace_back(all, 6);
  for (std::thread& thread : threads) thread.join();
  int64_t counted = 0;
  for (const Kept& kept : guarded) counted += kept.one;
  EXPECT_EQ(counted, changes);
}

TEST_F(KeyLocksTest, WhoHoldsAllKeepsEverybodyOut) {
  StripeSet one;
  one.add(77);
  KeyLocks all(keyspace);
  all.take(StripeSet::all());
  EXPECT_TRUE(all.everything());
  std::thread([&] {
    KeyLocks other(keyspace);
    EXPECT_FALSE(other.take_if_free(one));
    EXPECT_FALSE(other.take_unless(one, [] { return true; }));
    EXPECT_FALSE(other.take_unless(StripeSet::all(), [] { return true; }));
    EXPECT_FALSE(other.any());
    const bool had = keyspace.stripe(77).try_lock();
    EXPECT_FALSE(had);
    if (had) keyspace.stripe(77).unlock();
  }).join();
  EXPECT_TRUE(keyspace.stripe(77).contended()) << "whoever wants it waits";
  all.release();
  EXPECT_FALSE(keyspace.stripe(77).contended());
  EXPECT_TRUE(all.take_if_free(one));
}

TEST_F(KeyLocksTest, WhoGivesUpOnAllOfThemLeavesThemOpen) {
  StripeSet one;
  one.add(200);
  KeyLocks held(keyspace);
  held.take(one);
  std::thread([&] {
    KeyLocks all(keyspace);
    EXPECT_FALSE(all.take_unless(StripeSet::all(), [] { return true; }));
    EXPECT_FALSE(all.any());
    StripeSet other;
    other.add(3);
    EXPECT_TRUE(all.take_if_free(other));
  }).join();
  held.release();
  EXPECT_FALSE(keyspace.stripe(200).contended());
}

// Whoever found the door shut takes its stripes before it is shut again.
TEST_F(KeyLocksTest, ManyWhoWantAllOfThemKeepNobodyOutForEver) {
  std::atomic<bool> done = false;
  std::vector<std::thread> greedy;
  for (int i = 0; i < 3; ++i) {
    greedy.emplace_back([&] {
      KeyLocks all(keyspace);
      while (!done) {
        all.take(StripeSet::all());
        all.release();
      }
    });
  }
  Random random(1);
  KeyLocks locks(keyspace);
  for (int i = 0; i < 200; ++i) {
    locks.take(some(random));
    locks.release();
    const Guard guard(keyspace.stripe(i));
  }
  done = true;
  for (std::thread& thread : greedy) thread.join();
}

}  // namespace
}  // namespace tandem
