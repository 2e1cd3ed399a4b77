#include "log/acknowledgements.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tandem {

void Acknowledgements::admit(ReplicaKey replica, uint64_t offset) {
  {
    const Guard guard(lock_);
    offsets_[replica] = offset;
  }
  run_passed();
}

void Acknowledgements::acknowledge(ReplicaKey replica, uint64_t offset) {
  {
    const Guard guard(lock_);
    const auto known = offsets_.find(replica);
    if (known == offsets_.end() || offset <= known->second) return;
    known->second = offset;
  }
  run_passed();
}

void Acknowledgements::forget(ReplicaKey replica) {
  const Guard guard(lock_);
  offsets_.erase(replica);
}

size_t Acknowledgements::count(uint64_t offset) const {
  const Guard guard(lock_);
  return count_locked(offset);
}

size_t Acknowledgements::count_locked(uint64_t offset) const {
  return static_cast<size_t>(
      std::count_if(offsets_.begin(), offsets_.end(),
                    [offset](const auto& entry) { return entry.second >= offset; }));
}

Acknowledgements::WaiterId Acknowledgements::wait(uint64_t offset, size_t replicas, Passed passed) {
  size_t have;
  {
    const Guard guard(lock_);
    have = count_locked(offset);
    if (have < replicas) {
      waiters_.push_back({++last_id_, offset, replicas, std::move(passed)});
      return last_id_;
    }
  }
  passed(have);
  return 0;
}

void Acknowledgements::cancel(WaiterId id) {
  const Guard guard(lock_);
  std::erase_if(waiters_, [id](const Waiter& waiter) { return waiter.id == id; });
}

void Acknowledgements::run_passed() {
  std::vector<std::pair<Passed, size_t>> calls;
  {
    const Guard guard(lock_);
    for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
      const size_t have = count_locked(waiter->offset);
      const auto at = waiter++;
      if (have < at->replicas) continue;
      calls.emplace_back(std::move(at->passed), have);
      waiters_.erase(at);
    }
  }
  for (const auto& [passed, have] : calls) passed(have);
}

void Acknowledgements::give_up_waiters() {
  std::list<Waiter> all;
  {
    const Guard guard(lock_);
    all.swap(waiters_);
  }
  for (const Waiter& waiter : all) waiter.passed(std::nullopt);
}

}  // namespace tandem
