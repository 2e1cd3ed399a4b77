// Where a running script meets its server: what it can reach, and how others see and stop it. A
// function (FCALL) is a script here, too, where nothing else is said.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/lock.h"
#include "engine/gate.h"

namespace tandem {

// Stops what runs for too long.
class ScriptWatch {
 public:
  virtual ~ScriptWatch() = default;
  // Asked every kHookInstructions. A text, which lives on: the script is to end with this error.
  virtual const char* interruption() = 0;
};

inline constexpr int kHookInstructions = 100'000;

// What a running script can reach outside its virtual machine.
class ScriptHost : public ScriptWatch {
 public:
  // redis.call: appends one reply in the RESP of `protocol` to `reply`; a refusal is an error
  // reply.
  virtual void call(std::span<const Bytes> args, int protocol, std::string& reply) = 0;
  // redis.acl_check_cmd: whether the caller may make this call. Nothing: there is no such command.
  virtual std::optional<bool> is_allowed(std::span<const Bytes> args) = 0;
  // redis.set_repl: whether replicas hear of what its commands change from here on.
  virtual void replicate(bool on) = 0;
};

// The script that runs.
struct RunningScript {
  bool is_function;
  bool from_primary;               // it is part of the primary's stream
  Bytes name;                      // the function's; a script's SHA-1
  std::span<const Bytes> command;  // that runs it
  int64_t started_ms;              // monotonic
};

// Whether a script runs, whether it is slow, whether it has written, and whether somebody wants it
// to stop. Others see a script only once it is called slow. The thread that runs it and those that
// would kill it meet in one atomic word, so a script is either killed before its first write or not
// at all.
class ScriptControl {
 public:
  enum class Killed : uint8_t {
    kYes,
    kNothingRuns,
    kFromPrimary,
    kHasWritten,
    kOtherKind,  // a function where a script was meant, or the other way round
  };

  explicit ScriptControl(Gate& gate) : gate_(gate) {}

  // Any thread.
  Killed kill(bool function);
  // Calls `visit` with the script that is slow, if there is one. What it sees lives as long as the
  // call.
  void look(FunctionRef<void(const RunningScript& running)> visit) const;
  // The node shuts down: the running script ends even if it has written.
  void abort() { aborted_.store(true, std::memory_order_relaxed); }
  bool aborted() const { return aborted_.load(std::memory_order_relaxed); }

  // The running thread. What `running` refers to lives until end().
  void begin(const RunningScript& running);
  // The gate says so, too: the node is busy.
  void call_slow();
  void end();
  bool is_slow() const { return slow_; }
  // Before a write. False: the script is killed and must not write.
  bool note_write();
  bool stopped() const {
    return state_.load(std::memory_order_relaxed) == State::kKilled || aborted();
  }

 private:
  enum class State : uint8_t { kIdle, kRunning, kHasWritten, kKilled };

  Gate& gate_;
  std::atomic<State> state_{State::kIdle};
  std::atomic<bool> aborted_{false};

  // Changed by the running thread, under the lock; read there without it.
  mutable Lock lock_;
  bool slow_ = false;
  RunningScript running_{};
};

}  // namespace tandem
