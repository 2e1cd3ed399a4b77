#include "rdb/rdb_format.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(RdbFormat, AServersVersionSaysWhatItReads) {
  EXPECT_EQ(rdb_version_read_by("6.2.14"), 9);
  EXPECT_EQ(rdb_version_read_by("7.0.15"), 10);
  EXPECT_EQ(rdb_version_read_by("7.2"), 11);
  EXPECT_EQ(rdb_version_read_by("7.4.0"), 11);
  EXPECT_EQ(rdb_version_read_by("8.0.1"), 11);
  EXPECT_EQ(rdb_version_read_by("255.255.255"), 11);
}

TEST(RdbFormat, WhatIsNoVersionSaysNothing) {
  EXPECT_EQ(rdb_version_read_by(""), 0);
  EXPECT_EQ(rdb_version_read_by("7"), 0);
  EXPECT_EQ(rdb_version_read_by("x.y"), 0);
  EXPECT_EQ(rdb_version_read_by("7."), 0);
  EXPECT_EQ(rdb_version_read_by(".2"), 0);
  EXPECT_EQ(rdb_version_read_by("-1.2"), 0);
  EXPECT_EQ(rdb_version_read_by("99999999999999999999.1"), 0);
}

}  // namespace
}  // namespace tandem
