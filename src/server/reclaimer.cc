#include "server/reclaimer.h"

#include <utility>

namespace tandem {

Reclaimer::~Reclaimer() {
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Result<void> Reclaimer::start() {
  auto thread = Thread::start("reclaimer", [this] { run(); });
  if (!thread) return std::unexpected(thread.error());
  thread_ = std::move(*thread);
  return {};
}

void Reclaimer::free_later(Garbage garbage) {
  pending_.fetch_add(garbage.keys(), std::memory_order_relaxed);
  {
    const std::lock_guard guard(lock_);
    queue_.push_back(std::move(garbage));
  }
  changed_.notify_one();
}

void Reclaimer::run() {
  std::unique_lock guard(lock_);
  for (;;) {
    changed_.wait(guard, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    int64_t keys = 0;
    {
      const Garbage garbage = std::move(queue_.front());
      queue_.pop_front();
      guard.unlock();
      keys = garbage.keys();
    }
    pending_.fetch_sub(keys, std::memory_order_relaxed);
    freed_.fetch_add(keys, std::memory_order_relaxed);
    guard.lock();
  }
}

}  // namespace tandem
