#include <gtest/gtest.h>

#include "replication/link.h"

namespace tandem {
namespace {

constexpr LinkEnding kRefused{};
constexpr LinkEnding kCutAfterLong{.rising_ms = 5, .following_ms = 60'000};
constexpr LinkEnding kCutAtOnce{.rising_ms = 5, .following_ms = 1};

struct LinkBackoffTest : testing::Test {
  LinkBackoff backoff{1};
};

TEST_F(LinkBackoffTest, TheFirstTryAfterALinkThatWasUpIsAtOnceAndTheSecondIsNot) {
  for (int cut = 0; cut < 3; ++cut) {
    EXPECT_EQ(backoff.next_ms(kCutAfterLong), 0);
    EXPECT_GE(backoff.next_ms(kRefused), LinkBackoff::kFirstMs / 2);
    EXPECT_GE(backoff.next_ms(kRefused), LinkBackoff::kFirstMs);
  }
}

TEST_F(LinkBackoffTest, WhoNeverWasUpWaits) {
  EXPECT_GE(backoff.next_ms(kRefused), LinkBackoff::kFirstMs / 2);
}

TEST_F(LinkBackoffTest, ALinkThatIsCutAtOnceEachTimeEarnsNothing) {
  EXPECT_EQ(backoff.next_ms(kCutAtOnce), 0);
  int64_t total_ms = 0;
  for (int i = 0; i < 10; ++i) total_ms += backoff.next_ms(kCutAtOnce);
  EXPECT_GT(total_ms, 4 * LinkBackoff::kMaxMs / 2);
  EXPECT_EQ(backoff.next_ms(kCutAfterLong), 0);
}

TEST_F(LinkBackoffTest, AsLongAsItTookToComeUpIsWhatItHasToFollow) {
  const LinkEnding brief{.rising_ms = 30'000, .following_ms = 29'999};
  const LinkEnding enough{.rising_ms = 30'000, .following_ms = 30'000};
  EXPECT_EQ(backoff.next_ms(brief), 0);
  EXPECT_GT(backoff.next_ms(brief), 0);
  EXPECT_EQ(backoff.next_ms(enough), 0);
  EXPECT_EQ(backoff.next_ms(enough), 0);
}

TEST_F(LinkBackoffTest, NoFullSyncIsAskedForAtOnce) {
  LinkEnding ending = kCutAfterLong;
  ending.needs_snapshot = true;
  EXPECT_GT(backoff.next_ms(ending), 0);
}

TEST_F(LinkBackoffTest, WhatIsNotSupportedIsAskedForEverMoreSeldom) {
  const LinkEnding unsupported{.unsupported_snapshot = true};
  EXPECT_GE(backoff.next_ms(unsupported), LinkBackoff::kUnsupportedFirstMs / 2);
  EXPECT_LT(backoff.next_ms(kRefused), 1000) << "the primary starts anew, say";
  for (int i = 0; i < 20; ++i) backoff.next_ms(unsupported);
  const int64_t late_ms = backoff.next_ms(unsupported);
  EXPECT_GE(late_ms, LinkBackoff::kUnsupportedMaxMs / 2);
  EXPECT_LE(late_ms, LinkBackoff::kUnsupportedMaxMs);
}

}  // namespace
}  // namespace tandem
