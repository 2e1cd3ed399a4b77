#include "sim/world.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "sim/network.h"
#include "sim/process.h"

namespace tandem {
namespace {

constexpr uint64_t kFnvBasis = 0xcbf29ce484222325;
constexpr uint64_t kFnvPrime = 0x100000001b3;

}  // namespace

SimWorld::SimWorld(uint64_t seed)
    : random_(seed), trace_hash_(kFnvBasis), wire_(std::make_unique<SimWire>(*this)) {}

SimWorld::~SimWorld() {
  // The world's end is not told: what the sink writes to may be gone.
  sink_ = nullptr;
  // Processes talk to the wire while they end; pending events must not outlive what they point to.
  processes_.clear();
  events_.clear();
}

SimProcess& SimWorld::add_process(const std::string& address, const std::string& name) {
  return *processes_.emplace_back(std::make_unique<SimProcess>(*this, address, name));
}

int64_t SimWorld::between(int64_t low, int64_t high) {
  CHECK(low <= high, "a range has an inside");
  return low + static_cast<int64_t>(random_.below(static_cast<uint64_t>(high - low) + 1));
}

SimWorld::EventId SimWorld::schedule_at_us(int64_t at_us, Callback callback) {
  const EventId id{std::max(at_us, now_us_), random_.next(), next_number_++};
  events_.emplace(id, std::move(callback));
  return id;
}

SimWorld::EventId SimWorld::schedule_after_us(int64_t delay_us, Callback callback) {
  return schedule_at_us(now_us_ + delay_us, std::move(callback));
}

void SimWorld::cancel(const EventId& event) noexcept { events_.erase(event); }

bool SimWorld::step() {
  if (events_.empty()) return false;
  auto next = events_.extract(events_.begin());
  now_us_ = next.key().at_us;
  next.mapped()();
  return true;
}

bool SimWorld::run_until(const std::function<bool()>& done, int64_t limit_ms) {
  const int64_t end_us = now_us_ + limit_ms * 1000;
  for (;;) {
    if (done()) return true;
    if (events_.empty() || events_.begin()->first.at_us > end_us) break;
    step();
  }
  now_us_ = end_us;
  return false;
}

void SimWorld::run_for_ms(int64_t duration_ms) {
  run_until([] { return false; }, duration_ms);
}

void SimWorld::note(std::string_view line) {
  const std::string stamped = fmt::format("{} {}", now_us_ - kStartMonotonicUs, line);
  for (const char byte : stamped) {
    trace_hash_ = (trace_hash_ ^ static_cast<unsigned char>(byte)) * kFnvPrime;
  }
  if (sink_) sink_(stamped);
}

}  // namespace tandem
