// An intrusive doubly linked list: no allocation, and a node leaves its list when it is destroyed.
// It carries waiters, timers' owners and hooks, which live in coroutine frames. Not thread safe.
#pragma once

#include <coroutine>

#include "base/check.h"
#include "base/result.h"

namespace tandem {

class ListNode {
 public:
  ListNode() noexcept : previous_(this), next_(this) {}
  ~ListNode() { unlink(); }
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;

  bool linked() const noexcept { return next_ != this; }
  void unlink() noexcept {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }
  void insert_before(ListNode& position) noexcept {
    unlink();
    previous_ = position.previous_;
    next_ = &position;
    previous_->next_ = this;
    position.previous_ = this;
  }
  ListNode* next() const noexcept { return next_; }
  ListNode* previous() const noexcept { return previous_; }

 private:
  ListNode* previous_;
  ListNode* next_;
};

// T derives from ListNode, once. The list owns nothing; nodes that are left when it dies are merely
// unlinked.
template <class T>
class IntrusiveList {
 public:
  ~IntrusiveList() { clear(); }
  bool empty() const noexcept { return !head_.linked(); }
  T& front() noexcept { return static_cast<T&>(*head_.next()); }
  T& back() noexcept { return static_cast<T&>(*head_.previous()); }
  void push_back(T& node) noexcept { static_cast<ListNode&>(node).insert_before(head_); }
  void push_front(T& node) noexcept { static_cast<ListNode&>(node).insert_before(*head_.next()); }
  T& pop_front() noexcept {
    T& node = front();
    static_cast<ListNode&>(node).unlink();
    return node;
  }
  // Moves all of `other` behind the nodes here.
  void take(IntrusiveList& other) noexcept {
    while (!other.empty()) push_back(other.pop_front());
  }
  void clear() noexcept {
    while (!empty()) pop_front();
  }

 private:
  ListNode head_;
};

// Waiting: how tasks are asked to stop, and the base of every awaitable.

// Asking tasks to stop. A Stop is the source, a StopToken is handed to waits; once the stop is
// requested every wait that holds the token ends with the stop's reason (kCancelled, or kTimeout
// from a Deadline), now and in future. Confined to one loop's thread. The Stop must outlive the
// waits that use its tokens.

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

// Wait: the base of every awaitable of io/. It ties a suspended coroutine to its source (a socket,
// a timer), to a stop token, and to the loop's queue of coroutines that are ready to go on. For
// those who write awaitables; tasks only co_await what Loop, ByteStream, Network, Event and Scope
// return.
//
// Life of a wait: begin() -> exactly one of complete(), complete_soon(), a stop, or destruction
// while suspended. A derived class's destructor says `if (waiting()) abandon();`, so that a
// destroyed frame leaves its source. Confined to the loop's thread.

// A coroutine that the loop will resume in this turn.
class ReadyNode : public ListNode {
 public:
  std::coroutine_handle<> resumed() noexcept { return handle_; }

 protected:
  ~ReadyNode() = default;
  std::coroutine_handle<> handle_;
};

class ReadyQueue {
 public:
  bool empty() const noexcept { return nodes_.empty(); }
  void push(ReadyNode& node) noexcept { nodes_.push_back(node); }
  // Resumes until none is left, those that become ready meanwhile included.
  void run() {
    while (!nodes_.empty()) nodes_.pop_front().resumed().resume();
  }
  void clear() noexcept { nodes_.clear(); }

 private:
  IntrusiveList<ReadyNode> nodes_;
};

// When a source ends a wait.
enum class Resume {
  kNow,        // from the loop's own callback: the wait and its source may be gone afterwards
  kSoon,       // from anywhere else
  kUnchanged,  // before begin_*'s caller has suspended: the coroutine just goes on
};

class Wait : private StopListener, private ReadyNode {
 public:
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  bool waiting() const noexcept { return state_ == State::kWaiting; }

 protected:
  Wait(ReadyQueue& ready, StopToken stop) noexcept : ready_(&ready), stop_(stop) {}
  ~Wait() = default;

  // Call first in await_suspend. False when the stop was already requested: do not suspend.
  bool begin(std::coroutine_handle<> waiter) noexcept;
  // Takes begin() back: the outcome was there at once, the coroutine goes on without suspending.
  void finish_without_suspending() noexcept;
  // Resumes the coroutine before it returns, which may destroy this wait and its source. Only from
  // the loop's own callbacks, where nothing else of the program is on the stack.
  void complete();
  // Resumes it later in this turn; callable from anywhere on the loop's thread.
  void complete_soon() noexcept;
  // Whichever of the three `how` names.
  void end(Resume how);
  // The stop's reason when that is what ended the wait.
  bool stopped() const noexcept { return state_ == State::kStopped; }
  ErrorCode stop_reason() const noexcept { return reason_; }
  std::unexpected<Error> stop_error() const;

  // Takes this wait away from its source; called while waiting, by a stop or by the derived
  // destructor.
  virtual void abandon() noexcept = 0;

 private:
  enum class State { kIdle, kWaiting, kDone, kStopped };
  void on_stop(ErrorCode reason) override;

  ReadyQueue* ready_;
  StopToken stop_;
  State state_ = State::kIdle;
  ErrorCode reason_ = ErrorCode::kCancelled;
};

}  // namespace tandem
