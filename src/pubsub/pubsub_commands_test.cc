#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/test_clock.h"
#include "engine/executor.h"
#include "engine/testing.h"
#include "keyspace/keyspace.h"
#include "log/log.h"
#include "pubsub/subscription_registry.h"

namespace tandem {
namespace {

struct Listener final : Subscriber {
  explicit Listener(const int& spoken) : protocol(spoken) {}
  bool deliver(const PublishedMessage& message) override {
    received += *message.encoded(protocol);
    return true;
  }
  const int& protocol;
  std::string received;
};

struct Session final : ClientState {
  Session() : ClientState(ClientKind::kNormal) {}
  std::shared_ptr<Listener> listener = std::make_shared<Listener>(protocol);
};

// A client that is no session, as a link to a primary is.
struct Link final : ClientState {
  Link() : ClientState(ClientKind::kLink) {}
};

std::vector<CommandRow> all_rows(SubscriptionRegistry& subscriptions) {
  std::vector<CommandRow> rows = engine_rows();
  const auto subscriber_of = [](ClientState& client) -> std::shared_ptr<Subscriber> {
    if (client.kind == ClientKind::kLink) return nullptr;
    return static_cast<Session&>(client).listener;
  };
  for (CommandRow& row : pubsub_rows(subscriptions, subscriber_of)) rows.push_back(std::move(row));
  return rows;
}

struct World : OpenEngine<TestClock> {
  ~World() {
    subscriptions.forget(*a.listener);
    subscriptions.forget(*b.listener);
  }
  std::string run(ClientState& client, std::initializer_list<Bytes> args, Bytes raw = {}) {
    std::string out;
    ReplyWriter reply(out, client.protocol);
    const std::vector<Bytes> all(args);
    executor.begin_batch();
    executor.execute(client, all, raw, reply);
    return out;
  }

  SubscriptionRegistry subscriptions;
  const Registry& commands = registry.add(all_rows(subscriptions));
  Executor executor{engine, 1};
  std::unique_ptr<LogCursor> cursor = begin_log();
  Session a;
  Session b;
};

TEST(PubsubCommands, ConfirmEachNameWithTheCount) {
  World world;
  EXPECT_EQ(world.run(world.a, {"SUBSCRIBE", "x", "x", "y"}),
            "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n"
            "*3\r\n$9\r\nsubscribe\r\n$1\r\ny\r\n:2\r\n");
  EXPECT_TRUE(world.a.is(kSubscribed));
  world.b.protocol = 3;
  EXPECT_EQ(world.run(world.b, {"PSUBSCRIBE", "p*"}),
            ">3\r\n$10\r\npsubscribe\r\n$2\r\np*\r\n:1\r\n");
  EXPECT_EQ(world.run(world.a, {"UNSUBSCRIBE", "x"}),
            "*3\r\n$11\r\nunsubscribe\r\n$1\r\nx\r\n:1\r\n");
  EXPECT_TRUE(world.a.is(kSubscribed));
  EXPECT_EQ(world.run(world.a, {"UNSUBSCRIBE"}), "*3\r\n$11\r\nunsubscribe\r\n$1\r\ny\r\n:0\r\n");
  EXPECT_FALSE(world.a.is(kSubscribed));
  EXPECT_EQ(world.run(world.a, {"UNSUBSCRIBE"}), "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
  EXPECT_EQ(world.run(world.b, {"PUNSUBSCRIBE"}),
            ">3\r\n$12\r\npunsubscribe\r\n$2\r\np*\r\n:0\r\n");
  EXPECT_EQ(world.run(world.b, {"PUNSUBSCRIBE"}), ">3\r\n$12\r\npunsubscribe\r\n_\r\n:0\r\n");
}

TEST(PubsubCommands, APublicationIsAnEffect) {
  World world;
  world.run(world.a, {"SUBSCRIBE", "c"});
  EXPECT_EQ(world.run(world.b, {"PUBLISH", "c", "m"}), ":1\r\n");
  EXPECT_EQ(world.a.listener->received, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
  EXPECT_TRUE(world.cursor->peek()->ends_with("*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\nm\r\n"));
}

TEST(PubsubCommands, APrimarysPublicationReachesTheReplicasSubscribers) {
  World world;
  Link link;
  world.gate.set(Gate::kReplica, true);
  const Bytes raw = "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\nm\r\n";
  world.run(world.a, {"SUBSCRIBE", "c"});
  world.run(link, {"PUBLISH", "c", "m"}, raw);
  EXPECT_EQ(world.a.listener->received, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
  EXPECT_EQ(*world.cursor->peek(), raw);
}

TEST(PubsubCommands, ASubscriberOfTheOldProtocolMayDoLittleElse) {
  World world;
  world.run(world.a, {"SUBSCRIBE", "c"});
  EXPECT_TRUE(world.run(world.a, {"MULTI"}).starts_with("-ERR Can't execute 'multi'"));
  world.b.protocol = 3;
  world.run(world.b, {"SUBSCRIBE", "c"});
  EXPECT_EQ(world.run(world.b, {"MULTI"}), "+OK\r\n");
}

TEST(PubsubCommands, TellsWhatIsSubscribed) {
  World world;
  world.run(world.a, {"SUBSCRIBE", "x", "y"});
  world.run(world.a, {"PSUBSCRIBE", "p*"});
  world.run(world.b, {"SUBSCRIBE", "x"});
  world.b.protocol = 3;
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "CHANNELS", "[x]"}), "*1\r\n$1\r\nx\r\n");
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "NUMSUB", "x", "z"}),
            "*4\r\n$1\r\nx\r\n:2\r\n$1\r\nz\r\n:0\r\n");
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "NUMSUB"}), "*0\r\n");
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "NUMPAT"}), ":1\r\n");
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "CHANNELS", "a", "b"}),
            "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB "
            "HELP.\r\n");
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "SHARDCHANNELS"}), "*0\r\n");
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "SHARDNUMSUB", "x"}), "*2\r\n$1\r\nx\r\n:0\r\n");
  world.run(world.a, {"SSUBSCRIBE", "s", "t"});
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "SHARDCHANNELS", "s*"}), "*1\r\n$1\r\ns\r\n");
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "SHARDNUMSUB", "s", "x"}),
            "*4\r\n$1\r\ns\r\n:1\r\n$1\r\nx\r\n:0\r\n");
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "CHANNELS", "s"}), "*0\r\n");
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "SHARDCHANNELS", "a", "b"}),
            "-ERR unknown subcommand or wrong number of arguments for 'SHARDCHANNELS'. Try PUBSUB "
            "HELP.\r\n");
}

TEST(PubsubCommands, ChannelsOfShardsAreCountedForThemselves) {
  World world;
  EXPECT_EQ(world.run(world.a, {"SSUBSCRIBE", "s", "t"}),
            "*3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n"
            "*3\r\n$10\r\nssubscribe\r\n$1\r\nt\r\n:2\r\n");
  EXPECT_TRUE(world.a.is(kSubscribed));
  EXPECT_EQ(world.run(world.a, {"SUBSCRIBE", "c"}), "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
  EXPECT_EQ(world.run(world.a, {"PSUBSCRIBE", "*"}),
            "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:2\r\n");
  EXPECT_EQ(world.run(world.a, {"SUNSUBSCRIBE", "none"}),
            "*3\r\n$12\r\nsunsubscribe\r\n$4\r\nnone\r\n:2\r\n");
  EXPECT_EQ(world.run(world.a, {"SUNSUBSCRIBE"}),
            "*3\r\n$12\r\nsunsubscribe\r\n$1\r\ns\r\n:1\r\n"
            "*3\r\n$12\r\nsunsubscribe\r\n$1\r\nt\r\n:0\r\n");
  EXPECT_EQ(world.run(world.a, {"SUNSUBSCRIBE"}), "*3\r\n$12\r\nsunsubscribe\r\n$-1\r\n:0\r\n");
  world.run(world.a, {"UNSUBSCRIBE"});
  EXPECT_TRUE(world.a.is(kSubscribed));
  world.run(world.a, {"PUNSUBSCRIBE"});
  EXPECT_FALSE(world.a.is(kSubscribed));
}

TEST(PubsubCommands, AMessageToAShardIsAnEffectAndReachesNoOthers) {
  World world;
  world.b.protocol = 3;
  world.run(world.a, {"SUBSCRIBE", "c"});
  world.run(world.a, {"PSUBSCRIBE", "*"});
  world.run(world.b, {"SSUBSCRIBE", "c"});
  EXPECT_EQ(world.run(world.b, {"SPUBLISH", "c", "m"}), ":1\r\n");
  EXPECT_EQ(world.a.listener->received, "");
  EXPECT_EQ(world.b.listener->received, ">3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
  EXPECT_TRUE(world.cursor->peek()->ends_with("*3\r\n$8\r\nSPUBLISH\r\n$1\r\nc\r\n$1\r\nm\r\n"));
}

TEST(PubsubCommands, InATransactionChannelsOfShardsAreRefused) {
  World world;
  world.run(world.a, {"MULTI"});
  world.run(world.a, {"SSUBSCRIBE", "s"});
  world.run(world.a, {"SUBSCRIBE", "c"});
  EXPECT_EQ(world.run(world.a, {"EXEC"}),
            "*2\r\n-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n"
            "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
}

TEST(PubsubCommands, WhoIsGoneSubscribesToNothingMore) {
  World world;
  world.run(world.a, {"SUBSCRIBE", "c"});
  world.subscriptions.end(*world.a.listener);
  world.run(world.a, {"SUBSCRIBE", "d"});
  world.run(world.a, {"PSUBSCRIBE", "*"});
  EXPECT_EQ(world.run(world.b, {"PUBLISH", "c", "m"}), ":0\r\n");
  EXPECT_EQ(world.run(world.b, {"PUBLISH", "d", "m"}), ":0\r\n");
  EXPECT_EQ(world.run(world.b, {"PUBSUB", "CHANNELS"}), "*0\r\n");
}

struct ChannelRights final : Rights {
  explicit ChannelRights(bool has_all) : all(has_all) {}
  bool are_unlimited() const override { return all; }
  std::optional<Denial> denial(const Command&, std::span<const Bytes>) const override {
    return Denial{DenialReason::kChannel, 1};
  }
  const bool all;
};

// Who takes the right to a channel and then ends all who are subscribed to it overlooks nobody.
void subscribe_while_the_right_goes(Bytes command, SubscriptionKind kind) {
  World world;
  const auto account = std::make_shared<Account>("bob", std::make_shared<ChannelRights>(true));
  world.a.become(account);
  std::string out;
  std::atomic<bool> done = false;
  std::thread other;
  {
    const ExclusiveGuard all(world.keyspace);
    other = std::thread([&] {
      Executor executor(world.engine, 2);
      ReplyWriter reply(out);
      const std::vector<Bytes> request{command, "x"};
      executor.execute(world.a, request, {}, reply);
      done = true;
    });
    while (!world.keyspace.stripe(0).contended() && !done) std::this_thread::yield();
    account->set_rights(std::make_shared<ChannelRights>(false));
    world.gate.rights_changed();
  }
  other.join();
  EXPECT_EQ(out, "-NOPERM No permissions to access a channel\r\n");
  EXPECT_EQ(world.subscriptions.subscriber_count(kind, "x"), 0);
}

TEST(PubsubCommands, WhoIsAboutToSubscribeIsAskedAgain) {
  subscribe_while_the_right_goes("SUBSCRIBE", SubscriptionKind::kChannel);
  subscribe_while_the_right_goes("PSUBSCRIBE", SubscriptionKind::kPattern);
  subscribe_while_the_right_goes("SSUBSCRIBE", SubscriptionKind::kShardChannel);
}

}  // namespace
}  // namespace tandem
