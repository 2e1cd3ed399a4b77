#include "base/crew.h"

#include <atomic>
#include <vector>

#include <gtest/gtest.h>

namespace tandem {
namespace {

// Everything is done once, whoever comes, and is done when share() returns.
TEST(ThreadCrew, EverythingIsDoneOnceByWhoeverComes) {
  ThreadCrew crew("crew", 3, 1);
  for (const int helpers : {0, 1, 3, 2, 0, 3}) {
    ASSERT_TRUE(crew.resize(helpers));
    EXPECT_EQ(crew.helpers(), helpers);
    for (int round = 0; round < 500; ++round) {
      std::vector<int> done(64);
      std::atomic<size_t> next{0};
      const auto work = [&] {
        for (size_t at = next++; at < done.size(); at = next++) ++done[at];
      };
      crew.share([&](int) { work(); }, work);
      EXPECT_EQ(done, std::vector<int>(64, 1));
    }
  }
}

// A helper that never wakes up in time changes nothing; one that came is waited for.
TEST(ThreadCrew, WhoCameIsWaitedFor) {
  ThreadCrew crew("crew", 1, 1);
  ASSERT_TRUE(crew.resize(1));
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> came{false};
    int written = 0;
    crew.share(
        [&](int helper) {
          EXPECT_EQ(helper, 0);
          came.store(true);
          for (int i = 0; i < 1000; ++i) written = i;
        },
        [&] {
          if (round % 2 == 0) {
            while (!came.load()) __builtin_ia32_pause();
          }
        });
    if (came.load()) EXPECT_EQ(written, 999);
    if (round % 2 == 0) EXPECT_TRUE(came.load());
  }
}

// It sleeps, and is woken.
TEST(ThreadCrew, HelpersThatSleptComeToo) {
  ThreadCrew crew("crew", 2, 1);
  ASSERT_TRUE(crew.resize(2));
  std::atomic<int> came{0};
  crew.share([&](int) { came.fetch_add(1); },
             [&] {
               while (came.load() < 2) __builtin_ia32_pause();
             });
  EXPECT_EQ(came.load(), 2);
}

TEST(ThreadCrew, HasNoMoreThanItsMost) {
  ThreadCrew crew("crew", 2, 1);
  ASSERT_TRUE(crew.resize(5));
  EXPECT_EQ(crew.helpers(), 2);
}

}  // namespace
}  // namespace tandem
