// Who talks to the nodes of a schedule beside each other: clients, and a replica that nobody wants.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/random.h"
#include "replication_sim/node.h"
#include "sim/process.h"

namespace tandem {

// What the clients of the simulation say, at random: few keys, so that commands meet, and many that
// live for some milliseconds to seconds only.
void write_at_random(SimNode& node, Random& chance);
// On a replica it must change nothing, whatever has expired there.
void read_at_random(SimNode& node, Random& chance);

// A replica that nobody wants: it asks a node for a full sync, on a machine of its own, and takes
// what it gets a few bytes at a time, or nothing at all. It sends a newline now and then, as if it
// were busy loading. Whatever it does, the other replicas of that node must not wait for it, and
// the node's log must not keep for it what the limits do not allow.
class SlowTaker {
 public:
  // `process` runs nothing else and outlives this.
  explicit SlowTaker(SimProcess& process) : process_(process) {}

  // Leaves whom it took from, and begins with the node at this address.
  void turn_to(const std::string& address, uint16_t port, Random& chance);
  // The same, and takes nothing at all, though it says now and then that it lives.
  void cling_to(const std::string& address, uint16_t port, Random& chance);
  // Its connection lives.
  bool is_served() const { return *served_; }
  void leave() {
    if (process_.running()) process_.stop();
  }

 private:
  struct Manner;
  static Task<void> take(SimProcess& self, std::string address, uint16_t port, Manner manner,
                         std::shared_ptr<bool> served, StopToken stop);
  void begin(const std::string& address, uint16_t port, const Manner& manner);

  SimProcess& process_;
  std::shared_ptr<bool> served_ = std::make_shared<bool>(false);
};

}  // namespace tandem
