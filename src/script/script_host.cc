#include "script/script_host.h"

namespace tandem {

ScriptControl::Killed ScriptControl::kill(bool function) {
  const Guard guard(lock_);
  if (!slow_) return Killed::kNothingRuns;
  if (running_.from_primary) return Killed::kFromPrimary;
  const State state = state_.load();
  if (state == State::kHasWritten) return Killed::kHasWritten;
  if (running_.is_function != function) return Killed::kOtherKind;
  State expected = State::kRunning;
  const bool killed = state_.compare_exchange_strong(expected, State::kKilled);
  return killed || expected == State::kKilled ? Killed::kYes : Killed::kHasWritten;
}

void ScriptControl::look(FunctionRef<void(const RunningScript& running)> visit) const {
  const Guard guard(lock_);
  if (slow_) visit(running_);
}

void ScriptControl::begin(const RunningScript& running) {
  const Guard guard(lock_);
  running_ = running;
  state_.store(State::kRunning, std::memory_order_release);
}

// Who sees that the node is busy sees also with what.
void ScriptControl::call_slow() {
  const Guard guard(lock_);
  slow_ = true;
  if (running_.is_function) gate_.set(Gate::kBusyFunction, true);
  gate_.set(Gate::kBusyScript, true);
}

void ScriptControl::end() {
  const Guard guard(lock_);
  if (slow_) {
    gate_.set(Gate::kBusyScript, false);
    gate_.set(Gate::kBusyFunction, false);
  }
  slow_ = false;
  running_ = {};
  state_.store(State::kIdle, std::memory_order_release);
}

bool ScriptControl::note_write() {
  State expected = State::kRunning;
  return state_.compare_exchange_strong(expected, State::kHasWritten) ||
         expected == State::kHasWritten;
}

}  // namespace tandem
