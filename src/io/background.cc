#include "io/background.h"

#include <stdexcept>
#include <utility>

namespace tandem {

ThreadBackground::ThreadBackground(std::string name) {
  auto thread = Thread::start(std::move(name), [this] { run(); });
  if (!thread) throw std::runtime_error(thread.error().text);
  thread_ = std::move(*thread);
}

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
