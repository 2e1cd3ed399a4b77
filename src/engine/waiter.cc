#include "engine/waiter.h"

namespace tandem {

bool Waiter::end() {
  State now = State::kWaiting;
  while (!state_.compare_exchange_strong(now, State::kOver, std::memory_order_acq_rel)) {
    if (now == State::kOver) return false;
    state_.wait(State::kClaimed, std::memory_order_acquire);
    now = State::kWaiting;
  }
  return true;
}

}  // namespace tandem
