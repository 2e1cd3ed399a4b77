#include "io/wait.h"

namespace tandem {

Stop::Stop(StopToken parent) {
  if (parent.requested()) {
    request(parent.reason());
  } else {
    parent.listen(*this);
  }
}

void Stop::request(ErrorCode reason) {
  if (requested_) return;
  requested_ = true;
  reason_ = reason;
  while (!listeners_.empty()) listeners_.pop_front().on_stop(reason);
}

bool Wait::begin(std::coroutine_handle<> waiter) noexcept {
  handle_ = waiter;
  if (stop_.requested()) {
    state_ = State::kStopped;
    reason_ = stop_.reason();
    return false;
  }
  state_ = State::kWaiting;
  stop_.listen(*this);
  return true;
}

void Wait::finish_without_suspending() noexcept {
  state_ = State::kDone;
  StopListener::unlink();
}

void Wait::complete() {
  DCHECK(waiting(), "a wait ends once");
  finish_without_suspending();
  handle_.resume();
}

void Wait::complete_soon() noexcept {
  DCHECK(waiting(), "a wait ends once");
  finish_without_suspending();
  ready_->push(*this);
}

void Wait::end(Resume how) {
  switch (how) {
    case Resume::kNow:
      return complete();
    case Resume::kSoon:
      return complete_soon();
    case Resume::kUnchanged:
      return finish_without_suspending();
  }
}

void Wait::on_stop(ErrorCode reason) {
  abandon();
  state_ = State::kStopped;
  reason_ = reason;
  ready_->push(*this);
}

std::unexpected<Error> Wait::stop_error() const {
  return fail(reason_, reason_ == ErrorCode::kTimeout ? "timed out" : "cancelled");
}

}  // namespace tandem
