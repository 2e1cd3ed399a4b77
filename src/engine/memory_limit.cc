#include "engine/memory_limit.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

namespace tandem {
namespace {

constexpr int64_t kRefreshPeriodUs = 5000;

constexpr const char* kPolicyNames[] = {"volatile-lru",   "volatile-lfu", "volatile-random",
                                        "volatile-ttl",   "allkeys-lru",  "allkeys-lfu",
                                        "allkeys-random", "noeviction"};

struct Leaving {
  Leaving(std::shared_ptr<std::atomic<int64_t>> of, int64_t size)
      : all(std::move(of)), bytes(size) {}
  ~Leaving() { all->fetch_sub(bytes); }
  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;

  const std::shared_ptr<std::atomic<int64_t>> all;
  const int64_t bytes;
};

}  // namespace

MemoryLimit::MemoryLimit(const MemoryOptions* options, UseRules& use_rules, const Log& log,
                         const Clock& clock)
    : options_(options == nullptr ? &no_options_ : options),
      use_rules_(use_rules),
      log_(log),
      clock_(clock),
      startup_bytes_(allocated_bytes()) {
  apply_options();
}

void MemoryLimit::apply_options() {
  use_rules_.by_frequency = goes_by_frequency(options_->policy.get());
  use_rules_.log_factor = options_->frequency_log_factor.get();
  use_rules_.decay_minutes = options_->frequency_decay_minutes.get();
  const auto limit = static_cast<int64_t>(
      std::min<uint64_t>(options_->limit_bytes.get(), kShareOfLimit * kShareBytesMax));
  share_bytes_ = limit == 0 ? kShareBytesMax
                            : std::clamp(limit / kShareOfLimit, kShareBytesMin, kShareBytesMax);
  if (limit != 0) refresh();
}

int64_t MemoryLimit::uncounted_bytes() const {
  return static_cast<int64_t>(log_.bytes_beyond_backlog()) +
         static_cast<int64_t>(snapshot_bytes.load(std::memory_order_relaxed));
}

int64_t MemoryLimit::excess_bytes() const {
  if (!may_be_exceeded()) return 0;
  return counted_bytes() - static_cast<int64_t>(options_->limit_bytes.get());
}

int64_t MemoryLimit::held_by_shares() const {
  int64_t held = 0;
  for (const MemoryShare* share : shares_) held += share->held();
  return held;
}

// This thread may be stopped for long between two looks, and others go on. So the allocator is
// asked again if they have done much meanwhile.
void MemoryLimit::refresh_locked() {
  constexpr int kTries = 3;
  constexpr int64_t kMuch = 16 * 1024;
  int64_t allocated = 0;
  // Before the allocator is asked: what goes meanwhile must not look like more that is there.
  const int64_t leaving = leaving_->load(std::memory_order_relaxed);
  for (int tried = 0; tried < kTries; ++tried) {
    const int64_t held = held_by_shares();
    allocated = allocated_bytes();
    if (std::abs(held_by_shares() - held) <= kMuch) break;
  }
  const int64_t before = sum_.load(std::memory_order_relaxed);
  int64_t untold = 0;
  for (const MemoryShare* share : shares_) untold += share->untold();
  sum_.fetch_add(allocated - leaving - untold - before, std::memory_order_relaxed);
  refreshed_us_.store(clock_.monotonic_us(), std::memory_order_relaxed);
}

void MemoryLimit::refresh() {
  const Guard guard(refreshing_);
  refresh_locked();
}

void MemoryLimit::refresh_if_old() {
  const int64_t age_us = clock_.monotonic_us() - refreshed_us_.load(std::memory_order_relaxed);
  if (age_us < kRefreshPeriodUs || !refreshing_.try_lock()) return;
  refresh_locked();
  refreshing_.unlock();
}

std::shared_ptr<const void> MemoryLimit::begin_leaving(int64_t bytes) {
  leaving_->fetch_add(bytes, std::memory_order_relaxed);
  sum_.fetch_sub(bytes, std::memory_order_relaxed);
  return std::make_shared<const Leaving>(leaving_, bytes);
}

int64_t MemoryLimit::bytes_of_keys(int64_t keys, int64_t others) const {
  const int64_t data = std::max<int64_t>(counted_bytes() - startup_bytes_, 0);
  const double share =
      static_cast<double>(keys) / static_cast<double>(std::max<int64_t>(keys + others, 1));
  return static_cast<int64_t>(static_cast<double>(data) * share);
}

void MemoryLimit::note_exceeded() {
  int64_t none = 0;
  exceeded_since_us_.compare_exchange_strong(none, clock_.monotonic_us());
}

void MemoryLimit::note_kept() {
  if (exceeded_since_us_.load(std::memory_order_relaxed) == 0) [[likely]]
    return;
  const int64_t since_us = exceeded_since_us_.exchange(0);
  if (since_us != 0) exceeded_us_.fetch_add(clock_.monotonic_us() - since_us);
}

int64_t MemoryLimit::exceeded_now_us() const {
  const int64_t since_us = exceeded_since_us_.load();
  return since_us == 0 ? 0 : clock_.monotonic_us() - since_us;
}

int64_t MemoryLimit::exceeded_us() const { return exceeded_us_.load() + exceeded_now_us(); }

void MemoryLimit::reset_exceeded() {
  exceeded_us_.store(0);
  exceeded_since_us_.store(0);
}

void MemoryLimit::want_help() {
  if (on_help_wanted != nullptr && !help_wanted_.exchange(true)) on_help_wanted();
}

MemoryShare::MemoryShare(MemoryLimit& limit) : limit_(limit) {
  const Guard guard(limit_.refreshing_);
  limit_.shares_.push_back(this);
}

MemoryShare::~MemoryShare() {
  const Guard guard(limit_.refreshing_);
  std::erase(limit_.shares_, this);
  limit_.sum_.fetch_add(untold(), std::memory_order_relaxed);
}

void MemoryShare::tell() {
  if (!ThreadAllocations::kAreCounted) return limit_.refresh();
  note();
  const int64_t more = untold();
  told_.store(held_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  limit_.sum_.fetch_add(more, std::memory_order_relaxed);
}

namespace {

constexpr int64_t kUsPerMs = 1000;

constexpr MetricRow<MemoryLimit> kMemory[] = {
    {{.name = "maxmemory", .unit = MetricUnit::kBytes, .help = "The limit of memory; 0: none."},
     [](const MemoryLimit& limit) -> MetricValue { return limit.options().limit_bytes.get(); }},
    {{.name = "maxmemory_policy", .kind = MetricKind::kText, .help = "What is evicted there."},
     [](const MemoryLimit& limit) -> MetricValue {
       return kPolicyNames[static_cast<size_t>(limit.options().policy.get())];
     }},
    {{.name = "mem_not_counted_for_evict",
      .unit = MetricUnit::kBytes,
      .help = "What is held for replicas and snapshots, and does not count towards the limit."},
     metric_read<&MemoryLimit::uncounted_bytes>},
};

constexpr MetricRow<MemoryLimit> kStats[] = {
    {{.name = "total_eviction_exceeded_time",
      .kind = MetricKind::kCounter,
      .unit = MetricUnit::kMilliseconds,
      .help = "How long more memory was in use than the limit allows."},
     [](const MemoryLimit& limit) -> MetricValue { return limit.exceeded_us() / kUsPerMs; },
     [](MemoryLimit& limit) { limit.reset_exceeded(); }},
    {{.name = "current_eviction_exceeded_time",
      .unit = MetricUnit::kMilliseconds,
      .help = "The same, since it was passed the last time."},
     [](const MemoryLimit& limit) -> MetricValue { return limit.exceeded_now_us() / kUsPerMs; }},
};

}  // namespace

MetricTables memory_limit_metrics(MemoryLimit& limit) {
  return {MetricTable("memory", kMemory, limit), MetricTable("stats", kStats, limit)};
}

}  // namespace tandem
