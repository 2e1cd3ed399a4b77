#include "sim/network.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/task.h"
#include "sim/process.h"
#include "sim/world.h"

namespace tandem {
namespace {

constexpr uint16_t kPort = 6379;
constexpr int kBacklog = 4;

// What one side of a connection came to know.
struct Side {
  std::unique_ptr<ByteStream> stream;
  std::unique_ptr<Listener> listener;
  std::optional<Error> connect_error;
  std::string got;
  std::optional<Error> end;
  bool writing = false;
  std::optional<Error> write_error;
  int64_t decided_us = 0;
};

Task<void> read_all(Side& side) {
  char buffer[333];
  for (;;) {
    auto got = co_await side.stream->read(buffer);
    if (!got) {
      side.end = got.error();
      co_return;
    }
    side.got.append(buffer, *got);
  }
}

Task<void> accept_one(SimProcess& process, Side& side) {
  side.listener = std::move(*process.network().listen("*", kPort, kBacklog));
  auto socket = co_await side.listener->accept();
  if (!socket) co_return;
  side.stream = std::move(*process.network().adopt(std::move(*socket)));
  process.tasks().spawn(read_all(side));
}

Task<void> connect_one(SimProcess& process, Side& side, std::string host, int64_t timeout_ms) {
  auto stream = co_await process.network().connect(host, kPort, {.timeout_ms = timeout_ms});
  side.decided_us = process.clock().monotonic_us();
  if (!stream) {
    side.connect_error = stream.error();
    co_return;
  }
  side.stream = std::move(*stream);
  process.tasks().spawn(read_all(side));
}

Task<void> write_one(Side& side, std::string text) {
  side.writing = true;
  auto written = co_await side.stream->write(text);
  if (!written) side.write_error = written.error();
  side.writing = false;
}

class SimNetworkTest : public testing::Test {
 protected:
  void serve() {
    server_.start([this](SimProcess& self) {
      self.tasks().spawn(accept_one(self, server_side_));
      return nullptr;
    });
  }
  void connect(const std::string& host = "10.0.0.2", int64_t timeout_ms = 5'000) {
    client_.start([&](SimProcess& self) {
      self.tasks().spawn(connect_one(self, client_side_, host, timeout_ms));
      return nullptr;
    });
  }
  void connect_both() {
    serve();
    connect();
    ASSERT_TRUE(world_.run_until(
        [this] { return client_side_.stream != nullptr && server_side_.stream != nullptr; }, 100));
  }
  void write(const std::string& text) { client_.tasks().spawn(write_one(client_side_, text)); }
  // The streams are this test's, not the programs': they go as the processes' programs would.
  void drop(Side& side) {
    side.stream.reset();
    side.listener.reset();
  }
  void TearDown() override {
    client_.stop();
    server_.stop();
    drop(client_side_);
    drop(server_side_);
  }

  SimWorld world_{11};
  SimProcess& client_ = world_.add_process("10.0.0.1", "client");
  SimProcess& server_ = world_.add_process("10.0.0.2", "server");
  Side client_side_;
  Side server_side_;
};

TEST_F(SimNetworkTest, BytesArriveInOrderAfterSomeTime) {
  connect_both();
  EXPECT_EQ(client_side_.stream->peer().text(), "10.0.0.2:6379");
  EXPECT_EQ(server_side_.stream->peer().text(), client_side_.stream->local().text());
  std::string text;
  for (int i = 0; i < 50'000; i++) text += std::to_string(i);
  const int64_t start_us = world_.now_us();
  write(text);
  EXPECT_TRUE(world_.run_until([&] { return server_side_.got.size() == text.size(); }, 60'000));
  EXPECT_EQ(server_side_.got, text);
  EXPECT_GT(world_.now_us(), start_us);
  client_side_.stream->shutdown();
  EXPECT_TRUE(world_.run_until([&] { return server_side_.end.has_value(); }, 100));
  EXPECT_EQ(server_side_.end->code, ErrorCode::kEnd);
}

TEST_F(SimNetworkTest, AWriterWaitsForAReaderThatDoesNotRead) {
  connect_both();
  server_.loop().pause_ms(1'000);
  write(std::string(200'000, 'x'));
  world_.run_for_ms(500);
  EXPECT_TRUE(client_side_.writing);
  EXPECT_EQ(client_side_.stream->try_write("overtake"), 0u);
  EXPECT_TRUE(world_.run_until([&] { return server_side_.got.size() == 200'000; }, 5'000));
  EXPECT_FALSE(client_side_.writing);
}

TEST_F(SimNetworkTest, NobodyListening) {
  server_.start([](SimProcess&) { return nullptr; });
  connect();
  world_.run_for_ms(100);
  ASSERT_TRUE(client_side_.connect_error);
  EXPECT_EQ(client_side_.connect_error->text, "Connection refused");
}

TEST_F(SimNetworkTest, AMachineThatIsDownDoesNotAnswer) {
  connect("10.0.0.2", 3'000);
  world_.run_for_ms(2'999);
  EXPECT_FALSE(client_side_.connect_error);
  world_.run_for_ms(10);
  ASSERT_TRUE(client_side_.connect_error);
  EXPECT_EQ(client_side_.connect_error->code, ErrorCode::kTimeout);
}

TEST_F(SimNetworkTest, NamesAreFoundOrNot) {
  serve();
  connect("server");
  world_.run_for_ms(100);
  EXPECT_TRUE(client_side_.stream);
  client_.stop();
  connect("nowhere");
  world_.run_for_ms(100);
  ASSERT_TRUE(client_side_.connect_error);
  EXPECT_EQ(client_side_.connect_error->text, "Name or service not known");
}

TEST_F(SimNetworkTest, ATakenPortSaysSo) {
  serve();
  auto second = server_.network().listen("*", kPort, kBacklog);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text, "bind: Address already in use");
  connect();
  EXPECT_TRUE(world_.run_until([&] { return client_side_.stream != nullptr; }, 100));
}

TEST_F(SimNetworkTest, APartitionHoldsBytesBackUntilItHeals) {
  connect_both();
  world_.wire().partition("10.0.0.1", "10.0.0.2");
  write("held");
  world_.run_for_ms(10'000);
  EXPECT_EQ(server_side_.got, "");
  EXPECT_FALSE(client_side_.end);
  world_.wire().heal("10.0.0.2", "10.0.0.1");
  world_.run_for_ms(300);
  EXPECT_EQ(server_side_.got, "held");
}

TEST_F(SimNetworkTest, ALongPartitionBreaksTheSideThatSends) {
  connect_both();
  world_.wire().options().give_up_ms = 30'000;
  world_.wire().isolate("10.0.0.2");
  write("lost");
  world_.run_for_ms(31'000);
  ASSERT_TRUE(client_side_.end);
  EXPECT_EQ(client_side_.end->text, "Connection timed out");
  EXPECT_FALSE(server_side_.end);
}

TEST_F(SimNetworkTest, AResetIsSeenByBoth) {
  connect_both();
  EXPECT_EQ(world_.wire().connection_count("10.0.0.1", "10.0.0.2"), 2u);
  world_.wire().reset_connections("10.0.0.1", "10.0.0.2");
  world_.run_for_ms(10);
  ASSERT_TRUE(client_side_.end && server_side_.end);
  EXPECT_EQ(client_side_.end->code, ErrorCode::kIo);
  EXPECT_EQ(server_side_.end->text, "Connection reset by peer");
  write("x");
  EXPECT_TRUE(client_side_.write_error);
}

TEST_F(SimNetworkTest, AHalfOpenConnectionStaysSilent) {
  connect_both();
  world_.wire().drop_silently("10.0.0.1", "10.0.0.2");
  write("lost");
  world_.run_for_ms(60'000);
  EXPECT_EQ(server_side_.got, "");
  EXPECT_FALSE(client_side_.end);
  EXPECT_FALSE(server_side_.end);
}

TEST_F(SimNetworkTest, AKilledProcessResetsItsConnections) {
  connect_both();
  server_.kill();
  drop(server_side_);
  world_.run_for_ms(10);
  ASSERT_TRUE(client_side_.end);
  EXPECT_EQ(client_side_.end->text, "Connection reset by peer");
}

TEST_F(SimNetworkTest, AMachineWithoutPowerSaysNothingAndResetsWhenItIsBack) {
  connect_both();
  server_.lose_power();
  drop(server_side_);
  world_.run_for_ms(10'000);
  EXPECT_FALSE(client_side_.end);
  serve();
  world_.run_for_ms(1'000);
  EXPECT_FALSE(client_side_.end);
  write("are you there");
  world_.run_for_ms(1'000);
  ASSERT_TRUE(client_side_.end);
  EXPECT_EQ(client_side_.end->text, "Connection reset by peer");
  EXPECT_EQ(server_side_.got, "");
}

TEST_F(SimNetworkTest, StoppingAProcessClosesItsConnectionsInOrder) {
  connect_both();
  write("last words");
  client_.stop();
  drop(client_side_);
  world_.run_for_ms(100);
  EXPECT_EQ(server_side_.got, "last words");
  ASSERT_TRUE(server_side_.end);
  EXPECT_EQ(server_side_.end->code, ErrorCode::kEnd);
}

TEST_F(SimNetworkTest, ATaskThatGoesWhileConnectingLeavesNothingBehind) {
  serve();
  connect();
  client_.stop();
  world_.run_for_ms(100);
  EXPECT_FALSE(client_side_.stream);
  EXPECT_EQ(world_.wire().connection_count("10.0.0.1", "10.0.0.2"), 0u);
}

Task<void> over_unix(SimProcess& process, std::string& got) {
  auto listener = process.network().listen_unix("/run/a.sock", 0700, kBacklog);
  auto client = co_await process.network().connect_unix("/run/a.sock");
  auto socket = co_await (*listener)->accept();
  auto served = std::move(*process.network().adopt(std::move(*socket)));
  (*client)->try_write("hi");
  char buffer[8];
  while (got.size() < 2) {
    auto count = co_await served->read(buffer);
    got.append(buffer, *count);
  }
  EXPECT_EQ(served->peer().text(), "/run/a.sock:0");
}

TEST_F(SimNetworkTest, UnixSockets) {
  std::string got;
  client_.start([&](SimProcess& self) {
    self.tasks().spawn(over_unix(self, got));
    return nullptr;
  });
  world_.wire().options().partial_one_in = 0;
  world_.run_for_ms(10);
  EXPECT_EQ(got, "hi");
}

}  // namespace
}  // namespace tandem
