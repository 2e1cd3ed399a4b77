#include "replication_sim/slow_taker.h"

#include <array>
#include <memory>
#include <span>
#include <utility>

#include "io/byte_stream.h"
#include "io/task.h"

namespace tandem {
namespace {

struct Manner {
  size_t bytes = 0;  // at a time; 0: it reads nothing
  int64_t rest_ms = 0;
  bool takes_stream = false;  // says that it knows where a transfer without a length ends
};

Task<void> take(SimProcess& self, std::string address, uint16_t port, Manner manner,
                StopToken stop) {
  auto connected = co_await self.network().connect(std::move(address), port, {}, stop);
  if (!connected) co_return;
  ByteStream& stream = **connected;
  constexpr Bytes kSync = "*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n";
  if (manner.takes_stream && !co_await stream.write("REPLCONF capa eof\r\n", stop)) co_return;
  if (!co_await stream.write(kSync, stop)) co_return;
  std::array<char, 512> buffer;
  for (;;) {
    if (!co_await self.loop().sleep_ms(manner.rest_ms, stop)) co_return;
    if (!co_await stream.write("\n", stop)) co_return;
    if (manner.bytes == 0) continue;
    const auto taken = co_await stream.read(std::span(buffer).first(manner.bytes), stop);
    if (!taken) co_return;
  }
}

}  // namespace

void SlowTaker::turn_to(const std::string& address, uint16_t port, Random& chance) {
  leave();
  const Manner manner{.bytes = chance.below(3) == 0 ? 0 : 1 + chance.below(512),
                      .rest_ms = static_cast<int64_t>(1 + chance.below(1500)),
                      .takes_stream = chance.below(2) == 0};
  process_.start([&](SimProcess& process) {
    process.tasks().spawn(take(process, address, port, manner, process.tasks().token()));
    return std::shared_ptr<void>();
  });
}

}  // namespace tandem
