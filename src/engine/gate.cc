#include "engine/gate.h"

#include <algorithm>
#include <utility>

namespace tandem {

void Pauses::begin(PauseReason reason, PauseKind kind, int64_t deadline_monotonic_ms) {
  const Guard guard(lock_);
  Pause& pause = of(reason);
  const bool on = pause.kind != PauseKind::kNone;
  pause.deadline_ms = on ? std::max(pause.deadline_ms, deadline_monotonic_ms)  //
                         : deadline_monotonic_ms;
  pause.kind = std::max(pause.kind, kind);
  derive();
}

void Pauses::end(PauseReason reason) {
  {
    const Guard guard(lock_);
    of(reason) = {};
    derive();
  }
  resume();
}

void Pauses::check(int64_t now_monotonic_ms) {
  bool ended = false;
  {
    const Guard guard(lock_);
    for (Pause& pause : pauses_) {
      if (pause.kind == PauseKind::kNone || now_monotonic_ms < pause.deadline_ms) continue;
      pause = {};
      ended = true;
    }
    if (ended) derive();
  }
  if (ended) resume();
}

void Pauses::resume() {
  if (over) over();
  std::vector<std::move_only_function<void()>> waiting;
  {
    const Guard guard(lock_);
    waiting.swap(waiting_);
  }
  for (auto& go_on : waiting) go_on();
}

bool Pauses::call_when_over(std::move_only_function<void()> go_on) {
  const Guard guard(lock_);
  const auto holds = [](const Pause& pause) { return pause.kind != PauseKind::kNone; };
  if (std::ranges::none_of(pauses_, holds)) return false;
  waiting_.push_back(std::move(go_on));
  return true;
}

void Pauses::derive() {
  PauseKind strictest = PauseKind::kNone;
  for (const Pause& pause : pauses_) strictest = std::max(strictest, pause.kind);
  gate_.set(Gate::kPausedAll, strictest == PauseKind::kAll);
  gate_.set(Gate::kPausedWrites, strictest == PauseKind::kWrites);
}

}  // namespace tandem
