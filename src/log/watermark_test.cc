#include "log/watermark.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(WatermarkTest, RunsWaitersInTheOrderOfTheirOffsets) {
  Watermark mark;
  std::string calls;
  EXPECT_NE(mark.wait(20, [&] { calls += 'b'; }), 0U);
  EXPECT_NE(mark.wait(10, [&] { calls += 'a'; }), 0U);
  EXPECT_NE(mark.wait(21, [&] { calls += 'c'; }), 0U);
  mark.advance(9);
  EXPECT_EQ(calls, "");
  mark.advance(20);
  EXPECT_EQ(calls, "ab");
  mark.advance(15);
  EXPECT_EQ(mark.value(), 20U);
  mark.advance(30);
  EXPECT_EQ(calls, "abc");
  EXPECT_EQ(mark.wait(30, [&] { calls += 'd'; }), 0U);
  EXPECT_EQ(calls, "abcd");
}

TEST(WatermarkTest, CancelledWaiterDoesNotRun) {
  Watermark mark;
  bool ran = false;
  const WaiterId id = mark.wait(5, [&] { ran = true; });
  EXPECT_TRUE(mark.cancel(id));
  EXPECT_FALSE(mark.cancel(id));
  mark.advance(10);
  EXPECT_FALSE(ran);
}

TEST(WatermarkTest, ResetMayGoBack) {
  Watermark mark;
  mark.advance(100);
  mark.reset(10);
  EXPECT_EQ(mark.value(), 10U);
  bool ran = false;
  mark.wait(50, [&] { ran = true; });
  EXPECT_FALSE(ran);
  mark.advance(50);
  EXPECT_TRUE(ran);
}

TEST(AcknowledgedWatermarksTest, KthReplicaMovesTheKthMark) {
  AcknowledgedWatermarks acknowledged;
  acknowledged.acknowledge(1, 10);
  EXPECT_EQ(acknowledged.by_replicas(1).value(), 10U);
  EXPECT_EQ(acknowledged.by_replicas(2).value(), 0U);
  acknowledged.acknowledge(2, 30);
  EXPECT_EQ(acknowledged.by_replicas(1).value(), 30U);
  EXPECT_EQ(acknowledged.by_replicas(2).value(), 10U);
  acknowledged.acknowledge(1, 20);
  EXPECT_EQ(acknowledged.by_replicas(2).value(), 20U);
  acknowledged.acknowledge(1, 5);
  EXPECT_EQ(acknowledged.count(20), 2U);
  EXPECT_EQ(acknowledged.count(21), 1U);
  acknowledged.forget(2);
  EXPECT_EQ(acknowledged.count(20), 1U);
  acknowledged.reset(0);
  EXPECT_EQ(acknowledged.count(0), 0U);
  EXPECT_EQ(acknowledged.by_replicas(1).value(), 0U);
}

TEST(WatermarkThreadsTest, EachWaiterRunsOnce) {
  constexpr int kWaiters = 2000;
  Watermark mark;
  std::vector<std::atomic<int>> runs(kWaiters);
  std::thread waiting([&] {
    for (int i = 0; i < kWaiters; ++i)
      mark.wait(static_cast<uint64_t>(i), [&runs, i] { ++runs[i]; });
  });
  std::thread advancing([&] {
    for (int i = 0; i < kWaiters; i += 3) mark.advance(static_cast<uint64_t>(i));
  });
  waiting.join();
  advancing.join();
  mark.advance(kWaiters);
  for (const auto& count : runs) EXPECT_EQ(count.load(), 1);
}

}  // namespace
}  // namespace tandem
