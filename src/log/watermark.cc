#include "log/watermark.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tandem {

void Watermark::advance(uint64_t offset) {
  std::vector<Passed> passed;
  {
    Guard guard(lock_);
    if (offset <= value_.load(std::memory_order_relaxed)) return;
    value_.store(offset, std::memory_order_release);
    passed = take_passed();
  }
  for (const Passed& call : passed) call();
}

WaiterId Watermark::wait(uint64_t offset, Passed passed) {
  {
    Guard guard(lock_);
    if (offset > value_.load(std::memory_order_relaxed)) {
      waiters_.emplace(offset, Waiter{.id = ++last_id_, .passed = std::move(passed)});
      return last_id_;
    }
  }
  passed();
  return 0;
}

bool Watermark::cancel(WaiterId id) {
  Guard guard(lock_);
  return std::erase_if(waiters_, [id](const auto& entry) { return entry.second.id == id; }) != 0;
}

void Watermark::reset(uint64_t offset) {
  std::vector<Passed> passed;
  {
    Guard guard(lock_);
    value_.store(offset, std::memory_order_release);
    passed = take_passed();
  }
  for (const Passed& call : passed) call();
}

std::vector<Watermark::Passed> Watermark::take_passed() {
  std::vector<Passed> passed;
  const auto stop = waiters_.upper_bound(value_.load(std::memory_order_relaxed));
  for (auto it = waiters_.begin(); it != stop; ++it) passed.push_back(std::move(it->second.passed));
  waiters_.erase(waiters_.begin(), stop);
  return passed;
}

void AcknowledgedWatermarks::acknowledge(ReplicaKey replica, uint64_t offset) {
  std::vector<uint64_t> sorted;
  {
    Guard guard(lock_);
    const auto known = offsets_.find(replica);
    if (known == offsets_.end()) {
      if (offsets_.size() >= kReplicasMax) return;
      offsets_.emplace(replica, offset);
    } else {
      if (offset <= known->second) return;
      known->second = offset;
    }
    sorted.reserve(offsets_.size());
    for (const auto& [key, at] : offsets_) sorted.push_back(at);
  }
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  for (size_t i = 0; i < sorted.size(); ++i) marks_[i].advance(sorted[i]);
}

void AcknowledgedWatermarks::forget(ReplicaKey replica) {
  Guard guard(lock_);
  offsets_.erase(replica);
}

void AcknowledgedWatermarks::reset(uint64_t offset) {
  {
    Guard guard(lock_);
    offsets_.clear();
  }
  for (Watermark& mark : marks_) mark.reset(offset);
}

size_t AcknowledgedWatermarks::count(uint64_t offset) const {
  Guard guard(lock_);
  return std::count_if(offsets_.begin(), offsets_.end(),
                       [offset](const auto& entry) { return entry.second >= offset; });
}

Watermark& AcknowledgedWatermarks::by_replicas(size_t k) {
  CHECK(k >= 1 && k <= kReplicasMax, "replicas to wait for");
  return marks_[k - 1];
}

}  // namespace tandem
