#include "commands/testing.h"

namespace tandem {
namespace {

TEST(SortedSets, AddWithAllOptions) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> ZADD z XX 1 a
0
> EXISTS z
0
> ZADD z 1 a 2 b
2
~ ZADD z 1 a 2 b
> ZADD z 1 a
0
> ZADD z CH 3 a 4 c
2
~ ZADD z CH 3 a 4 c
> ZADD z NX 9 a
0
> ZADD z GT 2 a
0
> ZADD z LT CH 2 a
1
~ ZADD z LT CH 2 a
> ZADD z INCR 1.5 a
3.5
~ ZADD z INCR 1.5 a
> ZADD z NX INCR 1 a
nil
> ZINCRBY z -0.5 a
3
~ ZINCRBY z -0.5 a
> ZINCRBY z inf a
inf
~ ZINCRBY z inf a
> ZINCRBY z -inf a
!ERR resulting score is not a number (NaN)
> ZINCRBY z lt a
!ERR syntax error
> ZADD z NX XX 1 a
!ERR XX and NX options at the same time are not compatible
> ZADD z GT NX 1 a
!ERR GT, LT, and/or NX options at the same time are not compatible
> ZADD z INCR 1 a 2 b
!ERR INCR option supports a single increment-element pair
> ZADD z nan a
!ERR value is not a valid float
> ZADD z 1 a 2
!ERR syntax error
)");
}

TEST(SortedSets, Members) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> ZADD z 2 b 4 c 9 a
3
~ ZADD z 2 b 4 c 9 a
> ZREM z a x
1
~ ZREM z a x
> ZREM z x
0
> ZCARD z
2
> ZSCORE z b
2
> ZSCORE z x
nil
> ZMSCORE z b x
[2 nil]
> ZRANK z c
1
> ZREVRANK z c
0
> ZRANK z c WITHSCORE
[1 4]
> ZRANK z x WITHSCORE
nil-array
> ZRANK z x
nil
> ZSCAN z 0
[0 [b 2 c 4]]
)");
}

TEST(SortedSets, Ranges) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> ZADD z 1 a 2 b 3 c 4 d
4
~ ZADD z 1 a 2 b 3 c 4 d
> ZRANGE z 0 -1
[a b c d]
> ZRANGE z 0 1 REV WITHSCORES
[d 4 c 3]
> ZREVRANGE z 1 2
[c b]
> ZRANGE z (1 3 BYSCORE
[b c]
> ZRANGE z +inf 2 BYSCORE REV LIMIT 1 5
[c b]
> ZREVRANGEBYSCORE z 4 (1 LIMIT 0 2
[d c]
> ZRANGEBYSCORE z -inf +inf WITHSCORES LIMIT 1 -1
[b 2 c 3 d 4]
> ZRANGEBYSCORE z 0 9 LIMIT -1 5
[]
> ZCOUNT z (1 4
3
> ZRANGE z 0 -1 LIMIT 0 1
!ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
> ZRANGE z - + BYLEX WITHSCORES
!ERR syntax error, WITHSCORES not supported in combination with BYLEX
> ZRANGE z a b BYSCORE
!ERR min or max is not a float
> ZRANGE z a b BYLEX
!ERR min or max not valid string range item
> ZRANGEBYSCORE z 0 9 REV
!ERR syntax error
> ZADD x 0 a 0 b 0 c 0 d
4
~ ZADD x 0 a 0 b 0 c 0 d
> ZRANGE x [b (d BYLEX
[b c]
> ZRANGE x + [b BYLEX REV LIMIT 1 2
[c b]
> ZREVRANGEBYLEX x + (c
[d]
> ZLEXCOUNT x - +
4
> ZRANGESTORE y z 2 3 BYSCORE
2
~ ZRANGESTORE y z 2 3 BYSCORE
> ZRANGESTORE y z 7 8
0
~ ZRANGESTORE y z 7 8
> ZREMRANGEBYLEX x [a [b
2
~ ZREMRANGEBYLEX x [a [b
> ZREMRANGEBYSCORE z 9 10
0
> ZREMRANGEBYSCORE z 4 10
1
~ ZREMRANGEBYSCORE z 4 10
> ZREMRANGEBYRANK z 0 -1
3
~ ZREMRANGEBYRANK z 0 -1
> EXISTS z
0
)");
}

TEST(SortedSets, Pops) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> ZADD z 1 a 2 b 3 c 4 d
4
~ ZADD z 1 a 2 b 3 c 4 d
> ZPOPMIN z
[a 1]
~ ZPOPMIN z
> ZPOPMAX z 2
[d 4 c 3]
~ ZPOPMAX z 2
> ZPOPMIN z 0
[]
> ZPOPMIN none
[]
> ZPOPMIN z -1
!ERR value is out of range, must be positive
> BZPOPMIN none z 0
[z b 2]
~ ZPOPMIN z
> EXISTS z
0
b> BZPOPMAX z 0
(waits)
> ZADD z 5 x 6 y
2
~ ZADD z 5 x 6 y
~ ZPOPMAX z
b< [z y 6]
b> BZPOPMIN none 0.1
(waits)
+ 200
b< nil-array
)");
}

TEST(SortedSets, PopsFromTheFirstThatIsThere) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> ZADD b 1 a 2 b 3 c 4 d 5 e
5
~ ZADD b 1 a 2 b 3 c 4 d 5 e
> ZMPOP 2 a b MIN
[b [[a 1]]]
~ ZPOPMIN b 1
> ZMPOP 2 a b max count 2
[b [[e 5] [d 4]]]
~ ZPOPMAX b 2
> BZMPOP 0 3 a b c MIN COUNT 100
[b [[b 2] [c 3]]]
~ ZPOPMIN b 2
> EXISTS b
0
> ZMPOP 2 a b MIN
nil-array
> SADD s x
1
~ SADD s x
> ZMPOP 2 a s MIN
!WRONGTYPE Operation against a key holding the wrong kind of value
> BZMPOP 0 2 a s MIN
!WRONGTYPE Operation against a key holding the wrong kind of value
b> BZMPOP 0 2 l m MAX COUNT 2
(waits)
c> BZMPOP 0.25 1 l MIN
(waits)
> ZADD m 1 x 2 y 3 z
3
~ ZADD m 1 x 2 y 3 z
~ ZPOPMAX m 2
b< [m [[z 3] [y 2]]]
+ 300
c< nil-array
> ZMPOP 0 a MIN
!ERR numkeys should be greater than 0
> ZMPOP 2 a MIN
!ERR syntax error
> ZMPOP 1 a LEFT
!ERR syntax error
> ZMPOP 1 a MIN COUNT 0
!ERR count should be greater than 0
> BZMPOP x 1 a MIN COUNT 0
!ERR count should be greater than 0
> BZMPOP x 1 a MIN
!ERR timeout is not a float or out of range
)");
}

TEST(SortedSets, RandomMembers) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> ZRANDMEMBER none
nil
> ZRANDMEMBER none 3 WITHSCORES
[]
> ZADD z 1.5 a
1
~ ZADD z 1.5 a
> ZRANDMEMBER z
a
> ZRANDMEMBER z 0
[]
> ZRANDMEMBER z 5 withscores
[a 1.5]
> ZRANDMEMBER z -3 WITHSCORES
[a 1.5 a 1.5 a 1.5]
> ZADD z 2 b 3 c
2
~ ZADD z 2 b 3 c
> ZRANDMEMBER z 3
[a b c]
> ZRANDMEMBER z 1 y
!ERR syntax error
> ZRANDMEMBER z x WITHSCORES
!ERR value is not an integer or out of range
> ZRANDMEMBER z 1 WITHSCORES y
!ERR syntax error
> ZRANDMEMBER z 4611686018427387904 WITHSCORES
!ERR value is out of range
> SET s 1
OK
~ SET s 1
> ZRANDMEMBER s
!WRONGTYPE Operation against a key holding the wrong kind of value
)");
  stage.client("").protocol = 3;
  EXPECT_EQ(stage.run("ZRANDMEMBER z 3 WITHSCORES"), "[[a ,1.5] [b ,2] [c ,3]]");
  EXPECT_EQ(stage.run("ZMPOP 1 z MIN"), "[z [[a ,1.5]]]");
}

TEST(SortedSets, Resp3PairsAndDoubles) {
  Stage stage;
  stage.client("").protocol = 3;
  EXPECT_TRANSCRIPT(stage, R"(
> ZADD z 1 a 2.5 b
2
~ ZADD z 1 a 2.5 b
> ZRANGE z 0 -1 WITHSCORES
[[a ,1] [b ,2.5]]
> ZSCORE z b
,2.5
> ZPOPMIN z 1
[[a ,1]]
~ ZPOPMIN z 1
> ZPOPMIN z
[b ,2.5]
~ ZPOPMIN z
> HSET h f v
1
~ HSET h f v
> HGETALL h
%[f v]
)");
}

}  // namespace
}  // namespace tandem
