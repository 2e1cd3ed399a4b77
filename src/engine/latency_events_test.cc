// What LATENCY is told besides commands.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/test_world.h"

namespace tandem {
namespace {

struct Steps final : CommandObserver {
  void command_shown(const ClientState&, const Command&, std::span<const Bytes>, int64_t) override {
  }
  void slow_command(const ClientState&, const Command&, std::span<const Bytes>, int64_t,
                    int64_t) override {}
  void slow_step(Bytes event, int64_t, int64_t duration_us) override {
    EXPECT_GE(duration_us, 1000);
    events.emplace_back(event);
  }
  void error_reply(Bytes) override {}
  void command_denied(const ClientState&, const Command&, std::span<const Bytes>, const Denial&,
                      DenialContext, int64_t) override {}
  std::vector<std::string> events;
};

struct LatencyEvents : testing::Test, World {
  LatencyEvents() {
    engine.observer = &steps;
    engine.slow_command_us = 1000;
  }
  Steps steps;
};

TEST_F(LatencyEvents, ServingABlockedClientIsOne) {
  Client waits;
  Client pushes;
  run(waits, {"BPOP", "q"});
  run(pushes, {"PUSH", "q", "a"});
  EXPECT_TRUE(steps.events.empty());
  Client waits_again;
  run(waits_again, {"BPOP", "q"});
  clock.step_us = 1000;
  run(pushes, {"PUSH", "q", "b"});
  EXPECT_EQ(steps.events, std::vector<std::string>{"command-unblocking"});
}

TEST_F(LatencyEvents, AStepOfExpiryIsOne) {
  executor.expire_some(1'000'000);
  EXPECT_TRUE(steps.events.empty());
  clock.step_us = 1000;
  executor.expire_some(1'000'000);
  EXPECT_EQ(steps.events, std::vector<std::string>{"expire-cycle"});
}

}  // namespace
}  // namespace tandem
