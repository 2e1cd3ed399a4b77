// What an executor counts of its commands, and what it tells those who watch: MONITOR, SLOWLOG,
// LATENCY, INFO's error counts.
//
// Confined to the executor's thread, but for the counters, which any thread may read.
#pragma once

#include <cstdint>
#include <span>

#include "engine/client_state.h"
#include "engine/command_stats.h"
#include "engine/engine.h"
#include "keyspace/view.h"

namespace tandem {

class Accounts {
 public:
  explicit Accounts(Engine& engine) : counters(engine.registry.id_count()), engine_(engine) {}

  // A command took this long, with this result. Reports it if it was slow.
  void executed(const Command& command, const ClientState& client, std::span<const Bytes> args,
                bool failed, int64_t duration_us, int64_t now_unix_us);
  // The same, where nobody would learn from a report: a blocked command that ended by itself.
  void count(const Command& command, bool failed, int64_t duration_us);
  void refused(const Command& command) { of(command).rejected.add(1); }
  void failed(const Command& command) { of(command).failed.add(1); }
  // An error was answered; once each.
  void error(Bytes reply);
  // Hits, misses, expired keys and changes of one execution.
  void keys(const KeyAccess::Counters& seen);
  void show(const Command& command, const ClientState& client, std::span<const Bytes> args,
            int64_t now_unix_us);

  ExecutorCounters counters;

 private:
  CommandCounters& of(const Command& command) {
    return counters.by_command[static_cast<size_t>(command.id)];
  }

  Engine& engine_;
};

}  // namespace tandem
