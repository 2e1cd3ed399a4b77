// SimWorld: a whole system of processes in one thread, under a seeded clock, network and disk. Time
// moves only when nothing is left to do now; everything that could happen in another order is
// decided by the seed, so the same seed and the same program give the same run, event by event
// (trace_hash() proves it).
//
//   SimWorld world(seed);
//   SimProcess& a = world.add_process("10.0.0.1");
//   a.start([](SimProcess& process) {
//     return std::make_shared<Node>(process.loop(), process.network());
//   });
//   world.run_for_ms(500);
//   a.lose_power();
//
// One thread, and nothing in it may use another source of time, chance or threads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "io/timer.h"

namespace tandem {

class SimProcess;
class SimWire;

class SimWorld {
 public:
  // The clocks start here: 2023-11-14, and one second after the machine's start.
  static constexpr int64_t kStartUnixUs = 1'700'000'000'000'000;
  static constexpr int64_t kStartMonotonicUs = 1'000'000;

  // When, and among events of the same time in an order that the seed decides.
  struct EventId {
    int64_t at_us = 0;
    uint64_t tie = 0;
    uint64_t number = 0;
    auto operator<=>(const EventId&) const = default;
  };

  explicit SimWorld(uint64_t seed);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  // A machine with one process, found by others under its address (numeric) or name. It lives as
  // long as the world.
  SimProcess& add_process(const std::string& address, const std::string& name = {});
  const std::vector<std::unique_ptr<SimProcess>>& processes() const noexcept { return processes_; }
  // What lies between the processes: latency, partitions, cuts.
  SimWire& wire() noexcept { return *wire_; }

  int64_t now_us() const noexcept { return now_us_; }  // monotonic
  Random& chance() noexcept { return random_; }
  // Uniform in [low, high].
  int64_t between(int64_t low, int64_t high);

  // Things that happen from outside, between the turns of processes. Times in the past mean now.
  EventId schedule_at_us(int64_t at_us, Callback callback);
  EventId schedule_after_us(int64_t delay_us, Callback callback);
  void cancel(const EventId& event) noexcept;

  // The next event; false when there is none.
  bool step();
  // Steps until `done` says so (asked after each step; true then) or until so much time has passed
  // (false).
  bool run_until(const std::function<bool()>& done, int64_t limit_ms);
  void run_for_ms(int64_t duration_ms);

  // What happened so far, as a number; and each line of it, for people, to a sink.
  void note(std::string_view line);
  uint64_t trace_hash() const noexcept { return trace_hash_; }
  void set_trace_sink(std::function<void(std::string_view)> sink) { sink_ = std::move(sink); }

 private:
  Random random_;
  int64_t now_us_ = kStartMonotonicUs;
  uint64_t next_number_ = 0;
  std::map<EventId, Callback> events_;
  uint64_t trace_hash_;
  std::function<void(std::string_view)> sink_;
  std::unique_ptr<SimWire> wire_;
  std::vector<std::unique_ptr<SimProcess>> processes_;
};

// A machine's clock: the world's time, its wall clock set wrong by `offset_us`.
class SimClock final : public Clock {
 public:
  explicit SimClock(const SimWorld& world) : world_(world) {}
  int64_t unix_us() const override {
    return SimWorld::kStartUnixUs + world_.now_us() - SimWorld::kStartMonotonicUs + offset_us_;
  }
  int64_t monotonic_us() const override { return world_.now_us(); }
  void set_wall_offset_us(int64_t offset_us) noexcept { offset_us_ = offset_us; }

 private:
  const SimWorld& world_;
  int64_t offset_us_ = 0;
};

}  // namespace tandem
