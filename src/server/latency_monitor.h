// Latency spikes, for LATENCY: what took at least `latency-monitor-threshold` milliseconds, by the
// kind of event. Threads: any; only a spike costs a lock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/lock.h"

namespace tandem {

struct LatencySample {
  int64_t unix_s;
  int64_t milliseconds;
};

struct LatencyEvent {
  std::string name;
  std::deque<LatencySample> samples;  // the oldest first, one a second at most
  int64_t worst_ms = 0;
};

class LatencyMonitor {
 public:
  static constexpr size_t kSamplesMax = 160;

  // Of spikes in the same second the worst is kept.
  void add(Bytes event, int64_t unix_s, int64_t milliseconds);
  std::vector<LatencyEvent> events() const;
  // Forgets an event, named in any case. False: there was none.
  bool reset(Bytes event);

 private:
  mutable Lock lock_;
  std::map<std::string, LatencyEvent, std::less<>> events_ TANDEM_GUARDED_BY(lock_);
};

}  // namespace tandem
