#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "io/files.h"

namespace tandem {
namespace {

class DiskFilesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(folder_), nullptr); }
  void TearDown() override {
    for (const std::string& name : *files_.list(folder_)) ::remove(at(name).c_str());
    ::rmdir(folder_);
  }
  std::string at(const std::string& name) const { return std::string(folder_) + "/" + name; }

  DiskFiles files_;
  char folder_[32] = "/tmp/tandem_files_XXXXXX";
};

TEST_F(DiskFilesTest, AppendsWritesReadsAndTruncates) {
  auto file = files_.open(at("a"), OpenMode::kAppend);
  ASSERT_TRUE(file) << file.error().text;
  const Bytes parts[] = {"hello", "", " ", "world"};
  EXPECT_TRUE((*file)->append(parts));
  EXPECT_TRUE((*file)->write_at(0, "J"));
  EXPECT_TRUE((*file)->append("!"));
  EXPECT_EQ(*(*file)->size(), 12u);
  char buffer[64];
  EXPECT_EQ(*(*file)->read_at(6, buffer), 6u);
  EXPECT_EQ(std::string(buffer, 6), "world!");
  EXPECT_EQ(*(*file)->read_at(12, buffer), 0u);
  EXPECT_TRUE((*file)->truncate(5));
  EXPECT_TRUE((*file)->append("."));
  EXPECT_TRUE((*file)->sync());
  EXPECT_EQ(*files_.read_all(at("a"), 100), "Jello.");
  auto again = files_.open(at("a"), OpenMode::kAppend);
  EXPECT_TRUE((*again)->append("more"));
  EXPECT_EQ(*files_.read_all(at("a"), 10), "Jello.more");
  EXPECT_EQ(files_.read_all(at("a"), 9).error().code, ErrorCode::kLimit);
}

TEST_F(DiskFilesTest, ManyPartsInOneAppend) {
  auto file = files_.open(at("a"), OpenMode::kReplace);
  std::vector<Bytes> parts(1000, "ab");
  EXPECT_TRUE((*file)->append(parts));
  EXPECT_EQ((*files_.read_all(at("a"), 3000)).size(), 2000u);
}

TEST_F(DiskFilesTest, NamesAreMadeReplacedListedAndRemoved) {
  EXPECT_TRUE(files_.replace_all(at("b"), "one"));
  EXPECT_TRUE(files_.replace_all(at("b"), "two"));
  EXPECT_TRUE(files_.replace_all(at("a"), ""));
  EXPECT_EQ(*files_.list(folder_), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(files_.rename(at("b"), at("a")));
  EXPECT_EQ(*files_.read_all(at("a"), 100), "two");
  EXPECT_EQ(*files_.size(at("a")), 3u);
  EXPECT_FALSE(*files_.exists(at("b")));
  EXPECT_TRUE(files_.remove(at("a")));
  EXPECT_FALSE(files_.remove(at("a")));
  EXPECT_TRUE(files_.make_folder(at("sub")));
  EXPECT_TRUE(files_.make_folder(at("sub")));
  EXPECT_TRUE(*files_.exists(at("sub")));
  EXPECT_TRUE(files_.sync_folder(folder_));
}

TEST_F(DiskFilesTest, ErrorsSayTheSystemsReason) {
  auto missing = files_.open(at("none"), OpenMode::kRead);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kIo);
  EXPECT_EQ(missing.error().text, "open " + at("none") + ": No such file or directory");
  EXPECT_FALSE(files_.list(at("none")));
  EXPECT_FALSE(files_.sync_folder(at("none")));
  EXPECT_FALSE(files_.make_folder(at("none") + "/deep"));
  auto full = files_.open("/dev/full", OpenMode::kReadWrite);
  if (full) EXPECT_FALSE((*full)->append("x"));
}

TEST(FolderOfTest, IsThePartBeforeTheLastSlash) {
  EXPECT_EQ(folder_of("a/b/c"), "a/b");
  EXPECT_EQ(folder_of("/a"), "/");
  EXPECT_EQ(folder_of("a"), ".");
}

}  // namespace
}  // namespace tandem
