#include "replication_sim/clients.h"

#include <array>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "io/byte_stream.h"
#include "io/task.h"

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

// Few libraries that are in each other's way: some are refused.
Request library_request(Random& chance) {
  const std::string name = fmt::format("lib{}", chance.below(3));
  switch (chance.below(6)) {
    case 0:
      return {"function", "delete", name};
    case 1:
      if (chance.below(4) == 0) return {"function", "flush"};
      return {"fcall", fmt::format("f{}", chance.below(4)), "1", key_at_random(chance)};
    default:
      return {"function", "load", "replace",
              fmt::format("#!lua name={}\nredis.register_function('f{}', function(keys) return "
                          "redis.call('set', keys[1], '{}') end)",
                          name, chance.below(4), chance.hex(4))};
  }
}

}  // namespace

void write_at_random(SimNode& node, Random& chance) {
  const int database = database_at_random(chance);
  if (chance.below(40) == 0) {
    node.command(database, library_request(chance));
    return;
  }
  node.command(database, chance.below(3) == 0 ? expiry_request(chance) : value_request(chance));
}

void read_at_random(SimNode& node, Random& chance) {
  static constexpr const char* kReads[] = {"get", "pttl", "exists", "type"};
  const int database = database_at_random(chance);
  node.command(database, {kReads[chance.below(4)], key_at_random(chance)});
}

struct SlowTaker::Manner {
  size_t bytes = 0;  // at a time; 0: it reads nothing
  int64_t rest_ms = 0;
  bool takes_stream = false;  // says that it knows where a transfer without a length ends
};

Task<void> SlowTaker::take(SimProcess& self, std::string address, uint16_t port, Manner manner,
                           std::shared_ptr<bool> served, StopToken stop) {
  auto connected = co_await self.network().connect(std::move(address), port, {}, stop);
  if (!connected) co_return;
  ByteStream& stream = **connected;
  constexpr Bytes kSync = "*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n";
  if (manner.takes_stream && !co_await stream.write("REPLCONF capa eof\r\n", stop)) co_return;
  if (!co_await stream.write(kSync, stop)) co_return;
  *served = true;
  std::array<char, 512> buffer;
  for (;;) {
    if (!co_await self.loop().sleep_ms(manner.rest_ms, stop)) break;
    if (!co_await stream.write("\n", stop)) break;
    if (manner.bytes == 0) continue;
    const auto taken = co_await stream.read(std::span(buffer).first(manner.bytes), stop);
    if (!taken) break;
  }
  *served = false;
}

void SlowTaker::turn_to(const std::string& address, uint16_t port, Random& chance) {
  begin(address, port,
        {.bytes = chance.below(3) == 0 ? 0 : 1 + chance.below(512),
         .rest_ms = static_cast<int64_t>(1 + chance.below(1500)),
         .takes_stream = chance.below(2) == 0});
}

void SlowTaker::cling_to(const std::string& address, uint16_t port, Random& chance) {
  begin(address, port,
        {.bytes = 0,
         .rest_ms = static_cast<int64_t>(1 + chance.below(1500)),
         .takes_stream = chance.below(2) == 0});
}

void SlowTaker::begin(const std::string& address, uint16_t port, const Manner& manner) {
  leave();
  *served_ = false;
  process_.start([&](SimProcess& process) {
    process.tasks().spawn(take(process, address, port, manner, served_, process.tasks().token()));
    return std::shared_ptr<void>();
  });
}

}  // namespace tandem
