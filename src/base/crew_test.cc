#include "base/crew.h"

#include <atomic>
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

// Also those who slept, for the caller does nothing before both are there.
TEST(ThreadCrew, HelpersComeAndAreWaitedFor) {
  ThreadCrew crew("crew", 2, 1);
  ASSERT_TRUE(crew.resize(2));
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> came{0};
    std::vector<int> written(2);
    crew.share(
        2,
        [&](int hand, size_t piece) {
          EXPECT_NE(hand, 0);
          came.fetch_add(1);
          while (came.load() < 2) __builtin_ia32_pause();
          for (int i = 0; i < 1000; ++i) written[piece] = i;
        },
        [&] {
          while (came.load() < 2) __builtin_ia32_pause();
        });
    EXPECT_EQ(written, std::vector<int>(2, 999));
  }
}

TEST(ThreadCrew, HasNoMoreThanItsMost) {
  ThreadCrew crew("crew", 2, 1);
  ASSERT_TRUE(crew.resize(5));
  EXPECT_EQ(crew.helpers(), 2);
}

}  // namespace
}  // namespace tandem
