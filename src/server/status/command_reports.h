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

#include "acl/acl_log.h"
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
// INFO's counts of errors, and the log of what was denied.
//
// Threads: any; a command pays for it only while somebody monitors, when it was slow, or refused.

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
  struct Parts {
    Gate& gate;
    const ServerOptions& options;
    ErrorCounts& errors;
    AclLog& acl_log;
    const ClientRegistry& clients;
  };
  explicit CommandReports(const Parts& parts) : parts_(parts) {}

  // The shortest time for which slow_command must be told; -1: none.
  int64_t watched_from_us() const;
  bool monitors_latency() const { return parts_.options.latency_monitor_ms.get() > 0; }
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
  void error_reply(Bytes reply) override { parts_.errors.count(reply); }
  void command_denied(const ClientState& client, const Command& command,
                      std::span<const Bytes> args, const Denial& denial, DenialContext context,
                      int64_t unix_us) override;
  // AUTH or HELLO, as the client wrote the word, for a user or with a password that there is not.
  void login_denied(const ClientState& client, Bytes word, Bytes user, DenialContext context,
                    int64_t unix_us);

 private:
  void log_slow(const ClientState& client, const Command& command, std::span<const Bytes> args,
                int64_t unix_us, int64_t duration_us);

  void log_denied(const ClientState& client, AclEvent event);

  const Parts parts_;
  LatencyMonitor latency_;
  mutable Lock lock_;
  std::vector<std::shared_ptr<ClientCard>> monitors_ TANDEM_GUARDED_BY(lock_);
  std::deque<SlowCommand> slow_ TANDEM_GUARDED_BY(lock_);
  int64_t next_slow_id_ TANDEM_GUARDED_BY(lock_) = 0;
};

}  // namespace tandem
