#include "keyspace/use.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

constexpr int64_t kDayS = 24 * 60 * 60;
constexpr int64_t kRoundS = int64_t{1} << kUseBits;

TEST(Use, TellsTheIdleTimeAlsoWhenTheClockComesRound) {
  for (const int64_t start_s : {int64_t{1000}, 100 * kRoundS - 5, 1'764'464'400L}) {
    const uint32_t use = use_by_recency(start_s);
    for (const int64_t passed_s : {0L, 1L, 10L, 65'536L, 100 * kDayS}) {
      EXPECT_EQ(idle_seconds(use, start_s + passed_s), passed_s) << start_s;
    }
  }
}

TEST(Use, AClockThatWasSetBackMakesNothingOld) {
  const int64_t now_s = 50 * kRoundS;
  EXPECT_EQ(idle_seconds(use_by_recency(now_s), now_s - 3600), 0U);
  const uint32_t often = use_by_frequency(200, now_s);
  EXPECT_EQ(frequency(often, now_s - 3600, 1), 200);
}

TEST(Use, AnIdleTimeThatIsToldIsKeptAsFarAsItGoes) {
  const int64_t now_s = 3 * kRoundS + 17;
  for (const uint64_t idle_s : {uint64_t{0}, uint64_t{1}, uint64_t{100'000}}) {
    EXPECT_EQ(idle_seconds(use_of_idle(idle_s, now_s), now_s), idle_s);
  }
  const uint32_t most = idle_seconds(use_of_idle(UINT64_MAX, now_s), now_s);
  EXPECT_GT(most, 190 * kDayS);
}

TEST(Use, ACounterDecaysByMinutes) {
  const int64_t now_s = 1'764'464'400;
  const uint32_t use = use_by_frequency(100, now_s);
  EXPECT_EQ(frequency(use, now_s + 59, 1), 100);
  EXPECT_EQ(frequency(use, now_s + 60, 1), 99);
  EXPECT_EQ(frequency(use, now_s + 30 * 60, 10), 97);
  EXPECT_EQ(frequency(use, now_s + 200 * 60, 1), 0);
  EXPECT_EQ(frequency(use, now_s + 200 * 60, 0), 100) << "no decay";
  EXPECT_EQ(frequency(use, now_s + 200 * 60, -1), 100);
}

// What redis.conf says of the factor 10: a hundred uses give about 10, a thousand 18, a hundred
// thousand 142.
TEST(Use, ACounterGrowsByTheLogarithm) {
  constexpr int kKeys = 50;
  UseRules rules;
  Random random(5);
  const auto average_after = [&](int uses) {
    double sum = 0;
    for (int key = 0; key < kKeys; ++key) {
      uint32_t use = use_by_frequency(kNewKeyFrequency, 0);
      for (int i = 0; i < uses; ++i) use = used_again(use, 0, rules, random);
      sum += frequency(use, 0, 1);
    }
    return sum / kKeys;
  };
  EXPECT_NEAR(average_after(100), 10, 2);
  EXPECT_NEAR(average_after(1000), 18, 3);
  EXPECT_NEAR(average_after(100'000), 142, 10);
  rules.log_factor = 0;
  EXPECT_EQ(average_after(1000), 255);
}

}  // namespace
}  // namespace tandem
