// Background: long work beside the loops, such as writing a file, done a step at a time behind an
// interface that a simulation can own. The real one (io/thread_background.h) is a thread.
//
// Threads: begin() from any; steps run off the loops, one after the other, never two at once.
// Destroying it waits for the step under way and drops the rest of the work unfinished, so it is
// destroyed before anything that a step touches.
#pragma once

#include <functional>

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

}  // namespace tandem
