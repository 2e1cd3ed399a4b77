// What CONFIG SET sets in motion beyond the new value. Runs on the thread of CONFIG SET, which
// holds all stripes.
#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/logging.h"
#include "server/composition.h"

namespace tandem {

namespace {

constexpr std::chrono::milliseconds kLookForEndPeriod(20);

}  // namespace

// Sockets belong to the main thread, which takes no stripe and so never waits for this one; but it
// may have left its loop, and then waits for this thread to end.
Result<void> Composition::listen_again() {
  auto outcome = std::make_shared<std::promise<Result<void>>>();
  auto done = outcome->get_future();
  loop_.post([this, outcome] { outcome->set_value(acceptor_.listen()); });
  while (!left_loop_.load()) {
    if (done.wait_for(kLookForEndPeriod) == std::future_status::ready) return done.get();
  }
  return fail(ErrorCode::kCancelled, "the server ends");
}

void Composition::watch_configuration() {
  watch_network_configuration();
  ServerOptions& server = options_.server;
  const auto on = [this](std::initializer_list<std::string_view> names, auto act) {
    for (const std::string_view name : names) config_.on_change(name, act);
  };
  on({"loglevel"}, [&server]() -> Result<void> {
    set_log_level(server.log_level.get());
    return {};
  });
  on({"slowlog-log-slower-than", "latency-monitor-threshold"}, [this]() -> Result<void> {
    engine_.slow_command_us = watch_.watched_from_us();
    return {};
  });
  on({"latency-tracking"}, [this, &server]() -> Result<void> {
    engine_.track_latency = server.latency_tracking.get();
    return {};
  });
  on({"stop-writes-on-bgsave-error", "save"}, [this]() -> Result<void> {
    persistence_.settle_gate();
    return {};
  });
  on({"rdbcompression"}, [this, &server]() -> Result<void> {
    options_.replication.rdb_compression.set(server.persistence.compression.get());
    return {};
  });
  on({"repl-backlog-size"}, [this]() -> Result<void> {
    Option<int64_t>& bytes = options_.replication.backlog_bytes;
    bytes.set(std::max(bytes.get(), ReplicationOptions::kBacklogBytesMin));
    replication_.apply_options();
    return {};
  });
  on({"repl-backlog-time", "replica-read-only", "replica-serve-stale-data", "min-replicas-to-write",
      "min-replicas-max-lag"},
     [this]() -> Result<void> {
       replication_.apply_options();
       return {};
     });
  // The replicas' sessions read it when they look again.
  on({"client-output-buffer-limit"}, [this]() -> Result<void> {
    replication_.replicas().wake_all();
    return {};
  });
  on({"hash-max-listpack-entries", "hash-max-listpack-value", "list-max-listpack-size",
      "set-max-intset-entries", "set-max-listpack-entries", "set-max-listpack-value",
      "zset-max-listpack-entries", "zset-max-listpack-value", "stream-node-max-bytes",
      "stream-node-max-entries", "proto-max-bulk-len"},
     [this]() -> Result<void> {
       limits_ = options_.limits(limits_.hash_seed);
       return {};
     });
}

void Composition::watch_network_configuration() {
  const NetworkOptions& network = options_.server.network;
  config_.on_change("requirepass", [this, &network]() -> Result<void> {
    gate_.set(Gate::kAuthRequired, !network.password.empty());
    return {};
  });
  config_.on_change("maxclients", [this, &network]() -> Result<void> {
    const int64_t allowed = clients_allowed();
    if (allowed == network.clients_max.get()) return {};
    return fail(ErrorCode::kLimit,
                fmt::format("The operating system is not able to handle the specified number of "
                            "clients, try with {}",
                            allowed));
  });
  config_.on_change("port", [this]() -> Result<void> {
    if (listen_again()) return {};
    return fail(ErrorCode::kIo, "Unable to listen on this port. Check server logs.");
  });
  config_.on_change("bind", [this]() -> Result<void> {
    if (listen_again()) return {};
    return fail(ErrorCode::kIo, "Failed to bind to specified addresses.");
  });
}

}  // namespace tandem
