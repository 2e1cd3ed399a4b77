#include "commands/testing.h"

namespace tandem {
namespace {

// Two sorted sets and a plain one.
class SortedSetAlgebra : public testing::Test {
 protected:
  void SetUp() override {
    stage.run("ZADD a 1 x 2 y 3 z");
    stage.run("ZADD b 10 y 20 z 30 w");
    stage.run("SADD s x y v");
    stage.run("SET text 1");
    stage.effects();
  }

  Stage stage;
};

TEST_F(SortedSetAlgebra, Unions) {
  EXPECT_TRANSCRIPT(stage, R"(
> ZUNION 2 a b
[x y z w]
> ZUNION 2 a b WITHSCORES
[x 1 y 12 z 23 w 30]
> ZUNION 3 a b s WITHSCORES
[v 1 x 2 y 13 z 23 w 30]
> ZUNION 2 a b WEIGHTS 2 0.5 WITHSCORES
[x 2 y 9 w 15 z 16]
> ZUNION 2 a b aggregate min withscores
[x 1 y 2 z 3 w 30]
> ZUNION 2 a b AGGREGATE MAX WITHSCORES
[x 1 y 10 z 20 w 30]
> ZUNION 2 a a WITHSCORES
[x 2 y 4 z 6]
> ZUNION 2 none nosuch
[]
> ZUNION 2 a none WEIGHTS -1 7 WITHSCORES
[z -3 y -2 x -1]
> ZUNION 2 a b WEIGHTS 9 9 WEIGHTS 1 1 AGGREGATE MIN AGGREGATE SUM WITHSCORES WITHSCORES
[x 1 y 12 z 23 w 30]
> ZUNIONSTORE d 2 a b WEIGHTS 1 2
4
~ ZUNIONSTORE d 2 a b WEIGHTS 1 2
> ZRANGE d 0 -1 WITHSCORES
[x 1 y 22 z 43 w 60]
> ZUNIONSTORE d 2 d a AGGREGATE MIN
4
~ ZUNIONSTORE d 2 d a AGGREGATE MIN
> ZRANGE d 0 -1 WITHSCORES
[x 1 y 2 z 3 w 60]
> ZUNIONSTORE d 1 none
0
~ ZUNIONSTORE d 1 none
> ZUNIONSTORE d 1 none
0
> ZUNIONSTORE text 1 a
3
~ ZUNIONSTORE text 1 a
> TYPE text
zset
)");
}

TEST_F(SortedSetAlgebra, Intersections) {
  EXPECT_TRANSCRIPT(stage, R"(
> ZINTER 2 a b
[y z]
> ZINTER 2 a b WITHSCORES
[y 12 z 23]
> ZINTER 3 a b s WITHSCORES
[y 13]
> ZINTER 2 a b WEIGHTS 10 1 AGGREGATE MAX WITHSCORES
[y 20 z 30]
> ZINTER 2 a a WITHSCORES
[x 2 y 4 z 6]
> ZINTER 2 a none
[]
> ZINTERSTORE d 2 a b AGGREGATE MIN
2
~ ZINTERSTORE d 2 a b AGGREGATE MIN
> ZRANGE d 0 -1 WITHSCORES
[y 2 z 3]
> ZINTERSTORE d 2 a none
0
~ ZINTERSTORE d 2 a none
> ZINTERCARD 2 a b
2
> ZINTERCARD 2 a b LIMIT 1
1
> ZINTERCARD 2 a b LIMIT 1 limit 0
2
> ZINTERCARD 2 a none
0
)");
}

TEST_F(SortedSetAlgebra, Differences) {
  EXPECT_TRANSCRIPT(stage, R"(
> ZDIFF 2 a b
[x]
> ZDIFF 2 b a WITHSCORES
[w 30]
> ZDIFF 1 a WITHSCORES
[x 1 y 2 z 3]
> ZDIFF 2 a s WITHSCORES
[z 3]
> ZDIFF 2 s a WITHSCORES
[v 1]
> ZDIFF 2 a a
[]
> ZDIFF 2 none a
[]
> ZDIFFSTORE d 2 a b
1
~ ZDIFFSTORE d 2 a b
> ZRANGE d 0 -1 WITHSCORES
[x 1]
> ZDIFFSTORE a 2 a s
1
~ ZDIFFSTORE a 2 a s
> ZRANGE a 0 -1
[z]
> ZDIFFSTORE a 2 a a
0
~ ZDIFFSTORE a 2 a a
)");
}

TEST_F(SortedSetAlgebra, DifferenceToManySmallSets) {
  std::string command = "ZDIFF 41 a";
  for (int i = 0; i < 40; ++i) {
    const std::string key = "small:" + std::to_string(i);
    stage.run("ZADD " + key + " 1 z 2 other");
    command += " " + key;
  }
  EXPECT_EQ(stage.run(command + " WITHSCORES"), "[x 1 y 2]");
}

// Infinities, and what is no number among their sums and products.
TEST_F(SortedSetAlgebra, ScoresBeyondNumbers) {
  EXPECT_TRANSCRIPT(stage, R"(
> ZADD i inf x -inf z
2
~ ZADD i inf x -inf z
> ZADD j -inf x -inf z
2
~ ZADD j -inf x -inf z
> ZUNION 2 i j WITHSCORES
[z -inf x 0]
> ZINTER 2 i j WITHSCORES
[z -inf x 0]
> ZINTER 2 a i WEIGHTS inf 1 WITHSCORES
[z 0 x inf]
> ZUNION 2 a i WEIGHTS 1 0 WITHSCORES
[x 1 y 2 z 3]
> ZINTER 2 a i WEIGHTS 1 0 AGGREGATE MAX WITHSCORES
[x 1 z 3]
> ZADD zero 0 x
1
~ ZADD zero 0 x
> ZUNION 1 zero WEIGHTS -1 WITHSCORES
[x -0]
)");
}

// The keys are looked at before the options.
TEST_F(SortedSetAlgebra, IsCheckedAsInRedis) {
  struct Refused {
    Bytes command;
    Bytes error;
  };
  constexpr Bytes kSyntax = "!ERR syntax error";
  constexpr Bytes kType = "!WRONGTYPE Operation against a key holding the wrong kind of value";
  constexpr Refused kRefused[] = {
      {"ZUNION 0 a", "!ERR at least 1 input key is needed for 'zunion' command"},
      {"ZINTERSTORE d -1 a", "!ERR at least 1 input key is needed for 'zinterstore' command"},
      {"ZINTERCARD 0 a", "!ERR at least 1 input key is needed for 'zintercard' command"},
      {"ZDIFF x a", "!ERR value is not an integer or out of range"},
      {"ZUNION 3 a b", kSyntax},
      {"ZUNION 9223372036854775807 a", kSyntax},
      {"ZUNION 1 text FOO", kType},
      {"ZDIFF 2 a text", kType},
      {"ZUNION 1 a FOO", kSyntax},
      {"ZUNION 2 a b WEIGHTS 1", kSyntax},
      {"ZUNION 1 a WEIGHTS x", "!ERR weight value is not a float"},
      {"ZUNION 1 a WEIGHTS nan", "!ERR weight value is not a float"},
      {"ZUNION 1 a AGGREGATE", kSyntax},
      {"ZUNION 1 a AGGREGATE AVG", kSyntax},
      {"ZUNION 1 a LIMIT 1", kSyntax},
      {"ZUNIONSTORE d 1 a WITHSCORES", kSyntax},
      {"ZDIFF 1 a WEIGHTS 1", kSyntax},
      {"ZDIFF 1 a AGGREGATE MIN", kSyntax},
      {"ZDIFFSTORE d 1 a WITHSCORES", kSyntax},
      {"ZINTERCARD 1 a LIMIT -1", "!ERR LIMIT can't be negative"},
      {"ZINTERCARD 1 a LIMIT x", "!ERR LIMIT can't be negative"},
      {"ZINTERCARD 1 a LIMIT", kSyntax},
      {"ZINTERCARD 1 a WITHSCORES", kSyntax},
      {"ZINTERCARD 1 a WEIGHTS 1", kSyntax},
  };
  for (const Refused& refused : kRefused) {
    EXPECT_EQ(stage.run(refused.command), refused.error) << refused.command;
  }
  EXPECT_TRUE(stage.effects().empty());
}

TEST_F(SortedSetAlgebra, StoresInTheFormThatFits) {
  stage.run("ZUNIONSTORE d 2 a b");
  EXPECT_EQ(stage.run("OBJECT ENCODING d"), "listpack");
  std::string add = "ZADD large";
  for (int i = 0; i < 200; ++i) add += " 1 " + std::to_string(i);
  stage.run(add);
  stage.run("ZUNIONSTORE d 2 a large");
  EXPECT_EQ(stage.run("OBJECT ENCODING d"), "skiplist");
  stage.run("ZINTERSTORE d 2 a a");
  EXPECT_EQ(stage.run("OBJECT ENCODING d"), "listpack");
}

TEST_F(SortedSetAlgebra, PairsInResp3) {
  stage.client("").protocol = 3;
  EXPECT_EQ(stage.run("ZUNION 2 a b WITHSCORES"), "[[x ,1] [y ,12] [z ,23] [w ,30]]");
  EXPECT_EQ(stage.run("ZINTER 2 a b"), "[y z]");
  EXPECT_EQ(stage.run("ZDIFF 2 a b WITHSCORES"), "[[x ,1]]");
}

}  // namespace
}  // namespace tandem
