#include <mutex>
#include <set>
#include <thread>

#include "commands/testing.h"

namespace tandem {
namespace {

std::string key_in(Stage& stage, int stripe) {
  for (int i = 0; i < 1'000'000; ++i) {
    std::string key = std::to_string(i);
    if (stage.keyspace.place(key).stripe() == stripe) return key;
  }
  return {};
}

// Executes while stripe 20 is held, with keys in the stripes 10, 20 and 30; whether it came to wait
// for that stripe without holding the one before.
bool leaves_others_free(Bytes line) {
  Stage stage;
  for (const int stripe : {10, 20, 30}) stage.run("SET " + key_in(stage, stripe) + " v");
  std::thread reader;
  bool free = false;
  {
    const std::lock_guard held(stage.keyspace.stripe(20));
    reader = std::thread([&] { stage.run(line); });
    while (!stage.keyspace.stripe(20).contended()) std::this_thread::yield();
    free = stage.keyspace.stripe(10).try_lock_one_more();
    if (free) stage.keyspace.stripe(10).unlock();
  }
  reader.join();
  return free;
}

TEST(Databases, KeysAndScanHoldOneStripeAtATime) {
  EXPECT_TRUE(leaves_others_free("KEYS *"));
  EXPECT_TRUE(leaves_others_free("SCAN 0 COUNT 1000"));
}

// In stripes that it has left, too, and each is stated once.
TEST(Databases, ScanDeletesWhatItFindsExpired) {
  Stage stage;
  std::set<std::string> expected;
  for (const int stripe : {3, 20, 255}) {
    const std::string key = key_in(stage, stripe);
    stage.run("SET " + key + " v PX 1");
    expected.insert("DEL " + key);
  }
  stage.run("SET lives v");
  stage.effects();
  stage.clock.now_us += 10'000;
  EXPECT_EQ(stage.run("SCAN 0 COUNT 100000"), "[0 [lives]]");
  const std::vector<std::string> effects = stage.effects();
  EXPECT_EQ(std::set<std::string>(effects.begin(), effects.end()), expected);
  EXPECT_EQ(effects.size(), expected.size());
  EXPECT_EQ(stage.run("DBSIZE"), "1");
  // A replica leaves that to its primary.
  stage.run("SET soon v PX 1");
  stage.gate.set(Gate::kReplica, true);
  stage.clock.now_us += 10'000;
  EXPECT_EQ(stage.run("SCAN 0 COUNT 100000"), "[0 [lives]]");
  EXPECT_EQ(stage.run("DBSIZE"), "2");
}

// Be others held as long as they may.
TEST(Databases, RandomKeyTakesOnlyTheStripeOfItsKey) {
  Stage stage;
  const std::string key = key_in(stage, 20);
  stage.run("SET " + key + " v");
  std::atomic<bool> answered = false;
  std::thread reader;
  {
    const std::lock_guard held(stage.keyspace.stripe(10));
    reader = std::thread([&] {
      EXPECT_EQ(stage.run("RANDOMKEY"), key);
      answered = true;
    });
    while (!answered && !stage.keyspace.stripe(10).contended()) std::this_thread::yield();
    EXPECT_TRUE(answered);
  }
  reader.join();
}

TEST(Databases, RandomKeyMeetsEveryKeyAndNoDeadOne) {
  Stage stage;
  EXPECT_EQ(stage.run("RANDOMKEY"), "nil");
  for (int i = 0; i < 30; ++i) stage.run("SET dead:" + std::to_string(i) + " v PX 1");
  stage.clock.now_us += 10'000;
  EXPECT_EQ(stage.run("RANDOMKEY"), "nil");
  EXPECT_EQ(stage.run("DBSIZE"), "0") << "those that were met are deleted";
  stage.run("SET live v");
  EXPECT_EQ(stage.run("RANDOMKEY"), "live");
  std::set<std::string> met;
  for (int i = 0; i < 10; ++i) stage.run("SET more:" + std::to_string(i) + " v");
  for (int i = 0; i < 2000; ++i) met.insert(stage.run("RANDOMKEY"));
  EXPECT_EQ(met.size(), 11);
}

}  // namespace
}  // namespace tandem
