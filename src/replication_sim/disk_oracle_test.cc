#include <gtest/gtest.h>

#include "replication_sim/oracles.h"

namespace tandem {
namespace {

NodeData data_at(uint64_t offset, std::vector<DataItem> items) {
  const std::string id(ReplicationId::kLength, 'a');
  return {.position = Position{.id = *ReplicationId::parse(id), .offset = offset},
          .items = std::move(items)};
}

TEST(DiskOracleTest, NoFileIsFineUntilASaveIsDone) {
  DiskOracle disk;
  EXPECT_FALSE(disk.check_loaded(nullptr, {}));
  disk.begin_save(data_at(1, {}));
  EXPECT_FALSE(disk.check_loaded(nullptr, {})) << "a crash ended the save";
  disk.begin_save(data_at(2, {}));
  disk.end_save(true);
  EXPECT_TRUE(disk.check_loaded(nullptr, {}));
}

TEST(DiskOracleTest, TheLastSaveDoneOrALaterOneIsThere) {
  const NodeData first = data_at(1, {});
  const NodeData done = data_at(2, {});
  const NodeData failed = data_at(3, {});
  const NodeData crashed = data_at(4, {});
  DiskOracle disk;
  for (const NodeData* data : {&first, &done}) {
    disk.begin_save(*data);
    disk.end_save(true);
  }
  disk.begin_save(failed);
  disk.end_save(false);
  disk.begin_save(crashed);
  EXPECT_TRUE(disk.check_loaded(&first, {}));
  EXPECT_FALSE(disk.check_loaded(&done, {}));
  EXPECT_TRUE(disk.check_loaded(&failed, {}));
  EXPECT_FALSE(disk.check_loaded(&crashed, {}));
}

TEST(DiskOracleTest, TheDataAreThoseOfTheCut) {
  DiskOracle disk;
  disk.begin_save(data_at(1, {{.hash = 5}, {.hash = 7}}));
  const NodeData other_order = data_at(1, {{.hash = 7}, {.hash = 5}});
  const NodeData less = data_at(1, {{.hash = 5}});
  EXPECT_FALSE(disk.check_loaded(&other_order, {}));
  EXPECT_TRUE(disk.check_loaded(&less, {}));
}

TEST(DiskOracleTest, APrimaryLeavesOutWhatHasExpiredIfTheFileHasNoPlace) {
  const std::vector<DataItem> saved = {{.hash = 5, .expiry_ms = 99}, {.hash = 7, .expiry_ms = 100}};
  const std::vector<DataItem> left = {{.hash = 7, .expiry_ms = 100}};
  DiskOracle without_place;
  without_place.begin_save({.position = {}, .items = saved});
  const NodeData loaded{.position = {}, .items = left};
  EXPECT_FALSE(without_place.check_loaded(&loaded, 100));
  EXPECT_TRUE(without_place.check_loaded(&loaded, {})) << "a replica keeps them";
  DiskOracle with_place;
  with_place.begin_save(data_at(1, saved));
  const NodeData loaded_with_place = data_at(1, left);
  EXPECT_TRUE(with_place.check_loaded(&loaded_with_place, 100));
}

}  // namespace
}  // namespace tandem
