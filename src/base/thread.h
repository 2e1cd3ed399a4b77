// Threads: how they are made, and what one tells the system: its name, and when it lets others have
// its processor.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <pthread.h>

#include "base/clock.h"
#include "base/result.h"

namespace tandem {

// Names the calling thread, as top -H and ps -L show it; the system keeps the first 15 bytes.
void name_thread(const std::string& name);

// The calling thread has the least claim on a processor from here on: it works when others would
// leave one idle, and hardly else.
void give_way_to_others();

// A thread of the program. Every thread is made here: so that one which cannot be had is an error
// and never an exception, each has a name, and each can report a crash (base/crash_log.h).
//
// Made, joined and destroyed by one thread at a time. Joined before it is destroyed.
class Thread {
 public:
  Thread() = default;
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread();

  // An error when the system has no thread left; `run` is destroyed on the new thread.
  static Result<Thread> start(std::string name, std::move_only_function<void()> run);

  // Waits for its end. Nothing to do without a thread, or once more.
  void join();
  bool joinable() const { return running_; }
  // Whether it is the calling thread.
  bool is_this() const { return running_ && ::pthread_equal(id_, ::pthread_self()) != 0; }

 private:
  explicit Thread(pthread_t id) : running_(true), id_(id) {}

  bool running_ = false;
  pthread_t id_{};
};

// For a thread that works for long and hardly waits for anything. The system takes it off its
// processor only when its slice of some milliseconds is over, and whoever came to that processor
// waits so long; and as likely as not it is taken off with a lock held, and whoever needs the lock
// waits until all others have had their turn. So it sleeps a moment of its own accord, every half
// millisecond, and goes on when a processor is free.
class Breather {
 public:
  explicit Breather(const Clock& clock) : clock_(clock), last_us_(clock.monotonic_us()) {}

  // Between two pieces of work, with no lock held. Sleeps when it is time.
  void take_at_times();

  // Around what the thread waits for: the time between the two is no work.
  void begin_wait() { wait_began_us_ = clock_.monotonic_us(); }
  void end_wait() { last_us_ += clock_.monotonic_us() - wait_began_us_; }

 private:
  const Clock& clock_;
  int64_t last_us_;  // where the work began that was not rested from; moved on by each wait
  int64_t wait_began_us_ = 0;
};

}  // namespace tandem
