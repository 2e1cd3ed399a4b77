// Eviction: at the limit of memory (engine/memory_limit.h), keys make room for what is to come.
//
// When.   Before a command is judged, and so before it takes a stripe: an executor that finds too
//         much memory in use evicts by itself, for as long as maxmemory-eviction-tenacity gives it.
//         What it does stands in the log before the command that it made room for. Transactions and
//         scripts are one command: nothing is evicted inside them, and by nobody else either, for
//         they hold what they touch. If the time does not suffice the command goes on, and somebody
//         who has no client waiting goes on evicting (MemoryLimit::want_help).
//
// Which.  By policy, among all keys or among those with an expiry: by chance, or the best of a pool
//         of candidates. Each turn some keys of each database are looked at (maxmemory-samples),
//         from a random place of one stripe, and those that are better than what the pool holds
//         come into it. The pool goes on from one turn to the next; so it approaches the oldest
//         keys there are. It belongs to its executor, and several executors share nothing. Under
//         its stripe a candidate is looked at once more: one that was used since is none any more.
//
// How.    One key at a time, under its stripe alone, which is taken only if it is free: behind a
//         script nobody waits here. A deletion is an execution like any other, as active expiry's:
//         its DEL or UNLINK (lazyfree-lazy-eviction) goes into the log, and watchers and waiters
//         hear of it. Large values are freed by another thread in any case, and count as gone at
//         once.
//
// Who.    Primaries, and replicas with replica-ignore-maxmemory off, be it clients or the primary's
//         stream that brings them there. Their log stays as the primary says, so that their own
//         replicas keep what they evict. Nobody while the data load or writes are paused.
//
// Confined to the executor's thread.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/accounts.h"
#include "engine/eviction_pool.h"
#include "engine/execution.h"
#include "engine/serving.h"

namespace tandem {

class Eviction {
 public:
  Eviction(Engine& engine, Random& random, BatchClock& clock, Accounts& accounts, Serving& serving)
      : engine_(engine),
        random_(random),
        clock_(clock),
        accounts_(accounts),
        serving_(serving),
        share_(engine.memory),
        step_(engine) {}

  // At the start of a batch: what this thread has asked for is told, limit or not.
  void begin_batch() { share_.tell_if_much(); }
  // The thread may sleep now.
  void end_turn() { share_.note(); }
  // Before a command. REQUIRES: no stripe held.
  void before_command() {
    if (!engine_.memory.exists()) [[likely]]
      return;
    share_.tell_if_much();
    if (engine_.memory.may_be_exceeded() || engine_.gate.is(Gate::kOutOfMemory)) [[unlikely]]
      make_room();
  }

  // Evicts until enough is free, the time is over or nothing is left to evict. Sets the gate's
  // kOutOfMemory by what came of it. True: more is to be done, and something has come of this call.
  // REQUIRES: no stripe held.
  bool make_room();

 private:
  enum class Outcome : uint8_t {
    kEvicted,
    kMissed,   // what it tried was gone, or somebody holds it
    kNothing,  // there is no key that the policy allows
  };
  enum class Room : uint8_t { kThere, kNotYet, kNone };

  Room evict_to_limit();
  Room evict_in_time(int64_t deadline_us);
  Outcome evict_one();
  Outcome evict_by_chance();
  Outcome evict_best();
  void look_for_candidates();
  bool take_stripe(int stripe, KeyLocks& locks);
  bool evict_candidate(const EvictionCandidate& candidate);
  // REQUIRES: its stripe held.
  const Entry* find(const EvictionCandidate& candidate) const;
  void evict(KeyLocks& locks, int database, Bytes key);
  bool may_evict() const;
  bool has_keys_to_evict() const;
  std::optional<uint64_t> score_of(const Entry& entry) const;
  DatabaseTables::Which which() const;
  int64_t budget_us() const;

  Engine& engine_;
  Random& random_;
  BatchClock& clock_;
  Accounts& accounts_;
  Serving& serving_;
  MemoryShare share_;
  Execution step_;

  MemoryPolicy policy_ = MemoryPolicy::kNoEviction;  // of the pool
  EvictionPool pool_;
  int next_database_ = 0;  // by chance: each in its turn
  uint64_t evicted_ = 0;   // in the call of the moment
};

}  // namespace tandem
