#include "keyspace/view.h"

#include <map>
#include <set>
#include <unordered_map>

#include <gtest/gtest.h>

#include "data/list.h"
#include "keyspace/snapshot.h"

namespace tandem {
namespace {

// One thread with everything locked, as a script would see the keyspace.
struct World {
  const StripeSet every_stripe = StripeSet::all();
  Keyspace keyspace{{.databases = 16, .hash_seed = 42}};
  EncodingLimits limits;
  Effects effects;
  KeyAccess access{keyspace, limits, effects};
  View view{access, 0};

  World() { at(1000); }
  void at(int64_t now_ms, ExpiryMode mode = ExpiryMode::kDelete) {
    effects.begin(true);
    access.begin(now_ms, mode, {}, every_stripe);
  }
  std::string text(Bytes key) {
    StringText out;
    return view.read_text(key, out) && out ? std::string(*out) : "(none)";
  }
};

void push(World& world, Bytes key, Bytes element) {
  Edit<List> list(world.view, key);
  list.change_or_create().push(ListEnd::kHead, element, world.limits);
  list.done(event::kLPush, 1, {"LPUSH", key, element});
}

TEST(View, StoresStringsInEveryForm) {
  World world;
  const std::string inline_text(100, 'i');
  const std::string long_text(5000, 'l');
  for (const std::string& text : {std::string("v"), std::string("-12"), std::string("012"),
                                  inline_text, long_text, std::string()}) {
    world.view.set_text(event::kSet, "key", text, kNoExpiry, Effect::none());
    EXPECT_EQ(world.text("key"), text);
    world.view.set_text(event::kSet, "key", text, 5000, Effect::none());
    EXPECT_EQ(world.text("key"), text);
    EXPECT_EQ(world.view.find("key")->expiry_ms(), 5000);
    world.view.set_expiry(event::kPersist, "key", kNoExpiry, Effect::none());
    EXPECT_EQ(world.text("key"), text);
    EXPECT_FALSE(world.view.find("key")->has_expiry());
  }
  EXPECT_EQ(world.view.size(), 1);
  EXPECT_EQ(world.keyspace.expiring(0), 0);
}

// MSET over a second key whose time is over: were its end told to replicas, it would come behind
// what they set.
TEST(View, AnEndThatIsOverwrittenIsNoEffect) {
  World world;
  for (const Bytes key : {"a", "b"}) {
    world.view.set_text(event::kSet, key, "old", 2000, Effect::none());
  }
  world.at(3000);
  const std::vector<Bytes> words{"MSET", "a", "new", "b", "new"};
  const Effect both{std::span<const Bytes>(words)};
  for (const Bytes key : {"a", "b"}) {
    world.view.set_text(event::kSet, key, "new", kNoExpiry, both);
  }
  EXPECT_EQ(world.effects.count(), 1u);
  EXPECT_TRUE(world.effects.record().starts_with("*5\r\n$4\r\nMSET\r\n"));
  EXPECT_EQ(world.access.counters().expired, 2u);
  EXPECT_EQ(world.text("b"), "new");
  EXPECT_EQ(world.keyspace.expiring(0), 0);
}

TEST(View, NamesTheEncodingsAsRedisDoes) {
  World world;
  const auto encoding = [&](Bytes text) {
    world.view.set_text(event::kSet, "k", text, kNoExpiry, Effect::none());
    return world.view.find("k")->encoding_name();
  };
  EXPECT_EQ(encoding("12345"), "int");
  EXPECT_EQ(encoding(std::string(44, 'x')), "embstr");
  EXPECT_EQ(encoding(std::string(45, 'x')), "raw");
  world.view.set_text(event::kSet, "k", "ab", kNoExpiry, Effect::none());
  TextEdit edit(world.view, "k");
  edit.change(4)[2] = 'c';
  edit.done(event::kSetRange, 1, Effect::none());
  EXPECT_EQ(world.text("k"), std::string("abc\0", 4));
  EXPECT_EQ(world.view.find("k")->encoding_name(), "raw");
}

TEST(View, NotesThatKeysAreUsed) {
  constexpr int64_t kStartMs = 5'000'000;
  World world;
  world.at(kStartMs);
  world.view.set_text(event::kSet, "k", "v", kNoExpiry, Effect::none());
  const auto idle_after = [&](int64_t ms) {
    world.at(ms);
    return idle_seconds(world.view.peek("k")->use(), ms / 1000);
  };
  EXPECT_EQ(idle_after(kStartMs + 7000), 7U);
  world.view.find_about("k");
  world.view.read_about("k");
  EXPECT_EQ(idle_after(kStartMs + 8000), 8U);
  world.view.find("k");
  EXPECT_EQ(idle_after(kStartMs + 10'000), 2U);
  world.view.set_text(event::kSet, "k", "other", kNoExpiry, Effect::none());
  EXPECT_EQ(idle_after(kStartMs + 11'000), 1U);
  world.access.let_uses_count(false);
  world.view.find("k");
  EXPECT_EQ(idle_after(kStartMs + 12'000), 2U);
  world.view.set_expiry(event::kExpire, "k", kStartMs * 2, Effect::none());
  EXPECT_EQ(idle_after(kStartMs + 12'000), 2U) << "a new entry of the same key";
}

TEST(View, CountsHowOftenKeysAreUsed) {
  World world;
  world.keyspace.use_rules().by_frequency = true;
  world.keyspace.use_rules().log_factor = 0;
  world.at(5'000'000);
  const auto counter = [&](Bytes key) { return world.view.peek(key)->use() & 0xff; };
  world.view.set_text(event::kSet, "k", "v", kNoExpiry, Effect::none());
  EXPECT_EQ(counter("k"), kNewKeyFrequency);
  for (int i = 0; i < 3; ++i) world.view.find("k");
  EXPECT_EQ(counter("k"), kNewKeyFrequency + 3U);
  world.view.set_text(event::kSet, "k", "longer than before", kNoExpiry, Effect::none());
  EXPECT_EQ(counter("k"), kNewKeyFrequency + 4U) << "an overwritten key keeps what it had";
}

TEST(TextEdit, ChangesTheBytesOfAString) {
  World world;
  world.view.set_text(event::kSet, "k", "abc", 5000, Effect::none());
  {
    TextEdit edit(world.view, "k");
    EXPECT_EQ(*edit, "abc");
    edit.change()[1] = 'x';
    EXPECT_EQ(*edit, "axc");
    edit.done(event::kSetBit, 1, {"SETBIT"});
  }
  EXPECT_EQ(world.text("k"), "axc");
  EXPECT_EQ(world.view.find("k")->expiry_ms(), 5000);
  TextEdit fresh(world.view, "fresh");
  EXPECT_FALSE(fresh);
  EXPECT_EQ(*fresh, "");
  EXPECT_EQ(fresh.change(3).size(), 3u);
  EXPECT_TRUE(fresh);
  fresh.done(event::kSetBit, 1, {"SETBIT"});
  EXPECT_EQ(world.text("fresh"), std::string(3, '\0'));
  push(world, "list", "a");
  EXPECT_TRUE(TextEdit(world.view, "list").is_other_type());
}

TEST(TextEdit, TellsWhoWatchesOfWhatNobodyElseIsTold) {
  struct Listener final : KeyListener {
    void heard(const KeyEvent& event, int, Bytes) override {
      if (!told.empty()) told += ' ';
      told += event.name;
    }
    void changed(const KeyEvent& event, Bytes, const KeyPlace&) override {
      if (&event == &event::kUntold) ++untold;
    }
    std::string told;
    int untold = 0;
  } listener;
  World world;
  world.access.listen(&listener);
  world.keyspace.interest().add(world.access.place("k").hash);
  world.view.set_text(event::kSet, "k", "1", kNoExpiry, Effect::none());
  world.access.changed_keys().clear();
  TextEdit same(world.view, "k");
  same.change();
  same.unchanged();
  EXPECT_TRUE(world.access.changed_keys().empty());
  EXPECT_EQ(world.view.find("k")->encoding_name(), "raw");
  TextEdit edit(world.view, "k");
  edit.change(2);
  edit.done(event::kUntold, 0, Effect::none());
  EXPECT_EQ(world.access.changed_keys().size(), 1u);
  EXPECT_EQ(listener.told, "new set");
  EXPECT_EQ(listener.untold, 1);
}

TEST(TextEditDeathTest, OwesAStatement) {
  World world;
  EXPECT_DEATH(TextEdit(world.view, "k").change(1), "stated by done");
  EXPECT_DEATH(
      {
        TextEdit edit(world.view, "k");
        edit.change(1);
        edit.unchanged();
      },
      "another length");
}

TEST(View, EachKeyIsDrawnAboutAsOften) {
  constexpr int kKeys = 50;
  constexpr int kDrawsEach = 400;
  World world;
  for (int i = 0; i < kKeys; ++i)
    world.view.set_text(event::kSet, std::to_string(i), "v", kNoExpiry, Effect::none());
  Random random(1);
  std::map<std::string, int> drawn;
  for (int i = 0; i < kKeys * kDrawsEach; ++i)
    ++drawn[std::string(world.view.random_in(*world.view.draw_stripe(random), random)->key())];
  ASSERT_EQ(drawn.size(), size_t{kKeys});
  for (const auto& [key, times] : drawn) {
    EXPECT_GT(times, kDrawsEach / 2) << key;
    EXPECT_LT(times, kDrawsEach * 2) << key;
  }
}

TEST(View, WhatIsHiddenIsNotDrawn) {
  World world;
  Random random(1);
  EXPECT_EQ(world.view.draw_stripe(random), std::nullopt);
  EXPECT_EQ(world.view.random_in(0, random), nullptr);
  world.view.set_text(event::kSet, "key", "v", 2000, Effect::none());
  const int stripe = world.view.draw_stripe(random).value_or(-1);
  ASSERT_EQ(stripe, world.keyspace.place("key").stripe());
  EXPECT_EQ(world.view.random_in(stripe, random)->key(), "key");
  world.at(3000, ExpiryMode::kHide);
  EXPECT_EQ(world.view.random_in(stripe, random), nullptr);
}

TEST(View, APrimaryDeletesWhatExpiredAndStatesIt) {
  World world;
  world.view.set_text(event::kSet, "key", "v", 2000, Effect::none());
  world.at(2000);
  EXPECT_TRUE(world.view.exists("key"));
  world.at(2001);
  EXPECT_FALSE(world.view.exists("key"));
  EXPECT_EQ(world.effects.record(), "*2\r\n$3\r\nDEL\r\n$3\r\nkey\r\n");
  EXPECT_EQ(world.view.size(), 0);
  EXPECT_EQ(world.access.counters().expired, 1u);
}

TEST(View, AReplicaHidesWhatExpiredUntilItsPrimaryDeletesIt) {
  World world;
  world.view.set_text(event::kSet, "key", "v", 2000, Effect::none());
  world.at(2001, ExpiryMode::kHide);
  EXPECT_FALSE(world.view.exists("key"));
  EXPECT_EQ(world.effects.record(), "");
  EXPECT_EQ(world.view.size(), 1);
  world.at(2001, ExpiryMode::kIgnore);
  EXPECT_TRUE(world.view.exists("key"));
  EXPECT_TRUE(world.view.erase(event::kDel, "key", Effect::none()));
}

TEST(View, EachStepOfAScanKeepsToTheStripeOfItsCursor) {
  for (const int keys : {0, 5, 3000}) {
    World world;
    for (int i = 0; i < keys; ++i) {
      world.view.set_text(event::kSet, std::to_string(i), "v", kNoExpiry, Effect::none());
    }
    std::set<std::string> seen;
    uint64_t cursor = 0;
    int steps = 0;
    do {
      const int stripe = View::stripe_of_cursor(cursor);
      cursor = world.view.scan(cursor, [&](const Entry& entry) {
        seen.emplace(entry.key());
        EXPECT_EQ(world.keyspace.place(entry.key()).stripe(), stripe);
      });
      ASSERT_LE(++steps, kPartitions);
    } while (cursor != 0);
    EXPECT_EQ(seen.size(), static_cast<size_t>(keys));
    // A stripe without keys costs one step.
    EXPECT_LE(steps, kStripes + keys * kPartitionsPerStripe);
    for (int stripe = 0; stripe < kStripes; ++stripe) {
      world.view.for_each_in(stripe, [&](const Entry& entry) {
        EXPECT_EQ(world.keyspace.place(entry.key()).stripe(), stripe);
        seen.erase(std::string(entry.key()));
      });
    }
    EXPECT_TRUE(seen.empty());
  }
}

TEST(View, MovesValuesBetweenKeysAndDatabases) {
  World world;
  push(world, "list", "a");
  std::optional<Value> value = world.view.take(event::kRenameFrom, "list", Effect::none());
  ASSERT_TRUE(value);
  EXPECT_FALSE(world.view.exists("list"));
  world.view.at(3).put(event::kRenameTo, "other", std::move(*value), 9000, Effect::none());
  const List* list;
  ASSERT_TRUE(world.view.at(3).read("other", list));
  EXPECT_EQ(list->size(), 1u);
  const List* none;
  EXPECT_TRUE(world.view.read("other", none));
  EXPECT_EQ(none, nullptr);
  world.view.set_text(event::kSet, "text", "x", kNoExpiry, Effect::none());
  EXPECT_FALSE(world.view.read("text", none));
}

TEST(View, TellsChangesOnlyWhereSomebodyRegistered) {
  World world;
  world.view.set_text(event::kSet, "a", "1", kNoExpiry, Effect::none());
  EXPECT_TRUE(world.access.changed_keys().empty());
  world.keyspace.interest().add(world.keyspace.place("a").hash);
  world.view.set_text(event::kSet, "a", "2", kNoExpiry, Effect::none());
  ASSERT_EQ(world.access.changed_keys().size(), 1u);
  EXPECT_EQ(world.access.changed_keys()[0].key, "a");
  EXPECT_EQ(world.access.counters().changes, 2u);
}

// A change of "list" that somebody waits for, and what is known of it then.
struct Watched final : KeyListener {
  Watched() {
    world.keyspace.interest().add(world.keyspace.place("list").hash);
    world.access.listen(this);
  }
  void heard(const KeyEvent& event, int database, Bytes key) override {
    events += std::to_string(database) + ":" + std::string(event.name) + ":" + std::string(key);
    events += ' ';
  }
  void again() {
    world.at(1000);
    events.clear();
  }
  World world;
  std::string events;
};

TEST(Edit, OneStatementTellsReplicasWatchersAndSavePoints) {
  Watched of;
  {
    Edit<List> list(of.world.view, "list");
    EXPECT_FALSE(list);
    EXPECT_FALSE(list.is_other_type());
    list.create().push(ListEnd::kTail, "a", of.world.limits);
    list.change().push(ListEnd::kTail, "b", of.world.limits);
    list.done(event::kRPush, 2, {"RPUSH", "list", "a", "b"});
    EXPECT_EQ(list->size(), 2u);
  }
  EXPECT_EQ(of.events, "0:new:list 0:rpush:list ");
  EXPECT_EQ(of.world.access.counters().changes, 2u);
  ASSERT_EQ(of.world.access.changed_keys().size(), 1u);
  EXPECT_EQ(of.world.effects.record(), "*4\r\n$5\r\nRPUSH\r\n$4\r\nlist\r\n$1\r\na\r\n$1\r\nb\r\n");
}

TEST(Edit, TheLastElementTakesTheKeyAlong) {
  Watched of;
  push(of.world, "list", "a");
  of.again();
  Edit<List> list(of.world.view, "list");
  ASSERT_TRUE(list);
  list.change().pop(ListEnd::kHead, of.world.limits);
  list.done(event::kLPop, 1, {"LPOP", "list"});
  EXPECT_FALSE(list);
  EXPECT_FALSE(of.world.view.exists("list"));
  EXPECT_EQ(of.events, "0:lpop:list 0:del:list ");
  EXPECT_EQ(of.world.effects.count(), 1u);
}

TEST(Edit, LookingOwesNothing) {
  Watched of;
  push(of.world, "list", "a");
  of.world.view.set_text(event::kSet, "text", "x", kNoExpiry, Effect::none());
  of.again();
  {
    EXPECT_TRUE(Edit<List>(of.world.view, "text").is_other_type());
  }
  {
    EXPECT_EQ(Edit<List>(of.world.view, "list")->size(), 1u);
  }
  {
    Edit<List> list(of.world.view, "list");
    EXPECT_EQ(list.change().remove("nosuch", 0, of.world.limits), 0u);
    list.unchanged();
  }
  EXPECT_EQ(of.events, "");
  EXPECT_EQ(of.world.access.counters().changes, 0u);
  EXPECT_EQ(of.world.effects.count(), 0u);
}

TEST(EditDeathTest, AChangeCannotGoUnstated) {
  EXPECT_DEATH(
      {
        World world;
        push(world, "list", "a");
        Edit<List> list(world.view, "list");
        list.change().push(ListEnd::kHead, "b", world.limits);
      },
      "stated by done");
  EXPECT_DEATH(
      {
        World world;
        Edit<List> list(world.view, "list");
        list.create();
        list.unchanged();
      },
      "new container");
}

TEST(Effects, OneEffectOfSeveralChangesIsStatedOnce) {
  World world;
  const std::vector<Bytes> words = {"MSET", "a", "1", "b", "2"};
  const Effect effect(words);
  world.view.set_text(event::kSet, "a", "1", kNoExpiry, effect);
  world.view.set_text(event::kSet, "b", "2", kNoExpiry, effect);
  EXPECT_EQ(world.effects.count(), 1u);
  EXPECT_FALSE(world.view.erase(event::kDel, "none", {"DEL", "none"}));
  EXPECT_EQ(world.effects.count(), 1u);
}

TEST(Effects, SeveralCommandsBecomeATransactionThatEndsWhereItBegan) {
  Effects effects;
  effects.begin(true);
  effects.add(1, {"SET", "a", "1"});
  effects.add(2, {"DEL", "b"});
  EXPECT_EQ(effects.first_database(), 1);
  EXPECT_EQ(effects.record(),
            "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
            "*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n*2\r\n$3\r\nDEL\r\n$1\r\nb\r\n"
            "*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n*1\r\n$4\r\nEXEC\r\n");
  effects.begin(false);
  effects.add(1, {"SET", "a", "1"});
  EXPECT_EQ(effects.record(), "");
}

// Collects what a walk writes, and fails on a key that comes twice.
class MapSink final : public SnapshotSink {
 public:
  void capture_chain(int database, const TableBucket& home) override {
    PartitionTable::for_each_in_chain(home, [&](Entry* entry, bool) {
      char digits[kInt64TextMax];
      const auto [at, fresh] = seen.emplace(std::pair(database, std::string(entry->key())),
                                            std::string(entry->text(digits)));
      EXPECT_TRUE(fresh) << at->first.second;
    });
  }
  void adopt(Entry*) override { FAIL() << "nothing is walked in steps here"; }
  void moved(const void*, int) override { FAIL() << "nothing is walked in steps here"; }
  std::map<std::pair<int, std::string>, std::string> seen;
};

TEST(Snapshot, AHoldEndsWithItsChainsOrItsBytes) {
  World world;
  int keys = 0;
  for (int i = 0; keys < 60; ++i) {
    const std::string key = std::to_string(i);
    if (world.keyspace.place(key).partition != 0) continue;
    world.view.set_text(event::kSet, key, "v", kNoExpiry, Effect::none());
    ++keys;
  }
  MapSink sink;
  SnapshotWalk walk(world.access.all_stripes(), world.keyspace, sink);
  const auto chains_of = [&](const SnapshotWalk::Hold& hold) {
    int chains = 0;
    walk.step(hold, [&](int, const TableBucket&) {
      ++chains;
      return size_t{100};
    });
    return chains;
  };
  EXPECT_EQ(chains_of({.chains = 4, .bytes = 1'000'000}), 4);
  EXPECT_EQ(chains_of({.chains = 4, .bytes = 100}), 1);
  EXPECT_EQ(chains_of({.chains = 4, .bytes = 101}), 2);
  EXPECT_GE(chains_of({.chains = 1000, .bytes = 1'000'000}), 60 / 5 - 7) << "the rest";
  walk.end(world.access.all_stripes());
}

// The one property that matters: whatever writers do while the walk goes on, the sink gets the
// keyspace of the cut.
TEST(Snapshot, WritesTheMomentOfTheCutWhateverHappensMeanwhile) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    World world;
    Random random(seed);
    std::map<std::pair<int, std::string>, std::string> model;
    const auto mutate = [&](int count) {
      for (int i = 0; i < count; ++i) {
        const auto database = static_cast<int>(random.below(3));
        const std::string key = "key" + std::to_string(random.below(3000));
        View view = world.view.at(database);
        if (random.below(3) == 0) {
          EXPECT_EQ(view.erase(event::kDel, key, Effect::none()),
                    model.erase({database, key}) == 1);
        } else {
          const std::string text = "v" + std::to_string(random.next());
          view.set_text(event::kSet, key, text, kNoExpiry, Effect::none());
          model[{database, key}] = text;
        }
      }
    };
    for (int round = 0; round < 3; ++round) {
      mutate(4000);
      const auto at_cut = model;
      MapSink sink;
      SnapshotWalk walk(world.access.all_stripes(), world.keyspace, sink);
      EXPECT_EQ(walk.keys_at_cut(), static_cast<int64_t>(at_cut.size()));
      const bool swap = random.below(2) == 0;
      int steps = 0;
      const auto step = [&] {
        const SnapshotWalk::Hold hold{.chains = static_cast<int>(random.below(40)) + 1,
                                      .bytes = random.below(2) == 0 ? 1 : SIZE_MAX};
        int chains = 0;
        const bool more = walk.step(hold, [&](int database, const TableBucket& home) {
          sink.capture_chain(database, home);
          ++chains;
          return size_t{2};
        });
        EXPECT_LE(chains, hold.bytes == 1 ? 1 : hold.chains);
        return more;
      };
      while (step()) {
        mutate(static_cast<int>(random.below(60)));
        if (++steps == 5 && swap) {
          TablesRef gone = world.keyspace.take_tables(world.access.all_stripes(), 2);
          std::erase_if(model, [](const auto& item) { return item.first.first == 2; });
          world.keyspace.swap_databases(world.access.all_stripes(), 0, 1);
          std::map<std::pair<int, std::string>, std::string> swapped;
          for (auto& [place, text] : model) {
            swapped[{place.first == 2 ? 2 : 1 - place.first, place.second}] = text;
          }
          model = std::move(swapped);
        }
      }
      walk.end(world.access.all_stripes());
      EXPECT_EQ(sink.seen, at_cut) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace tandem
