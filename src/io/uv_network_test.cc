#include "io/uv_network.h"

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "io/task.h"
#include "io/uv_loop.h"
#include "io/uv_stream.h"

namespace tandem {
namespace {

constexpr int64_t kForeverMs = 3'600'000;
constexpr int kBacklog = 16;

// Two ends of one connection over the loopback network.
struct Pair {
  std::unique_ptr<ByteStream> client;
  std::unique_ptr<ByteStream> server;
};

Task<void> run_and_stop(Loop& loop, Task<void> task) {
  co_await std::move(task);
  loop.stop();
}

void run_to_end(Loop& loop, Task<void> task) {
  Scope scope;
  scope.spawn(run_and_stop(loop, std::move(task)));
  loop.run();
  EXPECT_EQ(scope.live_count(), 0u);
}

Task<void> make_pair(Network& network, std::string host, Pair& pair) {
  auto listener = network.listen(host, 0, kBacklog);
  EXPECT_TRUE(listener) << listener.error().text;
  auto client = co_await network.connect(host, (*listener)->local().port);
  EXPECT_TRUE(client) << client.error().text;
  auto accepted = co_await (*listener)->accept();
  EXPECT_TRUE(accepted);
  pair.client = std::move(*client);
  pair.server = std::move(*network.adopt(std::move(*accepted)));
}

class UvNetworkTest : public testing::Test {
 protected:
  UvLoop loop_;
  UvNetwork network_{loop_};
  Pair pair_;

  void connect() { run_to_end(loop_, make_pair(network_, "127.0.0.1", pair_)); }
};

Task<void> ping_pong(ByteStream& a, ByteStream& b, int rounds) {
  char buffer[64];
  for (int i = 0; i < rounds; i++) {
    EXPECT_TRUE(co_await a.write("ping"));
    auto got = co_await b.read(buffer);
    EXPECT_EQ(std::string(buffer, *got), "ping");
    const Bytes parts[] = {"po", "", "ng"};
    EXPECT_TRUE(co_await b.write(parts));
    got = co_await a.read(buffer);
    EXPECT_EQ(std::string(buffer, *got), "pong");
  }
}

TEST_F(UvNetworkTest, BytesGoBothWays) {
  connect();
  run_to_end(loop_, ping_pong(*pair_.client, *pair_.server, 100));
}

TEST_F(UvNetworkTest, AddressesReadAsRedisWritesThem) {
  connect();
  const std::string port = std::to_string(pair_.server->local().port);
  EXPECT_EQ(pair_.server->local().text(), "127.0.0.1:" + port);
  EXPECT_EQ(pair_.client->peer().text(), "127.0.0.1:" + port);
  EXPECT_EQ(pair_.client->local().text(), pair_.server->peer().text());
  EXPECT_TRUE(pair_.server->peer().is_local());
  EXPECT_EQ((Address{"::1", 6379, false}).text(), "[::1]:6379");
  EXPECT_EQ((Address{"/run/a.sock", 0, true}).text(), "/run/a.sock:0");
  EXPECT_FALSE((Address{"10.0.0.1", 1, false}).is_local());
}

TEST_F(UvNetworkTest, Ipv6WhereTheMachineHasIt) {
  auto listener = network_.listen("::1", 0, kBacklog);
  if (!listener) GTEST_SKIP() << listener.error().text;
  listener->reset();
  run_to_end(loop_, make_pair(network_, "::1", pair_));
  EXPECT_EQ(pair_.server->local().text(), "[::1]:" + std::to_string(pair_.server->local().port));
}

bool sends_at_once(const ByteStream& stream) {
  int on = -1;
  socklen_t size = sizeof on;
  EXPECT_EQ(::getsockopt(stream.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
  return on != 0;
}

TEST_F(UvNetworkTest, BytesAreSentAtOnceUnlessTheyMayWait) {
  connect();
  EXPECT_TRUE(sends_at_once(*pair_.client));
  EXPECT_TRUE(sends_at_once(*pair_.server));
  pair_.server->set_no_delay(false);
  EXPECT_FALSE(sends_at_once(*pair_.server));
  EXPECT_TRUE(sends_at_once(*pair_.client));
  pair_.server->set_no_delay(true);
  EXPECT_TRUE(sends_at_once(*pair_.server));
}

Task<void> read_all(ByteStream& stream, std::string& out, ErrorCode& end) {
  char buffer[1000];
  for (;;) {
    auto got = co_await stream.read(buffer);
    if (!got) {
      end = got.error().code;
      co_return;
    }
    out.append(buffer, *got);
  }
}

Task<void> write_parts(ByteStream& stream, std::vector<std::string>& texts) {
  std::vector<Bytes> parts(texts.begin(), texts.end());
  EXPECT_TRUE(co_await stream.write(parts));
  EXPECT_TRUE(co_await stream.write("end"));
  stream.shutdown();
}

Task<void> transfer(Pair& pair, std::vector<std::string>& texts, std::string& got, ErrorCode& end) {
  Scope scope;
  scope.spawn(write_parts(*pair.client, texts));
  scope.spawn(read_all(*pair.server, got, end));
  co_await scope.join();
}

TEST_F(UvNetworkTest, AWriteOfManyPartsArrivesWholeAndInOrder) {
  connect();
  Random random{7};
  std::vector<std::string> texts;
  std::string sent;
  for (int i = 0; i < 300; i++) {
    texts.push_back(random.hex(static_cast<int>(random.below(60'000))));
    sent += texts.back();
  }
  std::string got;
  ErrorCode end = ErrorCode::kIo;
  run_to_end(loop_, transfer(pair_, texts, got, end));
  EXPECT_EQ(got, sent + "end");
  EXPECT_EQ(end, ErrorCode::kEnd);
}

TEST_F(UvNetworkTest, TryWriteFillsTheKernelAndNeverOvertakesAWaitingWrite) {
  connect();
  const std::string block(1 << 20, 'a');
  size_t total = 0;
  while (const size_t count = pair_.client->try_write(block)) total += count;
  EXPECT_GT(total, 0u);
  Scope scope;
  auto write_b = [](ByteStream& stream) -> Task<void> { EXPECT_TRUE(co_await stream.write("b")); };
  scope.spawn(write_b(*pair_.client));
  EXPECT_EQ(pair_.client->try_write("c"), 0u);
  std::string got;
  auto drain = [](ByteStream& stream, std::string& out, size_t size) -> Task<void> {
    char buffer[65536];
    while (out.size() < size) {
      auto count = co_await stream.read(buffer);
      out.append(buffer, *count);
    }
  };
  run_to_end(loop_, drain(*pair_.server, got, total + 1));
  EXPECT_EQ(got, std::string(total, 'a') + "b");
  EXPECT_EQ(scope.live_count(), 0u);
}

// Takes what comes as fast as it can, on a thread of its own.
void drain(int descriptor, size_t bytes) {
  std::vector<char> buffer(4 << 20);
  pollfd watched{descriptor, POLLIN, 0};
  while (bytes != 0) {
    ASSERT_EQ(::poll(&watched, 1, kForeverMs), 1);
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    ASSERT_GT(count, 0);
    bytes -= static_cast<size_t>(count);
  }
}

TEST_F(UvNetworkTest, AFastPeerDoesNotKeepTheLoopForItself) {
  constexpr size_t kBytes = size_t{64} << 20;
  connect();
  std::thread peer(drain, pair_.client->descriptor(), kBytes);
  const std::string text(kBytes, 'x');
  auto send_all = [&](ByteStream& stream) -> Task<void> {
    const size_t first = stream.try_write(text);
    EXPECT_TRUE(co_await stream.write(Bytes(text).substr(first)));
  };
  const uint64_t before = loop_.counters().turns.load();
  run_to_end(loop_, send_all(*pair_.server));
  EXPECT_GE(loop_.counters().turns.load() - before, kBytes / UvStream::kSentInTurnMax - 1);
  peer.join();
}

Task<void> read_once(ByteStream& stream, StopToken stop, std::string& outcome) {
  char buffer[16];
  auto got = co_await stream.read(buffer, stop);
  if (got) {
    outcome = std::string(buffer, *got);
  } else {
    outcome = got.error().code == ErrorCode::kCancelled ? "cancelled" : "other";
  }
}

Task<void> join(Scope& scope) { co_await scope.join(); }

TEST_F(UvNetworkTest, AStoppedReadLeavesTheBytesForTheNext) {
  connect();
  std::string first;
  std::string second;
  Scope scope;
  scope.spawn(read_once(*pair_.server, scope.token(), first));
  scope.request_stop();
  run_to_end(loop_, join(scope));
  EXPECT_EQ(first, "cancelled");
  EXPECT_EQ(pair_.client->try_write("late"), 4u);
  run_to_end(loop_, read_once(*pair_.server, {}, second));
  EXPECT_EQ(second, "late");
}

TEST_F(UvNetworkTest, ATaskDestroyedInItsReadLeavesTheStreamUsable) {
  connect();
  std::string lost;
  {
    Scope scope;
    scope.spawn(read_once(*pair_.server, {}, lost));
  }
  EXPECT_EQ(pair_.client->try_write("x"), 1u);
  std::string got;
  run_to_end(loop_, read_once(*pair_.server, {}, got));
  EXPECT_EQ(got, "x");
  EXPECT_EQ(lost, "");
}

TEST_F(UvNetworkTest, CloseWakesItsWaitsWithCancelled) {
  connect();
  std::string outcome;
  Scope scope;
  scope.spawn(read_once(*pair_.server, {}, outcome));
  pair_.server->close();
  EXPECT_EQ(outcome, "");
  run_to_end(loop_, join(scope));
  EXPECT_EQ(outcome, "cancelled");
  EXPECT_TRUE(pair_.server->closed());
  EXPECT_EQ(pair_.server->try_write("x"), 0u);
  std::string later;
  run_to_end(loop_, read_once(*pair_.server, {}, later));
  EXPECT_EQ(later, "cancelled");
}

Task<void> read_and_go_on(ByteStream& stream, std::vector<std::string>& story) {
  char buffer[16];
  auto count = co_await stream.read(buffer);
  EXPECT_TRUE(count);
  const std::string name(buffer, *count);
  story.push_back("read " + name);
  EXPECT_TRUE(co_await stream.loop().rest_of_turn());
  story.push_back("went on with " + name);
}

void wait_until_readable(const ByteStream& stream) {
  constexpr int kTimeoutMs = 60'000;
  pollfd watched{stream.descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&watched, 1, kTimeoutMs), 1);
}

TEST_F(UvNetworkTest, WhatCameInATurnIsAllReadBeforeTheRestOfIt) {
  connect();
  EXPECT_EQ(pair_.client->try_write("a"), 1u);
  EXPECT_EQ(pair_.server->try_write("b"), 1u);
  wait_until_readable(*pair_.client);
  wait_until_readable(*pair_.server);
  std::vector<std::string> story;
  Scope scope;
  scope.spawn(read_and_go_on(*pair_.client, story));
  scope.spawn(read_and_go_on(*pair_.server, story));
  run_to_end(loop_, join(scope));
  ASSERT_EQ(story.size(), 4u);
  EXPECT_TRUE(story[0].starts_with("read") && story[1].starts_with("read"));
  EXPECT_EQ(story[2], "went on with " + story[0].substr(5));
  EXPECT_EQ(story[3], "went on with " + story[1].substr(5));
}

Task<void> read_then_destroy(std::unique_ptr<ByteStream>& stream) {
  char buffer[16];
  EXPECT_TRUE(co_await stream->read(buffer));
  stream.reset();
}

TEST_F(UvNetworkTest, AStreamMayBeDestroyedByTheTaskItsReadResumed) {
  connect();
  EXPECT_EQ(pair_.client->try_write("bye"), 3u);
  run_to_end(loop_, read_then_destroy(pair_.server));
  std::string got;
  ErrorCode end = ErrorCode::kIo;
  run_to_end(loop_, read_all(*pair_.client, got, end));
  EXPECT_EQ(end, ErrorCode::kEnd);
}

Task<void> connect_code(Network& network, uint16_t port, StopToken stop, Result<void>& outcome) {
  auto stream = co_await network.connect("127.0.0.1", port, {.timeout_ms = kForeverMs}, stop);
  if (!stream) outcome = std::unexpected(stream.error());
}

TEST_F(UvNetworkTest, ARefusedConnectionSaysSo) {
  uint16_t port = 0;
  {
    auto listener = network_.listen("127.0.0.1", 0, kBacklog);
    port = (*listener)->local().port;
  }
  Result<void> outcome;
  run_to_end(loop_, connect_code(network_, port, {}, outcome));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kIo);
  EXPECT_EQ(outcome.error().text, "Connection refused");
}

TEST_F(UvNetworkTest, ATakenPortSaysSo) {
  auto first = network_.listen("127.0.0.1", 0, kBacklog);
  auto second = network_.listen("127.0.0.1", (*first)->local().port, kBacklog);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text, "bind: Address already in use");
}

Task<void> connect_by_name(Network& network, uint16_t port, std::string& peer) {
  auto stream = co_await network.connect("localhost", port);
  if (stream) peer = (*stream)->peer().text();
}

TEST_F(UvNetworkTest, NamesAreLookedUp) {
  auto listener = network_.listen("127.0.0.1", 0, kBacklog);
  std::string peer;
  run_to_end(loop_, connect_by_name(network_, (*listener)->local().port, peer));
  EXPECT_EQ(peer, (*listener)->local().text());
}

Task<void> connect_to(Network& network, std::string host, std::optional<Error>& error) {
  auto stream = co_await network.connect(std::move(host), 1);
  if (!stream) error = stream.error();
}

TEST_F(UvNetworkTest, ANameWithoutAddressSaysSo) {
  std::optional<Error> error;
  run_to_end(loop_, connect_to(network_, "", error));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kInvalid);
  EXPECT_FALSE(error->text.empty());
}

Task<void> accept_code(Listener& listener, StopToken stop, ErrorCode& code) {
  auto accepted = co_await listener.accept(stop);
  code = accepted ? ErrorCode::kEnd : accepted.error().code;
}

TEST_F(UvNetworkTest, AcceptEndsByStopByCloseAndByDestruction) {
  auto listener = network_.listen("127.0.0.1", 0, kBacklog);
  ErrorCode code = ErrorCode::kIo;
  {
    Scope scope;
    scope.spawn(accept_code(**listener, {}, code));
  }
  Scope stopped;
  stopped.spawn(accept_code(**listener, stopped.token(), code));
  stopped.request_stop();
  run_to_end(loop_, join(stopped));
  EXPECT_EQ(code, ErrorCode::kCancelled);
  code = ErrorCode::kIo;
  Scope closed;
  closed.spawn(accept_code(**listener, {}, code));
  (*listener)->close();
  run_to_end(loop_, join(closed));
  EXPECT_EQ(code, ErrorCode::kCancelled);
}

class Folder {
 public:
  Folder() { EXPECT_NE(mkdtemp(path_), nullptr); }
  ~Folder() { ::rmdir(path_); }
  std::string at(const std::string& name) const { return std::string(path_) + "/" + name; }

 private:
  char path_[32] = "/tmp/tandem_io_XXXXXX";
};

Task<void> make_unix_pair(Network& network, Listener& listener, std::string path, Pair& pair) {
  auto client = co_await network.connect_unix(path);
  EXPECT_TRUE(client) << client.error().text;
  auto accepted = co_await listener.accept();
  pair.client = std::move(*client);
  pair.server = std::move(*network.adopt(std::move(*accepted)));
}

TEST_F(UvNetworkTest, UnixSocketsHavePermissionsAndVanishWithTheirListener) {
  Folder folder;
  const std::string path = folder.at("a.sock");
  auto listener = network_.listen_unix(path, 0700, kBacklog);
  ASSERT_TRUE(listener) << listener.error().text;
  struct stat about{};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
  run_to_end(loop_, make_unix_pair(network_, **listener, path, pair_));
  run_to_end(loop_, ping_pong(*pair_.client, *pair_.server, 10));
  EXPECT_EQ(pair_.server->peer().text(), path + ":0");
  EXPECT_EQ(pair_.server->local().text(), path + ":0");
  pair_.server->set_keepalive(300);
  listener->reset();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  EXPECT_FALSE(network_.listen_unix(std::string(200, 'x'), 0, kBacklog));
}

Task<void> echo_once(ByteStream& stream) {
  char buffer[64];
  auto got = co_await stream.read(buffer);
  EXPECT_TRUE(co_await stream.write(Bytes(buffer, *got)));
}

TEST_F(UvNetworkTest, AnAcceptedSocketIsServedByAnotherThreadsLoop) {
  auto listener = network_.listen("127.0.0.1", 0, kBacklog);
  UvLoop worker_loop;
  UvNetwork worker_network(worker_loop);
  std::unique_ptr<ByteStream> served;
  Scope scope;  // the worker's
  std::thread worker([&] { worker_loop.run(); });
  auto client_side = [](Network& network, Listener& from, UvLoop& to, UvNetwork& adopter,
                        std::unique_ptr<ByteStream>& stream, Scope& tasks) -> Task<void> {
    auto client = co_await network.connect("127.0.0.1", from.local().port);
    auto accepted = co_await from.accept();
    to.post([&adopter, &stream, &tasks, socket = std::move(*accepted)]() mutable {
      stream = std::move(*adopter.adopt(std::move(socket)));
      tasks.spawn(echo_once(*stream));
    });
    EXPECT_TRUE(co_await (*client)->write("hello"));
    char buffer[16];
    auto got = co_await (*client)->read(buffer);
    EXPECT_EQ(std::string(buffer, *got), "hello");
  };
  run_to_end(loop_, client_side(network_, **listener, worker_loop, worker_network, served, scope));
  worker_loop.stop();
  worker.join();
}

TEST_F(UvNetworkTest, ADroppedSocketIsClosed) {
  auto listener = network_.listen("127.0.0.1", 0, kBacklog);
  auto drop = [](Network& network, Listener& from, ErrorCode& end) -> Task<void> {
    auto client = co_await network.connect("127.0.0.1", from.local().port);
    {
      auto accepted = co_await from.accept();
    }
    char buffer[8];
    auto got = co_await (*client)->read(buffer);
    end = got.error().code;
  };
  ErrorCode end = ErrorCode::kIo;
  run_to_end(loop_, drop(network_, **listener, end));
  EXPECT_EQ(end, ErrorCode::kEnd);
}

Task<void> wait_then_read(Pair& pair) {
  char buffer[16];
  EXPECT_EQ(*pair.server->try_read(buffer), 0u);
  EXPECT_TRUE(co_await pair.client->write("hello"));
  EXPECT_TRUE(co_await pair.server->readable());
  EXPECT_TRUE(co_await pair.server->readable());  // nothing was taken
  EXPECT_EQ(*pair.server->try_read(std::span(buffer, 2)), 2u);
  EXPECT_EQ(*pair.server->try_read(buffer), 3u);
  EXPECT_EQ(*pair.server->try_read(buffer), 0u);
  pair.client->close();
  EXPECT_TRUE(co_await pair.server->readable());
  const auto end = pair.server->try_read(buffer);
  EXPECT_EQ(end.error().code, ErrorCode::kEnd);
}

TEST_F(UvNetworkTest, WaitsForBytesWithoutTakingThem) {
  run_to_end(loop_, make_pair(network_, "127.0.0.1", pair_));
  run_to_end(loop_, wait_then_read(pair_));
}

// Behind bytes that nobody has read, too, and by another thread.
TEST_F(UvNetworkTest, TellsThatThePeerHasClosed) {
  run_to_end(loop_, make_pair(network_, "127.0.0.1", pair_));
  const auto ask = [&] {
    bool closed = false;
    std::thread([&] { closed = pair_.server->peer_has_closed(); }).join();
    return closed;
  };
  EXPECT_FALSE(ask());
  EXPECT_EQ(pair_.client->try_write("unread"), 6u);
  EXPECT_FALSE(ask());
  pair_.client->close();
  EXPECT_TRUE(ask());
}

}  // namespace
}  // namespace tandem
