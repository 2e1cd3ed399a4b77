// The same session code under the real loop and under the simulated one.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "io/network.h"
#include "io/task.h"
#include "io/uv_loop.h"
#include "io/uv_network.h"
#include "sim/process.h"
#include "sim/world.h"

namespace tandem {
namespace {

constexpr int kBacklog = 16;

Task<void> echo(std::unique_ptr<ByteStream> stream, StopToken stop) {
  char buffer[512];
  for (;;) {
    auto got = co_await stream->read(buffer, stop);
    if (!got) co_return;
    if (!co_await stream->write(Bytes(buffer, *got), stop)) co_return;
  }
}

Task<void> serve(Network& network, Listener& listener, Scope& sessions) {
  for (;;) {
    auto socket = co_await listener.accept(sessions.token());
    if (!socket) co_return;
    sessions.spawn(echo(std::move(*network.adopt(std::move(*socket))), sessions.token()));
  }
}

Task<bool> send_and_compare(ByteStream& stream, Bytes message) {
  if (!co_await stream.write(message)) co_return false;
  std::string echoed;
  char buffer[300];
  while (echoed.size() < message.size()) {
    auto got = co_await stream.read(buffer);
    if (!got) co_return false;
    echoed.append(buffer, *got);
  }
  co_return echoed == message;
}

Task<void> ask(Network& network, std::string host, uint16_t port, uint64_t seed, int& good) {
  Random random{seed};
  auto stream = co_await network.connect(host, port);
  if (!stream) co_return;
  for (int i = 0; i < 20; i++) {
    const std::string message = random.hex(1 + static_cast<int>(random.below(5'000)));
    if (!co_await send_and_compare(**stream, message)) co_return;
  }
  good++;
}

Task<void> several_clients(Loop& loop, Network& network, std::string host, int& good) {
  auto listener = network.listen(host, 0, kBacklog);
  Scope sessions;
  sessions.spawn(serve(network, **listener, sessions));
  {
    Scope clients;
    for (uint64_t seed = 1; seed <= 5; seed++) {
      clients.spawn(ask(network, host, (*listener)->local().port, seed, good));
    }
    co_await clients.join();
  }
  sessions.request_stop();
  co_await sessions.join();
  loop.stop();
}

TEST(SessionTest, EchoesOverTheKernel) {
  UvLoop loop;
  UvNetwork network(loop);
  int good = 0;
  Scope scope;
  scope.spawn(several_clients(loop, network, "127.0.0.1", good));
  loop.run();
  EXPECT_EQ(good, 5);
}

TEST(SessionTest, EchoesInTheSimulatedWorld) {
  for (uint64_t seed = 1; seed <= 30; seed++) {
    SimWorld world(seed);
    SimProcess& process = world.add_process("10.0.0.1");
    int good = 0;
    process.start([&good](SimProcess& self) {
      self.tasks().spawn(several_clients(self.loop(), self.network(), "127.0.0.1", good));
      return nullptr;
    });
    process.loop().run();
    EXPECT_EQ(good, 5) << "seed " << seed;
    EXPECT_EQ(process.tasks().live_count(), 0u);
  }
}

}  // namespace
}  // namespace tandem
