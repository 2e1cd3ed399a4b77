#include "commands/testing.h"

namespace tandem {
namespace {

TEST(Strings, SetReplicatesAbsoluteTimes) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> SET k v
OK
~ SET k v
> SET k v EX 10
OK
~ SET k v PXAT 1010000
> SET k v PX 10 GET
v
~ SET k v PXAT 1000010
> SET k v EXAT 2000
OK
~ SET k v PXAT 2000000
> SET k w KEEPTTL
OK
~ SET k w KEEPTTL
> PTTL k
1000000
> SET k x GET
w
~ SET k x
> TTL k
-1
> SETEX k 5 v
OK
~ SET k v PXAT 1005000
> PSETEX k 5 v
OK
~ SET k v PXAT 1000005
+ 6
> GET k
nil
~ DEL k
)");
}

TEST(Strings, SetOnlyIf) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> SET k v XX
nil
> SET k v NX
OK
~ SET k v
> SET k w NX
nil
> SET k w NX GET
v
> SET k w XX EX 1
OK
~ SET k w PXAT 1001000
> SETNX k z
0
> SETNX l z
1
~ SETNX l z
> GETSET l y
z
~ SET l y
)");
}

TEST(Strings, SetRefusesWhatRedisRefuses) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> SET k v NX XX
!ERR syntax error
> SET k v EX
!ERR syntax error
> SET k v EX 1 PX 1
!ERR syntax error
> SET k v EX 1 KEEPTTL
!ERR syntax error
> SET k v EX x
!ERR value is not an integer or out of range
> SET k v EX 0
!ERR invalid expire time in 'set' command
> SETEX k -1 v
!ERR invalid expire time in 'setex' command
> SET k v EX 9223372036854775807
!ERR invalid expire time in 'set' command
> SET k v PX 9223372036854775807
!ERR invalid expire time in 'set' command
> SET k v EX 1 EX 2
OK
~ SET k v PXAT 1002000
> GETEX k EX 0
!ERR invalid expire time in 'getex' command
> GETEX k NX
!ERR syntax error
)");
}

TEST(Strings, GetexAndGetdelSayWhatTheyDid) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> GETEX k
nil
> SET k v
OK
~ SET k v
> GETEX k
v
> GETEX k PERSIST
v
> GETEX k EX 7
v
~ PEXPIREAT k 1007000
> GETEX k PERSIST
v
~ PERSIST k
> GETEX k PXAT 5
v
~ DEL k
> SET k v
OK
~ SET k v
> GETDEL k
v
~ DEL k
> GETDEL k
nil
)");
}

TEST(Strings, PartsOfStrings) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> APPEND k ab
2
~ APPEND k ab
> APPEND k cd
4
~ APPEND k cd
> STRLEN k
4
> GETRANGE k 1 2
bc
> GETRANGE k -2 -1
cd
> GETRANGE k 3 1
""
> SETRANGE k 1 XY
4
~ SETRANGE k 1 XY
> SETRANGE k 0 ""
4
> SETRANGE none 3 ""
0
> SETRANGE k -1 x
!ERR offset is out of range
> SETRANGE k 536870912 x
!ERR string exceeds maximum allowed size (proto-max-bulk-len)
> GET k
aXYd
)");
}

TEST(Strings, SeveralAtOnce) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> MSET a 1 b 2
OK
~ MSET a 1 b 2
> MSETNX c 3 a 4
0
> MSETNX c 3 d 4
1
~ MSETNX c 3 d 4
> MGET a c none
[1 3 nil]
> MSET a 1 b
!ERR wrong number of arguments for 'mset' command
)");
}

TEST(Counters, CountAndRefuse) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> INCR n
1
~ INCR n
> DECRBY n 5
-4
~ DECRBY n 5
> SET n 9223372036854775807
OK
~ SET n 9223372036854775807
> INCR n
!ERR increment or decrement would overflow
> DECRBY n -9223372036854775808
!ERR decrement would overflow
> SET n " 1"
OK
~ SET n " 1"
> INCR n
!ERR value is not an integer or out of range
> SET n 3.0e3 EX 10
OK
~ SET n 3.0e3 PXAT 1010000
> INCRBYFLOAT n 0.25
3000.25
~ SET n 3000.25 KEEPTTL
> TTL n
10
> INCRBYFLOAT n x
!ERR value is not a valid float
> INCRBYFLOAT m 0.1
0.1
~ SET m 0.1 KEEPTTL
> INCRBYFLOAT m 0.2
0.3
~ SET m 0.3 KEEPTTL
)");
}

}  // namespace
}  // namespace tandem
