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

// Shorter than a step of the schedule, about as long, and as long as several.
std::string ttl_ms(Random& chance) {
  static constexpr uint64_t kMost[] = {15, 200, 4000};
  return std::to_string(1 + chance.below(kMost[chance.below(3)]));
}

Request value_request(Random& chance) {
  const std::string key = key_at_random(chance);
  const std::string other = key_at_random(chance);
  switch (chance.below(9)) {
    case 0:
      return {"del", key, other};
    case 1:
      return {"append", key, chance.hex(5)};
    case 2:
      return {"rename", key, other};
    case 3:
      return {"incr", fmt::format("n{}", chance.below(3))};
    case 4:
      return {"mset", key, chance.hex(4), other, chance.hex(30)};
    case 5:
      return {"get", key};
    case 6:
      return {"copy", key, other, "replace"};
    case 7:
      if (chance.below(20) == 0) return {"flushall"};
      return {"setnx", key, chance.hex(3)};
    default:
      return {"set", key, chance.hex(static_cast<int>(chance.below(200)))};
  }
}

Request expiry_request(Random& chance) {
  const std::string key = key_at_random(chance);
  switch (chance.below(9)) {
    case 0:
    case 1:
      return {"set", key, chance.hex(8), "px", ttl_ms(chance)};
    case 2:
      return {"pexpire", key, ttl_ms(chance)};
    case 3:
      // At once, for one in two.
      return {"pexpire", key, chance.below(2) == 0 ? "0" : "1"};
    case 4:
      return {"pexpire", key, ttl_ms(chance), chance.below(2) == 0 ? "gt" : "nx"};
    case 5:
      return {"getex", key, "px", ttl_ms(chance)};
    case 6:
      return {"getex", key, "persist"};
    case 7:
      return {"persist", key};
    default:
      return {"set", key, chance.hex(3), "keepttl"};
  }
}

}  // namespace

void write_at_random(SimNode& node, Random& chance) {
  const int database = database_at_random(chance);
  node.command(database, chance.below(3) == 0 ? expiry_request(chance) : value_request(chance));
}

void read_at_random(SimNode& node, Random& chance) {
  static constexpr const char* kReads[] = {"get", "pttl", "exists", "type"};
  const int database = database_at_random(chance);
  node.command(database, {kReads[chance.below(4)], key_at_random(chance)});
}

}  // namespace tandem
