#include "base/crew.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tandem {
namespace {

// Everything is done once, whoever comes, and is done when share() returns.
TEST(ThreadCrew, EachPieceIsDoneOnceByWhoeverComes) {
  ThreadCrew crew("crew", 3, 1);
  for (const int helpers : {0, 1, 3, 2, 0, 3}) {
    ASSERT_TRUE(crew.resize(helpers));
    EXPECT_EQ(crew.helpers(), helpers);
    for (int round = 0; round < 500; ++round) {
      std::vector<int> done(64);
      bool first = false;
      crew.share(
          done.size(),
          [&](int hand, size_t piece) {
            EXPECT_LE(hand, helpers);
            if (hand == 0) EXPECT_TRUE(first);
            ++done[piece];
          },
          [&] { first = true; });
      EXPECT_EQ(done, std::vector<int>(64, 1));
    }
  }
}

constexpr int kLooksMax = 100'000;

// Each hand comes back to what it did the last time.
TEST(ThreadCrew, CallerAndHelperBeginAtDifferentEnds) {
  ThreadCrew crew("crew", 1, 1);
  ASSERT_TRUE(crew.resize(1));
  std::vector<int> hands(64);
  bool helped = false;
  for (int round = 0; round < 1000 && !helped; ++round) {
    std::atomic<bool> came{false};
    crew.share(
        hands.size(),
        [&](int hand, size_t piece) {
          hands[piece] = hand;
          if (hand != 0 && !came.exchange(true)) EXPECT_EQ(piece, hands.size() - 1);
        },
        [&] {
          for (int i = 0; i < kLooksMax && !came.load(); ++i) std::this_thread::yield();
        });
    helped = came.load();
  }
  EXPECT_TRUE(helped);
  EXPECT_TRUE(std::ranges::is_sorted(hands));
}

// Also those who slept; the caller gives them time.
TEST(ThreadCrew, HelpersComeAndAreWaitedFor) {
  ThreadCrew crew("crew", 2, 1);
  ASSERT_TRUE(crew.resize(2));
  int rounds_with_help = 0;
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> came{0};
    std::vector<int> written(2);
    crew.share(
        2,
        [&](int hand, size_t piece) {
          if (hand != 0) came.fetch_add(1);
          for (int i = 0; i < 1000; ++i) written[piece] = i;
        },
        [&] {
          for (int i = 0; i < kLooksMax && came.load() == 0; ++i) std::this_thread::yield();
        });
    EXPECT_EQ(written, std::vector<int>(2, 999));
    if (came.load() != 0) ++rounds_with_help;
  }
  EXPECT_GT(rounds_with_help, 0);
}

// As one that lost its processor in the middle of its piece.
TEST(ThreadCrew, AHelperThatIsHeldUpIsLeftOutForAWhile) {
  constexpr auto kHeldUp = std::chrono::milliseconds(20);
  ThreadCrew crew("crew", 1, 1);
  ASSERT_TRUE(crew.resize(1));
  // Whether it came within a time in which it would.
  const auto comes = [&](std::chrono::milliseconds held_up) {
    std::atomic<bool> came{false};
    crew.share(
        1,
        [&](int hand, size_t) {
          if (hand == 0) return;
          came.store(true);
          const auto end = std::chrono::steady_clock::now() + held_up;
          while (std::chrono::steady_clock::now() < end) __builtin_ia32_pause();
        },
        [&] {
          for (int i = 0; i < kLooksMax && !came.load(); ++i) std::this_thread::yield();
        });
    return came.load();
  };
  ASSERT_TRUE(comes(kHeldUp));
  int alone = 0;
  while (alone < 20 && !comes({})) ++alone;
  EXPECT_EQ(alone, 8);
}

TEST(ThreadCrew, HasNoMoreThanItsMost) {
  ThreadCrew crew("crew", 2, 1);
  ASSERT_TRUE(crew.resize(5));
  EXPECT_EQ(crew.helpers(), 2);
}

}  // namespace
}  // namespace tandem
