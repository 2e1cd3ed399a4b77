#include "sim/files.h"

#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace tandem {
namespace {

std::unique_ptr<File> must_open(Files& files, const std::string& path, OpenMode mode) {
  auto file = files.open(path, mode);
  EXPECT_TRUE(file) << file.error().text;
  return std::move(*file);
}

std::string contents(Files& files, const std::string& path) {
  auto bytes = files.read_all(path, 1 << 20);
  return bytes ? *bytes : "<" + bytes.error().text + ">";
}

TEST(SimFilesTest, BehavesAsADiskDoes) {
  SimFiles files(1);
  EXPECT_TRUE(files.make_folder("/d"));
  EXPECT_FALSE(files.make_folder("/none/deep"));
  EXPECT_FALSE(files.open("/none/a", OpenMode::kAppend));
  auto file = must_open(files, "/d/a", OpenMode::kAppend);
  const Bytes parts[] = {"hello", " ", "world"};
  EXPECT_TRUE(file->append(parts));
  EXPECT_TRUE(file->write_at(0, "J"));
  EXPECT_TRUE(file->write_at(13, "!"));
  char buffer[64];
  EXPECT_EQ(*file->read_at(6, buffer), 8u);
  EXPECT_EQ(*file->read_at(14, buffer), 0u);
  EXPECT_TRUE(file->truncate(5));
  EXPECT_EQ(contents(files, "/d/a"), "Jello");
  EXPECT_TRUE(files.rename("/d/a", "/d/b"));
  EXPECT_EQ(*files.list("/d"), (std::vector<std::string>{"b"}));
  EXPECT_FALSE(*files.exists("/d/a"));
  EXPECT_EQ(*files.size("/d/b"), 5u);
  EXPECT_TRUE(files.remove("/d/b"));
  EXPECT_FALSE(files.remove("/d/b"));
  EXPECT_EQ(files.open("/d/b", OpenMode::kRead).error().text,
            "open /d/b: No such file or directory");
  EXPECT_TRUE(must_open(files, "/d/c", OpenMode::kReplace)->append("x"));
  EXPECT_FALSE(must_open(files, "/d/c", OpenMode::kRead)->append("x"));
}

TEST(SimFilesTest, OnlyWhatWasSyncedSurvives) {
  SimFiles files(1);
  auto file = must_open(files, "a", OpenMode::kAppend);
  EXPECT_TRUE(file->append("one"));
  EXPECT_TRUE(file->sync());
  EXPECT_TRUE(files.sync_folder("."));
  EXPECT_TRUE(file->append("two"));
  must_open(files, "b", OpenMode::kAppend);
  files.lose_power(/*keep_part=*/false);
  EXPECT_EQ(contents(files, "a"), "one");
  EXPECT_FALSE(*files.exists("b"));
}

TEST(SimFilesTest, ANameIsDurableOnlyAfterItsFolder) {
  SimFiles files(1);
  EXPECT_TRUE(files.replace_all("a", "old"));
  auto file = must_open(files, "new", OpenMode::kReplace);
  EXPECT_TRUE(file->append("new"));
  EXPECT_TRUE(file->sync());
  EXPECT_TRUE(files.rename("new", "a"));
  EXPECT_EQ(contents(files, "a"), "new");
  files.lose_power(/*keep_part=*/false);
  EXPECT_EQ(contents(files, "a"), "old");
}

TEST(SimFilesTest, UnsyncedBytesSurviveAsATornPrefix) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 200; seed++) {
    SimFiles files(seed);
    auto file = must_open(files, "a", OpenMode::kAppend);
    EXPECT_TRUE(files.sync_folder("."));
    for (const char* part : {"ab", "cd", "ef"}) EXPECT_TRUE(file->append(part));
    files.lose_power();
    const std::string left = contents(files, "a");
    EXPECT_EQ(left, std::string("abcdef").substr(0, left.size()));
    seen.insert(left);
  }
  EXPECT_EQ(seen.size(), 7u);
}

TEST(SimFilesTest, AReplaceIsOldOrNewWheneverThePowerGoes) {
  // The steps of replace_all, cut at every place and by many seeds.
  for (uint64_t seed = 1; seed <= 50; seed++) {
    for (int steps = 0; steps <= 4; steps++) {
      SimFiles files(seed);
      EXPECT_TRUE(files.replace_all("a", "old"));
      auto file = must_open(files, "a.tmp", OpenMode::kReplace);
      if (steps > 0) EXPECT_TRUE(file->append("new"));
      if (steps > 1) EXPECT_TRUE(file->sync());
      if (steps > 2) EXPECT_TRUE(files.rename("a.tmp", "a"));
      if (steps > 3) EXPECT_TRUE(files.sync_folder("."));
      files.lose_power();
      const std::string left = contents(files, "a");
      EXPECT_TRUE(left == "old" || (steps > 2 && left == "new")) << left;
      if (steps == 4) EXPECT_EQ(left, "new");
    }
  }
}

TEST(SimFilesTest, AFullDiskTakesAPart) {
  SimFiles files(1);
  files.set_capacity_bytes(10);
  auto file = must_open(files, "a", OpenMode::kAppend);
  EXPECT_TRUE(file->append("12345678"));
  auto refused = file->append("9abc");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "write a: No space left on device");
  EXPECT_EQ(contents(files, "a"), "123456789a");
  EXPECT_TRUE(file->truncate(8));
  EXPECT_TRUE(file->append("9a"));
  EXPECT_TRUE(file->write_at(0, "0"));  // overwriting takes no room
  EXPECT_EQ(files.used_bytes(), 10u);
  EXPECT_FALSE(files.open("b", OpenMode::kAppend));
}

TEST(SimFilesTest, FaultsOnDemand) {
  SimFiles files(1);
  auto file = must_open(files, "a", OpenMode::kAppend);
  EXPECT_TRUE(files.sync_folder("."));
  files.fail_next_writes(1);
  EXPECT_FALSE(file->append("x"));
  EXPECT_TRUE(file->append("kept?"));
  files.fail_next_syncs(1);
  EXPECT_FALSE(file->sync());
  EXPECT_TRUE(file->sync());
  files.fail_next_reads(1);
  char buffer[8];
  EXPECT_FALSE(file->read_at(0, buffer));
  EXPECT_EQ(contents(files, "a"), "kept?");
  EXPECT_TRUE(files.flip_byte("a", 0));
  EXPECT_FALSE(files.flip_byte("a", 5));
  EXPECT_EQ(contents(files, "a"), "Kept?");
  files.lose_power(/*keep_part=*/false);
  EXPECT_EQ(contents(files, "a"), "");
}

TEST(SimFilesTest, NothingChangesOnceTheProcessIsGone) {
  SimFiles files(1);
  EXPECT_TRUE(files.replace_all("a", "old"));
  auto file = must_open(files, "b", OpenMode::kAppend);
  EXPECT_TRUE(file->append("half"));
  files.set_cut_off(true);
  EXPECT_FALSE(file->append("more"));
  EXPECT_FALSE(file->truncate(0));
  EXPECT_FALSE(file->sync());
  EXPECT_FALSE(files.rename("b", "a"));
  EXPECT_FALSE(files.remove("a"));
  EXPECT_FALSE(files.open("a", OpenMode::kReplace));
  EXPECT_FALSE(files.sync_folder("."));
  files.set_cut_off(false);
  EXPECT_EQ(contents(files, "a"), "old");
  EXPECT_EQ(contents(files, "b"), "half");
  files.lose_power(/*keep_part=*/false);
  EXPECT_FALSE(*files.exists("b"));
}

TEST(SimFilesTest, AFolderWhoseNameIsLostTakesItsFilesAlong) {
  SimFiles files(1);
  EXPECT_TRUE(files.make_folder("/d"));
  EXPECT_TRUE(files.replace_all("/d/a", "x"));
  files.lose_power(/*keep_part=*/false);
  EXPECT_FALSE(*files.exists("/d"));
  EXPECT_FALSE(*files.exists("/d/a"));
  EXPECT_TRUE(files.make_folder("/d"));
  EXPECT_TRUE(files.sync_folder("/"));
  EXPECT_TRUE(files.replace_all("/d/a", "x"));
  files.lose_power(/*keep_part=*/false);
  EXPECT_EQ(contents(files, "/d/a"), "x");
}

}  // namespace
}  // namespace tandem
