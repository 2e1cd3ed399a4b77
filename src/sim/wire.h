// SimWire: the network between simulated processes. Connections behave as TCP's do: bytes arrive in
// order and once, or the connection breaks; different connections overtake each other as the
// latency decides. On top of that whatever real networks do can be asked for: partitions, resets,
// connections that are half open, sluggish links.
//
// A partition holds bytes back (TCP sends them again) until it heals, or breaks the connection
// after a long time. A connection attempt across it waits for its own timeout.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "sim/world.h"

namespace tandem {

class SimEnd;
class SimHost;

struct SimWireOptions {
  int64_t latency_us_min = 50;
  int64_t latency_us_max = 2'000;
  // What a sender may have under way before it has to wait.
  size_t window_bytes = 64 * 1024;
  // One in so many reads and writes does only a part, of random size; 0: none.
  uint64_t partial_one_in = 4;
  int64_t retransmit_ms = 200;
  // A connection breaks when its bytes have been held back for so long.
  int64_t give_up_ms = 900'000;
};

class SimWire {
 public:
  explicit SimWire(SimWorld& world) : world_(world) {}
  SimWire(const SimWire&) = delete;
  SimWire& operator=(const SimWire&) = delete;

  // May be changed at any time.
  SimWireOptions& options() noexcept { return options_; }

  // Hosts by address. Nothing passes between a and b, either way, until healed.
  void partition(const std::string& a, const std::string& b);
  void heal(const std::string& a, const std::string& b);
  // `a` against everybody else.
  void isolate(const std::string& a);
  void heal_all();
  bool blocked(const std::string& a, const std::string& b) const;

  // Connections that exist between a and b: reset on both sides; or left half open: both sides keep
  // them, nothing is ever delivered again.
  void reset_connections(const std::string& a, const std::string& b);
  void drop_silently(const std::string& a, const std::string& b);
  size_t connection_count(const std::string& a, const std::string& b);

  // For hosts and connections.
  SimWorld& world() noexcept { return world_; }
  void add_host(SimHost& host);
  void remove_host(SimHost& host);
  // By address or name; null when nobody has it.
  SimHost* find_host(const std::string& name) const;
  void add_end(const std::shared_ptr<SimEnd>& end);
  int64_t latency_us(const std::string& from, const std::string& to);
  // `size`, or sometimes less, never 0 of something.
  size_t perhaps_part(size_t size);
  int take_descriptor() noexcept { return next_descriptor_++; }

 private:
  std::vector<std::shared_ptr<SimEnd>> ends_between(const std::string& a, const std::string& b);

  SimWorld& world_;
  SimWireOptions options_;
  std::set<std::pair<std::string, std::string>> blocked_;  // the smaller address first
  std::set<std::string> isolated_;
  std::vector<SimHost*> hosts_;
  std::vector<std::weak_ptr<SimEnd>> ends_;
  int next_descriptor_ = 8;
};

}  // namespace tandem
