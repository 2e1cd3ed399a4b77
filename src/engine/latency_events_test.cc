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

struct Watched {
  explicit Watched(Engine& engine) {
    engine.observer = &steps;
    engine.slow_command_us = 1000;
  }
  Steps steps;
};

struct LatencyEvents : testing::Test, World, Watched {
  LatencyEvents() : Watched(engine) {}
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

TEST(LatencyEventsOfEviction, AKeyAndATurnAreOneEach) {
  MemoryOptions options;
  options.policy.set(MemoryPolicy::kAllKeysRandom);
  OpenEngine<TestClock> world({.keyspace = {.databases = 4, .hash_seed = 7}, .memory = &options},
                              test_rows());
  const Watched watched(world.engine);
  Executor executor(world.engine, 1);
  Client client;
  const auto run = [&](std::initializer_list<Bytes> args) {
    std::string out;
    ReplyWriter reply(out, 2);
    executor.begin_batch();
    executor.execute(client, std::vector<Bytes>(args), {}, reply);
    executor.end_turn();
  };
  const std::string value(50'000, 'v');
  run({"SET", "a", value});
  options.limit_bytes.set(
      static_cast<uint64_t>(allocated_bytes() - world.engine.memory.uncounted_bytes() - 1000));
  world.engine.memory.apply_options();
  world.clock.step_us = 1000;
  executor.evict_some();
  EXPECT_EQ(watched.steps.events, (std::vector<std::string>{"eviction-del", "eviction-cycle"}));
  executor.evict_some();
  EXPECT_EQ(watched.steps.events.size(), 2U) << "there was nothing to do";
}

}  // namespace
}  // namespace tandem
