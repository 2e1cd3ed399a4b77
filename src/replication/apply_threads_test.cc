// Several threads apply a stream while others read, change the role, or take helpers away. Whoever
// looks, at whatever moment, sees the data of one place in the stream.
#include <algorithm>
#include <atomic>
#include <map>
#include <semaphore>
#include <thread>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/number.h"
#include "replication/replication_test_world.h"

namespace tandem {
namespace {

constexpr int kKeys = 96;
// Commands of several keys take them from near each other, so that not all lanes become one.
constexpr int kKeysNear = 8;
constexpr int kHelpers = 3;

// Keys lie in two databases.
constexpr int kDatabases = 2;
int database_of(int key) { return key % kDatabases; }

std::string key_name(int number) { return fmt::format("k{}", number); }

// Steps 1, 2, 3 ...: what step n writes has the value n. A step is a command or a transaction.
struct NumberedStream {
  explicit NumberedStream(int steps, uint64_t seed) : random(seed) {
    for (int step = 1; step <= steps; ++step) add(step);
  }

  void add(int step) {
    const std::string value = std::to_string(step);
    select_at_times();
    switch (random.below(8)) {
      case 0: {
        const int among = kKeysNear * static_cast<int>(random.below(kKeys / kKeysNear));
        bytes += request(
            {"mset", pick(step, among, kKeysNear), value, pick(step, among, kKeysNear), value});
        break;
      }
      case 1:
        bytes += request({"multi"});
        for (int i = 0; i < 5; ++i) bytes += request({"set", pick(step), value});
        bytes += request({"exec"});
        break;
      case 2: {  // now and then what is no part of a batch
        const bool is_long = random.below(100) == 0;
        bytes += request({is_long ? "longset" : "set", pick(step), value});
        break;
      }
      default:
        bytes += request({"set", pick(step), value});
    }
    ends.push_back(bytes.size());
    boundaries.push_back(bytes.size());
  }

  void select_at_times() {
    if (random.below(8) != 0) return;
    database = static_cast<int>(random.below(kDatabases));
    bytes += request({"select", std::to_string(database)});
    boundaries.push_back(bytes.size());
  }

  // Of the selected database, among `count` keys from `first` on.
  std::string pick(int step, int first = 0, int count = kKeys) {
    const auto at = static_cast<int>(random.below(static_cast<uint64_t>(count / kDatabases)));
    const int key = first + kDatabases * at + database;
    if (written[key].empty() || written[key].back() != step) written[key].push_back(step);
    return key_name(key);
  }

  // The steps after which the key's value is `value`: from the first to before the second.
  std::pair<int, int> valid(int key, int value) const {
    const std::vector<int>& steps = written.at(key);
    const auto next = std::ranges::upper_bound(steps, value);
    return {value, next == steps.end() ? static_cast<int>(ends.size()) + 1 : *next};
  }
  // How many steps end up to this offset.
  int steps_at(uint64_t offset) const {
    return static_cast<int>(std::ranges::upper_bound(ends, offset) - ends.begin());
  }
  bool is_boundary(uint64_t offset) const {
    return offset == 0 || std::ranges::binary_search(boundaries, offset);
  }
  int value_at(int key, int step) const {
    const std::vector<int>& steps = written.at(key);
    const auto next = std::ranges::upper_bound(steps, step);
    return next == steps.begin() ? 0 : *std::prev(next);
  }

  Random random;
  int database = 0;
  std::string bytes;
  std::vector<uint64_t> ends;        // of steps
  std::vector<uint64_t> boundaries;  // of whatever is applied as a whole
  std::map<int, std::vector<int>> written;
};

std::vector<CommandRow> test_rows() {
  std::vector<CommandRow> rows = rows_with_set();
  rows.push_back(plain_get_row());
  rows.push_back({.name = "mset",
                  .arity = -3,
                  .flags = kWrite | kBrief,
                  .keys = {keys_range(1, -1, 2, "OW update")},
                  .handler = [](Context& c) {
                    for (size_t i = 1; i < c.args.size(); i += 2) {
                      c.keys.set_text(event::kSet, c.args[i], c.args[i + 1], kNoExpiry, as_is(c));
                    }
                    c.reply.ok();
                  }});
  CommandRow longset = plain_set_row();
  longset.name = "longset";
  longset.flags = kWrite;
  rows.push_back(std::move(longset));
  return rows;
}

struct ApplyThreads : testing::Test, OpenEngine<const Clock&> {
  ApplyThreads()
      : OpenEngine({.keyspace = {.databases = 2, .hash_seed = 1}}, test_rows(), system_clock()) {
    const ExclusiveGuard all(keyspace);
    state.change(all, ReplicaRole{.primary_host = "a", .primary_port = 6379});
    log.reset(all, {.id = *ReplicationId::parse(std::string(ReplicationId::kLength, 'a'))});
    EXPECT_TRUE(crew.resize(kHelpers));
  }

  // In pieces, as from a socket that gives more while batches are applied, until all is applied or
  // refused.
  void feed(const NumberedStream& stream) {
    apply.restart("a:6379");
    feed_pieces(stream, 0, stream.bytes.size());
  }
  void feed_pieces(const NumberedStream& stream, size_t from, size_t to) {
    const auto give = [&](std::span<char> place) {
      const size_t size = std::min({size_t{1} + pieces.below(150'000), to - from, place.size()});
      std::copy_n(stream.bytes.data() + from, size, place.data());
      from += size;
      return size;
    };
    do {
      if (!apply.apply(apply.turn_is_over() ? 0 : give(apply.room()), give)) return;
    } while (from < to || apply.turn_is_over());
  }

  // Feeds it too, and changes something in the middle, while the next command or batch waits for
  // its stripes: what is fed then comes when all of them are held already.
  void while_the_stream_waits(const NumberedStream& stream,
                              FunctionRef<void(const AllStripes&)> change) {
    const size_t middle = stream.bytes.size() / 3;
    apply.restart("a:6379");
    feed_pieces(stream, 0, middle);
    std::binary_semaphore is_held(0);
    std::thread other([&] {
      const ExclusiveGuard all(keyspace);
      is_held.release();
      while (!somebody_waits()) std::this_thread::yield();
      change(all);
    });
    is_held.acquire();
    feed_pieces(stream, middle, stream.bytes.size());
    other.join();
  }
  bool somebody_waits() {
    for (int stripe = 0; stripe < kStripes; ++stripe) {
      if (engine.keyspace.stripe(stripe).contended()) return true;
    }
    return false;
  }

  // What stands there when nobody can change it.
  void expect_prefix(const AllStripes& /*all*/, const NumberedStream& stream) {
    ASSERT_TRUE(stream.is_boundary(log.end())) << log.end();
    const int step = stream.steps_at(log.end());
    for (int key = 0; key < kKeys; ++key) {
      EXPECT_EQ(value_of(key), stream.value_at(key, step)) << key << " after step " << step;
    }
  }
  int value_of(int key) const {
    const Entry* entry = keyspace.find(database_of(key), key_name(key));
    char digits[kInt64TextMax];
    return entry == nullptr ? 0 : static_cast<int>(*parse_int64(entry->text(digits)));
  }

  ReplicationOptions options;
  LinkProgress progress;
  RoleState state{{.engine = engine, .options = options, .progress = progress}};
  Executor executor{engine, 1};
  ThreadCrew crew{"apply", kHelpers, 2};
  Random pieces{2};
  StreamApply apply{executor, options, progress, 1, StreamApply::kPendingBytesMax, &crew};
};

// Reads one key or some at once, and knows from which step on the data must be.
class Reader {
 public:
  Reader(Engine& engine, const NumberedStream& stream, uint64_t seed)
      : engine_(engine), stream_(stream), random_(seed), executor_(engine, seed) {}

  void look() {
    const uint64_t told = engine_.log.end();
    EXPECT_TRUE(stream_.is_boundary(told)) << "a published offset in the middle of a step";
    seen_ = std::max(seen_, stream_.steps_at(told));
    const int count = random_.below(2) == 0 ? 1 : 4;
    std::vector<int> keys;
    client_.database = static_cast<int>(random_.below(kDatabases));
    for (int i = 0; i < count; ++i) {
      keys.push_back(kDatabases * static_cast<int>(random_.below(kKeys / kDatabases)) +
                     client_.database);
    }
    const std::vector<int> values = count == 1 ? get(keys) : get_at_once(keys);
    int until = static_cast<int>(stream_.ends.size()) + 1;
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto [first, next] = stream_.valid(keys[i], values[i]);
      seen_ = std::max(seen_, first);
      until = std::min(until, next);
    }
    EXPECT_LT(seen_, until) << "no place in the stream has these values";
  }

 private:
  std::string run(std::initializer_list<Bytes> args) {
    std::string out;
    ReplyWriter reply(out);
    executor_.execute(client_, std::vector<Bytes>(args), {}, reply);
    return out;
  }
  // Takes a reply of GET off.
  static int take_value(Bytes& replies) {
    const size_t head = replies.find("\r\n") + 2;
    if (replies.starts_with("$-1")) {
      replies.remove_prefix(head);
      return 0;
    }
    const auto size = static_cast<size_t>(*parse_int64(replies.substr(1, head - 3)));
    const auto value = static_cast<int>(*parse_int64(replies.substr(head, size)));
    replies.remove_prefix(head + size + 2);
    return value;
  }
  std::vector<int> get(const std::vector<int>& keys) {
    const std::string reply = run({"get", key_name(keys[0])});
    Bytes rest = reply;
    return {take_value(rest)};
  }
  std::vector<int> get_at_once(const std::vector<int>& keys) {
    run({"multi"});
    for (const int key : keys) run({"get", key_name(key)});
    const std::string reply = run({"exec"});
    Bytes rest = Bytes(reply).substr(4);
    std::vector<int> values;
    for (size_t i = 0; i < keys.size(); ++i) values.push_back(take_value(rest));
    return values;
  }

  Engine& engine_;
  const NumberedStream& stream_;
  Random random_;
  Executor executor_;
  ClientState client_{ClientKind::kNormal};
  int seen_ = 0;
};

TEST_F(ApplyThreads, ReadersSeePlacesInTheStreamAndNeverGoBack) {
  const NumberedStream stream(30'000, 1);
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    readers.emplace_back([&, seed] {
      Reader reader(engine, stream, seed);
      while (!done.load() && !HasFailure()) reader.look();
      reader.look();
    });
  }
  feed(stream);
  done.store(true);
  for (std::thread& reader : readers) reader.join();
  const ExclusiveGuard all(keyspace);
  EXPECT_EQ(log.end(), stream.bytes.size());
  expect_prefix(all, stream);
  EXPECT_EQ(progress.unexpected_errors.load(), 0);
}

// Where it is cut off, be it between two commands of what would be one batch.
TEST_F(ApplyThreads, AChangeOfRoleLeavesAPrefix) {
  const NumberedStream stream(20'000, 3);
  uint64_t changed_at = 0;
  while_the_stream_waits(stream, [&](const AllStripes& all) {
    state.change(all, PrimaryRole{});
    expect_prefix(all, stream);
    changed_at = log.end();
  });
  const ExclusiveGuard all(keyspace);
  EXPECT_EQ(log.end(), changed_at);
  expect_prefix(all, stream);
}

TEST_F(ApplyThreads, AClosedLogOrAPauseHoldsTheRestBack) {
  const NumberedStream stream(20'000, 4);
  uint64_t closed_at = 0;
  while_the_stream_waits(stream, [&](const AllStripes& all) {
    engine.journal.close(all);
    closed_at = log.end();
  });
  EXPECT_EQ(log.end(), closed_at);
  EXPECT_TRUE(apply.held_back());
  {
    const ExclusiveGuard all(keyspace);
    expect_prefix(all, stream);
  }
  engine.journal.reopen();
  engine.pauses.begin(PauseReason::kClientPause, PauseKind::kAll);
  const uint64_t paused_at = log.end();
  ASSERT_TRUE(tandem::feed(apply, {}));
  EXPECT_EQ(log.end(), paused_at);
  engine.pauses.end(PauseReason::kClientPause);
  ASSERT_TRUE(tandem::feed(apply, {}));
  const ExclusiveGuard all(keyspace);
  EXPECT_EQ(log.end(), stream.bytes.size());
  expect_prefix(all, stream);
}

// CONFIG SET replica-apply-threads.
TEST_F(ApplyThreads, HelpersComeAndGoMeanwhile) {
  const NumberedStream stream(20'000, 5);
  std::atomic<bool> done{false};
  std::thread other([&] {
    for (int i = 0; !done.load(); ++i) {
      const ExclusiveGuard all(keyspace);
      EXPECT_TRUE(crew.resize(i % (kHelpers + 1)));
      expect_prefix(all, stream);
    }
  });
  feed(stream);
  done.store(true);
  other.join();
  const ExclusiveGuard all(keyspace);
  EXPECT_EQ(log.end(), stream.bytes.size());
  expect_prefix(all, stream);
}

}  // namespace
}  // namespace tandem
