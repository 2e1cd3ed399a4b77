// A thread for long work, with all steps of a work in a row. It is there from the start, so that no
// work fails for want of one, and asleep while there is none.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>

#include "base/thread.h"
#include "io/background.h"

namespace tandem {

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
