#include <atomic>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "engine/executor.h"
#include "io/files.h"
#include "server/commands/rows.h"
#include "server/configuration_hooks.h"

namespace tandem {
namespace {

struct World {
  World() : config(options, config_files) {
    config.on_change(Part::kReplication, [this]() -> Result<void> {
      applied = true;
      return {};
    });
  }
  static std::vector<CommandRow> rows(Config& config) {
    std::vector<CommandRow> all = engine_rows();
    for (CommandRow& row : config_rows(config, [] {})) all.push_back(std::move(row));
    return all;
  }

  DiskFiles files;
  MachineConfigFiles config_files{files};
  Options options;
  Config config;
  Engine engine{{.keyspace = {.databases = 1}}, system_clock(), rows(config)};
  Keyspace& keyspace = engine.keyspace;
  std::atomic<bool> applied = false;
};

// A command that was let in under the former rule holds its stripe until it is done.
TEST(ConfigSet, WaitsForWhatWasLetInBefore) {
  for (const Bytes directive :
       {"replica-read-only", "min-replicas-to-write", "min-replicas-max-lag"}) {
    World world;
    std::atomic<bool> done = false;
    std::string out;
    std::thread setter;
    {
      const std::lock_guard running(world.keyspace.stripe(77));
      setter = std::thread([&] {
        ClientState client(ClientKind::kNormal);
        Executor executor(world.engine, 1);
        ReplyWriter reply(out);
        const Bytes value = directive == "replica-read-only" ? "no" : "7";
        const std::vector<Bytes> request{"CONFIG", "SET", directive, value};
        executor.execute(client, request, {}, reply);
        done = true;
      });
      while (!done && !world.keyspace.stripe(77).contended()) std::this_thread::yield();
      EXPECT_FALSE(done);
      EXPECT_FALSE(world.applied);
    }
    setter.join();
    EXPECT_EQ(out, "+OK\r\n");
    EXPECT_TRUE(world.applied);
  }
}

}  // namespace
}  // namespace tandem
