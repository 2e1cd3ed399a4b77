// Where a running script meets its server: what it can reach, and how others stop it.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"

namespace tandem {

// What a running script can reach outside its virtual machine.
class ScriptHost {
 public:
  virtual ~ScriptHost() = default;
  // redis.call: appends one reply in the RESP of `protocol` to `reply`; a refusal is an error
  // reply.
  virtual void call(std::span<const Bytes> args, int protocol, std::string& reply) = 0;
  virtual bool knows_command(std::span<const Bytes> args) = 0;
  // Asked every kHookInstructions. A text, which lives on: the script is to end with this error.
  virtual const char* interruption() = 0;
};

inline constexpr int kHookInstructions = 100'000;

// Whether a script runs, whether it has written, and whether somebody wants it to stop. The thread
// that runs it and those that would kill it meet in one atomic word, so a script is either killed
// before its first write or not at all.
class ScriptControl {
 public:
  enum class Killed : uint8_t { kYes, kNothingRuns, kHasWritten };

  // Any thread.
  Killed kill();
  // The node shuts down: the running script ends even if it has written.
  void abort() { aborted_.store(true, std::memory_order_relaxed); }

  // The running thread.
  void begin() { state_.store(State::kRunning, std::memory_order_release); }
  void end() { state_.store(State::kIdle, std::memory_order_release); }
  // Before a write. False: the script is killed and must not write.
  bool note_write();
  bool stopped() const {
    return state_.load(std::memory_order_relaxed) == State::kKilled ||
           aborted_.load(std::memory_order_relaxed);
  }

 private:
  enum class State : uint8_t { kIdle, kRunning, kHasWritten, kKilled };
  std::atomic<State> state_{State::kIdle};
  std::atomic<bool> aborted_{false};
};

}  // namespace tandem
