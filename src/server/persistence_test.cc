#include "server/persistence.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "commands/table.h"
#include "engine/executor.h"
#include "sim/files.h"

namespace tandem {
namespace {

// One dataset over a disk that outlives it.
struct Node {
  explicit Node(Files& disk)
      : persistence({.engine = engine, .options = options, .files = disk, .total_changes = [this] {
                       return static_cast<int64_t>(executor.counters().changes.get());
                     }}) {}

  std::string ask(std::vector<Bytes> args) {
    std::string out;
    ReplyWriter reply(out);
    executor.begin_batch();
    executor.execute(client, args, {}, reply);
    return out;
  }

  PersistenceOptions options;
  Keyspace keyspace{{.databases = 4, .hash_seed = 3}};
  Log log{LogOptions{}, ReplicationId()};
  Gate gate;
  EncodingLimits limits;
  Registry registry{keyspace_rows()};
  Engine engine{.keyspace = keyspace,
                .log = log,
                .registry = registry,
                .clock = system_clock(),
                .limits = limits,
                .gate = gate};
  Executor executor{engine, 1};
  ClientState client{ClientKind::kNormal};
  Persistence persistence;
};

struct PersistenceTest : testing::Test {
  SimFiles disk{1};
};

TEST_F(PersistenceTest, NothingToLoadIsNoError) {
  Node node(disk);
  const auto loaded = node.persistence.load(true);
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(*loaded);
}

TEST_F(PersistenceTest, WhatWasSavedComesBackAfterAPowerCut) {
  {
    Node node(disk);
    node.ask({"SET", "k", "v"});
    EXPECT_EQ(node.persistence.changes_since_save(), 1);
    ASSERT_TRUE(node.persistence.save_now());
    EXPECT_EQ(node.persistence.changes_since_save(), 0);
    EXPECT_EQ(node.persistence.figures().saves, 1);
    node.ask({"SET", "k", "later"});
  }
  disk.lose_power(false);
  Node node(disk);
  ASSERT_TRUE(node.persistence.load(true));
  EXPECT_EQ(node.ask({"GET", "k"}), "$1\r\nv\r\n");
  EXPECT_EQ(node.persistence.figures().load_keys_loaded, 1);
}

TEST_F(PersistenceTest, ACorruptFileIsRefusedWithThePlace) {
  {
    Node node(disk);
    node.ask({"SET", "key", "some value that is long enough"});
    ASSERT_TRUE(node.persistence.save_now());
  }
  const auto size = disk.size("dump.rdb");
  ASSERT_TRUE(size);
  ASSERT_TRUE(disk.flip_byte("dump.rdb", *size - 20));
  Node node(disk);
  const auto loaded = node.persistence.load(true);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().text.find("byte"), std::string::npos) << loaded.error().text;
  EXPECT_EQ(node.keyspace.keys(0), 0);
}

TEST_F(PersistenceTest, AFailedSaveKeepsTheOldFileAndStopsWrites) {
  Node node(disk);
  node.ask({"SET", "k", "old"});
  ASSERT_TRUE(node.persistence.save_now());
  node.ask({"SET", "k", "new"});
  disk.fail_next_syncs(1);
  EXPECT_FALSE(node.persistence.save_now());
  EXPECT_TRUE(node.gate.is(Gate::kDiskError));
  EXPECT_TRUE(node.ask({"SET", "k", "more"}).starts_with("-MISCONF"));
  EXPECT_FALSE(node.persistence.figures().last_save_ok);
  EXPECT_FALSE(*disk.exists("temp-" + std::to_string(::getpid()) + ".rdb"));

  Node other(disk);
  ASSERT_TRUE(other.persistence.load(true));
  EXPECT_EQ(other.ask({"GET", "k"}), "$3\r\nold\r\n");

  ASSERT_TRUE(node.persistence.save_now());
  EXPECT_FALSE(node.gate.is(Gate::kDiskError));
}

}  // namespace
}  // namespace tandem
