#include "io/thread_background.h"

#include <utility>

#include "base/thread.h"

namespace tandem {

ThreadBackground::~ThreadBackground() {
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void ThreadBackground::begin(Step step) {
  const std::lock_guard guard(lock_);
  waiting_.push_back(std::move(step));
  if (running_) return;
  // A former thread has said already that it ends, and needs no lock for it.
  if (thread_.joinable()) thread_.join();
  running_ = true;
  thread_ = std::thread([this] { run(); });
}

void ThreadBackground::run() {
  name_thread(name_);
  for (Step step; take(step); step = nullptr) {
    while (step() && !ending()) {
    }
  }
}

bool ThreadBackground::take(Step& step) {
  const std::lock_guard guard(lock_);
  running_ = !waiting_.empty() && !ending_;
  if (!running_) return false;
  step = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

bool ThreadBackground::ending() {
  const std::lock_guard guard(lock_);
  return ending_;
}

}  // namespace tandem
