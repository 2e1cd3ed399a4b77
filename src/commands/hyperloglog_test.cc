#include "commands/testing.h"

namespace tandem {
namespace {

TEST(HyperLogLogs, AddCountAndMerge) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> PFADD h
1
~ PFADD h
> PFADD h
0
> PFADD h a b c
1
~ PFADD h a b c
> PFADD h a c
0
> PFCOUNT h
3
~ PFCOUNT h
# the count is known now, until something new comes
> PFCOUNT h
3
> PFADD h a
0
> PFCOUNT h
3
> PFADD h d
1
~ PFADD h d
> PFCOUNT h
4
~ PFCOUNT h
> PFADD g d e
1
~ PFADD g d e
> PFCOUNT h g none
5
> PFCOUNT none
0
> PFCOUNT none none
0
> PFMERGE m h g
OK
~ PFMERGE m h g
> PFCOUNT m
5
~ PFCOUNT m
> PFMERGE m
OK
~ PFMERGE m
> PFCOUNT m
5
~ PFCOUNT m
> PFMERGE fresh none
OK
~ PFMERGE fresh none
> STRLEN fresh
18
> OBJECT ENCODING fresh
raw
)");
}

TEST(HyperLogLogs, KeepTheirExpiry) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> PFADD h a
1
~ PFADD h a
> EXPIRE h 100
1
~ PEXPIREAT h 1100000
> PFADD h b
1
~ PFADD h b
> PFMERGE h none
OK
~ PFMERGE h none
> PFCOUNT h
2
~ PFCOUNT h
> TTL h
100
)");
}

// A changed count is a change of the key, though nobody is told of it.
TEST(HyperLogLogs, AKeptCountIsAChange) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> PFADD h a
1
~ PFADD h a
> WATCH h
OK
b> PFCOUNT h
1
~ PFCOUNT h
> MULTI
OK
> EXISTS h
QUEUED
> EXEC
nil-array
)");
}

TEST(HyperLogLogs, SparseOnesBecomeDenseAtTheLimit) {
  Stage stage;
  stage.engine.limits.hyperloglog_sparse_max_bytes = 30;
  EXPECT_TRANSCRIPT(stage, R"(
> PFADD h 1
1
~ PFADD h 1
> STRLEN h
21
> PFADD h 2 3 4 5 6
1
~ PFADD h 2 3 4 5 6
> STRLEN h
12304
> PFADD h 6
0
> PFADD h 7
1
~ PFADD h 7
> PFCOUNT h
7
~ PFCOUNT h
> PFADD small 8
1
~ PFADD small 8
> PFMERGE small h
OK
~ PFMERGE small h
> STRLEN small
12304
> PFCOUNT small
8
~ PFCOUNT small
)");
}

TEST(HyperLogLogs, RefuseWhatIsNone) {
  Stage stage;
  // A head without registers.
  stage.run(R"(SET c "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80")");
  (void)stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> SET s text
OK
~ SET s text
> SET n 12
OK
~ SET n 12
> LPUSH l a
1
~ LPUSH l a
> PFADD h a
1
~ PFADD h a
> PFADD s a
!WRONGTYPE Key is not a valid HyperLogLog string value.
> PFCOUNT s
!WRONGTYPE Key is not a valid HyperLogLog string value.
> PFCOUNT h n
!WRONGTYPE Key is not a valid HyperLogLog string value.
> PFMERGE n h
!WRONGTYPE Key is not a valid HyperLogLog string value.
> PFMERGE fresh h s
!WRONGTYPE Key is not a valid HyperLogLog string value.
> PFADD l a
!WRONGTYPE Operation against a key holding the wrong kind of value
> PFCOUNT h l
!WRONGTYPE Operation against a key holding the wrong kind of value
> PFMERGE l h
!WRONGTYPE Operation against a key holding the wrong kind of value
> EXISTS fresh
0
> OBJECT ENCODING c
embstr
> PFADD c
0
> OBJECT ENCODING c
raw
> PFADD c a
!INVALIDOBJ Corrupted HLL object detected
> PFCOUNT c
!INVALIDOBJ Corrupted HLL object detected
> PFCOUNT h c
!INVALIDOBJ Corrupted HLL object detected
> PFMERGE fresh c
!INVALIDOBJ Corrupted HLL object detected
> EXISTS fresh
0
)");
}

}  // namespace
}  // namespace tandem
