// Frees garbage on a thread of its own, so that no client waits while a large value or a whole
// database is taken apart. Sleeps when there is none.
//
// Threads: any. The destructor frees what is left.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>

#include "base/thread.h"
#include "keyspace/garbage.h"

namespace tandem {

class Reclaimer {
 public:
  ~Reclaimer();

  // Makes the thread; garbage waits until then.
  Result<void> start();
  void free_later(Garbage garbage);

  // Keys, for INFO.
  int64_t pending() const { return pending_.load(std::memory_order_relaxed); }
  int64_t freed() const { return freed_.load(std::memory_order_relaxed); }
  void reset_freed() { freed_.store(0); }

 private:
  void run();

  std::atomic<int64_t> pending_{0};
  std::atomic<int64_t> freed_{0};
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<Garbage> queue_;
  bool ending_ = false;
  Thread thread_;
};

}  // namespace tandem
