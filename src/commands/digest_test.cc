#include "commands/digest.h"

#include "commands/testing.h"

namespace tandem {
namespace {

struct Expected {
  Bytes command;
  Bytes digest;
};

// Taken from redis-server 7.0.15: DEBUG DIGEST after each command. It prints scores with 17 digits,
// 7.2 with as many as give the number back: these have the same digits in both.
constexpr Expected kDigests[] = {
    {"SET text hello", "1c636bd6892ee3583fee4f2a4b57b6aff15ec86b"},
    {"SET number 42", "9c31c4daf506d4f93e7d0dc26608f568e62e3795"},
    {"SET mortal v EX 100000", "7e5b95e5720309aaa7fcd03328fc40d6c88d787d"},
    {"RPUSH list a b 3", "4abf2bf029fb2c4e3ca6a91a76e55159b4fe4cd6"},
    {"SADD set x y z 1", "244e35cae61fe4f79ac66a253f45cbff7a2b1481"},
    {"ZADD zset 1.5 a -2 b 3.140625 c", "8e19d8d9bd471a86998e465649606b9beeb06ad7"},
    {"ZADD zset inf d", "1e2a35077ff4607db86790104fed2d5a9c4da138"},
    {"HSET hash f v g 12", "7c852cac2d01f1a3406a56eaf9d9479232408ffd"},
    {"XADD stream 5-1 f v g w", "e877d411d9ecc7ed446a7219d4393851e69e26bc"},
    {"XADD stream 6-2 f x", "f97dc143dc6175a3a115ad9f04c617150a0c93f4"},
    {"SELECT 3", "f97dc143dc6175a3a115ad9f04c617150a0c93f4"},
    {"SET text hello", "aeccf28fffd8a2bcc620950316e0df7166f226c8"},
    {"PEXPIRE text 100000000", "fc48aabfa5ffa62366652fb03bc37ed570266c01"},
};

struct KeyDigest {
  Bytes key;
  Bytes digest;
};

// DEBUG DIGEST-VALUE of the same keys.
constexpr KeyDigest kKeyDigests[] = {
    {"text", "36b23a1456b2dce2c3ed252c456761301dba8060"},
    {"number", "547a004a370bc71c2d611f010c52f2e7b64c77a4"},
    {"mortal", "311b17018163335616e089f6b951c82c477335ac"},
    {"list", "09eb1fc9381ee92790d59930ab462945f8cd948b"},
    {"set", "3ab38e562ef7db57cfd00e879848f5de7838e48f"},
    {"zset", "071dc09b76e7404b62c660cbdb5d571c28c72493"},
    {"hash", "8530acc75d5274eb0fc0da86f28ed5533274a6d4"},
    {"stream", "9c50b55ac7c6bf44497cf1ff606e6a05a2984252"},
};

// A look at the whole keyspace beside the executor.
struct Look {
  explicit Look(Stage& stage) : guard(stage.keyspace), access(stage.keyspace, stage.limits, none) {
    access.begin(stage.clock.unix_ms(), ExpiryMode::kHide, {}, every_stripe);
  }
  const StripeSet every_stripe = StripeSet::all();
  ExclusiveGuard guard;
  Effects none;
  KeyAccess access;
  View view{access, 0};
};

std::string digest_after(Stage& stage) {
  Look look(stage);
  return digest_text(digest_of_all(look.view.all_stripes(), look.view));
}

TEST(Digest, IsRedissDigest) {
  Stage stage;
  EXPECT_EQ(digest_after(stage), std::string(40, '0'));
  for (const Expected& step : kDigests) {
    stage.run(step.command);
    EXPECT_EQ(digest_after(stage), step.digest) << step.command;
  }
  Look look(stage);
  for (const KeyDigest& expected : kKeyDigests) {
    EXPECT_EQ(digest_text(digest_of_value(*look.view.find(expected.key))), expected.digest)
        << expected.key;
  }
}

TEST(Digest, DoesNotDependOnEncodings) {
  Stage small;
  Stage large;
  large.limits.set_max_intset_entries = 0;
  large.limits.set_max_listpack_entries = 0;
  large.limits.hash_max_listpack_entries = 0;
  large.limits.sorted_set_max_listpack_entries = 0;
  large.limits.list_max_listpack_size = 1;
  large.limits.stream_node_max_entries = 1;
  std::string digests[2];
  for (Stage* stage : {&small, &large}) {
    for (const Expected& step : kDigests) stage->run(step.command);
    digests[stage == &large ? 1 : 0] = digest_after(*stage);
  }
  EXPECT_EQ(small.run("SELECT 0"), "OK");
  EXPECT_EQ(large.run("SELECT 0"), "OK");
  EXPECT_EQ(small.run("OBJECT ENCODING set"), "listpack");
  EXPECT_EQ(large.run("OBJECT ENCODING set"), "hashtable");
  EXPECT_EQ(digests[0], kDigests[std::size(kDigests) - 1].digest);
  EXPECT_EQ(digests[1], digests[0]);
}

TEST(Digest, CountsWhatExpiredAndIsStillThere) {
  Stage stage;
  stage.run("SET a 1 PX 5");
  const std::string before = digest_after(stage);
  stage.clock.now_us += 1'000'000;
  EXPECT_EQ(digest_after(stage), before);
  EXPECT_EQ(stage.run("GET a"), "nil");
  EXPECT_EQ(digest_after(stage), std::string(40, '0'));
}

// As 7.2 has it; 7.0 digests 3.1415926535897931.
TEST(Digest, ScoresHaveTheirShortestText) {
  Stage stage;
  stage.run("ZADD zset 1.5 a -2 b 3.141592653589793 c");
  EXPECT_EQ(digest_after(stage), "4ec337b798bd461c557c151caf9288263f7f793f");
}

}  // namespace
}  // namespace tandem
