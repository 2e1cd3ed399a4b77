// Background: long work beside the loops, such as writing a file, done a step at a time behind an
// interface that a simulation can own. The real one, below, is a thread.
//
// Threads: begin() from any; steps run off the loops, one after the other, never two at once.
// Destroying it waits for the step under way and drops the rest of the work unfinished, so it is
// destroyed before anything that a step touches.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

#include "base/thread.h"

namespace tandem {

class Background {
 public:
  // Does a part of the work. True: there is more. May block, on the disk or for a lock. Destroyed
  // as soon as it returned false, before any other work begins.
  using Step = std::move_only_function<bool()>;

  virtual ~Background() = default;

  // Soon, after all work that was begun before it.
  virtual void begin(Step step) = 0;
};

// A thread for long work, with all steps of a work in a row. It is there from the start, so that no
// work fails for want of one, and asleep while there is none.
class ThreadBackground final : public Background {
 public:
  // `name` is the thread's (base/thread.h). Throws std::runtime_error where the system has no
  // thread to give.
  explicit ThreadBackground(std::string name);
  ~ThreadBackground() override;

  void begin(Step step) override;

 private:
  void run();
  // The next step of the oldest work, once there is one; false: the end.
  bool take(Step& step);
  bool ending();

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<Step> waiting_;
  bool ending_ = false;
  // Last: it uses the rest.
  Thread thread_;
};

}  // namespace tandem
