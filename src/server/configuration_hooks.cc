// Where a part belongs to another thread, the call is posted to that thread's loop and waited for,
// though never for longer than that loop turns.
#include "server/configuration_hooks.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include "base/crash_log.h"
#include "base/logging.h"

namespace tandem {
namespace {

constexpr std::chrono::milliseconds kLookForEndPeriod(20);

}  // namespace

// Sockets belong to the main thread, which takes no stripe and so never waits for this one; but it
// may have left its loop, and then waits for this thread to end.
Result<void> ConfigurationHooks::listen_again() {
  auto outcome = std::make_shared<std::promise<Result<void>>>();
  auto done = outcome->get_future();
  parts_.main_loop.post(
      [&acceptor = parts_.acceptor, outcome] { outcome->set_value(acceptor.listen()); });
  while (!parts_.left_main_loop.load()) {
    if (done.wait_for(kLookForEndPeriod) == std::future_status::ready) return done.get();
  }
  return fail(ErrorCode::kCancelled, "the server ends");
}

void ConfigurationHooks::install() {
  hook_clients();
  hook_data();
  const ServerOptions& server = parts_.options.server;
  Config& config = parts_.config;
  config.on_change(Part::kLogLevel, [&server]() -> Result<void> {
    set_log_level(server.log_level.get());
    return {};
  });
  config.on_change(Part::kSlowCommands, [this]() -> Result<void> {
    parts_.engine.slow_command_us = parts_.reports.watched_from_us();
    return {};
  });
  config.on_change(Part::kLatencyTracking, [this, &server]() -> Result<void> {
    parts_.engine.track_latency = server.latency_tracking.get();
    return {};
  });
  config.on_change(Part::kKeyEvents, [this, &server]() -> Result<void> {
    parts_.engine.event_choice.set(server.key_events.get());
    return {};
  });
  config.on_change(Part::kTitle, [this] { return parts_.show_title(); });
  config.on_change(Part::kCrashLog, [&server]() -> Result<void> {
    log_crashes(server.crash_log.get());
    return {};
  });
}

void ConfigurationHooks::hook_clients() {
  const NetworkOptions& network = parts_.options.server.network;
  Config& config = parts_.config;
  config.on_change(Part::kPassword, [this, &network]() -> Result<void> {
    parts_.access.set_default_password(network.password.get());
    return {};
  });
  config.on_rewrite_users([this] { return parts_.access.configuration_lines(); });
  config.on_change(Part::kClientsMax, [this, &network]() -> Result<void> {
    const int64_t allowed = parts_.clients_allowed();
    if (allowed == network.clients_max.get()) return {};
    return fail(ErrorCode::kLimit,
                fmt::format("The operating system is not able to handle the specified number of "
                            "clients, try with {}",
                            allowed));
  });
  config.on_change(Part::kPort, [this]() -> Result<void> {
    if (listen_again()) return {};
    return fail(ErrorCode::kIo, "Unable to listen on this port. Check server logs.");
  });
  config.on_change(Part::kBind, [this]() -> Result<void> {
    if (listen_again()) return {};
    return fail(ErrorCode::kIo, "Failed to bind to specified addresses.");
  });
  config.on_change(Part::kClientsMemory, [this]() -> Result<void> {
    parts_.client_memory.apply();
    return {};
  });
  config.on_change(Part::kTrackingTable, [this, &network]() -> Result<void> {
    parts_.engine.tracking.keys_max.set(network.tracking_keys_max.get());
    parts_.engine.tracking.make_room();
    return {};
  });
  // The replicas' sessions read it when they look again.
  config.on_change(Part::kOutputLimits, [this]() -> Result<void> {
    parts_.replication.replicas().wake_all();
    return {};
  });
}

// What is too much goes in steps, while clients are served.
void ConfigurationHooks::fit_memory() {
  Engine& engine = parts_.engine;
  MemoryLimit& memory = engine.memory;
  memory.apply_options();
  parts_.client_memory.apply();  // it may be a share of this
  // Until somebody finds no room.
  engine.gate.set(Gate::kOutOfMemory, false);
  if (memory.excess_bytes() <= 0) return memory.note_kept();
  log_warning(
      "WARNING: the new maxmemory value set via CONFIG SET ({}) is smaller than the current memory "
      "usage ({}). This will result in key eviction and/or the inability to accept new write "
      "commands depending on the maxmemory-policy.",
      memory.options().limit_bytes.get(), memory.counted_bytes());
  memory.want_help();
}

void ConfigurationHooks::hook_data() {
  Options& options = parts_.options;
  Config& config = parts_.config;
  config.on_change(Part::kSaving, [this]() -> Result<void> {
    parts_.persistence.settle_gate();
    return {};
  });
  config.on_change(Part::kCompression, [&options]() -> Result<void> {
    options.replication.rdb_compression.set(options.server.persistence.compression.get());
    return {};
  });
  config.on_change(Part::kReplication, [this]() -> Result<void> {
    parts_.replication.apply_options();
    return {};
  });
  config.on_change(Part::kApplyThreads, [this] { return parts_.fit_apply_threads(); });
  config.on_change(Part::kBacklog, [this, &options]() -> Result<void> {
    Option<int64_t>& bytes = options.replication.backlog_bytes;
    bytes.set(std::max(bytes.get(), ReplicationOptions::kBacklogBytesMin));
    parts_.replication.apply_options();
    return {};
  });
  config.on_change(Part::kMemory, [this]() -> Result<void> {
    fit_memory();
    return {};
  });
  config.on_change(Part::kEncodings, [this, &options]() -> Result<void> {
    parts_.engine.limits = options.limits(parts_.engine.limits.hash_seed);
    return {};
  });
}

namespace {

constexpr uint64_t kConfigBytesMax = 64 * 1024 * 1024;

}  // namespace

Result<std::string> MachineConfigFiles::read(const std::string& path) {
  auto text = files_.read_all(path, kConfigBytesMax);
  if (text || text.error().code != ErrorCode::kIo) return text;
  // The reader of the message knows the path already.
  return fail(ErrorCode::kIo, std::string(system_reason(text.error())));
}

Result<std::string> MachineConfigFiles::read_standard_input() {
  std::string text;
  std::array<char, 4096> piece;
  ssize_t count;
  while ((count = ::read(STDIN_FILENO, piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<size_t>(count));
    if (text.size() > kConfigBytesMax) {
      return fail(ErrorCode::kLimit, "the configuration on standard input is too long");
    }
  }
  if (count < 0) return fail(ErrorCode::kIo, "can't read the standard input");
  return text;
}

std::vector<std::string> MachineConfigFiles::expand(const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return {pattern};
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

Result<void> MachineConfigFiles::replace(const std::string& path, const std::string& text) {
  return files_.replace_all(path, text);
}

bool MachineConfigFiles::exists(const std::string& path) {
  const auto found = files_.exists(path);
  return found && *found;
}

std::string MachineConfigFiles::absolute(const std::string& path) {
  return std::filesystem::absolute(path).string();
}

}  // namespace tandem
