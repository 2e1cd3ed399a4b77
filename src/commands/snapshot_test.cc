// The snapshot under every kind of command: whatever writers do while it is produced, what it holds
// is the keyspace of the cut. Values are large on purpose, so that each kind goes out in steps.
#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "commands/testing.h"
#include "data/hash.h"
#include "data/list.h"
#include "data/set.h"
#include "data/sorted_set.h"
#include "data/stream.h"
#include "engine/dataset_load.h"
#include "engine/rdb_snapshot.h"

namespace tandem {
namespace {

std::string content_of(const Entry& entry) {
  std::vector<std::string> parts;
  const auto add = [&parts](std::string part) {
    parts.push_back(std::move(part));
    return true;
  };
  switch (entry.type()) {
    case ValueType::kString: {
      char digits[kInt64TextMax];
      add(std::string(entry.text(digits)));
      break;
    }
    case ValueType::kList:
      entry.as<List>().for_each([&](Bytes element) { return add(std::string(element)); });
      break;
    case ValueType::kSet:
      entry.as<Set>().for_each([&](Bytes member) { return add(std::string(member)); });
      std::ranges::sort(parts);
      break;
    case ValueType::kSortedSet:
      entry.as<SortedSet>().for_each(
          [&](Bytes member, double score) { return add(fmt::format("{}@{}", member, score)); });
      break;
    case ValueType::kHash:
      entry.as<Hash>().for_each(
          [&](Bytes field, Bytes value) { return add(fmt::format("{}={}", field, value)); });
      std::ranges::sort(parts);
      break;
    case ValueType::kStream:
      entry.as<Stream>().for_each(kStreamIdMin, kStreamIdMax, false,
                                  [&](StreamId id, std::span<const Element> fields) {
                                    return add(fmt::format("{}:{}", id.text(), fields[1].text()));
                                  });
      add(fmt::format("last {}", entry.as<Stream>().last_id().text()));
      break;
  }
  return fmt::format("{} {}: {}", type_name(entry.type()), entry.expiry_ms(),
                     fmt::join(parts, ","));
}

// Every key of every database.
using Contents = std::map<std::string, std::string>;

Contents contents(Keyspace& keyspace) {
  Contents all;
  for (int database = 0; database < keyspace.database_count(); ++database) {
    DatabaseTables* tables = keyspace.tables(database);
    if (tables == nullptr) continue;
    for (int partition = 0; partition < kPartitions; ++partition) {
      tables->partition(partition).for_each([&](Entry* entry) {
        all[fmt::format("{}/{}", database, entry->key())] = content_of(*entry);
      });
    }
  }
  return all;
}

Contents loaded(Bytes stream) {
  Keyspace keyspace{{.databases = 16, .hash_seed = 3}};
  DatasetLoad load(keyspace, {.limits = {}, .databases = 16}, 0, std::nullopt);
  const auto fed = load.feed(stream);
  EXPECT_TRUE(fed) << fed.error().text;
  EXPECT_TRUE(load.finish());
  if (!fed || !load.ended()) return {};
  const ExclusiveGuard all(keyspace);
  load.install(all);
  return contents(keyspace);
}

// Random writes to a few keys of each kind.
class Writer {
 public:
  Writer(Stage& stage, uint64_t seed) : stage_(stage), random_(seed) {}

  void fill() {
    for (int i = 0; i < 3; ++i) {
      for (int n = 0; n < 60; ++n) {
        for (const char* kind : {"set", "hash", "zset", "list", "stream"}) {
          grow(kind, fmt::format("{}{}", kind, i), 20);
        }
      }
      stage_.run(fmt::format("SET text{} {}", i, std::string(40'000, 'a')));
    }
  }

  void write() {
    static constexpr const char* kKinds[] = {"set", "hash", "zset", "list", "stream", "text"};
    const std::string kind = kKinds[random_.below(std::size(kKinds))];
    const std::string key = kind + std::to_string(random_.below(4));
    switch (random_.below(60)) {
      case 0:
        stage_.run("DEL " + key);
        break;
      case 1:
        stage_.run(fmt::format("RENAME {} {}{}", key, kind, random_.below(4)));
        break;
      case 2:
        stage_.run(fmt::format("COPY {} {}{} REPLACE", key, kind, random_.below(4)));
        break;
      case 3:
        stage_.run(fmt::format("PEXPIRE {} {}", key, 100'000'000 + random_.below(1000)));
        break;
      case 4:
        if (random_.below(8) == 0) stage_.run("SWAPDB 0 1");
        break;
      case 5:
        if (random_.below(8) == 0) stage_.run("FLUSHDB");
        break;
      case 6:
        stage_.run(fmt::format("MOVE {} 1", key));
        break;
      default:
        random_.below(2) == 0 ? grow(kind, key, 5) : shrink(kind, key);
    }
  }

 private:
  std::string name() { return "n" + std::to_string(random_.below(2000)); }

  void grow(const std::string& kind, const std::string& key, int count) {
    std::string line;
    if (kind == "set") line = "SADD " + key;
    if (kind == "hash") line = "HSET " + key;
    if (kind == "zset") line = "ZADD " + key;
    if (kind == "list") line = (random_.below(2) == 0 ? "LPUSH " : "RPUSH ") + key;
    if (kind == "stream") line = "XADD " + key + " *";
    if (kind == "text") {
      stage_.run(fmt::format("{} {} {}", random_.below(2) == 0 ? "APPEND" : "SETRANGE", key,
                             random_.below(2) == 0 ? "7 abc" : "3 xyz"));
      return;
    }
    for (int i = 0; i < count; ++i) {
      if (kind == "zset") line += fmt::format(" {}", random_.below(50));
      line += " " + name();
      if (kind == "hash") line += fmt::format(" {}", random_.next());
      if (kind == "list") line += std::string(60, 'l');
      if (kind == "stream") line += fmt::format(" {}", random_.next());
    }
    stage_.run(line);
  }

  void shrink(const std::string& kind, const std::string& key) {
    if (kind == "set")
      stage_.run(random_.below(2) == 0 ? "SPOP " + key : "SREM " + key + " " + name());
    if (kind == "hash") stage_.run("HDEL " + key + " " + name());
    if (kind == "zset") {
      stage_.run(random_.below(2) == 0 ? "ZPOPMIN " + key + " 3" : "ZREM " + key + " " + name());
    }
    if (kind == "list") {
      stage_.run(fmt::format("{} {} {}", random_.below(2) == 0 ? "LPOP" : "RPOP", key,
                             random_.below(100)));
    }
    if (kind == "stream")
      stage_.run(fmt::format("XADD {} MAXLEN {} * a b", key, random_.below(500)));
    if (kind == "text") stage_.run(fmt::format("SET {} {}", key, std::string(40'000, 'b')));
  }

  Stage& stage_;
  Random random_;
};

TEST(SnapshotOfEverything, IsTheMomentOfTheCutWhateverIsWrittenMeanwhile) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Stage stage;
    stage.engine.snapshot_helpers = static_cast<int>(seed % 3);
    Writer writer(stage, seed);
    Random random(seed);
    writer.fill();
    for (int round = 0; round < 3; ++round) {
      const Contents at_cut = contents(stage.keyspace);
      RdbSnapshot::Options options;
      options.format.version = static_cast<int>(9 + random.below(3));
      options.format.compress = random.below(3) != 0;
      options.produce_bytes = 1 + random.below(20'000);
      auto snapshot =
          RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(), options, nullptr);
      const uint64_t writes = random.below(40);
      std::string stream;
      for (std::string piece; snapshot->produce(piece);) {
        stream += piece;
        for (uint64_t i = 0; i < writes; ++i) writer.write();
      }
      ASSERT_EQ(loaded(stream), at_cut);
    }
  }
}

TEST(SnapshotOfEverything, GivenUpInTheMiddleLeavesTheNextOneWhole) {
  Stage stage;
  Writer writer(stage, 1);
  writer.fill();
  for (int round = 0; round < 20; ++round) {
    auto snapshot =
        RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(), {}, nullptr);
    std::string piece;
    for (int i = 0; i < round; ++i) snapshot->produce(piece);
    for (int i = 0; i < 100; ++i) writer.write();
  }
  const Contents at_cut = contents(stage.keyspace);
  auto snapshot =
      RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(), {}, nullptr);
  std::string stream;
  for (std::string piece; snapshot->produce(piece);) stream += piece;
  EXPECT_EQ(loaded(stream), at_cut);
}

// More often than there are epochs.
TEST(SnapshotOfEverything, GivenUpHundredsOfTimesLeavesTheNextOneWhole) {
  Stage stage;
  Writer writer(stage, 2);
  writer.fill();
  int longest = 0;
  for (int round = 0; round < 300; ++round) {
    {
      auto snapshot =
          RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(), {}, nullptr);
      std::string piece;
      if (round % 7 == 0) snapshot->produce(piece);
      writer.write();
    }
    longest = std::max(longest, stage.keyspace.snapshot().unfinished);
  }
  EXPECT_EQ(longest, 100) << "a walk that is given up is left where it is, but not for ever";
  const Contents at_cut = contents(stage.keyspace);
  auto snapshot =
      RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(), {}, nullptr);
  std::string stream;
  for (std::string piece; snapshot->produce(piece);) stream += piece;
  EXPECT_EQ(loaded(stream), at_cut);
}

// The walk over a large value goes with it to another key, and is not finished in a hurry.
TEST(SnapshotOfEverything, AMoveOfALargeValueTakesItsWalkAlong) {
  Stage stage;
  for (int i = 0; i < 20'000; i += 10) {
    std::string line = "HSET big";
    for (int n = i; n < i + 10; ++n) line += fmt::format(" field{} {}", n, std::string(20, 'v'));
    stage.run(line);
  }
  const Contents at_cut = contents(stage.keyspace);
  auto snapshot =
      RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(),
                         {.format = {.compress = false}, .produce_bytes = 1000}, nullptr);
  std::string stream;
  std::string piece;
  while (stream.size() < 20'000 && snapshot->produce(piece)) stream += piece;
  stage.run("RENAME big other");
  stage.run("MOVE other 1");
  EXPECT_LT(snapshot->pending_bytes(), 1000U) << "nothing was handed in";
  stage.client("").database = 1;
  stage.run("RENAME other again");
  stage.run("HSET again field19999 changed");
  stage.run("HDEL again field19998");
  EXPECT_LT(snapshot->pending_bytes(), 1000U);
  snapshot->produce(piece);
  stream += piece;
  stage.run("DEL again");
  while (snapshot->produce(piece)) stream += piece;
  EXPECT_EQ(loaded(stream), at_cut);
  EXPECT_EQ(snapshot->pending_bytes(), 0U);
}

std::string all_of(RdbSnapshot& snapshot) {
  std::string stream;
  for (std::string piece; snapshot.produce(piece);) stream += piece;
  return stream;
}

void set_texts(Stage& stage, int count, size_t bytes, char letter) {
  for (int i = 0; i < count; ++i) {
    stage.run(fmt::format("SET text{} {}", i, std::string(bytes, letter)));
  }
}

// The walker takes what writers handed in before it captures more itself.
TEST(SnapshotOfEverything, WhatIsHandedInGoesOutFirst) {
  Stage stage;
  set_texts(stage, 2000, 600, 'a');
  const Contents at_cut = contents(stage.keyspace);
  auto snapshot = RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(),
                                     {.format = {.compress = false}}, nullptr);
  std::string stream;
  int i = 0;
  for (std::string piece; snapshot->produce(piece); stream += piece) {
    ASSERT_LT(snapshot->pending_bytes(), size_t{100} * 1024) << i;
    for (const int end = i + 32; i < end; ++i) stage.run(fmt::format("SET text{} b", i));
  }
  EXPECT_GT(i, 32 * 10);
  EXPECT_EQ(loaded(stream), at_cut);
  EXPECT_EQ(snapshot->pending_bytes(), 0U);
}

// A writer shares what it overwrites, and nothing is packed before the walker comes to it.
TEST(SnapshotOfEverything, WhatIsHandedInIsPlain) {
  Stage stage;
  set_texts(stage, 100, 1000, 'a');
  const Contents at_cut = contents(stage.keyspace);
  auto snapshot =
      RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(), {}, nullptr);
  set_texts(stage, 100, 1000, 'b');
  EXPECT_GT(snapshot->pending_bytes(), 100U * 1000U);
  const std::string stream = all_of(*snapshot);
  EXPECT_LT(stream.size(), 100U * 100U) << "packed, but later";
  EXPECT_EQ(loaded(stream), at_cut);
}

// Nobody takes the stream, as when a disk stands still, and all is written over again and again.
TEST(SnapshotOfEverything, WritersHandInTheDataOnceAtTheMost) {
  Stage stage;
  constexpr int kKeys = 500;
  constexpr size_t kBytes = 5000;
  set_texts(stage, kKeys, kBytes, 'a');
  for (int n = 0; n < kKeys; ++n) stage.run(fmt::format("RPUSH list {}", std::string(kBytes, 'a')));
  const Contents at_cut = contents(stage.keyspace);
  auto snapshot =
      RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(), {}, nullptr);
  for (char letter = 'b'; letter < 'g'; ++letter) {
    set_texts(stage, 3 * kKeys, kBytes, letter);
    for (int n = 0; n < kKeys; ++n) {
      stage.run(fmt::format("LSET list {} {}", n, std::string(kBytes, letter)));
      stage.run(fmt::format("RPUSH list {}", std::string(kBytes, letter)));
    }
    EXPECT_LT(snapshot->pending_bytes(), 2 * kKeys * (kBytes + 200)) << letter;
  }
  EXPECT_GT(snapshot->pending_bytes(), kKeys * kBytes);
  EXPECT_EQ(loaded(all_of(*snapshot)), at_cut);
}

// While more is handed in than the walker should let wait, LZF is left out.
TEST(SnapshotOfEverything, UnderPressureNothingIsPacked) {
  Stage stage;
  constexpr size_t kBytes = 100'000;
  constexpr int kPressed = RdbSnapshot::kPressureBytes / kBytes;
  set_texts(stage, 2 * kPressed, kBytes, 'a');
  const Contents at_cut = contents(stage.keyspace);
  auto snapshot =
      RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(), {}, nullptr);
  set_texts(stage, 2 * kPressed, kBytes, 'b');
  const std::string stream = all_of(*snapshot);
  EXPECT_GT(stream.size(), (kPressed - 2) * kBytes);
  EXPECT_LT(stream.size(), (kPressed + 10) * kBytes);
  EXPECT_EQ(loaded(stream), at_cut);
}

// Else each later change in place would cost a copy.
TEST(SnapshotOfEverything, GivenUpItLetsGoOfTheStringsThatItShares) {
  Stage stage;
  stage.engine.snapshot_helpers = 1;
  set_texts(stage, 1000, 1000, 'a');
  const auto place = [&](int i) {
    char digits[kInt64TextMax];
    const ExclusiveGuard all(stage.keyspace);
    return stage.keyspace.find(0, fmt::format("text{}", i))->text(digits).data();
  };
  {
    auto snapshot = RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(),
                                       {.format = {}, .produce_bytes = 1}, nullptr);
    std::string piece;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(snapshot->produce(piece));
    for (int i = 0; i < 100; ++i) stage.run(fmt::format("DEL text{}", i));
    int copied = 0;
    for (int i = 100; i < 200; ++i) {
      const char* before = place(i);
      stage.run(fmt::format("SETRANGE text{} 0 b", i));
      copied += place(i) != before;
    }
    EXPECT_GT(copied, 20) << "they are shared";
  }
  for (int i = 100; i < 1000; ++i) {
    const char* before = place(i);
    stage.run(fmt::format("SETRANGE text{} 0 b", i));
    ASSERT_EQ(place(i), before) << i;
  }
}

// As Redis writes them, so that its tables are of the right size before the first key.
TEST(SnapshotOfEverything, TheSizesOfTheDatabasesStandFirst) {
  Stage stage;
  stage.run("MSET a 1 b 2");
  stage.run("SET c 3 PX 100");
  stage.client("").database = 3;
  stage.run("SET d 4");
  auto snapshot =
      RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(), {}, nullptr);
  stage.run("SET later 5");
  RdbReader reader({});
  for (std::string piece; snapshot->produce(piece);) reader.feed(piece);
  std::vector<std::string> told;
  uint32_t database = 0;
  while (!reader.ended()) {
    const auto event = reader.next();
    ASSERT_TRUE(event && !std::holds_alternative<RdbNeedMore>(*event));
    if (std::holds_alternative<RdbEntry>(*event)) told.emplace_back("key");
    if (const auto* select = std::get_if<RdbSelect>(&*event)) database = select->database;
    if (const auto* sizes = std::get_if<RdbSizes>(&*event)) {
      told.push_back(fmt::format("{}: {} {}", database, sizes->keys, sizes->expiring));
    }
  }
  EXPECT_EQ(told, (std::vector<std::string>{"0: 3 1", "3: 1 0", "key", "key", "key", "key"}));
}

// One thread writes while another produces: for the thread sanitizer, and every snapshot loads.
TEST(SnapshotOfEverything, WritersAndTheWalkerAreThreads) {
  Stage stage;
  stage.engine.snapshot_helpers = 2;
  Writer writer(stage, 5);
  writer.fill();
  std::atomic<bool> ended = false;
  std::thread writing([&] {
    while (!ended.load()) writer.write();
  });
  for (int round = 0; round < 5; ++round) {
    auto snapshot =
        RdbSnapshot::begin(stage.engine, stage.engine.snapshot_turn.try_take(), {}, nullptr);
    std::string stream;
    for (std::string piece; snapshot->produce(piece);) stream += piece;
    EXPECT_EQ(static_cast<int64_t>(loaded(stream).size()), snapshot->keys_total());
  }
  ended.store(true);
  writing.join();
}

}  // namespace
}  // namespace tandem
