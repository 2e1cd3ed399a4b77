// Where invalidations go, and what is shown of who tracks.
#include "server/client/client_tracking.h"

#include <memory>

#include <gtest/gtest.h>

#include "base/check.h"
#include "config/options.h"
#include "server/client/client.h"

namespace tandem {
namespace {

// A client with a card, and no more of a connection than tracking needs.
struct Connected final : ClientState, ClientConnection {
  Connected(ClientRegistry& clients, const NetworkOptions& options, int spoken)
      : ClientState(ClientKind::kNormal) {
    shown->id = id = clients.next_id();
    shown->protocol = protocol = spoken;
    shown->inbox.open({.options = &options, .wake = [] {}, .overflow = [] {}});
    connection = this;
    clients.add(shown);
  }
  const std::shared_ptr<ClientCard>& card() const override { return shown; }
  void show(const Command&) override {}
  const Address& peer() const override { return address_; }
  Loop& loop() const override {
    check_failed(__FILE__, __LINE__, "loop()", "nothing of this runs on a loop");
  }
  void set_reply_mode(ReplyMode) override {}
  void hand_over(HandOver) override {}
  void reset() override {}
  void close_after_reply() override {}
  void close() override {}

  std::string received() {
    std::string all;
    for (const Inbox::Message& message : shown->inbox.take()) all += *message.bytes;
    return all;
  }
  std::string described() const { return describe_client(*shown, 0); }
  bool is_shown(std::string_view words) const {
    return described().find(words) != std::string::npos;
  }

  std::shared_ptr<ClientCard> shown = std::make_shared<ClientCard>();

 private:
  Address address_;
};

struct ClientTrackingTest : testing::Test {
  ClientTrackingTest() { tracking.receiver = &receiver; }
  void track(Connected& client, uint64_t redirect = 0) {
    begin_tracking(client, tracking, {.on = true, .redirect = redirect}, {});
  }

  NetworkOptions options;
  ClientRegistry clients;
  ClientInvalidations receiver{clients};
  Tracking tracking;
  const Invalidation key{{"k"}};
  const std::string push = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";
};

TEST_F(ClientTrackingTest, AClientGetsItsOwnIfItSpeaksRESP3) {
  Connected three(clients, options, 3);
  Connected two(clients, options, 2);
  receiver.invalidate(three.id, key);
  EXPECT_EQ(three.received(), "") << "it does not track";
  track(three);
  track(two);
  receiver.invalidate(three.id, key);
  receiver.invalidate(two.id, key);
  receiver.invalidate(99, key);
  EXPECT_EQ(three.received(), push);
  EXPECT_EQ(two.received(), "");
}

TEST_F(ClientTrackingTest, ARedirectionGoesToWhoCanHearIt) {
  Connected reads(clients, options, 2);
  Connected three(clients, options, 3);
  Connected two(clients, options, 2);
  track(reads, three.id);
  receiver.invalidate(reads.id, key);
  EXPECT_EQ(three.received(), push);
  track(reads, two.id);
  receiver.invalidate(reads.id, key);
  EXPECT_EQ(two.received(), "") << "it is subscribed to nothing";
  SubscriptionRegistry subscriptions;
  const std::shared_ptr<Subscriber> subscriber(two.shown, &two.shown->inbox);
  subscriptions.subscribe(SubscriptionKind::kChannel, subscriber, "any");
  receiver.invalidate(reads.id, key);
  receiver.invalidate(reads.id, Invalidation());
  EXPECT_EQ(two.received(),
            "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n"
            "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n");
  subscriptions.forget(*subscriber);
}

TEST_F(ClientTrackingTest, ABrokenRedirectionIsShownAndTold) {
  Connected reads(clients, options, 3);
  Connected old(clients, options, 2);
  Connected goes(clients, options, 3);
  track(reads, goes.id);
  track(old, goes.id);
  EXPECT_TRUE(reads.is_shown(" flags=t "));
  EXPECT_TRUE(reads.is_shown(" redir=3 "));
  clients.kill(*goes.shown);
  receiver.invalidate(reads.id, key);
  receiver.invalidate(old.id, key);
  EXPECT_EQ(reads.received(), ">2\r\n$21\r\ntracking-redir-broken\r\n:3\r\n");
  EXPECT_EQ(old.received(), "");
  EXPECT_TRUE(reads.is_shown(" flags=tR "));
  EXPECT_TRUE(old.is_shown(" flags=tR "));
  track(reads);
  EXPECT_TRUE(reads.is_shown(" flags=t "));
  EXPECT_TRUE(reads.is_shown(" redir=0 "));
}

TEST_F(ClientTrackingTest, EndsForGoodWithItsClient) {
  Connected client(clients, options, 3);
  begin_tracking(client, tracking, {.on = true, .mode = {.broadcast = true}}, {});
  EXPECT_TRUE(client.is_shown(" flags=tB "));
  EXPECT_TRUE(tracking.any());
  end_tracking(client, tracking);
  EXPECT_TRUE(client.is_shown(" flags=N "));
  EXPECT_TRUE(client.is_shown(" redir=-1 "));
  EXPECT_FALSE(tracking.any());
  clients.kill(*client.shown);
  track(client);
  EXPECT_FALSE(tracking.any());
}

}  // namespace
}  // namespace tandem
