// The link against primaries that behave, and against those that do not: whatever they send, the
// reason is told, the link tries again, and the data that were there stay.
#include "replication/link.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/version.h"
#include "io/task.h"
#include "rdb/rdb_writer.h"
#include "replication/replication_test_world.h"
#include "resp/request.h"
#include "sim/process.h"
#include "sim/world.h"

namespace tandem {
namespace {

constexpr uint16_t kPort = LinkedReplica::kPrimaryPort;
const std::string kId(40, 'c');

std::string snapshot_of(std::initializer_list<std::pair<Bytes, Bytes>> keys) {
  std::string bytes;
  StringSink sink(bytes);
  RdbWriter writer(sink, {});
  writer.begin({});
  for (const auto& [key, text] : keys) {
    std::string entry;
    StringSink entry_sink(entry);
    const Value value{std::string(text)};
    rdb_encode_entry(entry_sink, key, ref(value), std::nullopt, {});
    writer.entries(0).write(entry);
  }
  writer.finish();
  return bytes;
}

// A primary by rote: connection by connection, an answer to each request; behind the last one it
// closes, or waits.
class ScriptedPrimary {
 public:
  struct Visit {
    std::vector<std::string> answers;
    bool stays = false;
  };

  explicit ScriptedPrimary(SimProcess& process, std::deque<Visit> visits)
      : process_(process), visits_(std::move(visits)) {
    listener_ = std::move(*process.network().listen("0.0.0.0", kPort, 16));
    scope_.spawn(accept());
  }

  // Closes every connection, and takes new ones.
  void cut_all() {
    for (ByteStream* stream : open_) stream->close();
  }

  // Every request, its arguments joined by blanks.
  std::vector<std::string> requests;
  std::vector<int64_t> requests_ms;  // when each came
  std::vector<int64_t> visited_ms;

 private:
  Task<void> accept() {
    for (;;) {
      auto socket = co_await listener_->accept(scope_.token());
      if (!socket) co_return;
      visited_ms.push_back(process_.clock().monotonic_ms());
      Visit visit = visits_.front();
      if (visits_.size() > 1) visits_.pop_front();
      scope_.spawn(play(std::move(*process_.network().adopt(std::move(*socket))), visit));
    }
  }

  Task<void> play(std::unique_ptr<ByteStream> stream, Visit visit) {
    open_.push_back(stream.get());
    co_await converse(*stream, visit);
    std::erase(open_, stream.get());
  }

  Task<void> converse(ByteStream& stream, Visit visit) {
    std::string received;
    RequestParser parser;
    char buffer[4096];
    size_t answered = 0;
    while (answered < visit.answers.size() || visit.stays) {
      while (parser.next(received) == ParseStatus::kRequest) {
        std::string line;
        for (const Bytes arg : parser.args()) line += (line.empty() ? "" : " ") + std::string(arg);
        requests.push_back(line);
        requests_ms.push_back(process_.clock().monotonic_ms());
        received.erase(0, parser.raw().size());
        if (answered == visit.answers.size()) continue;
        const std::string answer = visit.answers[answered++];
        co_await stream.write(Bytes(answer), scope_.token());
      }
      if (answered == visit.answers.size() && !visit.stays) break;
      auto count = co_await stream.read(buffer, scope_.token());
      if (!count) co_return;
      received.append(buffer, *count);
    }
  }

  SimProcess& process_;
  std::deque<Visit> visits_;
  std::unique_ptr<Listener> listener_;
  std::vector<ByteStream*> open_;
  Scope scope_;
};

struct Replica : LinkedReplica {
  explicit Replica(SimProcess& process)
      : LinkedReplica(process.loop(), process.network(), process.clock(), 10, 10'000) {
    begin();
  }

  std::string get(Bytes key, int database = 0) {
    DatabaseTables* tables = keyspace.tables(database);
    if (tables == nullptr) return "";
    const KeyPlace place = keyspace.place(key);
    const Entry* entry =
        tables->partition(place.partition).find(keyspace.traits(), place.hash, key);
    char digits[kInt64TextMax];
    return entry == nullptr ? "" : std::string(entry->text(digits));
  }
};

using Visits = std::deque<ScriptedPrimary::Visit>;

class LinkTest : public testing::Test {
 protected:
  void start(Visits visits) {
    primary_process_.start([&](SimProcess& process) {
      primary_ = std::make_shared<ScriptedPrimary>(process, std::move(visits));
      return primary_;
    });
    replica_process_.start([&](SimProcess& process) {
      replica_ = std::make_shared<Replica>(process);
      return replica_;
    });
    world_.run_for_ms(3000);
  }
  ~LinkTest() override {
    primary_.reset();
    replica_.reset();
    primary_process_.stop();
    replica_process_.stop();
  }

  SimWorld world_{7};
  SimProcess& primary_process_{world_.add_process("10.0.0.1")};
  SimProcess& replica_process_{world_.add_process("10.0.0.2")};
  std::shared_ptr<ScriptedPrimary> primary_;
  std::shared_ptr<Replica> replica_;
};

// The answers up to PSYNC: PING, AUTH, listening-port, capa, version.
std::vector<std::string> greeting(std::vector<std::string> more) {
  std::vector<std::string> all{"+PONG\r\n", "+OK\r\n", "+OK\r\n", "+OK\r\n",
                               "-ERR Unrecognized REPLCONF option: version\r\n"};
  for (std::string& answer : more) all.push_back(std::move(answer));
  return all;
}

struct BadPrimary {
  const char* name;
  std::vector<std::string> answers;
  std::string reason;
};

std::vector<BadPrimary> bad_primaries() {
  const std::string good = snapshot_of({{"new", "2"}, {"other", "3"}});
  const std::string full = "+FULLRESYNC " + kId + " 100\r\n";
  const std::string mark(40, 'm');
  std::string flipped = good;
  flipped[flipped.size() / 2] ^= 0x55;
  return {
      {"refuses PING", {"-ERR no\r\n"}, "answered PING with: -ERR no"},
      {"answers PING with rubbish", {"\x1b[2J\x02rubbish\r\n"}, "answered PING with: ?[2J?rubbish"},
      {"answers PING at length", {std::string(60'000, 'x') + "\r\n"}, "answered PING with: xxx"},
      {"refuses AUTH", {"+PONG\r\n", "-WRONGPASS invalid\r\n"}, "refused AUTH"},
      {"is loading", greeting({"-LOADING Redis is loading\r\n"}), "-LOADING"},
      {"has no primary", greeting({"-NOMASTERLINK Can't SYNC\r\n"}), "-NOMASTERLINK"},
      {"answers PSYNC with rubbish", greeting({"+FULLRESYNC short x\r\n"}), "answered PSYNC with"},
      {"continues what is not there", greeting({"+CONTINUE " + kId + "\r\n"}),
       "answered a request for a full sync with: +CONTINUE"},
      {"never ends its line", {std::string(70000, 'x')}, "line that does not end"},
      {"announces nonsense", greeting({full + "$abc\r\n"}), "instead of a snapshot"},
      {"sends an error for a snapshot", greeting({full + "-ERR out of luck\r\n"}), "out of luck"},
      {"sends no RDB", greeting({full + "$20\r\nThis is no RDB at all"}), ""},
      {"lies in its RDB", greeting({full + fmt::format("${}\r\n", flipped.size()) + flipped}), ""},
      {"closes in the middle",
       greeting({full + fmt::format("${}\r\n", good.size()) + good.substr(0, good.size() / 2)}),
       "closed the connection"},
      {"announces too few bytes", greeting({full + fmt::format("${}\r\n", good.size() - 3) + good}),
       "longer than announced"},
      {"announces too many bytes",
       greeting({full + fmt::format("${}\r\n", good.size() + 3) + good + "abc"}),
       "shorter than announced"},
      {"ends in another mark", greeting({full + "$EOF:" + mark + "\r\n" + good + kId}),
       "the mark it announced"},
  };
}

TEST(BadPrimaryTest, TheDataStayAndTheLinkTriesAgain) {
  for (const BadPrimary& bad : bad_primaries()) {
    SCOPED_TRACE(bad.name);
    SimWorld world(11);
    SimProcess& primary_process = world.add_process("10.0.0.1");
    SimProcess& replica_process = world.add_process("10.0.0.2");
    primary_process.start([&](SimProcess& process) {
      return std::make_shared<ScriptedPrimary>(process, Visits{{bad.answers, false}});
    });
    std::shared_ptr<Replica> replica;
    replica_process.start([&](SimProcess& process) {
      replica = std::make_shared<Replica>(process);
      return replica;
    });
    world.run_for_ms(3000);
    EXPECT_EQ(replica->get("old"), "1");
    EXPECT_EQ(replica->get("new"), "");
    EXPECT_GT(replica->progress.connections.load(), 1) << "it tries again";
    EXPECT_LT(replica->progress.connections.load(), 30) << "but not without a pause";
    EXPECT_NE(replica->failure().find(bad.reason), std::string::npos) << replica->failure();
    EXPECT_LT(replica->failure().size(), 1000U);
    EXPECT_FALSE(replica->progress.following());
    replica.reset();
  }
}

TEST_F(LinkTest, SilenceIsNoticed) {
  start({{{}, true}});
  EXPECT_EQ(replica_->failure(), "");
  world_.run_for_ms(8000);
  EXPECT_NE(replica_->failure().find("silent"), std::string::npos);
}

// So that replicas that lost their primary together do not come back together.
TEST_F(LinkTest, PausesLongerAfterEachFailureAndByChance) {
  start({{{"-ERR no\r\n"}, false}});
  world_.run_for_ms(60'000);
  const std::vector<int64_t>& visits = primary_->visited_ms;
  ASSERT_GT(visits.size(), 8U);
  EXPECT_GT(visits[4] - visits[3], 2 * (visits[1] - visits[0]));
  std::set<int64_t> late_pauses;
  for (size_t i = 7; i < visits.size(); ++i) late_pauses.insert(visits[i] - visits[i - 1]);
  EXPECT_GT(late_pauses.size(), 1U) << "not all the same";
  EXPECT_LT(*late_pauses.rbegin(), 10'000) << "it never gives up";
}

// Each try costs a redis-server a fork, and nothing will have changed in a moment.
TEST_F(LinkTest, AsksSeldomForASnapshotThatItDoesNotSupport) {
  std::string future = snapshot_of({{"new", "2"}});
  future.replace(0, 9, "REDIS0099");
  start({{greeting({fmt::format("+FULLRESYNC {} 100\r\n${}\r\n", kId, future.size()) + future}),
          false}});
  EXPECT_EQ(replica_->state.view().phase, LinkPhase::kStopped);
  world_.run_for_ms(600'000);
  const std::vector<int64_t>& visits = primary_->visited_ms;
  ASSERT_GT(visits.size(), 2U) << "it tries again";
  EXPECT_LT(visits.size(), 8U);
  EXPECT_GE(visits[1] - visits[0], LinkBackoff::kUnsupportedFirstMs / 2);
  EXPECT_NE(replica_->failure().find("version"), std::string::npos) << replica_->failure();
  EXPECT_EQ(replica_->get("old"), "1");
}

TEST_F(LinkTest, AsksAtOnceWhenItIsToldTo) {
  std::string future = snapshot_of({{"new", "2"}});
  future.replace(0, 9, "REDIS0099");
  start({{greeting({fmt::format("+FULLRESYNC {} 100\r\n${}\r\n", kId, future.size()) + future}),
          false}});
  ASSERT_EQ(primary_->visited_ms.size(), 1U);
  replica_process_.loop().post([this] { replica_->link.try_now(); });
  world_.run_for_ms(100);
  EXPECT_EQ(primary_->visited_ms.size(), 2U);
}

// A cut is mostly a matter of the network; who still has the place is asked before it is lost.
TEST_F(LinkTest, TriesAtOnceAfterACutOfALinkThatWasUp) {
  const std::string good = snapshot_of({});
  const std::string full = fmt::format("+FULLRESYNC {} 0\r\n${}\r\n{}", kId, good.size(), good);
  start({{greeting({full}), true}});
  world_.run_for_ms(5000);
  ASSERT_TRUE(replica_->following());
  primary_->cut_all();
  world_.run_for_ms(40);
  EXPECT_EQ(primary_->visited_ms.size(), 2U);
}

// Each one costs the primary a fork.
TEST_F(LinkTest, APrimaryThatClosesBehindItsSnapshotIsAskedEverMoreSeldom) {
  const std::string good = snapshot_of({{"new", "2"}});
  start(
      {{greeting({fmt::format("+FULLRESYNC {} 0\r\n${}\r\n{}", kId, good.size(), good)}), false}});
  world_.run_for_ms(27'000);
  EXPECT_EQ(replica_->get("new"), "2");
  EXPECT_GT(replica_->progress.full_syncs.load(), 3);
  EXPECT_LT(replica_->progress.full_syncs.load(), 25) << "in half a minute";
}

TEST_F(LinkTest, SpeaksTheHandshakeInOrder) {
  start({{greeting({}), true}});
  const std::vector<std::string> expected{"PING",
                                          "AUTH secret",
                                          "REPLCONF listening-port 7000",
                                          "REPLCONF capa eof capa psync2",
                                          "REPLCONF version " + std::string(kRedisVersion),
                                          "PSYNC ? -1"};
  ASSERT_GE(primary_->requests.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(primary_->requests[i], expected[i]);
}

TEST_F(LinkTest, ReplacesItsDataAndFollows) {
  const std::string mark(40, 'm');
  const std::string stream = request({"SELECT", "1"}) + request({"set", "a", "b"});
  start({{greeting({"\n\n+FULLRESYNC " + kId + " 100\r\n\n$EOF:" + mark + "\r\n" +
                    snapshot_of({{"new", "2"}}) + mark + stream}),
          true}});
  EXPECT_EQ(replica_->get("old"), "");
  EXPECT_EQ(replica_->get("new"), "2");
  EXPECT_EQ(replica_->get("a", 1), "b");
  EXPECT_TRUE(replica_->progress.following());
  EXPECT_EQ(replica_->log.position().id.text(), kId);
  EXPECT_EQ(replica_->log.end(), 100 + stream.size());
  EXPECT_EQ(primary_->requests.back(), fmt::format("REPLCONF ACK {}", 100 + stream.size()));
}

// A server that shuts down gives its own replicas the time to catch up with a log that stands
// still, and asks its primary for nothing anew.
TEST_F(LinkTest, AShutdownHoldsTheStreamBackWithoutEndingTheLink) {
  const std::string good = snapshot_of({});
  std::vector<std::string> answers{"+FULLRESYNC " + kId + " 100\r\n" +
                                   fmt::format("${}\r\n", good.size()) + good};
  // One to each acknowledgement.
  constexpr int kWrites = 12;
  for (int i = 0; i < kWrites; ++i) answers.push_back(request({"set", "k", std::to_string(i)}));
  start({{greeting(std::move(answers)), true}});
  ASSERT_NE(replica_->get("k"), "");
  replica_->engine.pauses.begin(PauseReason::kShutdown, PauseKind::kWrites);
  const uint64_t end = replica_->log.end();
  world_.run_for_ms(3000);
  {
    const ExclusiveGuard all(replica_->keyspace);
    replica_->engine.journal.close(all);
  }
  world_.run_for_ms(3000);
  EXPECT_EQ(replica_->log.end(), end);
  EXPECT_TRUE(replica_->following());
  EXPECT_EQ(replica_->progress.connections.load(), 1);
  replica_->engine.journal.reopen();
  replica_->engine.pauses.end(PauseReason::kShutdown);
  world_.run_for_ms(6000);
  EXPECT_EQ(replica_->get("k"), std::to_string(kWrites - 1));
  EXPECT_EQ(replica_->progress.connections.load(), 1);
}

// A full sync to a lower place leaves nothing of the former one.
TEST_F(LinkTest, TheReadOffsetIsThatOfTheHistoryItFollows) {
  const std::string good = snapshot_of({});
  const auto full = [&good](int offset) {
    return fmt::format("+FULLRESYNC {} {}\r\n${}\r\n{}", kId, offset, good.size(), good);
  };
  const std::string part = "*1\r\n$4\r\nPI";
  start({{greeting({full(5000) + part}), false},
         {greeting({"-ERR not yet\r\n"}), false},
         {greeting({full(100)}), true}});
  ASSERT_TRUE(replica_->progress.following());
  EXPECT_EQ(replica_->progress.read_offset.load(), 100U);
}

TEST_F(LinkTest, ContinuesFromBeforeAnUnfinishedTransaction) {
  const std::string set_a = request({"set", "a", "1"});
  const std::string open = request({"MULTI"}) + request({"set", "b", "2"});
  const std::string good = snapshot_of({});
  const std::string rest = open + request({"EXEC"});
  const std::string other_id(40, 'd');
  start({{greeting({"+FULLRESYNC " + kId + " 10\r\n" + fmt::format("${}\r\n", good.size()) + good +
                    set_a + open}),
          false},
         {greeting({"+CONTINUE " + other_id + "\r\n" + rest}), true}});
  EXPECT_EQ(replica_->get("a"), "1");
  EXPECT_EQ(replica_->get("b"), "2");
  EXPECT_EQ(replica_->log.end(), 10 + set_a.size() + rest.size());
  const std::string asked = fmt::format("PSYNC {} {}", kId, 10 + set_a.size() + 1);
  EXPECT_NE(std::find(primary_->requests.begin(), primary_->requests.end(), asked),
            primary_->requests.end());
  const LogHistory history = replica_->log.history();
  EXPECT_EQ(history.id.text(), other_id);
  EXPECT_EQ(history.id2.text(), kId);
  EXPECT_EQ(replica_->progress.partial_syncs.load(), 1);
  EXPECT_EQ(replica_->failure(), "") << "it follows again";
}

// Bytes that say nothing to the engine wait for the EXEC like the commands around them: a link that
// breaks behind them has to ask for the transaction from its beginning.
TEST_F(LinkTest, AnAcknowledgementAskedForInsideATransactionDoesNotDivideIt) {
  const std::string good = snapshot_of({});
  const std::string open =
      request({"MULTI"}) + request({"set", "b", "2"}) + request({"REPLCONF", "GETACK", "*"});
  const std::string rest = open + request({"EXEC"});
  start({{greeting({"+FULLRESYNC " + kId + " 10\r\n" + fmt::format("${}\r\n", good.size()) + good +
                    open}),
          false},
         {greeting({"+CONTINUE\r\n" + rest}), true}});
  const std::string asked = fmt::format("PSYNC {} 11", kId);
  EXPECT_NE(std::ranges::find(primary_->requests, asked), primary_->requests.end());
  EXPECT_EQ(replica_->get("b"), "2");
  EXPECT_EQ(replica_->log.end(), 10 + rest.size());
}

TEST_F(LinkTest, AnswersGetAckAtOnce) {
  const std::string good = snapshot_of({});
  const std::string getack = request({"REPLCONF", "GETACK", "*"});
  start({{greeting({"+FULLRESYNC " + kId + " 0\r\n" + fmt::format("${}\r\n", good.size()) + good,
                    getack}),
          true}});
  // The first acknowledgement drew the question; the next one is its answer, and does not wait for
  // the second to pass.
  const std::vector<std::string>& said = primary_->requests;
  const auto first = std::ranges::find(said, "REPLCONF ACK 0");
  ASSERT_GT(said.end() - first, 1);
  EXPECT_EQ(*(first + 1), fmt::format("REPLCONF ACK {}", getack.size()));
  const auto at = static_cast<size_t>(first - said.begin());
  EXPECT_LT(primary_->requests_ms[at + 1] - primary_->requests_ms[at], 200);
}

TEST_F(LinkTest, AStreamThatIsNoCommandsEndsTheLink) {
  const std::string good = snapshot_of({{"new", "2"}});
  start({{greeting({"+FULLRESYNC " + kId + " 0\r\n" + fmt::format("${}\r\n", good.size()) + good +
                    "*1\r\n$-5\r\n"}),
          false},
         {greeting({"-ERR not again\r\n"}), true}});
  EXPECT_EQ(replica_->get("new"), "2");
  EXPECT_NE(replica_->failure().find("not again"), std::string::npos);
  for (const std::string& line : primary_->requests) {
    EXPECT_FALSE(line.starts_with("PSYNC " + kId)) << "its place is worth nothing now";
  }
}

// It would come again and again; the snapshot has what it did.
TEST_F(LinkTest, ATransactionThatIsTooLongToBeTakenComesAsASnapshot) {
  const auto full = [](Bytes good) {
    return fmt::format("+FULLRESYNC {} 10\r\n${}\r\n{}", kId, good.size(), good);
  };
  const std::string set = request({"set", "a", std::string(4'000, 'x')});
  const std::string open = request({"MULTI"}) + set + set + set;
  start({{greeting({full(snapshot_of({{"new", "2"}})) + open}), true},
         {greeting({full(snapshot_of({{"a", "3"}}))}), true}});
  EXPECT_EQ(replica_->get("a"), "3");
  EXPECT_TRUE(replica_->progress.following());
  EXPECT_EQ(replica_->progress.full_syncs.load(), 2);
  for (const std::string& line : primary_->requests) {
    EXPECT_FALSE(line.starts_with("PSYNC " + kId)) << "from there it cannot go on";
  }
}

TEST_F(LinkTest, TextInTheStreamEndsTheLinkAndIsNotExecuted) {
  const std::string good = snapshot_of({{"new", "2"}});
  start({{greeting({"+FULLRESYNC " + kId + " 0\r\n" + fmt::format("${}\r\n", good.size()) + good +
                    "\n\r\nset new 3\r\n"}),
          true}});
  EXPECT_EQ(replica_->get("new"), "2");
  EXPECT_NE(replica_->failure().find("the primary's stream"), std::string::npos);
}

}  // namespace
}  // namespace tandem
