#include "io/thread_background.h"

#include <utility>

#include "base/thread.h"

namespace tandem {

ThreadBackground::ThreadBackground(std::string name)
    : name_(std::move(name)), thread_([this] { run(); }) {}

ThreadBackground::~ThreadBackground() {
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void ThreadBackground::begin(Step step) {
  {
    const std::lock_guard guard(lock_);
    waiting_.push_back(std::move(step));
  }
  changed_.notify_one();
}

void ThreadBackground::run() {
  name_thread(name_);
  for (Step step; take(step); step = nullptr) {
    while (step() && !ending()) {
    }
  }
}

bool ThreadBackground::take(Step& step) {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] { return ending_ || !waiting_.empty(); });
  if (ending_) return false;
  step = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

bool ThreadBackground::ending() {
  const std::lock_guard guard(lock_);
  return ending_;
}

}  // namespace tandem
