#include "script/script_host.h"

namespace tandem {

ScriptControl::Killed ScriptControl::kill() {
  State expected = State::kRunning;
  if (state_.compare_exchange_strong(expected, State::kKilled)) return Killed::kYes;
  switch (expected) {
    case State::kIdle:
      return Killed::kNothingRuns;
    case State::kHasWritten:
      return Killed::kHasWritten;
    default:
      return Killed::kYes;
  }
}

bool ScriptControl::note_write() {
  State expected = State::kRunning;
  return state_.compare_exchange_strong(expected, State::kHasWritten) ||
         expected == State::kHasWritten;
}

}  // namespace tandem
