// UvPoll: a nonblocking socket watched by a UvLoop. Owns the descriptor. Confined to the loop's
// thread.
//
// Interest in reading is dropped lazily: it stays on while the owner is busy, and only an event
// that finds nobody waiting turns it off. So a task that reads again within its turn costs no
// epoll_ctl, also when others come first, and one that does not leaves the bytes in the kernel.
#pragma once

#include "base/result.h"

namespace tandem {

class UvLoop;

class UvPoll {
 public:
  // Called from the loop's own callback; may destroy the UvPoll.
  class Owner {
   public:
    virtual void on_readable() = 0;
    virtual void on_writable() = 0;
    virtual bool wants_read() const = 0;
    virtual bool wants_write() const = 0;

   protected:
    ~Owner() = default;
  };

  UvPoll(UvLoop& loop, int descriptor, Owner& owner);
  ~UvPoll() { close(); }
  UvPoll(const UvPoll&) = delete;
  UvPoll& operator=(const UvPoll&) = delete;

  // From now on the owner hears of it.
  void watch_reads();
  void watch_writes();
  void close();
  bool closed() const noexcept { return !state_; }
  int descriptor() const noexcept { return descriptor_; }

 private:
  struct State;
  static void set_interest(State& state, int events);

  State* state_;
  int descriptor_;
};

}  // namespace tandem
