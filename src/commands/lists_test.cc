#include "commands/testing.h"

namespace tandem {
namespace {

TEST(Lists, PushAndPop) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> LPUSHX l a
0
> RPUSH l a b c
3
~ RPUSH l a b c
> LPUSH l z
4
~ LPUSH l z
> LRANGE l 0 -1
[z a b c]
> LRANGE l 1 -2
[a b]
> LRANGE l 3 1
[]
> LPOP l
z
~ LPOP l
> LPOP l 0
[]
> RPOP l 2
[c b]
~ RPOP l 2
> LLEN l
1
> LPOP l 9
[a]
~ LPOP l 9
> EXISTS l
0
> LPOP l
nil
> LPOP l 1
nil-array
> LPOP l -1
!ERR value is out of range, must be positive
> LPOP l 1 1
!ERR wrong number of arguments for 'lpop' command
> SET s x
OK
~ SET s x
> LPUSH s x
!WRONGTYPE Operation against a key holding the wrong kind of value
)");
}

TEST(Lists, Elements) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> RPUSH l a b a c a
5
~ RPUSH l a b a c a
> LINDEX l -2
c
> LINDEX l 9
nil
> LSET l 1 x
OK
~ LSET l 1 x
> LSET l 9 x
!ERR index out of range
> LSET none 0 x
!ERR no such key
> LINSERT l BEFORE x y
6
~ LINSERT l BEFORE x y
> LINSERT l AFTER nothing y
-1
> LINSERT none AFTER x y
0
> LREM l -2 a
2
~ LREM l -2 a
> LREM l 0 nothing
0
> LRANGE l 0 -1
[a y x c]
> LTRIM l 0 -1
OK
> LTRIM l 1 2
OK
~ LTRIM l 1 2
> LRANGE l 0 -1
[y x]
> LTRIM l 5 9
OK
~ LTRIM l 5 9
> EXISTS l
0
)");
}

TEST(Lists, Moves) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> RPUSH a 1 2 3
3
~ RPUSH a 1 2 3
> LMOVE a b LEFT RIGHT
1
~ LMOVE a b LEFT RIGHT
> RPOPLPUSH a a
3
~ RPOPLPUSH a a
> LRANGE a 0 -1
[3 2]
> BLMOVE a b RIGHT LEFT 0
2
~ LMOVE a b RIGHT LEFT
> BRPOPLPUSH a b 0
3
~ RPOPLPUSH a b
> LRANGE b 0 -1
[3 2 1]
> EXISTS a
0
> LMOVE a b LEFT UP
!ERR syntax error
> LMOVE a b LEFT LEFT
nil
> RPOPLPUSH a b
nil
> BLPOP none b 0
[b 3]
~ LPOP b
> BRPOP b 0
[b 1]
~ RPOP b
> BLPOP b x
!ERR timeout is not a float or out of range
> BLPOP b -1
!ERR timeout is negative
> BLPOP b 1e30
!ERR timeout is out of range
)");
}

TEST(Lists, PopsFromTheFirstThatIsThere) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> RPUSH b 1 2 3 4 5
5
~ RPUSH b 1 2 3 4 5
> LMPOP 2 a b LEFT
[b [1]]
~ LPOP b 1
> LMPOP 2 a b right count 2
[b [5 4]]
~ RPOP b 2
> BLMPOP 0 3 a b c LEFT COUNT 100
[b [2 3]]
~ LPOP b 2
> EXISTS b
0
> LMPOP 2 a b LEFT
nil-array
> SET s x
OK
~ SET s x
> LMPOP 2 a s LEFT
!WRONGTYPE Operation against a key holding the wrong kind of value
> BLMPOP 0 2 a s LEFT
!WRONGTYPE Operation against a key holding the wrong kind of value
> RPUSH b 1
1
~ RPUSH b 1
> BLMPOP 0 2 b s RIGHT
[b [1]]
~ RPOP b 1
)");
}

struct Refused {
  Bytes command;
  Bytes error;
};

// In the order in which Redis looks: numkeys, the end, COUNT, and the timeout last.
TEST(Lists, PopsFromTheFirstAreCheckedAsInRedis) {
  constexpr Bytes kKeyCount = "!ERR numkeys should be greater than 0";
  constexpr Bytes kSyntax = "!ERR syntax error";
  constexpr Bytes kCount = "!ERR count should be greater than 0";
  constexpr Refused kRefused[] = {
      {"LMPOP 0 a LEFT", kKeyCount},
      {"LMPOP x a LEFT", kKeyCount},
      {"LMPOP 9223372036854775808 a LEFT", kKeyCount},
      {"LMPOP 9223372036854775807 a LEFT", kSyntax},
      {"LMPOP 2 a LEFT", kSyntax},
      {"LMPOP 3 a LEFT", kSyntax},
      {"LMPOP 1 a UP", kSyntax},
      {"LMPOP 1 a LEFT x", kSyntax},
      {"LMPOP 1 a LEFT COUNT", kSyntax},
      {"LMPOP 1 a LEFT COUNT 0", kCount},
      {"LMPOP 1 a LEFT COUNT x", kCount},
      {"LMPOP 1 a LEFT COUNT 0 x", kCount},
      {"LMPOP 1 a LEFT COUNT 1 COUNT 1", kSyntax},
      {"BLMPOP x 0 a LEFT", kKeyCount},
      {"BLMPOP x 1 a UP", kSyntax},
      {"BLMPOP x 1 a LEFT COUNT 0", kCount},
      {"BLMPOP x 1 a LEFT", "!ERR timeout is not a float or out of range"},
      {"BLMPOP -1 1 a LEFT", "!ERR timeout is negative"},
  };
  Stage stage;
  for (const Refused& refused : kRefused) {
    EXPECT_EQ(stage.run(refused.command), refused.error) << refused.command;
  }
}

TEST(Lists, WhoWaitsForSeveralElementsGetsThem) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
b> BLMPOP 0 2 l m RIGHT COUNT 2
(waits)
c> BLMPOP 0.25 1 l LEFT
(waits)
> RPUSH m 1 2 3
3
~ RPUSH m 1 2 3
~ RPOP m 2
b< [m [3 2]]
+ 300
c< nil-array
> MULTI
OK
> BLMPOP 0 1 none LEFT
QUEUED
> BLMPOP 0 1 m LEFT
QUEUED
> EXEC
[nil-array [m [1]]]
~ LPOP m 1
)");
}

TEST(Lists, WhoWaitsIsServedInOrder) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
b> BLPOP l m 0
(waits)
c> BRPOP m 0
(waits)
> RPUSH m 1 2 3
3
~ RPUSH m 1 2 3
~ LPOP m
~ RPOP m
b< [m 1]
c< [m 3]
b> BLMOVE q r LEFT LEFT 0.5
(waits)
c> BLPOP q 0.25
(waits)
+ 300
c< nil-array
+ 300
b< nil-array
b> BLMOVE q r LEFT LEFT 0
(waits)
> LPUSH q x
1
~ LPUSH q x
~ LMOVE q r LEFT LEFT
b< x
> MULTI
OK
> BLPOP none 0
QUEUED
> BLMOVE none r LEFT LEFT 0
QUEUED
> EXEC
[nil-array nil]
)");
}

}  // namespace
}  // namespace tandem
