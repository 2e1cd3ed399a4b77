#include "server/status/latency_texts.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

LatencyEvent event_of(std::initializer_list<int64_t> milliseconds, int64_t first_unix_s) {
  LatencyMonitor monitor;
  for (const int64_t one : milliseconds) monitor.add("command", first_unix_s++, one);
  return monitor.events().front();
}

const std::string kRule(80, '-');

// As redis-server 7.0.15 draws it.
TEST(LatencyGraph, DrawsAColumnASpike) {
  const LatencyEvent event = event_of({5, 10, 20, 3, 50, 8, 7, 30}, 100);
  EXPECT_EQ(latency_graph(event, 108), "command - high 50 ms, low 3 ms (all time high 50 ms)\n" +
                                           kRule +
                                           "\n"
                                           "    #   \n"
                                           "    |  _\n"
                                           "  o |  |\n"
                                           "_o|_|oo|\n"
                                           "        \n"
                                           "87654321\n"
                                           "ssssssss\n");
}

TEST(LatencyGraph, OfEqualSpikesIsFlat) {
  EXPECT_EQ(latency_graph(event_of({10}, 100), 100),
            "command - high 10 ms, low 10 ms (all time high 10 ms)\n" + kRule +
                "\n \n \n \n_\n \n0\ns\n");
}

TEST(LatencyGraph, TellsAgesInTheUnitThatFits) {
  LatencyMonitor monitor;
  const int64_t now = 10'000'000;
  for (const int64_t age : {200'000, 7200, 125, 59}) monitor.add("command", now - age, 10);
  const std::string graph = latency_graph(monitor.events().front(), now);
  EXPECT_TRUE(graph.ends_with("    \n2225\ndhm9\n   s\n")) << graph;
}

TEST(LatencyGraph, GoesOnBelowBehindEightyColumns) {
  LatencyMonitor monitor;
  for (int64_t second = 0; second < 100; ++second) monitor.add("command", second, 10);
  const std::string graph = latency_graph(monitor.events().front(), 100);
  EXPECT_NE(graph.find("\n" + std::string(80, '_') + "\n"), std::string::npos) << graph;
  EXPECT_NE(graph.find("\n\n" + std::string(20, ' ') + "\n"), std::string::npos) << graph;
}

TEST(LatencyReport, SumsUpAndAdvises) {
  EXPECT_EQ(latency_report({}, true), "No spikes so far.\n");
  EXPECT_NE(latency_report({}, false).find("latency-monitor-threshold"), std::string::npos);
  const LatencyEvent events[] = {event_of({10, 30, 20}, 100)};
  const std::string report = latency_report(events, true);
  EXPECT_TRUE(report.starts_with(
      "command: 3 spikes, 20 ms on average, off by 6 ms, one in 0 s; 30 ms at worst.\n\n- "))
      << report;
  EXPECT_NE(report.find("SLOWLOG GET"), std::string::npos);
}

}  // namespace
}  // namespace tandem
