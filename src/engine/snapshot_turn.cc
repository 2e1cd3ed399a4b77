#include "engine/snapshot_turn.h"

namespace tandem {

SnapshotTurn::Held& SnapshotTurn::Held::operator=(Held&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  turn_ = std::exchange(other.turn_, nullptr);
  return *this;
}

void SnapshotTurn::Held::give_back() {
  if (turn_ == nullptr) return;
  SnapshotTurn& turn = *std::exchange(turn_, nullptr);
  const std::lock_guard guard(turn.lock_);
  turn.wake_ = nullptr;
  turn.interrupted_.store(false);
  turn.wanted_.store(false);
  turn.taken_.store(false);
  turn.given_back_.notify_all();
}

SnapshotTurn::Held SnapshotTurn::try_take(std::function<void()> wake) {
  const std::lock_guard guard(lock_);
  if (taken_.load() || waiting_ > 0) {
    want();
    return {};
  }
  taken_.store(true);
  wake_ = std::move(wake);
  return Held(*this);
}

SnapshotTurn::Held SnapshotTurn::take_over() {
  std::unique_lock guard(lock_);
  ++waiting_;
  while (taken_.load()) {
    interrupt_locked();
    given_back_.wait(guard);
  }
  --waiting_;
  taken_.store(true);
  return Held(*this);
}

void SnapshotTurn::interrupt() {
  const std::lock_guard guard(lock_);
  if (taken_.load()) interrupt_locked();
}

void SnapshotTurn::interrupt_locked() {
  interrupted_.store(true);
  if (wake_ != nullptr) wake_();
}

}  // namespace tandem
