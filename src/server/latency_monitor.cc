#include "server/latency_monitor.h"

#include <algorithm>

#include "base/ascii.h"

namespace tandem {

void LatencyMonitor::add(Bytes name, int64_t unix_s, int64_t milliseconds) {
  const Guard guard(lock_);
  LatencyEvent& event = events_[std::string(name)];
  event.name = name;
  event.worst_ms = std::max(event.worst_ms, milliseconds);
  if (!event.samples.empty() && event.samples.back().unix_s == unix_s) {
    int64_t& kept_ms = event.samples.back().milliseconds;
    kept_ms = std::max(kept_ms, milliseconds);
    return;
  }
  event.samples.push_back({unix_s, milliseconds});
  if (event.samples.size() > kSamplesMax) event.samples.pop_front();
}

std::vector<LatencyEvent> LatencyMonitor::events() const {
  const Guard guard(lock_);
  std::vector<LatencyEvent> all;
  for (const auto& [name, event] : events_) all.push_back(event);
  return all;
}

bool LatencyMonitor::reset(Bytes event) {
  const Guard guard(lock_);
  return std::erase_if(
             events_, [&](const auto& entry) { return equal_ignore_case(entry.first, event); }) > 0;
}

}  // namespace tandem
