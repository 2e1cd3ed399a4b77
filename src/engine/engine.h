// The engine: the data, their log, the commands, the node's conditions, and who waits for what. It
// owns all of them; executors (engine/executor.h) run commands on it, one a thread.
//
// Threads: every part in it is internally synchronized or guarded by the stripes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/option.h"
#include "engine/blocked_clients.h"
#include "engine/command.h"
#include "engine/command_stats.h"
#include "engine/function_store.h"
#include "engine/gate.h"
#include "engine/journal.h"
#include "engine/memory_limit.h"
#include "engine/moving_keys.h"
#include "engine/own_expiries.h"
#include "engine/registrations.h"
#include "engine/snapshot_turn.h"
#include "engine/tracking.h"
#include "keyspace/event_choice.h"
#include "keyspace/garbage.h"
#include "keyspace/keyspace.h"
#include "log/log.h"

namespace tandem {

// Told of commands while Gate::kMonitored is set (MONITOR), of each that took long (SLOWLOG,
// LATENCY), of each error that was answered, and of what rights did not allow. Any thread.
class CommandObserver {
 public:
  virtual ~CommandObserver() = default;
  // Once it was executed, but before what a script calls.
  virtual void command_shown(const ClientState& client, const Command& command,
                             std::span<const Bytes> args, int64_t unix_us) = 0;
  virtual void slow_command(const ClientState& client, const Command& command,
                            std::span<const Bytes> args, int64_t unix_us, int64_t duration_us) = 0;
  // Something else than a command that took long, by its name in LATENCY.
  virtual void slow_step(Bytes /*event*/, int64_t /*unix_us*/, int64_t /*duration_us*/) {}
  // Once an error, also where it was answered inside a transaction or a script. `reply` begins with
  // the error's minus.
  virtual void error_reply(Bytes reply) = 0;
  // Keys may be held. `client` may stand for one that waits on another thread, and has its id then.
  virtual void command_denied(const ClientState& client, const Command& command,
                              std::span<const Bytes> args, const Denial& denial,
                              DenialContext context, int64_t unix_us) = 0;
};

// Told what happens to keys, of the events that are chosen (Engine::event_choice). Any thread,
// under the key's stripe: of one key in its order.
class KeyEventObserver {
 public:
  virtual ~KeyEventObserver() = default;
  virtual void key_event(EventChoice choice, const KeyEvent& event, int database, Bytes key) = 0;
};

struct EngineOptions {
  Keyspace::Options keyspace = {};
  LogOptions log = {};
  ReplicationId history = {};  // the log's, until it is told another
  EncodingLimits limits = {};
  const MemoryOptions* memory = nullptr;  // outlives the engine; null: there is no limit
};

struct Engine {
  // `clock` outlives it. Without rows the registry is to be given them before the first executor is
  // made.
  Engine(const EngineOptions& options, const Clock& its_clock, std::vector<CommandRow> rows = {})
      : limits(options.limits),
        keyspace(options.keyspace),
        log(options.log, options.history),
        clock(its_clock),
        memory(options.memory, keyspace.use_rules(), log, its_clock) {
    if (!rows.empty()) registry.add(std::move(rows));
  }

  EncodingLimits limits;  // changed under all stripes only
  Keyspace keyspace;
  Log log;
  Registry registry;
  const Clock& clock;
  Gate gate;
  MemoryLimit memory;

  // Moves on with each change of role, under all stripes. A link acts for the role it was made for
  // and for no other, however late it hears of the change: the next role's log is not its
  // primary's.
  std::atomic<uint64_t> role_generation{0};
  bool is_replica_since(uint64_t generation) const {
    return gate.is(Gate::kReplica) && role_generation.load() == generation;
  }

  Journal journal{log, keyspace.database_count()};
  Pauses pauses{gate};
  BlockedClients blocked{keyspace};
  WatchTable watch_table{keyspace};
  MovingKeys moving{keyspace, gate};
  OwnExpiries own_expiries{};
  SnapshotTurn snapshot_turn{};
  Tracking tracking{};
  CommandObserver* observer = nullptr;             // set before the first command, or never
  KeyEventObserver* key_event_observer = nullptr;  // the same
  FunctionStore* functions = nullptr;  // the same; without it a snapshot may have no libraries
  Option<EventChoice> event_choice{EventChoice()};  // changed under all stripes only
  std::atomic<int64_t> slow_command_us{-1};  // from here on the observer hears of it; negative: off
  std::atomic<bool> track_latency{true};     // latency-tracking
  // For the head of snapshots; set before the first command. Any thread. Null: none is told.
  std::function<int64_t()> used_memory_bytes = {};
  // How many threads may help a snapshot to encode; set before the first command.
  int snapshot_helpers = 0;
  // Takes what is long to free; set before the first command. Null: freed at once.
  std::function<void(Garbage)> free_later = {};

  // REQUIRES: no lock held.
  void discard(Garbage garbage);
};

}  // namespace tandem
