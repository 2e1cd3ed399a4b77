// Time comes in through this interface and nowhere else, so that a simulation can own it.
#pragma once

#include <cstdint>

namespace tandem {

// Thread safety: implementations may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t unix_us() const = 0;       // wall time, microseconds since 1970; may jump
  virtual int64_t monotonic_us() const = 0;  // only differences mean something; never goes back
  int64_t unix_ms() const { return unix_us() / 1000; }
  int64_t monotonic_ms() const { return monotonic_us() / 1000; }
};

// The machine's clock. Immutable, lives for the whole program.
const Clock& system_clock();

}  // namespace tandem
