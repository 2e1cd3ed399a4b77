#include <gtest/gtest.h>

#include "engine/command_stats.h"

namespace tandem {
namespace {

TEST(LatencyBuckets, HoldTheirValuesWithinOnePartIn128) {
  size_t before = 0;
  for (int64_t us = 0; us <= LatencyBuckets::kMicrosecondsMax; ++us) {
    const size_t bucket = LatencyBuckets::index_of(us);
    ASSERT_LT(bucket, kLatencyBuckets);
    ASSERT_TRUE(bucket == before || bucket == before + 1) << us;
    ASSERT_LE(LatencyBuckets::lowest(bucket), us);
    ASSERT_GE(LatencyBuckets::highest(bucket), us);
    ASSERT_LE((LatencyBuckets::highest(bucket) - us) * 128, us);
    before = bucket;
  }
}

TEST(LatencyBuckets, TakeWhatIsOutOfRangeAsItsEnd) {
  EXPECT_EQ(LatencyBuckets::index_of(-1), LatencyBuckets::index_of(0));
  EXPECT_EQ(LatencyBuckets::index_of(INT64_MAX), kLatencyBuckets - 1);
  EXPECT_EQ(LatencyBuckets::index_of(INT64_MIN), 0U);
}

LatencyDistribution read(const LatencyRecorder& recorder) {
  LatencyDistribution sum;
  recorder.add_to(sum);
  return sum;
}

TEST(LatencyRecorder, TellsPercentiles) {
  LatencyRecorder recorder;
  for (int64_t us = 1; us <= 100; ++us) recorder.record(us);
  const LatencyDistribution all = read(recorder);
  EXPECT_EQ(all.total(), 100U);
  EXPECT_EQ(all.percentile(0), 1);
  EXPECT_EQ(all.percentile(50), 50);
  EXPECT_EQ(all.percentile(99), 99);
  EXPECT_EQ(all.percentile(99.9), 100);
  EXPECT_EQ(all.percentile(100), 100);
}

TEST(LatencyRecorder, IsEmptyBeforeTheFirstRecordAndAfterReset) {
  LatencyRecorder recorder;
  EXPECT_EQ(read(recorder).total(), 0U);
  EXPECT_EQ(read(recorder).percentile(50), 0);
  recorder.reset();
  recorder.record(5);
  EXPECT_EQ(read(recorder).total(), 1U);
  recorder.reset();
  EXPECT_EQ(read(recorder).total(), 0U);
}

TEST(LatencyRecorder, AddsUpWithOthers) {
  LatencyRecorder one, other;
  one.record(10);
  other.record(1000);
  LatencyDistribution sum;
  one.add_to(sum);
  other.add_to(sum);
  EXPECT_EQ(sum.total(), 2U);
  EXPECT_EQ(sum.percentile(50), 10);
  EXPECT_NEAR(static_cast<double>(sum.percentile(100)), 1000, 1000.0 / 128);
  EXPECT_EQ(sum.count_up_to(9), 0U);
  EXPECT_EQ(sum.count_up_to(10), 1U);
  EXPECT_EQ(sum.count_up_to(5000), 2U);
}

}  // namespace
}  // namespace tandem
