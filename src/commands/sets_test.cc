#if TANDEM_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

#include "commands/testing.h"
#include "data/set.h"

namespace tandem {
namespace {

TEST(Sets, Members) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> SADD s 3 1 2 1
3
~ SADD s 3 1 2 1
> SADD s 1
0
> SMEMBERS s
[1 2 3]
> OBJECT ENCODING s
intset
> SADD s x
1
~ SADD s x
> OBJECT ENCODING s
listpack
> SISMEMBER s x
1
> SMISMEMBER s x y
[1 0]
> SCARD s
4
> SSCAN s 0 MATCH [a-z]
[0 [x]]
> SSCAN none 0
[0 []]
> SREM s x y
1
~ SREM s x y
> SREM s y
0
> SREM s 1 2 3
3
~ SREM s 1 2 3
> EXISTS s
0
)");
}

TEST(Sets, APopIsTheRemovalThatItWas) {
  Stage stage;
  stage.run("SADD s a b c d e f g h");
  stage.effects();
  const std::string one = stage.run("SPOP s");
  EXPECT_EQ(stage.effects(), std::vector<std::string>{"SREM s " + one});
  EXPECT_EQ(stage.run("SISMEMBER s " + one), "0");
  const std::string three = stage.run("SPOP s 3");
  EXPECT_EQ(stage.effects(),
            std::vector<std::string>{"SREM s " + three.substr(1, three.size() - 2)});
  EXPECT_EQ(stage.run("SCARD s"), "4");
  EXPECT_EQ(stage.run("SPOP s 0"), "[]");
  stage.run("SPOP s 4");
  EXPECT_EQ(stage.effects(), std::vector<std::string>{"DEL s"});
  EXPECT_TRANSCRIPT(stage, R"(
> SPOP s
nil
> SPOP s 2
[]
> SPOP s -1
!ERR value is out of range, must be positive
> SADD s only
1
~ SADD s only
> SRANDMEMBER s
only
> SRANDMEMBER s -3
[only only only]
> SRANDMEMBER s 3
[only]
> SRANDMEMBER none
nil
> SRANDMEMBER none 3
[]
> SPOP s
only
~ SREM s only
> EXISTS s
0
)");
}

TEST(Sets, Algebra) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> SADD a 1 2 3 4
4
~ SADD a 1 2 3 4
> SADD b 3 4 5
3
~ SADD b 3 4 5
> SINTER a b
[3 4]
> SINTER a none
[]
> SUNION a b none
[1 2 3 4 5]
> SDIFF a b
[1 2]
> SINTERCARD 2 a b LIMIT 1
1
> SINTERCARD 0 a
!ERR numkeys should be greater than 0
> SINTERSTORE d a b
2
~ SINTERSTORE d a b
> SUNIONSTORE d a b
5
~ SUNIONSTORE d a b
> SDIFFSTORE d a d
0
~ SDIFFSTORE d a d
> SDIFFSTORE d a d
4
~ SDIFFSTORE d a d
> SINTERSTORE d a none
0
~ SINTERSTORE d a none
> SINTERSTORE d a none
0
> SMOVE a b 1
1
~ SMOVE a b 1
> SMOVE a b 1
0
> SET s x
OK
~ SET s x
> SINTER none s
!WRONGTYPE Operation against a key holding the wrong kind of value
> SINTERCARD x a
!ERR numkeys should be greater than 0
> SINTERCARD 3 a b
!ERR Number of keys can't be greater than number of args
> SINTERCARD 2 a b LIMIT -1
!ERR LIMIT can't be negative
> SINTERCARD 2 a b LIMIT 0
2
> SINTERCARD 1 a FOO
!ERR syntax error
> SRANDMEMBER a -9223372036854775808
!ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
> SRANDMEMBER a x y
!ERR syntax error
)");
}

// Some two hundred small sets are taken out of a large one, and a large one out of another.
TEST(Sets, DifferencesOfEverySize) {
  Stage stage;
  std::string all = "SDIFF large";
  for (int i = 0; i < 200; ++i) {
    const std::string member = int64_text(i);
    stage.run("SADD large " + member);
    stage.run("SADD small:" + member + " " + member + " other");
    if (i > 0) all += " small:" + member;
  }
  EXPECT_EQ(stage.run(all), "[0]");
  stage.run("SUNIONSTORE same large small:7");
  EXPECT_EQ(stage.run("SDIFF same large"), "[other]");
  EXPECT_EQ(stage.run("SDIFFSTORE d large same"), "0");
}

// What SINTERSTORE stores goes back to the form that whole numbers have; nothing else does.
TEST(Sets, OnlyAStoredIntersectionBecomesAnIntset) {
  Stage stage;
  stage.run("SADD a 1 2 x");
  stage.run("SADD b 1 2 y");
  stage.run("SINTERSTORE i a b");
  EXPECT_EQ(stage.run("OBJECT ENCODING i"), "intset");
  std::string subtract = "SDIFFSTORE d a";
  for (int i = 0; i < 50; ++i) {
    stage.run("SADD x:" + int64_text(i) + " x");
    subtract += " x:" + int64_text(i);
  }
  EXPECT_EQ(stage.run(subtract), "2");
  EXPECT_EQ(stage.run("OBJECT ENCODING d"), "listpack");
}

#if TANDEM_JEMALLOC
uint64_t allocated_bytes() {
  uint64_t bytes = 0;
  size_t size = sizeof(bytes);
  EXPECT_EQ(mallctl("thread.allocated", &bytes, &size, nullptr, 0), 0);
  return bytes;
}

// What a command allocates tells what it copies.
TEST(Sets, DrawsSomeOfManyWithoutACopyOfTheSet) {
  constexpr int kMembers = 50'000;
  constexpr uint64_t kBytesMax = 64 * 1024;
  Stage stage;
  std::string add = "SADD s";
  for (int i = 0; i < kMembers; ++i) add += " member:" + std::to_string(i);
  stage.run(add);
  stage.effects();
  for (const Bytes draw : {"SPOP s", "SPOP s 3", "SRANDMEMBER s", "SRANDMEMBER s 3"}) {
    const uint64_t before = allocated_bytes();
    stage.run(draw);
    EXPECT_LT(allocated_bytes() - before, kBytesMax) << draw;
    stage.effects();
  }
  EXPECT_EQ(stage.run("SCARD s"), std::to_string(kMembers - 4));
}
#endif

// A count of billions asks for more than any client may be sent.
TEST(Sets, DrawsNoMoreThanTheReplyTakes) {
  const Registry registry{keyspace_rows()};
  Keyspace keyspace{{.databases = 1, .hash_seed = 7}};
  const EncodingLimits limits;
  Effects effects;
  KeyAccess access{keyspace, limits, effects};
  const StripeSet every_stripe = StripeSet::all();
  access.begin(1'000'000, ExpiryMode::kDelete, {}, every_stripe);
  View view(access, 0);
  Edit<Set> set(view, "s");
  for (const Bytes member : {"a", "b", "c"}) set.change_or_create().add(member, limits);
  set.done(event::kSAdd, 3, Effect::none());

  std::string out;
  ReplyWriter reply(out);
  reply.set_bound(1000);
  Random random(1);
  const std::vector<Bytes> args{"SRANDMEMBER", "s", "-1000000"};
  const Command& command = *registry.resolve(args);
  Context context{.command = command,
                  .args = args,
                  .keys = view,
                  .reply = reply,
                  .random = random,
                  .now_ms = access.now_ms()};
  command.row.handler(context);
  EXPECT_TRUE(reply.is_full());

  const uint64_t next = random.next();
  Random same(1);
  int draws = 0;
  while (draws < 1000 && same.next() != next) ++draws;
  EXPECT_LT(draws, 1000);
}

}  // namespace
}  // namespace tandem
