// The conditions of the node that decide whether a command is let in. Replication, loading, scripts
// and memory set their bit when their condition begins and clear it when it ends; the executor
// looks at one word a command.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "engine/client_state.h"
#include "engine/command.h"

namespace tandem {

inline constexpr Bytes kBusyText =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";

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
    kPausedWrites = 1u << 7,  // CLIENT PAUSE
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

// A password is asked for, and this client has not given it.
inline bool locked_out(const ClientState& client, uint32_t bits) {
  return !client.authenticated && (bits & Gate::kAuthRequired) != 0;
}

// The error that refuses this command now ("READONLY You can't write against a read only
// replica."), or nothing. Redis's order of checks. `flags` are the command's, for EXEC with those
// of what is queued. Of the primary's stream only what cannot be part of one is refused (SAVE,
// SUBSCRIBE).
std::optional<std::string> refusal(const Command& command, uint32_t flags,
                                   const ClientState& client, uint32_t bits);
// CLIENT PAUSE holds this command back; it is to be tried again later.
bool is_paused(uint32_t flags, const ClientState& client, uint32_t bits);

}  // namespace tandem
