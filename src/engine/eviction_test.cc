// Eviction in a world of its own. Memory is what the allocator counts, so limits are set by what is
// in use at the moment.
#include "engine/eviction.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/test_world.h"

namespace tandem {
namespace {

struct Limits {
  MemoryOptions options;
};

struct MemoryWorld : Limits, OpenEngine<TestClock> {
  MemoryWorld()
      : OpenEngine({.keyspace = {.databases = 4, .hash_seed = 7}, .memory = &options},
                   test_rows()) {}

  std::string run(ClientState& of, std::initializer_list<Bytes> args, Bytes raw = {}) {
    std::string out;
    ReplyWriter reply(out, of.protocol);
    executor.begin_batch();
    executor.execute(of, std::vector<Bytes>(args), raw, reply);
    executor.end_turn();
    return out;
  }
  std::string run(std::initializer_list<Bytes> args) { return run(client, args); }
  void set(Bytes key, bool expires = false, size_t bytes = 100) {
    const std::string value(bytes, 'v');
    expires ? run({"SETUNTIL", key, value, "999999999999"}) : run({"SET", key, value});
  }
  void pass_seconds(int64_t seconds) { clock.now_us += seconds * 1'000'000; }
  // So much less than is in use may be in use.
  void limit(MemoryPolicy policy, int64_t below_bytes) {
    options.policy.set(policy);
    executor.end_turn();
    const int64_t used = allocated_bytes() - engine.memory.uncounted_bytes();
    options.limit_bytes.set(static_cast<uint64_t>(used - below_bytes));
    engine.memory.apply_options();
  }
  void no_limit() {
    options.limit_bytes.set(0);
    engine.memory.apply_options();
    gate.set(Gate::kOutOfMemory, false);
  }
  void evict_all_that_is_too_much() {
    int calls = 0;
    while (executor.evict_some()) ASSERT_LT(++calls, 100'000);
  }
  bool has(Bytes key, int database = 0) { return keyspace.find(database, key) != nullptr; }
  uint64_t evicted() { return executor.counters().evicted_keys.get(); }

  Executor executor{engine, 1};
  Client client;
};

constexpr Bytes kOom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
constexpr Bytes kOk = "+OK\r\n";

struct PolicyCase {
  MemoryPolicy policy;
  bool evicts_persistent;
  bool evicts_volatile;
};

constexpr PolicyCase kPolicies[] = {
    {MemoryPolicy::kVolatileLru, false, true},    {MemoryPolicy::kVolatileLfu, false, true},
    {MemoryPolicy::kVolatileRandom, false, true}, {MemoryPolicy::kVolatileTtl, false, true},
    {MemoryPolicy::kAllKeysLru, true, true},      {MemoryPolicy::kAllKeysLfu, true, true},
    {MemoryPolicy::kAllKeysRandom, true, true},   {MemoryPolicy::kNoEviction, false, false}};

TEST(Eviction, EachPolicyEvictsWhatItMay) {
  for (const PolicyCase& of : kPolicies) {
    SCOPED_TRACE(static_cast<int>(of.policy));
    constexpr int kKeys = 300;
    MemoryWorld world;
    for (int i = 0; i < kKeys; ++i) {
      world.set(fmt::format("p{}", i));
      world.set(fmt::format("v{}", i), true);
    }
    world.limit(of.policy, 10'000);
    const bool evicts = of.evicts_persistent || of.evicts_volatile;
    EXPECT_EQ(world.run({"SET", "new", "x"}), evicts ? kOk : kOom);
    int persistent = 0;
    int expiring = 0;
    for (int i = 0; i < kKeys; ++i) {
      persistent += world.has(fmt::format("p{}", i)) ? 0 : 1;
      expiring += world.has(fmt::format("v{}", i)) ? 0 : 1;
    }
    EXPECT_EQ(persistent > 0, of.evicts_persistent);
    EXPECT_EQ(expiring > 0, of.evicts_volatile);
    EXPECT_EQ(world.evicted(), static_cast<uint64_t>(persistent + expiring));
    EXPECT_LE(persistent + expiring, 150) << "no more than need be";
  }
}

TEST(Eviction, WithoutKeysThatMayGoThereIsNoRoom) {
  for (const PolicyCase& of : kPolicies) {
    if (of.evicts_persistent) continue;
    MemoryWorld world;
    for (int i = 0; i < 100; ++i) world.set(fmt::format("p{}", i));
    world.limit(of.policy, 1000);
    EXPECT_EQ(world.run({"SET", "new", "x"}), kOom);
    EXPECT_EQ(world.run({"GET", "new"}), "$-1\r\n");
    world.no_limit();
    EXPECT_EQ(world.run({"SET", "new", "x"}), kOk);
  }
}

// Whose time is over first goes first.
TEST(Eviction, TheNextToExpireGoFirst) {
  MemoryWorld world;
  constexpr int kKeys = 1000;
  for (int i = 0; i < kKeys; ++i) {
    const std::string until = int64_text(9'000'000'000 + i * 1000);
    world.run({"SETUNTIL", fmt::format("k{}", i), std::string(100, 'v'), until});
  }
  world.options.samples.set(10);
  world.limit(MemoryPolicy::kVolatileTtl, 20'000);
  world.evict_all_that_is_too_much();
  const auto evicted = static_cast<int>(world.evicted());
  ASSERT_GT(evicted, 50);
  int first = 0;
  for (int i = 0; i < evicted; ++i) first += world.has(fmt::format("k{}", i)) ? 0 : 1;
  EXPECT_GE(first, evicted * 8 / 10);
}

// The share of the truly oldest among those that were evicted.
struct Share {
  double oldest = 0;
  int evicted = 0;
};

Share share_of_oldest(int samples, int keys, int64_t evicted_bytes) {
  MemoryWorld world;
  for (int i = 0; i < keys; ++i) {
    world.set(fmt::format("k{}", i));
    world.pass_seconds(1);
  }
  world.options.samples.set(samples);
  world.limit(MemoryPolicy::kAllKeysLru, evicted_bytes);
  world.evict_all_that_is_too_much();
  const auto evicted = static_cast<int>(world.evicted());
  int oldest = 0;
  for (int i = 0; i < evicted; ++i) oldest += world.has(fmt::format("k{}", i)) ? 0 : 1;
  return {oldest / static_cast<double>(evicted), evicted};
}

// The same by Redis's rule, over keys that are drawn without any flaw: so many samples for each
// eviction, and a pool of sixteen.
double share_by_model(int samples, int keys, int evictions) {
  constexpr size_t kPool = 16;
  Random random(3);
  std::vector<int> alive(static_cast<size_t>(keys));
  std::iota(alive.begin(), alive.end(), 0);
  std::set<int> pool;
  int oldest = 0;
  for (int i = 0; i < evictions; ++i) {
    for (int sample = 0; sample < samples || pool.empty(); ++sample) {
      pool.insert(alive[random.below(alive.size())]);
      if (pool.size() > kPool) pool.erase(std::prev(pool.end()));
    }
    oldest += *pool.begin() < evictions ? 1 : 0;
    alive.erase(std::ranges::lower_bound(alive, *pool.begin()));
    pool.erase(pool.begin());
  }
  return oldest / static_cast<double>(evictions);
}

TEST(Eviction, TheOldestGoAsOftenAsByRedissRuleOrMore) {
  constexpr int kKeys = 20'000;
  for (const int samples : {1, 5, 10}) {
    for (const int64_t bytes : {200'000, 600'000}) {
      const Share ours = share_of_oldest(samples, kKeys, bytes);
      ASSERT_GT(ours.evicted, 1000);
      EXPECT_GE(ours.oldest, share_by_model(samples, kKeys, ours.evicted) - 0.01)
          << samples << " samples, " << ours.evicted << " evicted";
    }
  }
}

TEST(Eviction, ItIsMostlyTheOldestThatGoWhereKeysAreFew) {
  const Share ours = share_of_oldest(10, 500, 20'000);
  ASSERT_GT(ours.evicted, 100);
  EXPECT_GE(ours.oldest, 0.85);
}

TEST(Eviction, WhatIsUsedOftenStays) {
  MemoryWorld world;
  world.options.policy.set(MemoryPolicy::kAllKeysLfu);
  world.engine.memory.apply_options();
  constexpr int kKeys = 2000;
  for (int i = 0; i < kKeys; ++i) {
    world.set(fmt::format("k{}", i));
    if (i % 2 == 0) {
      for (int use = 0; use < 50; ++use) world.run({"GET", fmt::format("k{}", i)});
    }
  }
  world.limit(MemoryPolicy::kAllKeysLfu, 60'000);
  world.evict_all_that_is_too_much();
  int often = 0;
  for (int i = 0; i < kKeys; i += 2) often += world.has(fmt::format("k{}", i)) ? 0 : 1;
  ASSERT_GT(world.evicted(), 100U);
  EXPECT_LE(often, static_cast<int>(world.evicted()) / 50);
}

TEST(Eviction, IsTakenFromAllDatabases) {
  for (const MemoryPolicy policy : {MemoryPolicy::kAllKeysRandom, MemoryPolicy::kAllKeysLru}) {
    MemoryWorld world;
    for (int database = 0; database < 4; ++database) {
      world.run({"SELECT", int64_text(database)});
      for (int i = 0; i < 300; ++i) world.set(fmt::format("k{}", i));
    }
    world.limit(policy, 60'000);
    world.evict_all_that_is_too_much();
    for (int database = 0; database < 4; ++database) {
      EXPECT_LT(world.keyspace.keys(database), 300) << database;
    }
  }
}

std::string request(std::initializer_list<Bytes> args) {
  Effects effects;
  effects.begin(true);
  effects.add(0, args);
  return std::string(effects.record());
}

TEST(Eviction, StandsInTheLogBeforeWhatItMadeRoomFor) {
  for (const bool lazy : {false, true}) {
    MemoryWorld world;
    const auto cursor = world.begin_log();
    world.options.lazy.set(lazy);
    world.set("victim", true, 20'000);
    (void)read_on(*cursor);
    world.limit(MemoryPolicy::kVolatileLru, 100);
    EXPECT_EQ(world.run({"SET", "a", "1"}), kOk);
    EXPECT_EQ(read_on(*cursor),
              request({lazy ? "UNLINK" : "DEL", "victim"}) + request({"SET", "a", "1"}));
  }
}

TEST(Eviction, ComesBeforeATransactionAndNotInTheMiddle) {
  MemoryWorld world;
  const auto cursor = world.begin_log();
  world.set("victim", true, 20'000);
  world.set("second", true, 20'000);
  (void)read_on(*cursor);
  world.run({"MULTI"});
  world.run({"SET", "a", std::string(40'000, 'v')});
  world.run({"SET", "b", "1"});
  world.limit(MemoryPolicy::kVolatileLru, 100);
  world.run({"EXEC"});
  const std::string logged = read_on(*cursor);
  const size_t begin = logged.find("MULTI");
  ASSERT_NE(begin, logged.npos);
  EXPECT_NE(logged.substr(0, begin).find("DEL"), logged.npos);
  EXPECT_EQ(logged.substr(begin).find("DEL"), logged.npos);
  EXPECT_TRUE(logged.ends_with(request({"EXEC"}))) << logged;
}

TEST(Eviction, WatchersHearOfIt) {
  MemoryWorld world;
  Client watcher;
  world.set("victim", true, 20'000);
  world.run(watcher, {"WATCH", "victim"});
  world.run(watcher, {"MULTI"});
  world.run(watcher, {"GET", "a"});
  world.limit(MemoryPolicy::kVolatileLru, 100);
  world.run({"SET", "a", "1"});
  EXPECT_FALSE(world.has("victim"));
  EXPECT_EQ(world.run(watcher, {"EXEC"}), "*-1\r\n");
}

TEST(Eviction, WithoutRoomTransactionsAreRefused) {
  MemoryWorld world;
  Client before;
  world.run(before, {"MULTI"});
  world.run(before, {"SET", "a", "1"});
  Client reader;
  world.run(reader, {"MULTI"});
  world.run(reader, {"GET", "a"});
  world.limit(MemoryPolicy::kNoEviction, 1000);
  EXPECT_EQ(world.run(before, {"EXEC"}),
            "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory "
            "> 'maxmemory'.\r\n");
  EXPECT_EQ(world.run(reader, {"GET", "b"}), kOom) << "a queue takes memory, too";
  EXPECT_EQ(world.run(reader, {"EXEC"}),
            "-EXECABORT Transaction discarded because of previous errors.\r\n");
  EXPECT_EQ(world.run({"MULTI"}), kOk);
  EXPECT_EQ(world.run({"DISCARD"}), kOk);
  EXPECT_EQ(world.run({"FLUSH"}), kOk) << "what needs no memory is let in";
}

TEST(Eviction, ReplicasLeaveItToTheirPrimary) {
  for (const bool ignores : {true, false}) {
    MemoryWorld world;
    world.options.replica_ignores.set(ignores);
    world.set("victim", true, 20'000);
    world.gate.set(Gate::kReplica, true);
    world.limit(MemoryPolicy::kVolatileLru, 100);
    EXPECT_EQ(world.run({"SET", "a", "1"}), kOk);
    EXPECT_EQ(world.has("victim"), ignores);
  }
}

// Its log is the primary's, so that what it evicts stays with its own replicas.
TEST(Eviction, APrimarysStreamMakesAReplicaEvictThatDoesNotIgnoreItsLimit) {
  for (const bool ignores : {true, false}) {
    MemoryWorld world;
    LinkClient link;
    const auto cursor = world.begin_log();
    world.options.replica_ignores.set(ignores);
    world.set("victim", true, 20'000);
    (void)read_on(*cursor);
    world.gate.set(Gate::kReplica, true);
    world.limit(MemoryPolicy::kVolatileLru, 100);
    EXPECT_EQ(world.run(link, {"SET", "a", "1"}, "<set>"), kOk);
    EXPECT_EQ(world.has("victim"), ignores);
    EXPECT_TRUE(world.has("a"));
    EXPECT_EQ(read_on(*cursor), "<set>");
  }
}

// Its replica has what the primary has, be there room or not.
TEST(Eviction, APrimarysStreamIsNeverRefused) {
  MemoryWorld world;
  LinkClient link;
  world.options.replica_ignores.set(false);
  world.set("kept");
  world.gate.set(Gate::kReplica, true);
  world.limit(MemoryPolicy::kNoEviction, 100);
  EXPECT_EQ(world.run(link, {"SET", "a", "1"}, "<set>"), kOk);
  EXPECT_EQ(world.run({"SET", "b", "1"}), kOom);
}

TEST(Eviction, KeysOfAnyLengthGo) {
  for (const MemoryPolicy policy : {MemoryPolicy::kAllKeysLru, MemoryPolicy::kAllKeysRandom}) {
    MemoryWorld world;
    const std::string long_key(1'000'000, 'k');
    world.set(long_key);
    world.pass_seconds(100);
    world.set("young");
    world.limit(policy, 500'000);
    world.evict_all_that_is_too_much();
    EXPECT_FALSE(world.has(long_key));
  }
}

TEST(Eviction, NothingIsEvictedWhileWritesArePausedOrDataLoad) {
  for (const Gate::Condition condition : {Gate::kPausedWrites, Gate::kDatasetLoading}) {
    MemoryWorld world;
    world.set("victim", true, 20'000);
    world.limit(MemoryPolicy::kVolatileLru, 100);
    world.gate.set(condition, true);
    world.run({"GET", "a"});
    EXPECT_TRUE(world.has("victim"));
    world.gate.set(condition, false);
    world.run({"GET", "a"});
    EXPECT_FALSE(world.has("victim"));
  }
}

// A client is served though nothing can be evicted, for somebody holds everything.
TEST(Eviction, NobodyWaitsBehindWhoHoldsTheKeys) {
  MemoryWorld world;
  world.set("victim", true, 20'000);
  world.limit(MemoryPolicy::kVolatileLru, 100);
  {
    const ExclusiveGuard all(world.keyspace);
    std::thread other([&] {
      Executor executor(world.engine, 2);
      Client client;
      std::string out;
      ReplyWriter reply(out, 2);
      executor.execute(client, std::vector<Bytes>{"UNWATCH"}, {}, reply);
      EXPECT_EQ(out, kOk);
    });
    other.join();
    EXPECT_TRUE(world.has("victim"));
  }
  world.run({"SET", "a", "1"});
  EXPECT_FALSE(world.has("victim"));
}

// A candidate of before is none any more.
TEST(Eviction, WhatWasUsedSinceItWasSeenStays) {
  MemoryWorld world;
  for (int i = 0; i < 8; ++i) world.set(fmt::format("old{}", i), false, 5000);
  world.pass_seconds(1000);
  world.limit(MemoryPolicy::kAllKeysLru, 100);
  world.run({"GET", "none"});  // the others are in the pool now
  ASSERT_EQ(world.evicted(), 1U);
  std::string kept;
  for (int i = 0; i < 8; ++i) {
    const std::string key = fmt::format("old{}", i);
    if (!world.has(key)) continue;
    if (kept.empty()) kept = key;
  }
  world.no_limit();
  world.run({"GET", kept});
  world.limit(MemoryPolicy::kAllKeysLru, 6 * 5000 - 2000);
  world.evict_all_that_is_too_much();
  EXPECT_TRUE(world.has(kept));
  EXPECT_GE(world.evicted(), 6U);
}

// However much is too much, a client waits for a bounded part of it.
TEST(Eviction, ACommandEvictsForALimitedTime) {
  MemoryWorld world;
  for (int i = 0; i < 3000; ++i) world.set(fmt::format("k{}", i));
  int helps = 0;
  world.engine.memory.on_help_wanted = [&] { ++helps; };
  world.limit(MemoryPolicy::kAllKeysRandom, 250'000);
  world.clock.step_us = 100;  // at each look at the clock
  EXPECT_EQ(world.run({"SET", "a", "1"}), kOk);
  EXPECT_GT(world.evicted(), 0U);
  EXPECT_LT(world.evicted(), 200U);
  EXPECT_EQ(helps, 1);
  world.run({"SET", "a", "1"});
  EXPECT_EQ(helps, 1) << "it is on its way";
  world.engine.memory.helped();
  world.evict_all_that_is_too_much();
  EXPECT_LE(world.engine.memory.excess_bytes(), 0);
  EXPECT_GT(world.evicted(), 1000U);
}

TEST(Eviction, TimeAtTheLimitIsCounted) {
  MemoryWorld world;
  for (int i = 0; i < 200; ++i) world.set(fmt::format("k{}", i));
  world.limit(MemoryPolicy::kNoEviction, 1000);
  EXPECT_EQ(world.run({"SET", "b", "1"}), kOom);
  world.clock.now_us += 3000;
  EXPECT_EQ(world.engine.memory.exceeded_now_us(), 3000);
  world.options.policy.set(MemoryPolicy::kAllKeysRandom);
  world.engine.memory.apply_options();
  EXPECT_EQ(world.run({"SET", "b", "1"}), kOk);
  EXPECT_EQ(world.engine.memory.exceeded_now_us(), 0);
  EXPECT_EQ(world.engine.memory.exceeded_us(), 3000);
}

// A value that another thread frees later counts as gone, once.
TEST(Eviction, WhatIsFreedLaterCountsAsGone) {
  MemoryWorld world;
  std::vector<Garbage> later;
  world.engine.free_later = [&](Garbage garbage) { later.push_back(std::move(garbage)); };
  for (int i = 0; i < 50; ++i) world.set(fmt::format("small{}", i), true);
  const std::string element(1000, 'e');
  for (int i = 0; i < 2000; ++i) world.run({"PUSH", "large", element});
  world.pass_seconds(100);
  for (int i = 0; i < 50; ++i) world.run({"GET", fmt::format("small{}", i)});
  world.limit(MemoryPolicy::kAllKeysLru, 1'000'000);
  world.evict_all_that_is_too_much();
  EXPECT_FALSE(world.has("large"));
  EXPECT_LT(world.evicted(), 51U) << "the small ones are not evicted in its place";
  EXPECT_TRUE(world.engine.memory.is_anything_leaving());
  const int64_t counted = world.engine.memory.counted_bytes();
  world.engine.memory.refresh();
  EXPECT_NEAR(world.engine.memory.counted_bytes(), counted, 100'000);
  later.clear();
  EXPECT_FALSE(world.engine.memory.is_anything_leaving());
  world.engine.memory.refresh();
  EXPECT_NEAR(world.engine.memory.counted_bytes(), counted, 200'000);
}

struct SharedWorld : Limits, OpenEngine<const Clock&> {
  SharedWorld()
      : OpenEngine({.keyspace = {.databases = 4, .hash_seed = 7}, .memory = &options}, test_rows(),
                   system_clock()) {}
};

// `running`: how many write; what an executor holds is given back later.
void write_much(Engine& engine, uint64_t seed, std::atomic<int>& running) {
  constexpr int kWrites = 200'000;
  constexpr uint64_t kKeys = 700'000;
  Executor executor(engine, seed);
  Client client;
  Random random(seed);
  const std::string value(600, 'v');
  for (int i = 0; i < kWrites; ++i) {
    std::string out;
    ReplyWriter reply(out, 2);
    const std::string key = fmt::format("key:{}", random.below(kKeys));
    executor.begin_batch();
    executor.execute(
        client, std::vector<Bytes>{"SET", key, Bytes(value).substr(random.below(value.size()))}, {},
        reply);
    EXPECT_EQ(out, kOk);
  }
  --running;
}

// Several threads write as fast as they can, and what the allocator counts stays at the limit.
TEST(Eviction, MemoryStaysAtTheLimitUnderWritersOnSeveralThreads) {
  constexpr int64_t kRoomBytes = 100'000'000;
  constexpr int kThreads = 3;
  SharedWorld world;
  world.options.policy.set(MemoryPolicy::kAllKeysLru);
  const int64_t limit = allocated_bytes() + kRoomBytes;
  world.options.limit_bytes.set(static_cast<uint64_t>(limit));
  world.engine.memory.apply_options();
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back(
        [&, i] { write_much(world.engine, static_cast<uint64_t>(i + 1), running); });
  }
  int64_t most = 0;
  int64_t least_when_full = limit;
  while (running.load() > 0) {
    const int64_t used = allocated_bytes();
    if (most > limit * 995 / 1000 && running.load() == kThreads) {
      least_when_full = std::min(least_when_full, used);
    }
    most = std::max(most, used);
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(most, limit * 98 / 100) << "it was full";
  EXPECT_LE(most, limit + limit / 100);
  EXPECT_GE(least_when_full, limit - limit / 100) << "no more is evicted than need be";
}

}  // namespace
}  // namespace tandem
