// The conditions of the node that decide whether a command is let in (engine/admission.h). Each has
// one owner, which sets its bit when the condition begins and clears it when it ends; the executor
// looks at one word a command, and again once the command holds its stripes.
//
// Whoever must be sure that a condition holds for every command takes all stripes after setting it:
// a change of role, a pause.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>

namespace tandem {

class Gate {
 public:
  enum Condition : uint32_t {
    kReplica = 1u << 0,          // expired keys are hidden, not deleted
    kReadOnlyReplica = 1u << 1,  // writes of clients are refused
    kLinkDown = 1u << 2,         // a replica that does not follow its primary at the moment
    kDatasetLoading = 1u << 3,
    kTooFewReplicas = 1u << 4,  // min-replicas-to-write
    kOutOfMemory = 1u << 5,
    kBusyScript = 1u << 6,
    kPausedWrites = 1u << 7,  // engine/pauses.h
    kPausedAll = 1u << 8,
    kDiskError = 1u << 9,  // stop-writes-on-bgsave-error
    kAuthRequired = 1u << 10,
    kMonitored = 1u << 11,        // somebody wants to see every command
    kActiveExpireOff = 1u << 12,  // DEBUG SET-ACTIVE-EXPIRE 0
    kStaleRefused = 1u << 13,     // replica-serve-stale-data no: bites while the link is down
  };

  void set(Condition condition, bool on) {
    on ? bits_.fetch_or(condition) : bits_.fetch_and(~uint32_t{condition});
  }
  bool is(Condition condition) const { return (bits() & condition) != 0; }
  static bool refuses_stale(uint32_t bits) {
    constexpr uint32_t kAll = kReplica | kLinkDown | kStaleRefused;
    return (bits & kAll) == kAll;
  }
  uint32_t bits() const { return bits_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> bits_{0};
};

}  // namespace tandem
