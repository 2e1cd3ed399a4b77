// The conditions of the node, and the reasons behind those that hold clients back.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "base/lock.h"

namespace tandem {

// The conditions of the node that decide whether a command is let in (engine/admission.h). Each has
// one owner, which sets its bit when the condition begins and clears it when it ends; the executor
// looks at one word a command, and again once the command holds its stripes.
//
// Above the conditions the word counts the changes of users' rights: who compares two looks hears
// of those, too, and a client that looks finds out whether it knows its rights of the moment.
//
// Whoever must be sure that a condition holds for every command takes all stripes after setting it:
// a change of role, a pause. Users are changed while all of them are held.
//
// Threads: any.
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
    kPausedWrites = 1u << 7,  // class Pauses, below
    kPausedAll = 1u << 8,
    kDiskError = 1u << 9,  // stop-writes-on-bgsave-error
    kAuthRequired = 1u << 10,
    kMonitored = 1u << 11,        // somebody wants to see every command
    kActiveExpireOff = 1u << 12,  // DEBUG SET-ACTIVE-EXPIRE 0
    kStaleRefused = 1u << 13,     // replica-serve-stale-data no: bites while the link is down
    kBusyFunction = 1u << 14,     // together with kBusyScript: it is a function
    kPeriodicWorkOff = 1u << 15,  // DEBUG PAUSE-CRON 1
    kScriptsMayAll = 1u << 16,    // DEBUG SET-DISABLE-DENY-SCRIPTS 1: also what scripts may not
    kKeysMoving = 1u << 17,       // engine/moving_keys.h
  };

  void set(Condition condition, bool on) {
    on ? word_.fetch_or(condition) : word_.fetch_and(~uint64_t{condition});
  }
  bool is(Condition condition) const { return (bits() & condition) != 0; }
  static bool refuses_stale(uint32_t bits) {
    constexpr uint32_t kAll = kReplica | kLinkDown | kStaleRefused;
    return (bits & kAll) == kAll;
  }
  // The conditions alone.
  uint32_t bits() const { return static_cast<uint32_t>(word()); }

  // REQUIRES: all stripes held, and the new rights in their places.
  void rights_changed() { word_.fetch_add(kRightsVersion); }
  uint64_t word() const { return word_.load(std::memory_order_relaxed); }
  static constexpr uint64_t rights_version(uint64_t word) { return word & ~(kRightsVersion - 1); }

 private:
  static constexpr uint64_t kRightsVersion = uint64_t{1} << 32;
  // No version is 0: a client's rights are not known to it then.
  std::atomic<uint64_t> word_{kRightsVersion};
};

// The conditions of one client, in the numbering of the gate's, which has none of these: so one
// comparison of two words tells whether anything speaks against a command (engine/admission.h).
enum ClientCondition : uint32_t {
  kUnauthenticated = 1u << 28,  // came while a password was asked for, and has given none
  kSubscribed = 1u << 29,       // in RESP2 only a few commands are allowed then
  kMonitors = 1u << 30,         // it may look at everything, and ask for no key
  kLimited = 1u << 31,          // its user may not do everything
};

// Why clients, and a primary's stream, are held back, and until when. Several reasons can hold at
// once: each begins and ends by itself, and the node's conditions say what all of
// them together ask for.
//
// A pause holds back what comes after it. What was let in before may still run; whoever then takes
// all stripes knows that none of it does, for a command is asked again once it holds its stripes.
//
// Threads: any.

enum class PauseReason : uint8_t { kClientPause, kDebug, kShutdown };

enum class PauseKind : uint8_t { kNone, kWrites, kAll };

class Pauses {
 public:
  static constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();

  explicit Pauses(Gate& gate) : gate_(gate) {}

  // Called, without locks, when something that was held back may go on. Set before the first pause.
  std::function<void()> over = {};
  // Something that was held back may go on, be it by a pause or not: says so to `over`, and to all
  // who asked for it. Without locks.
  void resume();
  // `go_on` is called at the next resume(), by any thread. False: no pause holds, try at once.
  bool call_when_over(std::move_only_function<void()> go_on);

  // A pause for a reason that holds already is only ever made longer and stricter.
  void begin(PauseReason reason, PauseKind kind, int64_t deadline_monotonic_ms = kNoDeadline);
  void end(PauseReason reason);
  // From a timer: ends the pauses whose time is over.
  void check(int64_t now_monotonic_ms);

 private:
  static constexpr size_t kReasons = 3;
  struct Pause {
    PauseKind kind = PauseKind::kNone;
    int64_t deadline_ms = 0;
  };

  Pause& of(PauseReason reason) TANDEM_REQUIRES(lock_) {
    return pauses_[static_cast<size_t>(reason)];
  }
  void derive() TANDEM_REQUIRES(lock_);

  Gate& gate_;
  Lock lock_;
  std::array<Pause, kReasons> pauses_ TANDEM_GUARDED_BY(lock_);
  std::vector<std::move_only_function<void()>> waiting_ TANDEM_GUARDED_BY(lock_);
};

}  // namespace tandem
