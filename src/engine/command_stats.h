// What an executor counts of each command: calls, time, and how the time is spread.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tandem {

// How long something took, as a distribution: a recorder that one thread writes and any reads, and
// what was read from several recorders together.
//
// Buckets: each power of two of microseconds is cut into 128, so that a told value is at most 1/128
// above the true one; up to 256 us they are exact. What is longer than a second counts as a second.
class LatencyBuckets {
 public:
  static constexpr int64_t kMicrosecondsMax = 1'000'000;

  static constexpr size_t index_of(int64_t microseconds) {
    const auto value = static_cast<uint64_t>(microseconds < 0                  ? 0
                                             : microseconds > kMicrosecondsMax ? kMicrosecondsMax
                                                                               : microseconds);
    const int shift = std::bit_width(value | (2 * kParts - 1)) - kPartBits;
    return static_cast<size_t>(shift) * kParts + static_cast<size_t>(value >> shift);
  }
  // The shortest and the longest time that a bucket stands for.
  static constexpr int64_t lowest(size_t index) {
    const size_t shift = shift_of(index);
    return static_cast<int64_t>((index - shift * kParts) << shift);
  }
  static constexpr int64_t highest(size_t index) {
    return lowest(index) + (int64_t{1} << shift_of(index)) - 1;
  }

 private:
  static constexpr int kPartBits = 8;
  static constexpr size_t kParts = size_t{1} << (kPartBits - 1);
  static constexpr size_t shift_of(size_t index) {
    return index < 2 * kParts ? 0 : index / kParts - 1;
  }
};

inline constexpr size_t kLatencyBuckets =
    LatencyBuckets::index_of(LatencyBuckets::kMicrosecondsMax) + 1;

// A sum of recorders, at the moment they were read.
class LatencyDistribution {
 public:
  void add(size_t bucket, uint64_t count) {
    counts_[bucket] += count;
    total_ += count;
  }
  uint64_t total() const { return total_; }
  // The time within which `percent` of all were done; 0 if there were none. For 0 percent: the
  // shortest.
  int64_t percentile(double percent) const;
  // How many took no longer than `microseconds`, by the buckets that lie below it whole.
  uint64_t count_up_to(int64_t microseconds) const;

 private:
  std::array<uint64_t, kLatencyBuckets> counts_{};
  uint64_t total_ = 0;
};

// Takes its memory, 14 kB, with the first record.
class LatencyRecorder {
 public:
  LatencyRecorder() = default;
  ~LatencyRecorder() { delete counts_.load(std::memory_order_relaxed); }
  LatencyRecorder(const LatencyRecorder&) = delete;
  LatencyRecorder& operator=(const LatencyRecorder&) = delete;

  // The owning thread alone.
  void record(int64_t microseconds, uint64_t times = 1) {
    Counts* counts = counts_.load(std::memory_order_relaxed);
    if (counts == nullptr) [[unlikely]]
      counts = allocate();
    auto& count = (*counts)[LatencyBuckets::index_of(microseconds)];
    count.store(count.load(std::memory_order_relaxed) + times, std::memory_order_relaxed);
  }
  // Any thread.
  void add_to(LatencyDistribution& sum) const;
  void reset();

 private:
  using Counts = std::array<std::atomic<uint64_t>, kLatencyBuckets>;
  Counts* allocate();

  std::atomic<Counts*> counts_{nullptr};
};

// Counters of one executor. Written by its thread alone, read by INFO from any thread: relaxed
// atomics without read-modify-write instructions.
class Counter {
 public:
  void add(uint64_t delta) {
    value_.store(value_.load(std::memory_order_relaxed) + delta, std::memory_order_relaxed);
  }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }
  void reset() { value_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct CommandCounters {
  Counter calls;
  Counter microseconds;
  Counter rejected;  // refused before execution
  Counter failed;    // answered with an error
  LatencyRecorder latency;
};

struct ExecutorCounters {
  explicit ExecutorCounters(size_t commands) : by_command(commands) {}
  std::vector<CommandCounters> by_command;  // by Command::id
  Counter commands;
  Counter command_us;  // of commands that were no part of another
  Counter keyspace_hits;
  Counter keyspace_misses;
  Counter expired_keys;
  Counter evicted_keys;
  Counter changes;           // since the start; `rdb_changes_since_last_save` is a difference
  Counter expire_us;         // spent on active expiry
  Counter expire_cut_short;  // how often its time did not suffice
};

}  // namespace tandem
