#include "pubsub/pubsub_commands.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(PubsubRows, AreFoundAndChecked) {
  SubscriptionRegistry subscriptions;
  const Registry registry(pubsub_rows(subscriptions));
  for (const Bytes name :
       {"subscribe", "unsubscribe", "psubscribe", "punsubscribe", "publish", "pubsub"}) {
    ASSERT_NE(registry.find(name), nullptr) << name;
  }
  EXPECT_FALSE(registry.find("subscribe")->arity_fits(1));
  EXPECT_TRUE(registry.find("unsubscribe")->arity_fits(1));
  EXPECT_TRUE(registry.find("publish")->has(kMayReplicate));
  const Bytes numsub[] = {"PUBSUB", "NumSub", "x"};
  EXPECT_EQ(registry.resolve(numsub)->full_name, "pubsub|numsub");
}

}  // namespace
}  // namespace tandem
