#include "pubsub/subscription_registry.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace tandem {
namespace {

using Kind = SubscriptionKind;

struct Listener final : Subscriber {
  explicit Listener(int chosen_protocol = 2) : protocol(chosen_protocol) {}
  bool deliver(const PublishedMessage& message) override {
    received += *message.encoded(protocol);
    return count.fetch_add(1) + 1 < taken_max;
  }
  void cut_off() override {
    if (registry != nullptr) registry->end(*this);
  }
  int protocol;
  int taken_max = 1'000'000'000;
  SubscriptionRegistry* registry = nullptr;
  std::string received;
  std::atomic<int> count{0};
};

TEST(SubscriptionRegistry, DeliversToChannelsAndPatterns) {
  SubscriptionRegistry registry;
  const auto two = std::make_shared<Listener>(), three = std::make_shared<Listener>(3),
             other = std::make_shared<Listener>();
  EXPECT_TRUE(registry.subscribe(Kind::kChannel, two, "news"));
  EXPECT_FALSE(registry.subscribe(Kind::kChannel, two, "news"));
  EXPECT_TRUE(registry.subscribe(Kind::kPattern, three, "n*"));
  EXPECT_TRUE(registry.subscribe(Kind::kChannel, other, "else"));
  EXPECT_EQ(registry.publish("news", "hi"), 2);
  EXPECT_EQ(two->received, "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
  EXPECT_EQ(three->received, ">4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
  EXPECT_EQ(other->received, "");
  for (const auto& listener : {two, three, other}) registry.forget(*listener);
  EXPECT_EQ(registry.publish("news", "hi"), 0);
}

TEST(SubscriptionRegistry, CountsWhatIsThere) {
  SubscriptionRegistry registry;
  const auto a = std::make_shared<Listener>(), b = std::make_shared<Listener>();
  registry.subscribe(Kind::kChannel, a, "x");
  registry.subscribe(Kind::kChannel, b, "x");
  registry.subscribe(Kind::kChannel, b, "y");
  registry.subscribe(Kind::kPattern, a, "p*");
  registry.subscribe(Kind::kPattern, b, "p*");
  EXPECT_EQ(registry.subscriber_count(Kind::kChannel, "x"), 2);
  EXPECT_EQ(registry.subscriber_count(Kind::kChannel, "z"), 0);
  EXPECT_EQ(registry.name_count(Kind::kChannel), 2);
  EXPECT_EQ(registry.name_count(Kind::kPattern), 1);
  EXPECT_EQ(registry.names(Kind::kChannel, "[y]"), std::vector<std::string>{"y"});
  EXPECT_EQ(registry.names(Kind::kChannel, std::nullopt).size(), 2u);
  EXPECT_EQ(b->subscriptions.count(), 3);
  EXPECT_TRUE(registry.unsubscribe(Kind::kChannel, *b, "x"));
  EXPECT_FALSE(registry.unsubscribe(Kind::kChannel, *b, "x"));
  EXPECT_EQ(registry.subscriber_count(Kind::kChannel, "x"), 1);
  registry.forget(*a);
  registry.forget(*b);
  EXPECT_EQ(registry.name_count(Kind::kChannel), 0);
  EXPECT_EQ(registry.name_count(Kind::kPattern), 0);
  EXPECT_EQ(a->subscriptions.count(), 0);
}

TEST(SubscriptionRegistry, ChannelsOfShardsAreNamesOfTheirOwn) {
  SubscriptionRegistry registry;
  const auto plain = std::make_shared<Listener>(), shard = std::make_shared<Listener>(),
             pattern = std::make_shared<Listener>(), three = std::make_shared<Listener>(3);
  registry.subscribe(Kind::kChannel, plain, "c");
  registry.subscribe(Kind::kShardChannel, shard, "c");
  registry.subscribe(Kind::kShardChannel, three, "c");
  registry.subscribe(Kind::kPattern, pattern, "*");
  EXPECT_EQ(registry.publish_to_shard("c", "m"), 2);
  EXPECT_EQ(shard->received, "*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
  EXPECT_EQ(three->received, ">3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
  EXPECT_EQ(plain->received + pattern->received, "");
  EXPECT_EQ(registry.publish("c", "m"), 2);
  EXPECT_EQ(shard->count, 1);
  EXPECT_EQ(registry.name_count(Kind::kShardChannel), 1);
  EXPECT_EQ(registry.subscriber_count(Kind::kShardChannel, "c"), 2);
  EXPECT_EQ(shard->subscriptions.count_of(Kind::kShardChannel), 1);
  registry.end(*shard);
  EXPECT_EQ(registry.publish_to_shard("c", "m"), 1);
}

// Threads publish while subscribers come and go; the thread sanitizer watches.
TEST(SubscriptionRegistry, SubscribersComeAndGoWhileOthersPublish) {
  SubscriptionRegistry registry;
  std::atomic<bool> stop{false};
  std::thread publisher([&] {
    while (!stop) registry.publish("c", "m");
  });
  const auto stays = std::make_shared<Listener>();
  registry.subscribe(Kind::kChannel, stays, "c");
  for (int i = 0; i < 500; ++i) {
    const auto passes = std::make_shared<Listener>(3);
    registry.subscribe(Kind::kChannel, passes, "c");
    registry.subscribe(Kind::kPattern, passes, "*");
    registry.publish("c", "own");
    registry.forget(*passes);
    EXPECT_GE(passes->count, 2);
  }
  stop = true;
  publisher.join();
  registry.forget(*stays);
  EXPECT_GE(stays->count, 500);
}

// Another thread than its own ends it, as CLIENT KILL does, while it subscribes.
TEST(SubscriptionRegistry, WhoIsEndedIsGoneWhateverItDoes) {
  SubscriptionRegistry registry;
  for (int i = 0; i < 500; ++i) {
    const auto listener = std::make_shared<Listener>();
    std::thread own([&] {
      registry.subscribe(Kind::kChannel, listener, "c");
      registry.subscribe(Kind::kPattern, listener, "*");
      registry.unsubscribe(Kind::kChannel, *listener, "c");
      registry.subscribe(Kind::kChannel, listener, "c");
    });
    registry.end(*listener);
    EXPECT_EQ(registry.publish("c", "m"), 0);
    own.join();
    EXPECT_EQ(registry.publish("c", "m"), 0);
    EXPECT_EQ(listener.use_count(), 1);
  }
}

TEST(SubscriptionRegistry, WhoTakesNoMoreIsGoneWhenThePublisherIsAnswered) {
  SubscriptionRegistry registry;
  const auto slow = std::make_shared<Listener>();
  slow->taken_max = 3;
  slow->registry = &registry;
  registry.subscribe(Kind::kChannel, slow, "c");
  registry.subscribe(Kind::kPattern, slow, "*");
  EXPECT_EQ(registry.publish("c", "1"), 2);
  EXPECT_EQ(registry.publish("c", "2"), 2);
  EXPECT_EQ(registry.publish("c", "3"), 0);
  EXPECT_EQ(slow->subscriptions.name_bytes, 0);
}

}  // namespace
}  // namespace tandem
