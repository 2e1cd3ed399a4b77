#include "replication_sim/clients.h"

#include <string>
#include <vector>

#include <fmt/core.h>

namespace tandem {

namespace {

constexpr int kKeys = 12;

using Request = std::vector<std::string>;

std::string key_at_random(Random& chance) { return fmt::format("key{}", chance.below(kKeys)); }

int database_at_random(Random& chance) { return static_cast<int>(chance.below(8) == 0); }

Request request_at_random(Random& chance) {
  const std::string key = key_at_random(chance);
  const std::string other = key_at_random(chance);
  switch (chance.below(10)) {
    case 0:
      return {"del", key, other};
    case 1:
      return {"append", key, chance.hex(5)};
    case 2:
      return {"pexpire", key, std::to_string(chance.below(3000))};
    case 3:
      return {"rename", key, other};
    case 4:
      return {"incr", fmt::format("n{}", chance.below(3))};
    case 5:
      return {"set", key, chance.hex(8), "px", "1500"};
    case 6:
      return {"mset", key, chance.hex(4), other, chance.hex(30)};
    case 7:
      return {"get", key};
    case 8:
      if (chance.below(20) == 0) return {"flushall"};
      return {"exists", key};
    default:
      return {"set", key, chance.hex(static_cast<int>(chance.below(200)))};
  }
}

}  // namespace

void write_at_random(SimNode& node, Random& chance) {
  const int database = database_at_random(chance);
  node.command(database, request_at_random(chance));
}

}  // namespace tandem
