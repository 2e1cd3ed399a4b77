// What CONFIG SET sets in motion beyond the new value: one call for each Part of the directive
// table.
//
// Threads: made before any other thread runs. The calls come on the thread of CONFIG SET, which
// holds all stripes; none of them waits for a thread that may itself wait for stripes.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "config/config.h"
#include "engine/engine.h"
#include "io/files.h"
#include "io/loop.h"
#include "replication/control.h"
#include "server/access_control.h"
#include "server/client/acceptor.h"
#include "server/client/client_memory.h"
#include "server/persistence/persistence.h"
#include "server/status/command_reports.h"

namespace tandem {

class ConfigurationHooks {
 public:
  // All outlive this.
  struct Parts {
    Options& options;
    Config& config;
    Engine& engine;
    AccessControl& access;
    CommandReports& reports;
    ClientMemory& client_memory;
    Persistence& persistence;
    ReplicationControl& replication;
    Loop& main_loop;
    Acceptor& acceptor;                        // on the main loop
    const std::atomic<bool>& left_main_loop;   // for good
    std::function<int64_t()> clients_allowed;  // of `maxclients`, by the system
    std::function<Result<void>()> show_title;
    std::function<Result<void>()> fit_apply_threads;
  };

  explicit ConfigurationHooks(Parts parts) : parts_(std::move(parts)) {}

  // Registers every call with the configuration.
  void install();

 private:
  void hook_clients();
  void hook_data();
  void fit_memory();
  Result<void> listen_again();

  const Parts parts_;
};

// The machine's files, as configuration reads and replaces them.

// Confined to one thread at a time.
class MachineConfigFiles final : public ConfigFiles {
 public:
  explicit MachineConfigFiles(Files& files) : files_(files) {}
  Result<std::string> read(const std::string& path) override;
  Result<std::string> read_standard_input() override;
  std::vector<std::string> expand(const std::string& pattern) override;
  Result<void> replace(const std::string& path, const std::string& text) override;
  bool exists(const std::string& path) override;
  std::string absolute(const std::string& path) override;

 private:
  Files& files_;
};

}  // namespace tandem
