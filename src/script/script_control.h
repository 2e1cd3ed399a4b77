// Whether a script runs, whether it has written, and whether somebody wants it to stop. The thread
// that runs it and those that would kill it meet in one atomic word, so a script is either killed
// before its first write or not at all.
#pragma once

#include <atomic>
#include <cstdint>

namespace tandem {

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
