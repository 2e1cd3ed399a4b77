// Asking tasks to stop. A Stop is the source, a StopToken is handed to waits; once the stop is
// requested every wait that holds the token ends with the stop's reason (kCancelled, or kTimeout
// from a Deadline), now and in future. Confined to one loop's thread. The Stop must outlive the
// waits that use its tokens.
#pragma once

#include "base/result.h"
#include "io/list.h"

namespace tandem {

// Told once when a stop is requested. Must not destroy the Stop; leaves its list when destroyed.
class StopListener : public ListNode {
 public:
  virtual void on_stop(ErrorCode reason) = 0;

 protected:
  ~StopListener() = default;
};

class Stop;

// The view that waits get; the default one never stops.
class StopToken {
 public:
  StopToken() noexcept = default;
  explicit StopToken(Stop& stop) noexcept : stop_(&stop) {}
  bool requested() const noexcept;
  ErrorCode reason() const noexcept;  // meaningful once requested
  void listen(StopListener& listener) const noexcept;

 private:
  Stop* stop_ = nullptr;
};

class Stop final : private StopListener {
 public:
  Stop() noexcept = default;
  // Stops with its parent, too, and for the parent's reason.
  explicit Stop(StopToken parent);

  // The first request counts, later ones change nothing. Waits are resumed by their loop soon
  // after, never from inside.
  void request(ErrorCode reason = ErrorCode::kCancelled);
  bool requested() const noexcept { return requested_; }
  ErrorCode reason() const noexcept { return reason_; }
  StopToken token() noexcept { return StopToken(*this); }
  void listen(StopListener& listener) noexcept { listeners_.push_back(listener); }

 private:
  void on_stop(ErrorCode reason) override { request(reason); }

  bool requested_ = false;
  ErrorCode reason_ = ErrorCode::kCancelled;
  IntrusiveList<StopListener> listeners_;
};

inline bool StopToken::requested() const noexcept { return stop_ && stop_->requested(); }
inline ErrorCode StopToken::reason() const noexcept {
  return stop_ ? stop_->reason() : ErrorCode::kCancelled;
}
inline void StopToken::listen(StopListener& listener) const noexcept {
  if (stop_) stop_->listen(listener);
}

}  // namespace tandem
