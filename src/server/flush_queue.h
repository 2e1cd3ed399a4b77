// Who has replies to send in this turn of a loop: they are sent together, one system call each,
// before the loop sleeps. Confined to the loop's thread.
#pragma once

#include "io/list.h"
#include "io/loop.h"

namespace tandem {

class Flushable : public ListNode {
 public:
  virtual void flush() = 0;

 protected:
  ~Flushable() = default;
};

class FlushQueue {
 public:
  explicit FlushQueue(Loop& loop) : hook_(loop, [this] { run(); }) {}

  void add(Flushable& member) {
    if (!member.linked()) members_.push_back(member);
  }

 private:
  void run() {
    while (!members_.empty()) members_.pop_front().flush();
  }

  IntrusiveList<Flushable> members_;
  BeforeSleep hook_;
};

}  // namespace tandem
