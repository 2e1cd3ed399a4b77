#include "server/client/inbox.h"

#include <gtest/gtest.h>

#include "server/client/client_registry.h"

namespace tandem {
namespace {

constexpr int64_t kMib = 1024 * 1024;

struct World {
  World() {
    options.output_buffer_limits[static_cast<size_t>(ClientClass::kNormal)].hard_bytes.set(kMib);
    card->id = 1;
    card->wake = [this] { ++woken; };
    card->inbox.open(
        {.options = &options, .wake = card->wake, .overflow = [this] { clients.kill(*card); }});
    clients.add(card);
  }
  bool send(size_t bytes) {
    return card->inbox.deliver_line(std::make_shared<const std::string>(bytes, 'x'));
  }

  NetworkOptions options;
  int left = 0;
  ClientRegistry clients{[this](ClientCard&) { ++left; }};
  std::shared_ptr<ClientCard> card = std::make_shared<ClientCard>();
  int woken = 0;
};

TEST(Inbox, WakesItsOwnerOnceForAllThatWaits) {
  World world;
  EXPECT_TRUE(world.send(10));
  EXPECT_TRUE(world.send(20));
  EXPECT_EQ(world.woken, 1);
  EXPECT_EQ(world.card->unsent_bytes(), 30);
  EXPECT_EQ(world.card->inbox.take().size(), 2u);
  EXPECT_EQ(world.card->unsent_bytes(), 0);
  EXPECT_TRUE(world.send(10));
  EXPECT_EQ(world.woken, 2);
}

TEST(Inbox, CountsAgainstTheLimitWhateverItsOwnerDoes) {
  World world;
  world.card->output_bytes = kMib / 2;  // replies that are not read
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(world.send(kMib / 10));
  EXPECT_FALSE(world.send(kMib / 5));
  EXPECT_TRUE(world.card->inbox.overflowed());
  EXPECT_EQ(world.card->inbox.bytes(), 0);
  world.card->inbox.cut_off();
  EXPECT_TRUE(world.card->killed);
  EXPECT_EQ(world.clients.count(), 0u);
  EXPECT_EQ(world.left, 1);
  EXPECT_TRUE(world.send(kMib));  // nobody is there to be cut off
  EXPECT_EQ(world.card->inbox.bytes(), 0);
}

TEST(Inbox, HasNoLimitWhereThereIsNone) {
  World world;
  for (auto& limit : world.options.output_buffer_limits) limit.hard_bytes.set(0);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(world.send(kMib));
  EXPECT_EQ(world.card->memory_bytes() / kMib, 100);
}

TEST(ClientRegistry, EndsAClientOnce) {
  World world;
  EXPECT_TRUE(world.clients.kill(*world.card));
  EXPECT_FALSE(world.clients.kill(*world.card));
  EXPECT_TRUE(world.clients.list().empty());
  EXPECT_EQ(world.woken, 1);
  const auto other = std::make_shared<ClientCard>();
  other->id = 2;
  world.clients.add(other);
  world.clients.remove(*other);  // its connection ended
  EXPECT_FALSE(world.clients.kill(*other));
}

}  // namespace
}  // namespace tandem
