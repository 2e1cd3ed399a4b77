// Why clients, and a primary's stream, are held back, and until when. Several reasons can hold at
// once: each begins and ends by itself, and the node's conditions (engine/gate.h) say what all of
// them together ask for.
//
// A pause holds back what comes after it. What was let in before may still run; whoever then takes
// all stripes knows that none of it does, for a command is asked again once it holds its stripes.
//
// Threads: any.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>

#include "base/lock.h"
#include "engine/gate.h"

namespace tandem {

enum class PauseReason : uint8_t { kClientPause, kDebugSleep, kShutdown };

enum class PauseKind : uint8_t { kNone, kWrites, kAll };

class Pauses {
 public:
  static constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();

  explicit Pauses(Gate& gate) : gate_(gate) {}

  // Called, without locks, when something that was held back may go on. Set before the first pause.
  std::function<void()> over = {};

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
};

}  // namespace tandem
