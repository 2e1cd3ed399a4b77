// A replica that nobody wants: it asks a node for a full sync, on a machine of its own, and takes
// what it gets a few bytes at a time, or nothing at all. It sends a newline now and then, as if it
// were busy loading. Whatever it does, the other replicas of that node must not wait for it, and
// the node's log must not keep for it what the limits do not allow.
#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"
#include "sim/process.h"

namespace tandem {

class SlowTaker {
 public:
  // `process` runs nothing else and outlives this.
  explicit SlowTaker(SimProcess& process) : process_(process) {}

  // Leaves whom it took from, and begins with the node at this address.
  void turn_to(const std::string& address, uint16_t port, Random& chance);
  void leave() {
    if (process_.running()) process_.stop();
  }

 private:
  SimProcess& process_;
};

}  // namespace tandem
