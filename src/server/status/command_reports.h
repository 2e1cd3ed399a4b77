// Latency spikes, for LATENCY: what took at least `latency-monitor-threshold` milliseconds, by the
// kind of event. Threads: any; only a spike costs a lock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/lock.h"
#include "config/options.h"
#include "engine/engine.h"
#include "server/client/client_registry.h"
#include "stats/counters.h"

namespace tandem {

struct LatencySample {
  int64_t unix_s;
  int64_t milliseconds;
};

struct LatencyEvent {
  std::string name;
  std::deque<LatencySample> samples;  // the oldest first, one a second at most
  int64_t worst_ms = 0;
};

class LatencyMonitor {
 public:
  static constexpr size_t kSamplesMax = 160;

  // Of spikes in the same second the worst is kept.
  void add(Bytes event, int64_t unix_s, int64_t milliseconds);
  std::vector<LatencyEvent> events() const;
  // Forgets an event, named in any case. False: there was none.
  bool reset(Bytes event);

 private:
  mutable Lock lock_;
  std::map<std::string, LatencyEvent, std::less<>> events_ TANDEM_GUARDED_BY(lock_);
};

// Those who look at commands as they pass: MONITOR's clients, the slow log, the latency monitor,
// and INFO's counts of errors.
//
// Threads: any; a command pays for it only while somebody monitors or when it was slow.

struct SlowCommand {
  int64_t id;
  int64_t unix_s;
  int64_t duration_us;
  std::vector<std::string> args;  // shortened
  std::string address;
  std::string name;
};

class CommandReports final : public CommandObserver {
 public:
  // All outlive this.
  CommandReports(Gate& gate, const ServerOptions& options, ErrorCounts& errors)
      : gate_(gate), options_(options), errors_(errors) {}

  // The shortest time for which slow_command must be told; -1: none.
  int64_t watched_from_us() const;
  bool monitors_latency() const { return options_.latency_monitor_ms.get() > 0; }
  LatencyMonitor& latency() { return latency_; }

  void add_monitor(std::shared_ptr<ClientCard> card);
  void remove_monitor(uint64_t id);

  // The newest first.
  std::vector<SlowCommand> slow_commands(size_t count) const;
  size_t slow_count() const;
  void reset_slow();

  void command_shown(const ClientState& client, const Command& command, std::span<const Bytes> args,
                     int64_t unix_us) override;
  void slow_command(const ClientState& client, const Command& command, std::span<const Bytes> args,
                    int64_t unix_us, int64_t duration_us) override;
  void slow_step(Bytes event, int64_t unix_us, int64_t duration_us) override;
  void error_reply(Bytes reply) override { errors_.count(reply); }

 private:
  void log_slow(const ClientState& client, const Command& command, std::span<const Bytes> args,
                int64_t unix_us, int64_t duration_us);

  Gate& gate_;
  const ServerOptions& options_;
  ErrorCounts& errors_;
  LatencyMonitor latency_;
  mutable Lock lock_;
  std::vector<std::shared_ptr<ClientCard>> monitors_ TANDEM_GUARDED_BY(lock_);
  std::deque<SlowCommand> slow_ TANDEM_GUARDED_BY(lock_);
  int64_t next_slow_id_ TANDEM_GUARDED_BY(lock_) = 0;
};

}  // namespace tandem
