#include "engine/command_stats.h"

#include <algorithm>
#include <cmath>

namespace tandem {

int64_t LatencyDistribution::percentile(double percent) const {
  constexpr double kWhole = 100.0;
  const double share = std::clamp(percent, 0.0, kWhole) / kWhole;
  const auto wanted = std::max<uint64_t>(
      1, static_cast<uint64_t>(std::llround(share * static_cast<double>(total_))));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    seen += counts_[bucket];
    if (seen < wanted) continue;
    return percent <= 0.0 ? LatencyBuckets::lowest(bucket) : LatencyBuckets::highest(bucket);
  }
  return 0;
}

uint64_t LatencyDistribution::count_up_to(int64_t microseconds) const {
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    if (LatencyBuckets::highest(bucket) > microseconds) break;
    seen += counts_[bucket];
  }
  return seen;
}

void LatencyRecorder::add_to(LatencyDistribution& sum) const {
  const Counts* counts = counts_.load(std::memory_order_acquire);
  if (counts == nullptr) return;
  for (size_t bucket = 0; bucket < counts->size(); ++bucket) {
    const uint64_t count = (*counts)[bucket].load(std::memory_order_relaxed);
    if (count != 0) sum.add(bucket, count);
  }
}

void LatencyRecorder::reset() {
  Counts* counts = counts_.load(std::memory_order_acquire);
  if (counts == nullptr) return;
  for (auto& count : *counts) count.store(0, std::memory_order_relaxed);
}

LatencyRecorder::Counts* LatencyRecorder::allocate() {
  auto* counts = new Counts{};
  counts_.store(counts, std::memory_order_release);
  return counts;
}

}  // namespace tandem
