#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "engine/blocked_clients.h"
#include "server/client/client_registry.h"

namespace tandem {
namespace {

Result<ClientFilter> kill_filter(std::vector<Bytes> words) {
  return parse_kill_filter(words, [](Bytes name) { return name != "bob"; });
}
Result<ClientFilter> list_filter(std::vector<Bytes> words) { return parse_list_filter(words); }

TEST(ClientFilter, KillTakesAllFiltersTogether) {
  ClientCard card;
  card.id = 7;
  card.address = "127.0.0.1:5";
  const auto both = kill_filter({"ID", "7", "addr", "127.0.0.1:5"});
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->matches(card));
  EXPECT_TRUE(both->skip_self);
  EXPECT_FALSE(kill_filter({"ID", "8", "ADDR", "127.0.0.1:5"})->matches(card));
  EXPECT_FALSE(kill_filter({"ID", "7", "SKIPME", "no"})->skip_self);
}

TEST(ClientFilter, TypesAreWhatTheClientIsNow) {
  ClientCard card;
  EXPECT_TRUE(list_filter({"TYPE", "normal"})->matches(card));
  card.set_flag(kClientPubsub, true);
  EXPECT_FALSE(list_filter({"TYPE", "normal"})->matches(card));
  EXPECT_TRUE(list_filter({"TYPE", "PubSub"})->matches(card));
  card.set_flag(kClientReplica, true);
  EXPECT_TRUE(list_filter({"TYPE", "slave"})->matches(card));
}

TEST(ClientFilter, RefusesWithTheTextsOfRedis) {
  EXPECT_EQ(kill_filter({"ID", "0"}).error().text, "ERR client-id should be greater than 0");
  EXPECT_EQ(kill_filter({"TYPE", "x"}).error().text, "ERR Unknown client type 'x'");
  EXPECT_EQ(kill_filter({"USER", "bob"}).error().text, "ERR No such user 'bob'");
  EXPECT_EQ(kill_filter({"SKIPME", "perhaps"}).error().text, "ERR syntax error");
  EXPECT_EQ(kill_filter({"ID", "1", "ADDR"}).error().text, "ERR syntax error");
  EXPECT_EQ(list_filter({"ID", "a"}).error().text, "ERR Invalid client ID");
  EXPECT_EQ(list_filter({"TYPE"}).error().text, "ERR syntax error");
}

TEST(ClientCardText, NamesTheFieldsOfRedis) {
  ClientCard card;
  card.id = 3;
  card.address = "127.0.0.1:5";
  card.local_address = "127.0.0.1:6379";
  card.name.set("me");
  card.account.set(std::make_shared<Account>("bob", nullptr));
  const auto waiter = std::make_shared<Waiter>(WaitTerms{});
  card.set_waiter(waiter);
  card.connected_ms = 1000;
  card.last_active_ms = 4000;
  const std::string line = describe_client(card, 6500);
  EXPECT_TRUE(
      line.starts_with("id=3 addr=127.0.0.1:5 laddr=127.0.0.1:6379 fd=-1 name=me age=5 "
                       "idle=2 flags=b db=0 "))
      << line;
  EXPECT_TRUE(line.ends_with("cmd=NULL user=bob redir=-1 resp=2 lib-name= lib-ver=")) << line;
  EXPECT_TRUE(waiter->end());  // whatever its session knows of it
  EXPECT_NE(describe_client(card, 6500).find(" flags=N "), std::string::npos);
}

}  // namespace
}  // namespace tandem
