#include "server/persistence/persistence.h"

#include <atomic>
#include <latch>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "commands/table.h"
#include "engine/executor.h"
#include "io/background.h"
#include "server/persistence/rdb_file.h"
#include "sim/files.h"

namespace tandem {
namespace {

// One dataset over a disk that outlives it.
struct Node {
  explicit Node(Files& files)
      : disk(files),
        persistence(
            {.engine = engine,
             .options = options,
             .files = files,
             .total_changes =
                 [this] { return static_cast<int64_t>(executor.counters().changes.get()); }},
            std::make_unique<ThreadBackground>("snapshot-file")) {}

  std::string ask(std::vector<Bytes> args) { return ask(client, args); }
  std::string ask(ClientState& from, std::vector<Bytes> args) {
    std::string out;
    ReplyWriter reply(out);
    executor.begin_batch();
    executor.execute(from, args, {}, reply);
    return out;
  }

  void save_in_background() {
    ASSERT_TRUE(persistence.begin_background());
    wait_for_save();
  }
  void wait_for_save() {
    while (engine.snapshot_turn.taken()) std::this_thread::yield();
  }

  Files& disk;
  PersistenceOptions options;
  Engine engine{{.keyspace = {.databases = 4, .hash_seed = 3}}, system_clock(), keyspace_rows()};
  Keyspace& keyspace = engine.keyspace;
  Log& log = engine.log;
  Gate& gate = engine.gate;
  Executor executor{engine, 1};
  ClientState client{ClientKind::kNormal};
  Persistence persistence;
  FileLoad file{{.engine = engine, .options = options, .files = disk},
                std::make_unique<ThreadBackground>("file-load")};
};

std::string temporary_file() { return "temp-" + std::to_string(::getpid()) + ".rdb"; }

struct PersistenceTest : testing::Test {
  SimFiles disk{1};
};

TEST_F(PersistenceTest, NothingToLoadIsNoError) {
  Node node(disk);
  const auto loaded = node.file.load(true);
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(*loaded);
}

TEST_F(PersistenceTest, WhatWasSavedComesBackAfterAPowerCut) {
  {
    Node node(disk);
    node.ask({"SET", "k", "v"});
    EXPECT_EQ(node.persistence.changes_since_save(), 1);
    ASSERT_TRUE(node.persistence.save());
    EXPECT_EQ(node.persistence.changes_since_save(), 0);
    EXPECT_EQ(node.persistence.figures().saves, 1);
    node.ask({"SET", "k", "later"});
  }
  disk.lose_power(false);
  Node node(disk);
  ASSERT_TRUE(node.file.load(true));
  EXPECT_EQ(node.ask({"GET", "k"}), "$1\r\nv\r\n");
  EXPECT_EQ(node.file.figures().keys_loaded, 1);
}

// The first save waits for its cut; who asks meanwhile gets one that begins later.
TEST_F(PersistenceTest, ClientsWaitForSavesOneAfterTheOther) {
  Node node(disk);
  std::latch ended(3);
  std::atomic<int> succeeded = 0;
  const auto tell = [&](const Result<void>& saved) {
    if (saved) succeeded.fetch_add(1);
    ended.count_down();
  };
  {
    const ExclusiveGuard nobody_cuts(node.keyspace);
    for (int client = 0; client < 3; ++client) node.persistence.save_for(tell);
    EXPECT_FALSE(node.persistence.begin_background());
  }
  ended.wait();
  EXPECT_EQ(succeeded.load(), 3);
  EXPECT_EQ(node.persistence.figures().saves, 2);
}

TEST_F(PersistenceTest, AClientsSaveIsRefusedBesideAnotherSnapshot) {
  Node node(disk);
  const SnapshotTurn::Held full_sync = node.engine.snapshot_turn.try_take();
  ErrorCode code{};
  node.persistence.save_for([&](const Result<void>& saved) {
    ASSERT_FALSE(saved);
    code = saved.error().code;
  });
  EXPECT_EQ(code, ErrorCode::kRefused);
}

TEST_F(PersistenceTest, ACorruptFileIsRefusedWithThePlace) {
  {
    Node node(disk);
    node.ask({"SET", "key", "some value that is long enough"});
    ASSERT_TRUE(node.persistence.save());
  }
  const auto size = disk.size("dump.rdb");
  ASSERT_TRUE(size);
  ASSERT_TRUE(disk.flip_byte("dump.rdb", *size - 20));
  Node node(disk);
  const auto loaded = node.file.load(true);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().text.find("byte"), std::string::npos) << loaded.error().text;
  EXPECT_EQ(node.keyspace.keys(0), 0);
}

TEST_F(PersistenceTest, AFailedSaveKeepsTheOldFileAndStopsWrites) {
  Node node(disk);
  node.ask({"SET", "k", "old"});
  ASSERT_TRUE(node.persistence.save());
  node.ask({"SET", "k", "new"});
  disk.fail_next_syncs(1);
  node.save_in_background();
  EXPECT_TRUE(node.gate.is(Gate::kDiskError));
  EXPECT_TRUE(node.ask({"SET", "k", "more"}).starts_with("-MISCONF"));
  EXPECT_FALSE(node.persistence.figures().last_save_ok);
  EXPECT_FALSE(*disk.exists(temporary_file()));

  Node other(disk);
  ASSERT_TRUE(other.file.load(true));
  EXPECT_EQ(other.ask({"GET", "k"}), "$3\r\nold\r\n");

  ASSERT_TRUE(node.persistence.save());
  EXPECT_FALSE(node.gate.is(Gate::kDiskError));
}

TEST_F(PersistenceTest, WhetherWritesStopFollowsTheOptionsToo) {
  Node node(disk);
  disk.fail_next_syncs(1);
  node.save_in_background();
  for (const bool stop : {false, true}) {
    node.options.stop_writes_on_error.set(stop);
    node.persistence.settle_gate();
    EXPECT_EQ(node.gate.is(Gate::kDiskError), stop);
  }
  const auto points = node.options.save_points.get();
  node.options.save_points.set({});
  node.persistence.settle_gate();
  EXPECT_FALSE(node.gate.is(Gate::kDiskError));
  node.options.save_points.set(points);
  node.persistence.settle_gate();
  EXPECT_TRUE(node.gate.is(Gate::kDiskError));
}

TEST_F(PersistenceTest, AFailedSaveOnDemandLeavesTheStateOfTheLastBackgroundSave) {
  Node node(disk);
  disk.fail_next_syncs(1);
  EXPECT_FALSE(node.persistence.save());
  EXPECT_TRUE(node.persistence.figures().last_save_ok);
  EXPECT_FALSE(node.gate.is(Gate::kDiskError));
}

TEST_F(PersistenceTest, OneSnapshotAtATime) {
  Node node(disk);
  {
    const SnapshotTurn::Held of_a_full_sync = node.engine.snapshot_turn.try_take();
    EXPECT_EQ(node.persistence.save().error().code, ErrorCode::kRefused);
    EXPECT_EQ(node.persistence.begin_background().error().code, ErrorCode::kRefused);
    EXPECT_TRUE(node.persistence.figures().save_in_progress);
    node.persistence.schedule();
    node.persistence.check();
    EXPECT_EQ(node.persistence.figures().saves, 0);
  }
  node.persistence.check();
  node.wait_for_save();
  EXPECT_EQ(node.persistence.figures().saves, 1);
}

// What was thrown away does not come back with a file that was cut before.
TEST_F(PersistenceTest, FlushAllGivesUpABackgroundSave) {
  Node node(disk);
  node.ask({"SET", "old", "1"});
  ASSERT_TRUE(node.persistence.save());
  node.ask({"SET", "thrown away", "1"});
  disk.at_open_of(temporary_file(), [&node] { node.ask({"FLUSHALL"}); });
  node.save_in_background();
  EXPECT_EQ(node.persistence.figures().saves, 1);
  EXPECT_TRUE(node.persistence.figures().last_save_ok);

  Node other(disk);
  ASSERT_TRUE(other.file.load(true));
  EXPECT_EQ(other.keyspace.keys(0), 1);
  EXPECT_EQ(other.ask({"GET", "old"}), "$1\r\n1\r\n");
}

TEST_F(PersistenceTest, FlushAllReachesTheFileWithSavePointsOnly) {
  Node node(disk);
  node.ask({"SET", "k", "v"});
  ASSERT_TRUE(node.persistence.save());
  node.ask({"FLUSHALL"});
  const auto points = node.options.save_points.get();
  node.options.save_points.set({});
  node.persistence.check();
  node.wait_for_save();
  EXPECT_EQ(node.persistence.figures().saves, 1);

  node.options.save_points.set(points);
  node.persistence.check();
  node.wait_for_save();
  EXPECT_EQ(node.persistence.figures().saves, 2);
  node.persistence.check();
  node.wait_for_save();
  EXPECT_EQ(node.persistence.figures().saves, 2) << "once for each FLUSHALL";

  Node other(disk);
  ASSERT_TRUE(other.file.load(true));
  EXPECT_EQ(other.keyspace.keys(0), 0);
}

// A key whose time was over long ago.
void save_expired_key(Node& node) {
  node.ask({"SET", "stays", "1"});
  node.ask({"SET", "k", "v"});
  ClientState primary{ClientKind::kLink};
  node.gate.set(Gate::kReplica, true);
  node.ask(primary, {"PEXPIREAT", "k", "1"});
  ASSERT_TRUE(node.persistence.save());
}

TEST_F(PersistenceTest, ExpiredKeysAreLeftOutOfAPrimarysFile) {
  {
    Node node(disk);
    save_expired_key(node);
  }
  Node primary(disk);
  ASSERT_TRUE(primary.file.load(true));
  EXPECT_EQ(primary.keyspace.keys(0), 1);
  EXPECT_EQ(primary.file.figures().keys_expired, 1);

  Node replica(disk);
  ASSERT_TRUE(replica.file.load(false));
  EXPECT_EQ(replica.keyspace.keys(0), 2);
}

// Replicas go on from the place that the file names, and they still have the key.
TEST_F(PersistenceTest, ExpiredKeysOfAFileWithAPlaceInTheLogAreDeletedThroughTheLog) {
  {
    Node node(disk);
    {
      const ExclusiveGuard all(node.keyspace);
      node.log.activate(all, ReplicationId::parse(std::string(40, 'a')).value());
    }
    node.log.append_verbatim("*1\r\n$4\r\nPING\r\n");
    save_expired_key(node);
  }
  Node primary(disk);
  const auto loaded = primary.file.load(true);
  ASSERT_TRUE(loaded && *loaded && (*loaded)->position);
  EXPECT_EQ(primary.keyspace.keys(0), 2);
  {
    const ExclusiveGuard all(primary.keyspace);
    primary.log.reset(all, *(*loaded)->position);
  }
  EXPECT_EQ(primary.executor.expire_some(1'000'000), 1U);
  EXPECT_EQ(primary.keyspace.keys(0), 1);
  EXPECT_GT(primary.log.end(), (*loaded)->position->offset);
}

TEST_F(PersistenceTest, WhatKilledSavesLeftIsRemovedAtStart) {
  // No process has a number beyond the system's limit of four million. The first one lives.
  const std::string lives = "temp-1.rdb";
  const std::string dead = "temp-99999999.rdb";
  const std::vector<std::string> others{
      "temp-.rdb", "temp-0099999999.rdb", "temp-x.rdb", "temp-99999999.rd", "dump.rdb", lives};
  for (const std::string& name : others) ASSERT_TRUE(disk.replace_all(name, ""));
  for (const std::string& name : {dead, temporary_file()}) {
    ASSERT_TRUE(disk.replace_all(name, "REDIS"));
  }
  remove_abandoned_files(disk, ".");
  EXPECT_FALSE(*disk.exists(dead));
  EXPECT_FALSE(*disk.exists(temporary_file()));
  for (const std::string& name : others) EXPECT_TRUE(*disk.exists(name)) << name;
}

TEST_F(PersistenceTest, TheFileNamesTheLogsSecondHistory) {
  const auto id_of = [](char digit) {
    return *ReplicationId::parse(std::string(ReplicationId::kLength, digit));
  };
  {
    Node node(disk);
    {
      const ExclusiveGuard all(node.keyspace);
      node.log.reset(all, {.id = id_of('b'), .offset = 100});
      node.log.set_second_id(id_of('a'), 70);
    }
    ASSERT_TRUE(node.persistence.save());
  }
  Node node(disk);
  std::optional<DatasetPlace> place;
  FileLoad load({.engine = node.engine,
                 .options = node.options,
                 .files = disk,
                 .place_log = [&place](const AllStripes&, const DatasetPlace& at) { place = at; }},
                std::make_unique<ThreadBackground>("file-load"));
  ASSERT_TRUE(load.load(true));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->position, (Position{.id = id_of('b'), .offset = 100}));
  EXPECT_EQ(place->second, (Position{.id = id_of('a'), .offset = 70}));
}

}  // namespace
}  // namespace tandem
