#include "log/acknowledgements.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(AcknowledgementsTest, CountsTheReplicasThatHoldAnOffsetNow) {
  Acknowledgements acknowledged;
  acknowledged.acknowledge(1, 10);
  EXPECT_EQ(acknowledged.count(0), 0U) << "nobody counts who was not admitted";
  acknowledged.admit(1, 0);
  acknowledged.admit(2, 30);
  EXPECT_EQ(acknowledged.count(0), 2U);
  acknowledged.acknowledge(1, 20);
  acknowledged.acknowledge(1, 5);
  EXPECT_EQ(acknowledged.count(20), 2U);
  EXPECT_EQ(acknowledged.count(21), 1U);
  acknowledged.forget(2);
  acknowledged.acknowledge(2, 40);
  EXPECT_EQ(acknowledged.count(20), 1U);
  EXPECT_EQ(acknowledged.count(21), 0U);
}

TEST(AcknowledgementsTest, TellsAWaiterOnceEnoughReplicasHaveIt) {
  Acknowledgements acknowledged;
  std::string calls;
  const auto call = [&calls](char name) {
    return [&calls, name](std::optional<size_t> have) { calls += name + std::to_string(*have); };
  };
  acknowledged.admit(1, 0);
  acknowledged.admit(2, 0);
  EXPECT_NE(acknowledged.wait(20, 2, call('b')), 0U);
  EXPECT_NE(acknowledged.wait(10, 1, call('a')), 0U);
  acknowledged.acknowledge(1, 9);
  EXPECT_EQ(calls, "");
  acknowledged.acknowledge(1, 25);
  EXPECT_EQ(calls, "a1");
  acknowledged.acknowledge(2, 20);
  EXPECT_EQ(calls, "a1b2");
  EXPECT_EQ(acknowledged.wait(20, 1, call('c')), 0U);
  EXPECT_EQ(calls, "a1b2c2");
}

// A replica that had everything and is gone does not make the promise any more.
TEST(AcknowledgementsTest, WhoIsGoneCountsForNoWaiter) {
  Acknowledgements acknowledged;
  int calls = 0;
  acknowledged.admit(1, 100);
  acknowledged.forget(1);
  EXPECT_NE(acknowledged.wait(50, 1, [&](auto) { ++calls; }), 0U);
  acknowledged.admit(2, 40);
  EXPECT_EQ(calls, 0);
  acknowledged.acknowledge(2, 50);
  EXPECT_EQ(calls, 1);
}

TEST(AcknowledgementsTest, WaitersAreCancelledAndGivenUp) {
  Acknowledgements acknowledged;
  int passed = 0;
  int given_up = 0;
  const auto call = [&](std::optional<size_t> have) { ++(have ? passed : given_up); };
  const auto id = acknowledged.wait(5, 1, call);
  acknowledged.wait(6, 1, call);
  acknowledged.cancel(id);
  acknowledged.give_up_waiters();
  acknowledged.admit(1, 10);
  EXPECT_EQ(passed, 0);
  EXPECT_EQ(given_up, 1);
}

TEST(AcknowledgementsThreadsTest, EachWaiterRunsOnce) {
  constexpr int kWaiters = 500;
  Acknowledgements acknowledged;
  acknowledged.admit(1, 0);
  std::vector<std::atomic<int>> runs(kWaiters);
  std::thread waiting([&] {
    for (int i = 0; i < kWaiters; ++i)
      acknowledged.wait(static_cast<uint64_t>(i), 1, [&runs, i](auto) { ++runs[i]; });
  });
  std::thread advancing([&] {
    for (int i = 0; i < kWaiters; i += 3) acknowledged.acknowledge(1, static_cast<uint64_t>(i));
  });
  waiting.join();
  advancing.join();
  acknowledged.acknowledge(1, kWaiters);
  for (const auto& count : runs) EXPECT_EQ(count.load(), 1);
}

}  // namespace
}  // namespace tandem
