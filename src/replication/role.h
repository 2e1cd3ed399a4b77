// The role of this server, and what follows from it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/lock.h"
#include "engine/engine.h"
#include "replication/link_progress.h"
#include "replication/options.h"

namespace tandem {

// What this server is: a primary, or the replica of one. A variant, so that nothing can be half of
// both; changed in one place, ReplicationControl::change_role() (replication/control.h).
//
//                  REPLICAOF host port
//      +---------+ ------------------> +----------------------+
//      | Primary |                     | Replica{host, port}  |--+  REPLICAOF other port:
//      +---------+ <------------------ +----------------------+<-+  the history stays ours until
//                  REPLICAOF NO ONE                                 the new primary tells another
//
//   Primary -> Replica   the log stays, under our own id: if the new primary knows that history, it
//                        continues it
//   Replica -> Primary   promotion: a new id; the former primary's id becomes the second one, valid
//                        up to here
//   Replica -> Replica   the log stays, under the former primary's id

struct PrimaryRole {
  friend bool operator==(const PrimaryRole&, const PrimaryRole&) = default;
};

struct ReplicaRole {
  std::string primary_host;
  int primary_port = 0;

  // Names of hosts know no case.
  friend bool operator==(const ReplicaRole& a, const ReplicaRole& b) {
    return a.primary_port == b.primary_port && equal_ignore_case(a.primary_host, b.primary_host);
  }
};

using Role = std::variant<PrimaryRole, ReplicaRole>;

// The role of this server, the state of the link that belongs to it, and the conditions of the gate
// that follow from the two. All of it changes under one lock, so that nobody sees half a change:
// INFO and ROLE never show a new primary beside the link to the old one, and reads that want a link
// (replica-serve-stale-data no) are let in only while this role's link follows.
//
// A role has a generation (Engine::role_generation). A link reports for the generation that it was
// made for. Once the role has changed, its reports change nothing, however late they come.
//
// Threads: any, internally synchronized. What is given to it outlives it.
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

  void change(const AllStripes& all, Role next);

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
