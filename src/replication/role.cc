#include "replication/role.h"

#include <utility>

#include "base/logging.h"

namespace tandem {

RoleState::RoleState(Parts parts) : parts_(std::move(parts)) {}

RoleState::View RoleState::view() const {
  const Guard guard(lock_);
  return state_;
}

void RoleState::change(const AllStripes& /*all*/, Role next) {
  const Guard guard(lock_);
  state_.role = std::move(next);
  next_generation();
  set_log_role(is_replica_now() ? 'S' : 'M');
}

void RoleState::settle() {
  const Guard guard(lock_);
  settle_gate();
}

// Nothing is known yet of the link that comes. Redis says at once that it connects.
void RoleState::next_generation() {
  state_.generation = parts_.engine.role_generation.fetch_add(1) + 1;
  state_.down_since_ms = kNeverUp;
  state_.next_try_ms = 0;
  state_.failure.clear();
  set_phase(is_replica_now() ? LinkPhase::kConnecting : LinkPhase::kIdle);
}

void RoleState::enter(uint64_t generation, LinkPhase phase) {
  const Guard guard(lock_);
  if (generation != state_.generation) return;
  if (phase == LinkPhase::kFollowing) state_.failure.clear();
  set_phase(phase);
}

void RoleState::attempt_ended(uint64_t generation, LinkPhase phase, std::string failure,
                              int64_t now_ms, int64_t next_try_ms) {
  const Guard guard(lock_);
  if (generation != state_.generation) return;
  if (state_.following()) state_.down_since_ms = now_ms;
  state_.failure = std::move(failure);
  state_.next_try_ms = next_try_ms;
  set_phase(phase);
}

void RoleState::set_phase(LinkPhase phase) {
  state_.phase = phase;
  parts_.progress.phase.store(phase);
  settle_gate();
}

void RoleState::settle_gate() {
  Gate& gate = parts_.engine.gate;
  const ReplicationOptions& options = parts_.options;
  const bool replica = is_replica_now();
  const bool too_few = !replica && parts_.too_few_replicas && parts_.too_few_replicas();
  // What refuses comes first, so that a change lets nothing slip through its middle.
  gate.set(Gate::kStaleRefused, !options.replica_serve_stale_data.get());
  gate.set(Gate::kLinkDown, replica && !state_.following());
  gate.set(Gate::kReadOnlyReplica, replica && options.replica_read_only.get());
  gate.set(Gate::kTooFewReplicas, too_few);
  gate.set(Gate::kReplica, replica);
}

}  // namespace tandem
