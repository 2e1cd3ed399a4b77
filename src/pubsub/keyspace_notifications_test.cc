#include "pubsub/keyspace_notifications.h"

#include <gtest/gtest.h>

#include "base/test_clock.h"
#include "engine/executor.h"
#include "engine/testing.h"
#include "resp/reply_reader.h"

namespace tandem {
namespace {

struct Listener final : Subscriber {
  bool deliver(const PublishedMessage& message) override {
    received += *message.encoded(2);
    return true;
  }
  std::string received;
};

struct Client final : ClientState {
  Client() : ClientState(ClientKind::kNormal) {}
};

std::vector<CommandRow> rows() {
  std::vector<CommandRow> all = engine_rows();
  all.push_back(plain_get_row());
  all.push_back(plain_set_row());
  return all;
}

struct KeyspaceNotificationsTest : testing::Test, OpenEngine<TestClock> {
  KeyspaceNotificationsTest() : OpenEngine({}, rows()) {
    engine.key_event_observer = &notifications;
    subscriptions.subscribe(SubscriptionKind::kPattern, listener, "__key*");
  }
  ~KeyspaceNotificationsTest() override { subscriptions.forget(*listener); }
  void run(std::initializer_list<Bytes> args) {
    std::string out;
    ReplyWriter reply(out);
    const std::vector<Bytes> all(args);
    executor.begin_batch();
    executor.execute(client, all, {}, reply);
  }
  // Channels and messages, as far as they are told.
  std::string heard() {
    std::string text;
    for (Bytes rest = listener->received; !rest.empty();) {
      ReplyReader reader;
      rest.remove_prefix(*reader.feed(rest));
      const Reply message = reader.take();
      text += (text.empty() ? "" : " ") + message.elements[2].text + "=" + message.elements[3].text;
    }
    listener->received.clear();
    return text;
  }

  SubscriptionRegistry subscriptions;
  KeyspaceNotifications notifications{subscriptions};
  std::shared_ptr<Listener> listener = std::make_shared<Listener>();
  Executor executor{engine, 1};
  Client client;
};

TEST_F(KeyspaceNotificationsTest, TellNothingUntilTheyAreAskedFor) {
  run({"SET", "k", "1"});
  EXPECT_EQ(heard(), "");
  engine.event_choice.set(*EventChoice::parse("A"));
  run({"SET", "k", "1"});
  EXPECT_EQ(heard(), "");
}

TEST_F(KeyspaceNotificationsTest, GoToTheChannelsThatAreChosen) {
  engine.event_choice.set(*EventChoice::parse("KEA"));
  run({"SET", "k", "1"});
  EXPECT_EQ(heard(), "__keyspace@0__:k=set __keyevent@0__:set=k");
  engine.event_choice.set(*EventChoice::parse("K$"));
  run({"SET", "k", "1"});
  EXPECT_EQ(heard(), "__keyspace@0__:k=set");
  engine.event_choice.set(*EventChoice::parse("El"));
  run({"SET", "k", "1"});
  EXPECT_EQ(heard(), "");
  engine.event_choice.set(*EventChoice::parse("E$mn"));
  run({"SELECT", "3"});
  run({"GET", "k"});
  run({"SET", "k", "1"});
  run({"SET", "k", "2"});
  EXPECT_EQ(heard(),
            "__keyevent@3__:keymiss=k __keyevent@3__:new=k __keyevent@3__:set=k "
            "__keyevent@3__:set=k");
}

}  // namespace
}  // namespace tandem
