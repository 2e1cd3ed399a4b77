#include "server/pause.h"

#include <algorithm>

namespace tandem {

void Pause::begin(Kind kind, int64_t deadline_monotonic_ms) {
  const Guard guard(lock_);
  deadline_ms_ = on_ ? std::max(deadline_ms_, deadline_monotonic_ms) : deadline_monotonic_ms;
  on_ = true;
  gate_.set(kind == Kind::kAll ? Gate::kPausedAll : Gate::kPausedWrites, true);
}

void Pause::end() {
  {
    const Guard guard(lock_);
    on_ = false;
    gate_.set(Gate::kPausedAll, false);
    gate_.set(Gate::kPausedWrites, false);
  }
  over_();
}

void Pause::check() {
  {
    const Guard guard(lock_);
    if (!on_ || clock_.monotonic_ms() < deadline_ms_) return;
  }
  end();
}

}  // namespace tandem
