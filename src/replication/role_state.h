// The role of this server, the state of the link that belongs to it, and the conditions of the gate
// that follow from the two. All of it changes under one lock, so that nobody sees half a change:
// INFO and ROLE never show a new primary beside the link to the old one, and reads that want a link
// (replica-serve-stale-data no) are let in only while this role's link follows.
//
// A role has a generation (Engine::role_generation). A link reports for the generation that it was
// made for. Once the role has changed, its reports change nothing, however late they come.
//
// Threads: any, internally synchronized. What is given to it outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/lock.h"
#include "engine/engine.h"
#include "replication/link_progress.h"
#include "replication/options.h"
#include "replication/role.h"

namespace tandem {

class RoleState {
 public:
  struct Parts {
    Engine& engine;
    const ReplicationOptions& options;
    LinkProgress& progress;                    // its phase is written here only
    std::function<bool()> too_few_replicas{};  // min-replicas-to-write is not met; null: never
  };

  // One moment.
  struct View {
    Role role;
    uint64_t generation = 0;
    LinkPhase phase = LinkPhase::kIdle;
    int64_t down_since_ms = kNeverUp;  // while this role's link does not follow
    int64_t next_try_ms = 0;           // while it waits to try again
    std::string failure;               // why its last attempt ended; empty while it follows
    bool following() const { return phase == LinkPhase::kFollowing; }
  };
  static constexpr int64_t kNeverUp = -1;

  // A primary.
  explicit RoleState(Parts parts);

  View view() const;
  bool is_replica() const { return parts_.engine.gate.is(Gate::kReplica); }

  // REQUIRES: all stripes held.
  void change(Role next);

  // What the gate is derived from has changed: options, or the replicas.
  void settle();

  // ---- Reports of the link made for `generation` ----
  void enter(uint64_t generation, LinkPhase phase);
  // An attempt has ended; the next one begins at `next_try_ms`. `phase`: in which it waits.
  void attempt_ended(uint64_t generation, LinkPhase phase, std::string failure, int64_t now_ms,
                     int64_t next_try_ms);

 private:
  void next_generation() TANDEM_REQUIRES(lock_);
  void set_phase(LinkPhase phase) TANDEM_REQUIRES(lock_);
  void settle_gate() TANDEM_REQUIRES(lock_);
  bool is_replica_now() const TANDEM_REQUIRES(lock_) {
    return std::holds_alternative<ReplicaRole>(state_.role);
  }

  const Parts parts_;
  mutable Lock lock_;
  View state_ TANDEM_GUARDED_BY(lock_);
};

}  // namespace tandem
