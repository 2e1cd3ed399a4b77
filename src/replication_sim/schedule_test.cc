#include "replication_sim/schedule.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(ScheduleTest, TheSameSeedIsTheSameRun) {
  const ScheduleResult once = run_replication_schedule(3);
  const ScheduleResult again = run_replication_schedule(3);
  EXPECT_EQ(once.trace_hash, again.trace_hash);
  EXPECT_EQ(once.steps, again.steps);
  EXPECT_NE(once.trace_hash, run_replication_schedule(4).trace_hash);
}

TEST(ScheduleTest, InvariantsHold) {
  int64_t full = 0;
  int64_t partial = 0;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    const ScheduleResult result = run_replication_schedule(seed);
    EXPECT_FALSE(result.violation) << "seed " << seed << ": " << *result.violation;
    full += result.full_syncs;
    partial += result.partial_syncs;
  }
  EXPECT_GT(full, 0) << "the schedules must get as far as full syncs";
  EXPECT_GT(partial, 0) << "and partial ones";
}

}  // namespace
}  // namespace tandem
