// Event: one task waits, anybody on the same loop's thread notifies. A notification with nobody
// waiting is kept, and several of them are one: the task re-derives from state what to do. From
// other threads: a Doorbell whose callback notifies. Confined to the loop's thread.
#pragma once

#include <utility>

#include "base/check.h"
#include "io/loop.h"
#include "io/wait.h"

namespace tandem {

class Event {
 public:
  // co_await: Result<void>, an error only when stopped.
  class Waiting final : public Wait {
   public:
    Waiting(Event& event, StopToken stop) noexcept
        : Wait(event.loop_.ready(), stop), event_(event) {}
    ~Waiting() {
      if (waiting()) abandon();
    }
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiter) {
      if (!begin(waiter)) return false;
      if (std::exchange(event_.notified_, false)) {
        finish_without_suspending();
        return false;
      }
      CHECK(!event_.waiting_, "one task waits for an event");
      event_.waiting_ = this;
      return true;
    }
    Result<void> await_resume() const {
      if (stopped()) return stop_error();
      return {};
    }

   private:
    friend class Event;
    void abandon() noexcept override { event_.waiting_ = nullptr; }
    Event& event_;
  };

  explicit Event(Loop& loop) noexcept : loop_(loop) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void notify() {
    if (Waiting* waiting = std::exchange(waiting_, nullptr)) {
      waiting->complete_soon();
    } else {
      notified_ = true;
    }
  }
  Waiting wait(StopToken stop = {}) noexcept { return Waiting(*this, stop); }

 private:
  Loop& loop_;
  Waiting* waiting_ = nullptr;
  bool notified_ = false;
};

}  // namespace tandem
