#include "replication/duty_clock.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(DutyClock, RunsOnlyWhileThePeerOwes) {
  DutyClock clock;
  EXPECT_EQ(clock.look(5000), 0);
  clock.peers_turn(6000);
  EXPECT_EQ(clock.look(6900), 900);
  clock.our_turn(7000);
  EXPECT_EQ(clock.look(9000), 1000);
  clock.peers_turn(9500);
  EXPECT_EQ(clock.look(10'000), 1500) << "it owes what it owed before";
}

TEST(DutyClock, StartsAnewWithWhatThePeerDoes) {
  DutyClock clock;
  clock.peers_turn(0);
  clock.look(1000);
  clock.progress(1500);
  EXPECT_EQ(clock.look(2000), 500);
  clock.our_turn(2000);
  clock.progress(3000);
  clock.peers_turn(4000);
  EXPECT_EQ(clock.look(4500), 500);
}

TEST(DutyClock, CountsNoTimeInWhichNobodyLooked) {
  DutyClock clock;
  clock.peers_turn(0);
  EXPECT_EQ(clock.look(1000), 1000);
  EXPECT_EQ(clock.look(100'000), 1000 + DutyClock::kGapMsMax);
  EXPECT_EQ(clock.look(99'000), 1000 + DutyClock::kGapMsMax) << "a clock that goes back";
}

}  // namespace
}  // namespace tandem
