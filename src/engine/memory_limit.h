// The limit of memory: how much is in use, and whether that is too much.
//
// How much is in use must be known to every command, and the allocator is too slow to be asked each
// time. So each thread that executes commands adds what it has asked for and given back itself to a
// common sum, a piece at a time (MemoryShare); and a timer puts the sum right, by the allocator's
// own figure. So does a thread that finds the limit passed and the last look a few milliseconds
// old. What threads without a share do (the snapshot's, the reclaimer's) is known that late.
//
//   counted = sum - leaving - for replicas
//
//   leaving         lies in the hands of the thread that frees what is long to free. It counts as
//                   gone at once, or more would be evicted than need be
//   for replicas    the log beyond the backlog that is configured, and what a running snapshot has
//                   to keep because writers changed it. As in Redis evicting does not shrink it,
//                   and so must not be set off by it
//
// The sum is too small or too large by what threads have not told yet: 1 / kShareOfLimit of the
// limit, each. Whoever puts the sum right looks at that, too, so nothing is counted twice.
//
// Threads: any; the options outlive it. A MemoryShare belongs to its thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/allocation.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/metric.h"
#include "engine/memory_options.h"
#include "keyspace/use.h"
#include "log/log.h"

namespace tandem {

class MemoryShare;

class MemoryLimit {
 public:
  // `options` null: there is no limit.
  MemoryLimit(const MemoryOptions* options, UseRules& use_rules, const Log& log,
              const Clock& clock);

  const MemoryOptions& options() const { return *options_; }
  // After a change of the options.
  void apply_options();

  // ---- The check. ----
  bool exists() const { return options_->limit_bytes.get() != 0; }
  // At a glance: the rest is worth looking at.
  bool may_be_exceeded() const {
    const uint64_t limit = options_->limit_bytes.get();
    const int64_t sum = sum_.load(std::memory_order_relaxed);
    return limit != 0 && sum > 0 && static_cast<uint64_t>(sum) > limit;
  }
  // Bytes that are too many; 0 or less: none are.
  int64_t excess_bytes() const;
  int64_t counted_bytes() const { return sum_.load(std::memory_order_relaxed) - uncounted_bytes(); }
  int64_t uncounted_bytes() const;

  // Asks the allocator.
  void refresh();
  // The same, unless somebody did so in the last milliseconds or is about to.
  void refresh_if_old();

  // Garbage is freed by another thread, later: what is returned goes when it is.
  std::shared_ptr<const void> begin_leaving(int64_t bytes);
  bool is_anything_leaving() const { return leaving_->load(std::memory_order_relaxed) != 0; }

  // About what so many keys take, if there are `others` besides.
  int64_t bytes_of_keys(int64_t keys, int64_t others) const;

  // What a snapshot keeps because writers were about to change it.
  std::atomic<size_t> snapshot_bytes{0};

  // ---- Keeps count of time. ----
  // The limit is passed, and there is no room to be had, or not yet.
  void note_exceeded();
  void note_kept();
  int64_t exceeded_us() const;      // in all
  int64_t exceeded_now_us() const;  // since it was passed the last time
  void reset_exceeded();

  // Somebody is to go on evicting, whatever clients do. Set before the first command; called by any
  // thread, with or without stripes, once until helped().
  std::function<void()> on_help_wanted = {};
  void want_help();
  void helped() { help_wanted_.store(false); }

 private:
  friend class MemoryShare;

  // What a thread may keep to itself: a part of the limit, within these bounds.
  static constexpr int64_t kShareOfLimit = 4096;
  static constexpr int64_t kShareBytesMin = 4 * 1024;
  static constexpr int64_t kShareBytesMax = 256 * 1024;

  void refresh_locked() TANDEM_REQUIRES(refreshing_);
  int64_t held_by_shares() const TANDEM_REQUIRES(refreshing_);

  const MemoryOptions no_options_;
  const MemoryOptions* const options_;
  UseRules& use_rules_;
  const Log& log_;
  const Clock& clock_;
  const int64_t startup_bytes_;

  std::atomic<int64_t> sum_{0};
  std::atomic<int64_t> share_bytes_{kShareBytesMax};
  // Outlives this with the last garbage.
  const std::shared_ptr<std::atomic<int64_t>> leaving_ = std::make_shared<std::atomic<int64_t>>(0);
  std::atomic<int64_t> refreshed_us_{0};
  Lock refreshing_;
  std::vector<const MemoryShare*> shares_ TANDEM_GUARDED_BY(refreshing_);
  std::atomic<int64_t> exceeded_since_us_{0};  // 0: it is not
  std::atomic<int64_t> exceeded_us_{0};
  std::atomic<bool> help_wanted_{false};
};

// One thread's part of the sum. Made and destroyed by any thread.
class MemoryShare {
 public:
  explicit MemoryShare(MemoryLimit& limit);
  ~MemoryShare();
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;

  // When it has become much. Some loads, a store and a comparison otherwise.
  void tell_if_much() {
    note();
    const int64_t much = limit_.share_bytes_.load(std::memory_order_relaxed);
    if (untold() > much || untold() < -much || !ThreadAllocations::kAreCounted) [[unlikely]]
      tell();
  }
  void tell();
  // So that whoever asks the allocator knows what is still to be told.
  void note() {
    const int64_t held = allocations_.held_bytes();
    held_.store(held, std::memory_order_relaxed);
    if (!has_begun_) [[unlikely]]
      begin(held);
  }

  // Any thread.
  int64_t held() const { return held_.load(std::memory_order_relaxed); }
  int64_t untold() const { return held() - told_.load(std::memory_order_relaxed); }

 private:
  // What the thread had before is a matter of the allocator's figure.
  void begin(int64_t held) {
    has_begun_ = true;
    told_.store(held, std::memory_order_relaxed);
  }

  MemoryLimit& limit_;
  ThreadAllocations allocations_;
  bool has_begun_ = false;
  std::atomic<int64_t> held_{0};
  std::atomic<int64_t> told_{0};
};

// Section: memory, stats.
MetricTables memory_limit_metrics(MemoryLimit& limit);

}  // namespace tandem
