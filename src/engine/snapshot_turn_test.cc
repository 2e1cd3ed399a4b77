#include "engine/snapshot_turn.h"

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(SnapshotTurn, IsOnesAtATime) {
  SnapshotTurn turn;
  EXPECT_FALSE(turn.taken());
  {
    SnapshotTurn::Held first = turn.try_take();
    ASSERT_TRUE(first);
    EXPECT_TRUE(turn.taken());
    EXPECT_FALSE(turn.try_take());
    const SnapshotTurn::Held moved = std::move(first);
    EXPECT_FALSE(turn.try_take());
  }
  EXPECT_FALSE(turn.taken());
  EXPECT_TRUE(turn.try_take());
}

TEST(SnapshotTurn, AnInterruptReachesWhoHasItAndNobodyAfter) {
  SnapshotTurn turn;
  int woken = 0;
  turn.interrupt();
  {
    const SnapshotTurn::Held held = turn.try_take([&] { ++woken; });
    EXPECT_FALSE(held.interrupted());
    turn.interrupt();
    EXPECT_TRUE(held.interrupted());
    EXPECT_EQ(woken, 1);
  }
  const SnapshotTurn::Held next = turn.try_take();
  EXPECT_FALSE(next.interrupted());
}

TEST(SnapshotTurn, TakingOverWaitsUntilItIsGivenBackAndComesFirst) {
  SnapshotTurn turn;
  std::promise<void> asked;
  std::promise<void> looked;
  std::atomic<bool> given_back = false;
  SnapshotTurn::Held held = turn.try_take([&] { asked.set_value(); });
  std::thread taking([&] {
    const SnapshotTurn::Held taken = turn.take_over();
    EXPECT_TRUE(given_back.load());
    EXPECT_FALSE(taken.interrupted());
    looked.get_future().wait();
  });
  asked.get_future().wait();
  given_back.store(true);
  held = {};
  EXPECT_FALSE(turn.try_take());
  looked.set_value();
  taking.join();
}

}  // namespace
}  // namespace tandem
