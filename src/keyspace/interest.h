// Which keys somebody registered for (WATCH, blocked clients), as a filter: a write asks it once a
// changed key, and only then looks into the registrations. False alarms are rare and harmless.
//
// Most often nobody registered for anything. One look at the total tells so, and a write does not
// pay for a miss of the cache in a large table.
//
// Threads: any. A registration made under the key's stripe is seen by the next write to the key.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace tandem {

class Interest {
 public:
  void add(uint64_t key_hash) {
    count(key_hash).fetch_add(1, std::memory_order_relaxed);
    total_.fetch_add(1, std::memory_order_relaxed);
  }
  void remove(uint64_t key_hash) {
    total_.fetch_sub(1, std::memory_order_relaxed);
    count(key_hash).fetch_sub(1, std::memory_order_relaxed);
  }
  bool none() const { return total_.load(std::memory_order_relaxed) == 0; }
  bool any(uint64_t key_hash) const {
    return !none() && counts_[place(key_hash)].load(std::memory_order_relaxed) != 0;
  }
  // Somebody will ask soon.
  void prefetch(uint64_t key_hash) const {
    if (!none()) __builtin_prefetch(&counts_[place(key_hash)]);
  }

 private:
  // Some thousands of waited-for keys raise a false alarm for some percent of all writes.
  static constexpr size_t kPlaces = size_t{1} << 16;
  static size_t place(uint64_t key_hash) { return key_hash % kPlaces; }
  std::atomic<uint32_t>& count(uint64_t key_hash) { return counts_[place(key_hash)]; }

  // Registrations. Written seldom, read by every write.
  alignas(64) std::atomic<uint64_t> total_{0};
  std::unique_ptr<std::atomic<uint32_t>[]> counts_ =
      std::make_unique<std::atomic<uint32_t>[]>(kPlaces);
};

}  // namespace tandem
