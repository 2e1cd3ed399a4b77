#include <gtest/gtest.h>

#include "server/status/command_reports.h"

namespace tandem {
namespace {

TEST(LatencyMonitor, KeepsTheWorstOfASecond) {
  LatencyMonitor monitor;
  monitor.add("command", 100, 5);
  monitor.add("command", 100, 9);
  monitor.add("command", 100, 7);
  monitor.add("command", 101, 3);
  const auto events = monitor.events();
  ASSERT_EQ(events.size(), 1u);
  ASSERT_EQ(events[0].samples.size(), 2u);
  EXPECT_EQ(events[0].samples[0].milliseconds, 9);
  EXPECT_EQ(events[0].samples[1].milliseconds, 3);
  EXPECT_EQ(events[0].worst_ms, 9);
}

TEST(LatencyMonitor, ForgetsTheOldestSamplesButNotTheWorst) {
  LatencyMonitor monitor;
  for (int64_t second = 0; second < 200; ++second) monitor.add("command", second, 200 - second);
  const auto events = monitor.events();
  EXPECT_EQ(events[0].samples.size(), LatencyMonitor::kSamplesMax);
  EXPECT_EQ(events[0].samples.back().unix_s, 199);
  EXPECT_EQ(events[0].worst_ms, 200);
}

TEST(LatencyMonitor, ResetsOneEvent) {
  LatencyMonitor monitor;
  monitor.add("command", 1, 1);
  monitor.add("fast-command", 1, 1);
  EXPECT_TRUE(monitor.reset("COMMAND"));
  EXPECT_FALSE(monitor.reset("command"));
  EXPECT_EQ(monitor.events().size(), 1u);
}

}  // namespace
}  // namespace tandem
