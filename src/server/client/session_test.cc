// Sessions under the simulated loop: what a client sends in pieces, what it gets back, and when it
// is closed.
#include "server/client/session.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "commands/table.h"
#include "server/commands/rows.h"
#include "sim/process.h"
#include "sim/world.h"

namespace tandem {
namespace {

// A server of one session after the other in one process, without its worker.
class Node {
 public:
  Node(SimProcess& process, ServerOptions& options)
      : options_(options.network),
        engine_({}, process.loop().clock()),
        reports_({.gate = engine_.gate,
                  .options = options,
                  .errors = errors_,
                  .acl_log = acl_log_,
                  .clients = clients_}),
        registry_(engine_.registry.add(rows())),
        access_({.engine = engine_,
                 .clients = clients_,
                 .reports = reports_,
                 .files = files_,
                 .options = options}),
        process_(process),
        executor_(engine_, 5),
        flushes_(process.loop()),
        host_{.loop = process.loop(),
              .executor = executor_,
              .options = options.network,
              .counters = counters_,
              .flushes = flushes_,
              .errors = errors_,
              .lookahead = lookahead_,
              .deliver =
                  [this](uint64_t, std::string reply) {
                    process_.loop().post([this, text = std::move(reply)]() mutable {
                      if (session_ != nullptr) session_->unblock(std::move(text));
                    });
                  },
              .held_back = [](Session&) {}} {
    CHECK(access_.begin({}), "no file of users is asked for");
  }

  Task<void> serve(StopToken stop) {
    auto listener = process_.network().listen("0.0.0.0", kPort, 4);
    while (true) {
      auto socket = co_await (*listener)->accept(stop);
      if (!socket) co_return;
      auto card = std::make_shared<ClientCard>();
      card->id = ++last_id_;
      Session session(host_, std::move(*process_.network().adopt(std::move(*socket))), card, stop);
      access_.admit(session);
      session_ = &session;
      card->wake = [this] {
        process_.loop().post([this] {
          if (session_ != nullptr) session_->attend();
        });
      };
      card->inbox.open({.options = &options_, .wake = card->wake, .overflow = [] {}});
      co_await session.run();
      session_ = nullptr;
    }
  }

  Session* session() { return session_; }
  NetworkCounters& counters() { return counters_; }
  Gate& gate() { return engine_.gate; }
  static constexpr uint16_t kPort = 6379;

 private:
  const NetworkOptions& options_;
  std::vector<CommandRow> rows() {
    auto all = engine_rows();
    for (CommandRow& row : keyspace_rows()) all.push_back(std::move(row));
    for (CommandRow& row : connection_rows(access_, subscriptions_, reports_))
      all.push_back(std::move(row));
    return all;
  }

  Engine engine_;
  SubscriptionRegistry subscriptions_;
  ErrorCounts errors_;
  AclLog acl_log_;
  ClientRegistry clients_;
  CommandReports reports_;
  const Registry& registry_;
  DiskFiles files_;
  AccessControl access_;
  SimProcess& process_;
  Executor executor_;
  FlushQueue flushes_;
  NetworkCounters counters_;
  Lookahead lookahead_{engine_.keyspace};
  uint64_t last_id_ = 0;
  Session* session_ = nullptr;
  SessionHost host_;
};

struct SessionTest : testing::Test {
  // Sends the pieces with pauses between them; what comes back until nothing more comes, or the
  // end.
  struct Talk {
    std::vector<std::string> pieces;
    std::string received = {};
    bool closed = false;
    bool read = true;
    int64_t pause_ms = 0;  // between two reads
  };

  static Task<void> listen(SimProcess& self, ByteStream& stream, Talk& talk, StopToken stop) {
    char buffer[4096];
    while (talk.read) {
      auto count = co_await stream.read(buffer, stop);
      if (!count) {
        talk.closed = count.error().code == ErrorCode::kEnd || count.error().code == ErrorCode::kIo;
        co_return;
      }
      talk.received.append(buffer, *count);
      if (talk.pause_ms > 0 && !co_await self.loop().sleep_ms(talk.pause_ms, stop)) co_return;
    }
  }

  static Task<void> speak(SimProcess& self, Talk& talk, StopToken stop) {
    auto stream = co_await self.network().connect("10.0.0.1", Node::kPort, {}, stop);
    if (!stream) co_return;
    Scope listening(stop);
    listening.spawn(listen(self, **stream, talk, listening.token()));
    for (const std::string& piece : talk.pieces) {
      if (!co_await (*stream)->write(piece, stop)) break;
      if (!co_await self.loop().sleep_ms(5, stop)) co_return;
    }
    co_await listening.join();
  }

  void run(Talk& talk, int64_t duration_ms = 500) {
    SimProcess& server = world.add_process("10.0.0.1");
    server.start([this](SimProcess& self) {
      node = std::make_shared<Node>(self, server_options);
      node->gate().set(Gate::kPausedAll, paused);
      server_loop = &self.loop();
      self.tasks().spawn(node->serve(self.tasks().token()));
      return node;
    });
    SimProcess& client = world.add_process("10.0.0.2");
    client.start([&talk](SimProcess& self) {
      self.tasks().spawn(speak(self, talk, self.tasks().token()));
      return nullptr;
    });
    world.run_for_ms(duration_ms);
  }

  // As the worker does it, on its loop.
  void check_limits() {
    ASSERT_NE(node->session(), nullptr);
    server_loop->post([this] { node->session()->check_limits(world.now_us() / 1000); });
    world.run_for_ms(100);
  }

  SimWorld world{1};
  Loop* server_loop = nullptr;
  ServerOptions server_options;
  NetworkOptions& options = server_options.network;
  bool paused = false;  // by CLIENT PAUSE, from the start
  std::shared_ptr<Node> node;
};

TEST_F(SessionTest, AnswersAPipelineInOrder) {
  Talk talk{.pieces = {"SET k 1\r\nINCR k\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nNOSUCH\r\nPING\r\n"}};
  run(talk);
  EXPECT_EQ(talk.received,
            "+OK\r\n:2\r\n$1\r\n2\r\n"
            "-ERR unknown command 'NOSUCH', with args beginning with: \r\n+PONG\r\n");
  EXPECT_FALSE(talk.closed);
}

TEST_F(SessionTest, TakesRequestsInPieces) {
  const std::string request = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n";
  Talk talk;
  for (const char c : request) talk.pieces.emplace_back(1, c);
  talk.pieces.emplace_back("GET k\r\n");
  run(talk, 2000);
  EXPECT_EQ(talk.received, "+OK\r\n$5\r\nhello\r\n");
}

TEST_F(SessionTest, ABusyClientIsReadInLargePieces) {
  std::string pipeline;
  while (pipeline.size() < 10'000) pipeline += "PING\r\n";
  Talk talk{.pieces = std::vector<std::string>(20, pipeline)};
  run(talk, 2000);
  constexpr uint64_t kSmallBytes = 2 * 1024;  // what a client begins with
  EXPECT_EQ(node->counters().input_bytes.get(), 20 * pipeline.size());
  EXPECT_LT(node->counters().reads.get(), 20 * pipeline.size() / kSmallBytes / 2);
}

TEST_F(SessionTest, LargeValuesGoInAndOut) {
  const std::string value(3'000'000, 'x');
  Talk talk{.pieces = {"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3000000\r\n" + value + "\r\n",
                       "GET k\r\nGET k\r\nPING\r\n"}};
  run(talk, 20'000);
  const std::string reply = "$3000000\r\n" + value + "\r\n";
  EXPECT_TRUE(talk.received == "+OK\r\n" + reply + reply + "+PONG\r\n") << talk.received.size();
}

TEST_F(SessionTest, AProtocolErrorIsAnsweredAndEndsTheConnection) {
  Talk talk{.pieces = {"PING\r\n*1\r\n$zz\r\nPING\r\n"}};
  run(talk);
  EXPECT_EQ(talk.received, "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n");
  EXPECT_TRUE(talk.closed);
}

TEST_F(SessionTest, QuitAnswersWhatCameBefore) {
  Talk talk{.pieces = {"PING\r\nQUIT\r\nPING\r\n"}};
  run(talk);
  EXPECT_EQ(talk.received, "+PONG\r\n+OK\r\n");
  EXPECT_TRUE(talk.closed);
}

TEST_F(SessionTest, ABlockedClientsRequestsWait) {
  Talk talk{.pieces = {"BLPOP q 0.05\r\nPING\r\n", "ECHO late\r\n"}};
  run(talk);
  EXPECT_EQ(talk.received, "*-1\r\n+PONG\r\n$4\r\nlate\r\n");
}

TEST_F(SessionTest, TheQueryBufferHasALimit) {
  options.query_buffer_bytes_max.set(1024 * 1024);
  Talk talk{.pieces = {"*2\r\n$4\r\nECHO\r\n$3000000\r\n" + std::string(2'000'000, 'x')}};
  run(talk, 10'000);
  EXPECT_EQ(talk.received, "");
  EXPECT_TRUE(talk.closed);
  EXPECT_EQ(node->counters().query_buffer_closes.get(), 1u);
}

TEST_F(SessionTest, RepliesThatNobodyReadsHaveALimit) {
  options.output_buffer_limits[0].hard_bytes.set(1024 * 1024);
  Talk talk{.pieces = {"SET k " + std::string(60'000, 'x') + "\r\n"}, .read = false};
  for (int i = 0; i < 300; ++i) talk.pieces.emplace_back("GET k\r\n");
  run(talk, 10'000);
  EXPECT_EQ(node->counters().output_buffer_closes.get(), 1u);
}

TEST_F(SessionTest, AnIdleClientIsClosed) {
  options.idle_timeout_seconds.set(2);
  Talk talk{.pieces = {"PING\r\n"}};
  run(talk, 1000);
  check_limits();
  EXPECT_FALSE(talk.closed);
  world.run_for_ms(2000);
  check_limits();
  EXPECT_TRUE(talk.closed);
}

TEST_F(SessionTest, WhoReceivesSlowlyIsNotIdle) {
  options.idle_timeout_seconds.set(2);
  Talk talk{.pieces = {"SET k " + std::string(60'000, 'x') + "\r\n"}, .pause_ms = 100};
  for (int i = 0; i < 20; ++i) talk.pieces.emplace_back("GET k\r\n");
  run(talk, 1000);
  for (int second = 0; second < 10; ++second) {
    world.run_for_ms(1000);
    check_limits();
  }
  EXPECT_NE(node->session(), nullptr);
  talk.pause_ms = 1'000'000;
  world.run_for_ms(4000);
  check_limits();
  EXPECT_EQ(node->session(), nullptr);
}

TEST_F(SessionTest, WhoWaitsForAKeyIsNotIdle) {
  options.idle_timeout_seconds.set(2);
  Talk talk{.pieces = {"BLPOP q 0\r\n"}};
  run(talk, 4000);
  check_limits();
  EXPECT_FALSE(talk.closed);
}

TEST_F(SessionTest, WhoIsHeldBackIsNotIdle) {
  options.idle_timeout_seconds.set(2);
  paused = true;
  Talk talk{.pieces = {"SET k 1\r\n"}};
  run(talk, 4000);
  check_limits();
  ASSERT_NE(node->session(), nullptr);
  EXPECT_TRUE(node->session()->card()->is(kClientHeldBack));
  node->gate().set(Gate::kPausedAll, false);
  server_loop->post([this] { node->session()->resume(); });
  world.run_for_ms(100);
  EXPECT_EQ(talk.received, "+OK\r\n");
  EXPECT_FALSE(node->session()->card()->is(kClientHeldBack));
}

TEST_F(SessionTest, WhoMonitorsIsNotIdle) {
  options.idle_timeout_seconds.set(2);
  Talk talk{.pieces = {"PING\r\n"}};
  run(talk, 100);
  node->session()->card()->set_flag(kClientMonitor, true);
  world.run_for_ms(4000);
  check_limits();
  EXPECT_FALSE(talk.closed);
}

TEST_F(SessionTest, TheWrongPasswordKeepsTheDoorShut) {
  options.password.set("secret");
  Talk talk{.pieces = {"AUTH wrong\r\nAUTH default secret\r\nAUTH secret\r\n"}};
  run(talk);
  EXPECT_EQ(talk.received,
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n+OK\r\n+OK\r\n");
}

}  // namespace
}  // namespace tandem
