// Counters of one executor. Written by its thread alone, read by INFO from any thread: relaxed
// atomics without read-modify-write instructions.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/latency_histogram.h"

namespace tandem {

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
  Counter changes;           // since the start; `rdb_changes_since_last_save` is a difference
  Counter expire_us;         // spent on active expiry
  Counter expire_cut_short;  // how often its time did not suffice
};

}  // namespace tandem
