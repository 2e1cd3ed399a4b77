// An executor's clock, and what it counts.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "base/clock.h"
#include "engine/client_state.h"
#include "engine/command_stats.h"
#include "engine/engine.h"
#include "keyspace/view.h"

namespace tandem {

// An executor's time: read once at the start of a batch and after each command, so that a command
// sees it stand still and no command reads the wall clock.
//
// Confined to the executor's thread.
class BatchClock {
 public:
  explicit BatchClock(const Clock& clock) : clock_(clock) { begin_batch(); }

  void begin_batch() {
    monotonic_us_ = clock_.monotonic_us();
    // Between two looks at the wall clock the monotonic one serves as well, at half the price.
    if (monotonic_us_ - batch_monotonic_us_ < kWallClockPeriodUs) return;
    batch_unix_us_ = clock_.unix_us();
    batch_monotonic_us_ = monotonic_us_;
  }
  // Moves on to this moment; gives the time that has passed since the last look.
  int64_t advance() {
    const int64_t now = clock_.monotonic_us();
    const int64_t passed = now - monotonic_us_;
    monotonic_us_ = now;
    return passed;
  }

  // When the last command ended, or the batch began.
  int64_t monotonic_us() const { return monotonic_us_; }
  int64_t unix_us() const { return batch_unix_us_ + monotonic_us_ - batch_monotonic_us_; }
  int64_t unix_ms() const { return unix_us() / 1000; }

 private:
  static constexpr int64_t kWallClockPeriodUs = 500;

  const Clock& clock_;
  int64_t monotonic_us_ = 0;
  int64_t batch_unix_us_ = 0;
  int64_t batch_monotonic_us_ = std::numeric_limits<int64_t>::min() / 2;
};

// What an executor counts of its commands, and what it tells those who watch: MONITOR, SLOWLOG,
// LATENCY, INFO's error counts.
//
// Confined to the executor's thread, but for the counters, which any thread may read.
class Accounts {
 public:
  explicit Accounts(Engine& engine) : counters(engine.registry.id_count()), engine_(engine) {}

  // A command took this long, with this result. Reports it if it was slow.
  void executed(const Command& command, const ClientState& client, std::span<const Bytes> args,
                bool failed, int64_t duration_us, int64_t now_unix_us);
  // The same, where nobody would learn from a report: a blocked command that ended by itself.
  void count(const Command& command, bool failed, int64_t duration_us);
  // Something else took this long: "expire-cycle". Reports it if it was slow.
  void step(Bytes event, int64_t duration_us, int64_t now_unix_us);
  void refused(const Command& command) { of(command).rejected.add(1); }
  void failed(const Command& command) { of(command).failed.add(1); }
  // An error was answered; once each.
  void error(Bytes reply);
  // Rights did not allow a call.
  void denied(const ClientState& client, const Command& command, std::span<const Bytes> args,
              const Denial& denial, DenialContext context, int64_t now_unix_us);
  // Hits, misses, expired keys and changes of one execution.
  void keys(const KeyAccess::Counters& seen);
  void show(const Command& command, const ClientState& client, std::span<const Bytes> args,
            int64_t now_unix_us);

  ExecutorCounters counters;

 private:
  bool is_slow(int64_t duration_us) const {
    const int64_t limit = engine_.slow_command_us.load(std::memory_order_relaxed);
    return limit >= 0 && duration_us >= limit && engine_.observer != nullptr;
  }
  CommandCounters& of(const Command& command) {
    return counters.by_command[static_cast<size_t>(command.id)];
  }

  Engine& engine_;
};

}  // namespace tandem
