#include "commands/testing.h"
#include "data/hash.h"

namespace tandem {
namespace {

TEST(Hashes, Fields) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> HSET h a 1 b 2
2
~ HSET h a 1 b 2
> HSET h a 1
0
~ HSET h a 1
> HSET h a
!ERR wrong number of arguments for 'hset' command
> HMSET h c 3
OK
~ HMSET h c 3
> HSETNX h c 4
0
> HSETNX h d 4
1
~ HSETNX h d 4
> HGET h c
3
> HGET h x
nil
> HMGET h a x
[1 nil]
> HGETALL h
[a 1 b 2 c 3 d 4]
> HKEYS h
[a b c d]
> HVALS h
[1 2 3 4]
> HLEN h
4
> HEXISTS h a
1
> HSTRLEN h a
1
> HSCAN h 0 MATCH [ab]
[0 [a 1 b 2]]
> HDEL h a x
1
~ HDEL h a x
> HDEL h x
0
> HDEL h b c d
3
~ HDEL h b c d
> EXISTS h
0
> HGETALL none
[]
)");
}

// However it came to be: a key with a small hash is one allocation after each command.
TEST(Hashes, ASmallHashLiesInItsEntry) {
  Stage stage;
  for (const char* command :
       {"HSET h a 1 b 2", "HSET h c three", "HSETNX h d 4", "HINCRBY h a 1000", "HDEL h b",
        "HINCRBYFLOAT h a 0.5", "EXPIRE h 100", "HSET h e 5", "PERSIST h", "HMSET h f six",
        "COPY h g", "RENAME g h", "HSET h a 2"}) {
    stage.run(command);
    const Entry* entry = stage.keyspace.find(0, "h");
    ASSERT_NE(entry, nullptr) << command;
    EXPECT_TRUE(entry->as<Hash>().is_lent()) << command;
  }
}

TEST(Hashes, Counters) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> HINCRBY h n 5
5
~ HINCRBY h n 5
> HINCRBYFLOAT h n 0.1
5.1
~ HSET h n 5.1
> HINCRBY h n 1
!ERR hash value is not an integer
> HINCRBYFLOAT h n inf
!ERR value is NaN or Infinity
> HSET h t x
1
~ HSET h t x
> HINCRBYFLOAT h t 1
!ERR hash value is not a float
> HSET h n 9223372036854775807
0
~ HSET h n 9223372036854775807
> HINCRBY h n 1
!ERR increment or decrement would overflow
)");
}

TEST(Hashes, RandomFields) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> HRANDFIELD none
nil
> HRANDFIELD none 3 WITHVALUES
[]
> HSET h a 1
1
~ HSET h a 1
> HRANDFIELD h
a
> HRANDFIELD h 0
[]
> HRANDFIELD h 5
[a]
> HRANDFIELD h 5 withvalues
[a 1]
> HRANDFIELD h -3 WITHVALUES
[a 1 a 1 a 1]
> HSET h b 2 c 3
2
~ HSET h b 2 c 3
> HRANDFIELD h 3 WITHVALUES
[a 1 b 2 c 3]
> HRANDFIELD h x y
!ERR value is not an integer or out of range
> HRANDFIELD h 1 y
!ERR syntax error
> HRANDFIELD h 1 WITHVALUES y
!ERR syntax error
> HRANDFIELD h -9223372036854775808
!ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
> HRANDFIELD h -9223372036854775807 WITHVALUES
!ERR value is out of range
> HRANDFIELD h 4611686018427387904 WITHVALUES
!ERR value is out of range
> HRANDFIELD none 4611686018427387903 WITHVALUES
[]
> SET s 1
OK
~ SET s 1
> HRANDFIELD s
!WRONGTYPE Operation against a key holding the wrong kind of value
)");
  stage.client("").protocol = 3;
  EXPECT_EQ(stage.run("HRANDFIELD h 3 WITHVALUES"), "[[a 1] [b 2] [c 3]]");
  EXPECT_EQ(stage.run("HRANDFIELD h 3"), "[a b c]");
}

// Two of three, each time with the value that belongs to the field, and each field sometimes.
TEST(Hashes, RandomFieldsAreAllOfThemSometimes) {
  Stage stage;
  stage.run("HSET h a 1 b 2 c 3");
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(stage.run("HRANDFIELD h 2 WITHVALUES"));
  EXPECT_EQ(seen, (std::set<std::string>{"[a 1 b 2]", "[a 1 c 3]", "[b 2 c 3]"}));
  seen.clear();
  for (int i = 0; i < 100; ++i) seen.insert(stage.run("HRANDFIELD h"));
  EXPECT_EQ(seen, (std::set<std::string>{"a", "b", "c"}));
}

}  // namespace
}  // namespace tandem
