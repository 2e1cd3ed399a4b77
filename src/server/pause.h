// CLIENT PAUSE: holds clients back, all of their commands or those that write, until a deadline or
// CLIENT UNPAUSE. The executor refuses to begin while the gate says so; sessions keep the request
// and go on when `over` was called.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"
#include "base/lock.h"
#include "engine/gate.h"

namespace tandem {

class Pause {
 public:
  enum class Kind : uint8_t { kWrites, kAll };

  // `over` makes all workers' sessions try again.
  Pause(Gate& gate, const Clock& clock, std::function<void()> over)
      : gate_(gate), clock_(clock), over_(std::move(over)) {}

  // A pause that is on already is only ever made longer and stricter.
  void begin(Kind kind, int64_t deadline_monotonic_ms);
  void end();
  // From a timer: ends a pause whose time is over.
  void check();

 private:
  Gate& gate_;
  const Clock& clock_;
  const std::function<void()> over_;
  Lock lock_;
  bool on_ TANDEM_GUARDED_BY(lock_) = false;
  int64_t deadline_ms_ TANDEM_GUARDED_BY(lock_) = 0;
};

}  // namespace tandem
