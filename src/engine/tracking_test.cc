// CLIENT TRACKING: who is told of which change, and that a cache that does what it is told is never
// out of date.
#include "engine/tracking.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/lock.h"
#include "base/random.h"
#include "engine/batch_executor.h"
#include "engine/test_world.h"
#include "resp/reply_reader.h"
#include "resp/request.h"

namespace tandem {
namespace {

// The keys that a message names; nothing: all.
std::optional<std::vector<std::string>> keys_of(const Invalidation& what) {
  const Reply push = parse_reply(*what.encoded(3)).value();
  EXPECT_EQ(push.kind, ReplyKind::kPush);
  EXPECT_EQ(push.elements[0].text, "invalidate");
  if (push.elements[1].kind == ReplyKind::kNull) return std::nullopt;
  std::vector<std::string> keys;
  for (const Reply& key : push.elements[1].elements) keys.push_back(key.text);
  return keys;
}

// What each client was told since it was asked last: "a b;c" is a message of two keys and one of
// one; "*" means all keys.
struct Told final : InvalidationReceiver {
  void invalidate(uint64_t client, const Invalidation& what) override {
    std::string& text = messages[client];
    if (!text.empty()) text += ';';
    const auto keys = keys_of(what);
    if (!keys) text += '*';
    for (size_t i = 0; keys && i < keys->size(); ++i) text += (i == 0 ? "" : " ") + (*keys)[i];
  }
  std::string of(const ClientState& client) { return std::exchange(messages[client.id], ""); }

  std::map<uint64_t, std::string> messages;
};

struct TrackingTest : testing::Test, World {
  TrackingTest() {
    engine.tracking.receiver = &told;
    uint64_t last_id = 0;
    for (Client* client : {&a, &b, &c}) client->id = ++last_id;
  }
  void track(Client& client, TrackingMode mode = {}, std::vector<std::string> prefixes = {}) {
    client.tracking = {.on = true, .mode = mode};
    engine.tracking.begin(client.id, mode, prefixes);
  }
  void exec(Client& client, std::vector<std::vector<Bytes>> commands) {
    run(client, {"MULTI"});
    for (const auto& command : commands) {
      std::string out;
      ReplyWriter reply(out);
      executor.execute(client, command, {}, reply);
    }
    run(client, {"EXEC"});
  }

  Told told;
  Client a;
  Client b;
  Client c;
};

TEST_F(TrackingTest, AReaderIsToldOfTheNextChangeOnce) {
  track(a);
  run(a, {"GET", "k"});
  EXPECT_EQ(engine.tracking.key_count(), 1);
  run(b, {"SET", "other", "1"});
  EXPECT_EQ(told.of(a), "");
  run(b, {"SET", "k", "1"});
  EXPECT_EQ(told.of(a), "k");
  run(b, {"SET", "k", "2"});
  EXPECT_EQ(told.of(a), "");
  EXPECT_EQ(engine.tracking.key_count(), 0);
  run(a, {"GET", "k"});
  run(a, {"SET", "k", "3"});
  EXPECT_EQ(told.of(a), "k");
}

TEST_F(TrackingTest, OnlyWhatIsReadByWhoTracksIsRemembered) {
  track(a);
  run(a, {"SET", "k", "1"});
  run(a, {"WATCH", "w"});
  run(b, {"GET", "k"});
  EXPECT_EQ(engine.tracking.key_count(), 0);
  run(a, {"GET", "k"});
  run(a, {"GET", "k"});
  track(b);
  run(b, {"GET", "k"});
  EXPECT_EQ(engine.tracking.key_count(), 1);
  EXPECT_EQ(engine.tracking.item_count(), 2);
  run(c, {"INCR", "k"});
  EXPECT_EQ(told.of(a), "k");
  EXPECT_EQ(told.of(b), "k");
  EXPECT_EQ(engine.tracking.item_count(), 0);
}

TEST_F(TrackingTest, AKeyHasTheSameNameInAllDatabases) {
  track(a);
  run(a, {"GET", "k"});
  run(b, {"SELECT", "5"});
  run(b, {"SET", "k", "1"});
  EXPECT_EQ(told.of(a), "k");
}

TEST_F(TrackingTest, WhatATransactionReadsAndWritesIsToldBehindIt) {
  track(a);
  exec(a, {{"GET", "k"}, {"SET", "k", "1"}, {"GET", "k"}, {"GET", "l"}});
  EXPECT_EQ(told.of(a), "k");
  EXPECT_EQ(engine.tracking.key_count(), 2);
  exec(b, {{"SET", "l", "1"}, {"SET", "k", "1"}, {"SET", "k", "2"}});
  EXPECT_EQ(told.of(a), "k;l");
}

// CLIENT TRACKING ON as a part of it.
TEST_F(TrackingTest, ATransactionMayBeginToTrack) {
  struct Row {
    static void begin(SessionContext& c) {
      c.client.tracking.on = true;
      c.executor.engine().tracking.begin(c.client.id, {}, {});
    }
  };
  OpenEngine<TestClock> other({}, [] {
    std::vector<CommandRow> all = test_rows();
    all.push_back({.name = "track", .arity = 1, .session_handler = Row::begin});
    return all;
  }());
  other.engine.tracking.receiver = &told;
  Executor its_executor(other.engine, 1);
  const auto say = [&](std::vector<Bytes> args) {
    std::string out;
    ReplyWriter reply(out);
    its_executor.execute(a, args, {}, reply);
  };
  say({"MULTI"});
  say({"TRACK"});
  say({"GET", "k"});
  say({"SET", "k", "1"});
  say({"EXEC"});
  EXPECT_EQ(told.of(a), "k");
}

TEST_F(TrackingTest, OptInAndOptOutChooseWhatIsRemembered) {
  track(a);
  a.tracking.opt_in = true;
  run(a, {"GET", "k"});
  EXPECT_EQ(engine.tracking.key_count(), 0);
  a.tracking.caching = true;
  run(a, {"GET", "k"});
  EXPECT_EQ(engine.tracking.key_count(), 1);
  a.tracking.opt_in = false;
  a.tracking.opt_out = true;
  run(a, {"GET", "l"});
  EXPECT_EQ(engine.tracking.key_count(), 1);
  a.tracking.caching = false;
  run(a, {"GET", "l"});
  EXPECT_EQ(engine.tracking.key_count(), 2);
}

TEST_F(TrackingTest, WhoSparesItselfIsNotToldOfItsOwnChanges) {
  track(a, {.spares_own = true});
  run(a, {"GET", "k"});
  run(a, {"SET", "k", "1"});
  EXPECT_EQ(told.of(a), "");
  EXPECT_EQ(engine.tracking.key_count(), 0);  // as in Redis: it is to read the key again
  run(a, {"GET", "k"});
  run(b, {"SET", "k", "2"});
  EXPECT_EQ(told.of(a), "k");
}

// Nobody has written, not even who meets the key when its time is over.
TEST_F(TrackingTest, TimeChangesAKeyForAll) {
  track(a, {.spares_own = true});
  track(b, {.broadcast = true, .spares_own = true});
  const std::string soon = std::to_string(clock.unix_ms() + 10);
  run(c, {"SETUNTIL", "k", "1", soon});
  EXPECT_EQ(told.of(b), "k");
  run(a, {"GET", "k"});
  clock.now_us += 20'000;
  EXPECT_EQ(run(a, {"GET", "k"}), "$-1\r\n");
  EXPECT_EQ(told.of(a), "k");
  EXPECT_EQ(told.of(b), "k");
  run(c, {"SETUNTIL", "k", "1", std::to_string(clock.unix_ms() + 10)});
  (void)told.of(a);
  run(a, {"GET", "k"});
  clock.now_us += 20'000;
  executor.expire_some(1'000'000);
  EXPECT_EQ(told.of(a), "k");
}

TEST_F(TrackingTest, BroadcastTellsEveryChangeBelowAPrefix) {
  track(a, {.broadcast = true}, {"user:", "x"});
  track(b, {.broadcast = true});
  run(a, {"GET", "user:1"});
  EXPECT_EQ(engine.tracking.key_count(), 0);
  EXPECT_EQ(engine.tracking.prefix_count(), 3);
  EXPECT_EQ(engine.tracking.prefixes_of(a.id), (std::vector<std::string>{"user:", "x"}));
  run(c, {"SET", "user:1", "1"});
  run(c, {"SET", "user", "1"});
  run(c, {"SET", "x", "1"});
  EXPECT_EQ(told.of(a), "user:1;x");
  EXPECT_EQ(told.of(b), "user:1;user;x");
  exec(c, {{"SET", "user:2", "1"}, {"INCR", "x1"}, {"SET", "user:1", "1"}, {"INCR", "user:2"}});
  EXPECT_EQ(told.of(a), "user:1 user:2;x1");
  EXPECT_EQ(told.of(b), "user:1 user:2 x1");
}

TEST_F(TrackingTest, PrefixesAddUpAndGoWithTheirClient) {
  track(a, {.broadcast = true}, {"p"});
  track(a, {.broadcast = true, .spares_own = true}, {"q"});
  track(b, {.broadcast = true}, {"p"});
  run(a, {"SET", "p1", "1"});
  run(a, {"SET", "q1", "1"});
  EXPECT_EQ(told.of(a), "");
  EXPECT_EQ(told.of(b), "p1");
  run(c, {"SET", "p1", "1"});
  run(c, {"SET", "q1", "1"});
  EXPECT_EQ(told.of(a), "p1;q1");
  engine.tracking.end(a.id);
  EXPECT_EQ(engine.tracking.prefix_count(), 1);
  EXPECT_TRUE(engine.tracking.prefixes_of(a.id).empty());
  (void)told.of(b);
  run(c, {"SET", "p1", "1"});
  run(c, {"SET", "q1", "1"});
  EXPECT_EQ(told.of(a), "");
  EXPECT_EQ(told.of(b), "p1");
  EXPECT_EQ(engine.tracking.client_count(), 1);
}

TEST_F(TrackingTest, AFlushTellsAllOfAll) {
  track(a);
  track(b, {.broadcast = true, .spares_own = true}, {"none"});
  run(a, {"GET", "k"});
  run(b, {"FLUSH"});
  EXPECT_EQ(told.of(a), "*");
  EXPECT_EQ(told.of(b), "*");
  EXPECT_EQ(engine.tracking.key_count(), 0);
  run(a, {"GET", "k"});
  engine.tracking.invalidate_everything();
  EXPECT_EQ(told.of(a), "*");
  EXPECT_EQ(engine.tracking.item_count(), 0);
}

TEST_F(TrackingTest, KeysBeyondTheLimitMakeOthersLeave) {
  track(a);
  engine.tracking.keys_max.set(10);
  for (int i = 0; i < 100; ++i) run(a, {"GET", std::to_string(i)});
  EXPECT_EQ(engine.tracking.key_count(), 10);
  const std::string said = told.of(a);
  EXPECT_EQ(std::ranges::count(said, ';'), 89);
  engine.tracking.keys_max.set(1);
  engine.tracking.make_room();
  EXPECT_EQ(engine.tracking.key_count(), 1);
  EXPECT_EQ(std::ranges::count(told.of(a), ';'), 8);
  engine.tracking.keys_max.set(0);
  for (int i = 0; i < 100; ++i) run(a, {"GET", std::to_string(i)});
  EXPECT_EQ(engine.tracking.key_count(), 100);
  EXPECT_EQ(told.of(a), "");
}

// Who comes, reads and goes again and again leaves nothing behind that grows.
TEST_F(TrackingTest, ReadersThatAreGoneDoNotPileUp) {
  track(a);
  run(a, {"GET", "k"});
  Client passing;
  for (uint64_t id = 100; id < 1100; ++id) {
    passing.id = id;
    track(passing);
    run(passing, {"GET", "k"});
    engine.tracking.end(id);
    EXPECT_LE(engine.tracking.item_count(), 64);
  }
  run(b, {"SET", "k", "1"});
  EXPECT_EQ(told.of(a), "k");
  EXPECT_EQ(engine.tracking.item_count(), 0);
}

TEST_F(TrackingTest, ManyReadersOfAKeyAreAllTold) {
  std::vector<Client> readers(200);
  for (size_t i = 0; i < readers.size(); ++i) {
    readers[i].id = 100 + i;
    track(readers[i]);
    run(readers[i], {"GET", "k"});
  }
  EXPECT_EQ(engine.tracking.item_count(), 200);
  run(b, {"SET", "k", "1"});
  for (const Client& reader : readers) EXPECT_EQ(told.of(reader), "k");
}

// Another write could be answered before its readers are told.
TEST_F(TrackingTest, ReadersAreToldBeforeTheKeyIsFree) {
  struct Looks final : InvalidationReceiver {
    explicit Looks(World& of) : world(of) {}
    void invalidate(uint64_t, const Invalidation& what) override {
      for (const std::string& key : keys_of(what).value_or(std::vector<std::string>{"k"})) {
        StripeLock& stripe = world.keyspace.stripe(world.keyspace.place(key).stripe());
        bool was_free = false;
        std::thread([&] {
          if (!stripe.try_lock()) return;
          stripe.unlock();
          was_free = true;
        }).join();
        EXPECT_FALSE(was_free) << key;
        ++told;
      }
    }
    World& world;
    int told = 0;
  } looks(*this);
  engine.tracking.receiver = &looks;
  track(a);
  run(a, {"GET", "k"});
  run(b, {"SET", "k", "1"});
  EXPECT_EQ(looks.told, 1);
  run(a, {"GET", "k"});
  exec(b, {{"SET", "k", "1"}, {"SET", "l", "1"}});
  EXPECT_EQ(looks.told, 2);
  run(c, {"BPOP", "q"});
  run(a, {"GET", "q"});
  run(b, {"PUSH", "q", "x"});
  EXPECT_EQ(looks.told, 3);
  run(a, {"GET", "k"});
  run(b, {"FLUSH"});
  EXPECT_EQ(looks.told, 4);
  engine.tracking.keys_max.set(1);
  for (int i = 0; i < 8; ++i) run(a, {"GET", std::to_string(i)});
  EXPECT_GT(looks.told, 4);
  engine.tracking.keys_max.set(0);
  const int before = looks.told;
  run(c, {"SETUNTIL", "e", "1", std::to_string(clock.unix_ms() + 10)});
  run(a, {"GET", "e"});
  clock.now_us += 20'000;
  executor.expire_some(1'000'000);
  EXPECT_EQ(looks.told, before + 1);
}

TEST_F(TrackingTest, WhoTracksNoMoreIsToldNothing) {
  track(a);
  track(b);
  run(a, {"GET", "k"});
  run(b, {"GET", "k"});
  engine.tracking.end(a.id);
  engine.tracking.end(a.id);
  EXPECT_EQ(engine.tracking.client_count(), 1);
  run(c, {"SET", "k", "1"});
  EXPECT_EQ(told.of(a), "");
  EXPECT_EQ(told.of(b), "k");
  run(b, {"GET", "l"});
  engine.tracking.end(b.id);
  EXPECT_FALSE(engine.tracking.any());
  EXPECT_EQ(engine.tracking.key_count(), 0) << "nobody notes changes any more";
}

TEST_F(TrackingTest, WhatAServedClientPopsItHasChangedItself) {
  track(a, {.broadcast = true, .spares_own = true});
  track(c, {.broadcast = true});
  EXPECT_EQ(run(a, {"BPOP", "q"}), "");
  run(b, {"PUSH", "q", "x"});
  EXPECT_EQ(a.unblocked, std::vector<std::string>{"$1\r\nx\r\n"});
  EXPECT_EQ(told.of(a), "q");
  EXPECT_EQ(told.of(c), "q;q");
}

TEST_F(TrackingTest, ABatchOfTheStreamTellsReaders) {
  {
    const ExclusiveGuard all(keyspace);
    gate.set(Gate::kReplica, true);
    engine.role_generation = 1;
  }
  track(a);
  track(b, {.broadcast = true}, {"k"});
  run(a, {"GET", "k1"});
  run(a, {"GET", "k2"});
  std::string stream;
  append_request(stream, {"SET", "k1", "1"});
  append_request(stream, {"SET", "k3", "1"});
  append_request(stream, {"SET", "k2", "1"});
  StreamBatch batch(engine);
  ExecutorCounters counters(registry.id_count());
  BatchExecutor batches(engine, counters, nullptr, 1);
  batch.begin(stream, 0);
  while (batch.add_step()) {
  }
  ASSERT_EQ(batch.size(), 3u);
  batches.apply(batch, 1, [] {});
  EXPECT_EQ(told.of(a), "k1;k2");
  EXPECT_EQ(told.of(b), "k1 k2 k3");
}

TEST_F(TrackingTest, MessagesHaveTheFormsOfRedis) {
  EXPECT_EQ(*Invalidation({"a", "bc"}).encoded(3),
            ">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$2\r\nbc\r\n");
  EXPECT_EQ(*Invalidation().encoded(3), ">2\r\n$10\r\ninvalidate\r\n_\r\n");
  EXPECT_EQ(*Invalidation({"a"}).encoded(2),
            "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\na\r\n");
  EXPECT_EQ(*Invalidation().encoded(2),
            "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n");
}

// Threads. Each has a client with a cache; messages come into its inbox, and it takes them out
// between two commands, as a session does.

struct CachingClient {
  void put(const Invalidation& what) {
    const auto keys = keys_of(what);
    const Guard guard(lock);
    if (!keys) {
      all = true;
    } else {
      inbox.insert(inbox.end(), keys->begin(), keys->end());
    }
  }
  void obey() {
    const Guard guard(lock);
    if (all) cache.clear();
    for (const std::string& key : inbox) cache.erase(key);
    all = false;
    inbox.clear();
  }

  Client client;
  std::map<std::string, std::string> cache;  // replies of GET
  Lock lock;
  bool all = false;
  std::vector<std::string> inbox;
};

struct CachingClients final : InvalidationReceiver {
  explicit CachingClients(size_t count) : clients(count) {
    for (size_t i = 0; i < count; ++i) clients[i].client.id = i + 1;
  }
  void invalidate(uint64_t client, const Invalidation& what) override {
    clients[client - 1].put(what);
  }
  std::vector<CachingClient> clients;
};

// Changes that are made at random while caches are filled.
struct Turmoil {
  static constexpr size_t kReaders = 3;
  static constexpr size_t kWriters = 2;
  static constexpr size_t kKeys = 24;
  static constexpr int kReads = 6000;

  Turmoil() { world.engine.tracking.receiver = &caching; }

  static std::string key(size_t number) { return "key:" + std::to_string(number); }
  std::string execute(Executor& executor, Client& client, const std::vector<Bytes>& args) {
    std::string out;
    ReplyWriter reply(out);
    executor.begin_batch();
    executor.execute(client, args, {}, reply);
    return out;
  }
  void track(size_t reader, TrackingMode mode, std::vector<std::string> prefixes = {}) {
    Client& client = caching.clients[reader].client;
    client.tracking = {.on = true, .mode = mode};
    world.engine.tracking.begin(client.id, mode, prefixes);
  }
  // What is cached when all have come to rest is true.
  void expect_true_caches() {
    Client asks;
    for (CachingClient& reader : caching.clients) {
      reader.obey();
      for (const auto& [name, reply] : reader.cache) {
        EXPECT_EQ(reply, world.run(asks, {"GET", name})) << name;
      }
    }
  }

  World world;
  CachingClients caching{kReaders};
  std::atomic<bool> stop{false};
};

// Numbers only grow, and a writer tells what it was answered: whoever hears of it looks into its
// inbox, and has no older number in its cache then.
TEST(TrackingThreads, ACacheIsNeverBehindWhatItsClientHasHeardOf) {
  Turmoil turmoil;
  turmoil.track(0, {});
  turmoil.track(1, {.spares_own = true});
  turmoil.track(2, {.broadcast = true}, {"key:"});
  std::array<std::atomic<int64_t>, Turmoil::kKeys> answered{};
  std::atomic<int> behind{0};
  std::vector<std::thread> threads;
  for (size_t writer = 0; writer < Turmoil::kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      Executor executor(turmoil.world.engine, writer);
      Random random(writer + 1);
      Client client;
      while (!turmoil.stop.load()) {
        const size_t number = random.below(Turmoil::kKeys);
        const std::string key = Turmoil::key(number);
        const std::string reply = turmoil.execute(executor, client, {"INCR", key});
        const int64_t value = parse_reply(reply)->integer;
        std::atomic<int64_t>& latest = answered[number];
        for (int64_t known = latest.load(); known < value;) {
          if (latest.compare_exchange_weak(known, value)) break;
        }
      }
    });
  }
  std::vector<std::thread> readers;
  for (CachingClient& reader : turmoil.caching.clients) {
    readers.emplace_back([&] {
      Executor executor(turmoil.world.engine, reader.client.id);
      Random random(100 + reader.client.id);
      for (int read = 0; read < Turmoil::kReads; ++read) {
        const size_t number = random.below(Turmoil::kKeys);
        const std::string key = Turmoil::key(number);
        const int64_t heard = answered[number].load();
        reader.obey();
        if (!reader.cache.contains(key)) {
          reader.cache[key] = turmoil.execute(executor, reader.client, {"GET", key});
        }
        const std::string text = parse_reply(reader.cache[key])->text;
        if ((text.empty() ? 0 : std::stoll(text)) < heard) ++behind;
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  turmoil.stop = true;
  for (std::thread& writer : threads) writer.join();
  EXPECT_EQ(behind, 0);
  turmoil.expect_true_caches();
}

// Everything that changes keys: writes, transactions, time, flushes, and keys that leave because
// too many were read. Readers write, too, and change their modes.
TEST(TrackingThreads, ACacheThatObeysIsTrueInTheEnd) {
  Turmoil turmoil;
  turmoil.world.engine.tracking.keys_max.set(16);
  std::vector<std::thread> threads;
  for (size_t writer = 0; writer < Turmoil::kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      Executor executor(turmoil.world.engine, writer);
      Random random(writer + 1);
      Client client;
      while (!turmoil.stop.load()) {
        const std::string key = Turmoil::key(random.below(Turmoil::kKeys));
        const std::string other = Turmoil::key(random.below(Turmoil::kKeys));
        const std::string number = std::to_string(random.below(1'000'000));
        const uint64_t choice = random.below(64);
        if (choice == 0) {
          turmoil.execute(executor, client, {"FLUSH"});
        } else if (choice < 8) {
          turmoil.execute(executor, client, {"MULTI"});
          turmoil.execute(executor, client, {"SET", key, number});
          turmoil.execute(executor, client, {"GET", key});
          turmoil.execute(executor, client, {"SET", other, number});
          turmoil.execute(executor, client, {"EXEC"});
        } else if (choice < 12) {
          turmoil.execute(executor, client, {"SETUNTIL", key, number, "1"});
          turmoil.execute(executor, client, {"GET", key});
        } else {
          turmoil.execute(executor, client, {"SET", key, number});
        }
      }
    });
  }
  std::vector<std::thread> readers;
  for (CachingClient& reader : turmoil.caching.clients) {
    readers.emplace_back([&] {
      Executor executor(turmoil.world.engine, reader.client.id);
      Random random(100 + reader.client.id);
      const size_t index = reader.client.id - 1;
      for (int read = 0; read < Turmoil::kReads; ++read) {
        if (read % 1000 == 0) {
          // What it had read before is told no more.
          turmoil.world.engine.tracking.end(reader.client.id);
          turmoil.track(index, {.broadcast = random.below(2) == 0});
          reader.cache.clear();
        }
        const std::string key = Turmoil::key(random.below(Turmoil::kKeys));
        reader.obey();
        if (random.below(16) == 0) {
          turmoil.execute(executor, reader.client, {"INCR", Turmoil::key(0)});
        } else if (!reader.cache.contains(key)) {
          reader.cache[key] = turmoil.execute(executor, reader.client, {"GET", key});
        }
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  turmoil.stop = true;
  for (std::thread& writer : threads) writer.join();
  EXPECT_LE(turmoil.world.engine.tracking.key_count(), 16);
  turmoil.expect_true_caches();
}

}  // namespace
}  // namespace tandem
