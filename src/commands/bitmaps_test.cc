#include "commands/testing.h"

namespace tandem {
namespace {

TEST(Bitmaps, BitsAreSetAndRead) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> SETBIT k 7 1
0
~ SETBIT k 7 1
> SETBIT k 7 1
1
> OBJECT ENCODING k
raw
> SETBIT k 20 0
0
~ SETBIT k 20 0
> STRLEN k
3
> SETBIT k 3 0
0
> GETBIT k 7
1
> GETBIT k 100000
0
> GETBIT none 0
0
# what changes nothing makes a text of a number all the same
> SET n 1
OK
~ SET n 1
> SETBIT n 2 1
1
> OBJECT ENCODING n
raw
> SETBIT n 7 0
1
~ SETBIT n 7 0
> GET n
0
)");
}

TEST(Bitmaps, RefuseWhatRedisRefuses) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> LPUSH l a
1
~ LPUSH l a
> SETBIT k x 1
!ERR bit offset is not an integer or out of range
> SETBIT k -1 1
!ERR bit offset is not an integer or out of range
> SETBIT k #1 1
!ERR bit offset is not an integer or out of range
> SETBIT k 4294967296 1
!ERR bit offset is not an integer or out of range
> SETBIT k 1 2
!ERR bit is not an integer or out of range
> SETBIT l 1 x
!ERR bit is not an integer or out of range
> SETBIT l 1 1
!WRONGTYPE Operation against a key holding the wrong kind of value
> GETBIT l x
!ERR bit offset is not an integer or out of range
> GETBIT l 1
!WRONGTYPE Operation against a key holding the wrong kind of value
> GETBIT k 4294967295
0
> BITCOUNT l
!WRONGTYPE Operation against a key holding the wrong kind of value
> BITPOS l 1
!WRONGTYPE Operation against a key holding the wrong kind of value
> BITPOS l 2
!ERR The bit argument must be 1 or 0.
> BITPOS l x
!ERR value is not an integer or out of range
> BITOP AND k l
!WRONGTYPE Operation against a key holding the wrong kind of value
> BITOP NAND k l
!ERR syntax error
> BITOP NOT k l l
!ERR BITOP NOT must be called with a single source key.
)");
}

TEST(Bitmaps, RefuseRangesThatAreNone) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> SET k ab
OK
~ SET k ab
> BITCOUNT k 0
!ERR syntax error
> BITCOUNT k 0 1 BITS
!ERR syntax error
> BITCOUNT k 0 1 BIT x
!ERR syntax error
> BITCOUNT k 0 x
!ERR value is not an integer or out of range
> BITPOS k 1 x
!ERR value is not an integer or out of range
> BITPOS k 1 0 BIT
!ERR value is not an integer or out of range
> BITPOS k 1 0 1 BITS
!ERR syntax error
> BITPOS k 1 0 1 BIT x
!ERR syntax error
> BITPOS k 1 x 1 BIT x
!ERR syntax error
> BITPOS k 1 0 x BITS
!ERR syntax error
> BITCOUNT k -1 -2 BITS
0
# of an absent key anything may be asked
> BITCOUNT none x
0
> BITPOS none 0 x y z w
0
> BITPOS none 1
-1
)");
}

TEST(Bitmaps, AreCountedAndSearchedInRanges) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> BITFIELD k SET u24 0 65520
[0]
~ BITFIELD k SET u24 0 65520
> BITCOUNT k
12
> BITCOUNT k 0 -1
12
> BITCOUNT k 1 1
8
> BITCOUNT k 10 -6 BIT
9
> BITCOUNT k -5 -10
0
> BITCOUNT k 2 1
0
> BITPOS k 1
8
> BITPOS k 0
0
> BITPOS k 0 1
20
> BITPOS k 0 1 1
-1
> BITPOS k 1 -4 -1 BIT
-1
> BITPOS k 1 2 -1 BYTE
16
> BITPOS k 0 9 -1 BIT
20
> BITPOS k 1 5
-1
> BITFIELD f SET u8 0 255
[0]
~ BITFIELD f SET u8 0 255
> BITPOS f 0
8
> BITPOS f 0 0
8
> BITPOS f 0 0 -1
-1
> SET e ""
OK
~ SET e ""
> BITPOS e 0
-1
> BITCOUNT e
0
)");
}

TEST(Bitmaps, AreCombined) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> MSET a abc b "`" num 12
OK
~ MSET a abc b ` num 12
> SET d old EX 100
OK
~ SET d old PXAT 1100000
> BITOP OR d a b none
3
~ BITOP OR d a b none
> GET d
abc
> TTL d
-1
> BITOP XOR d d num
3
~ BITOP XOR d d num
> GET d
PPc
> BITOP NOT d d
3
~ BITOP NOT d d
> BITOP not d d
3
~ BITOP not d d
> GET d
PPc
> OBJECT ENCODING d
raw
> BITOP AND d a none
3
~ BITOP AND d a none
> BITCOUNT d
0
> BITOP AND d none
0
~ BITOP AND d none
> EXISTS d
0
> BITOP AND d none
0
> LPUSH l a
1
~ LPUSH l a
> BITOP OR l b
1
~ BITOP OR l b
> GET l
`
)");
}

TEST(Bitfield, ReadsAndWritesNumbers) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> BITFIELD k SET u8 0 5 GET u8 0 INCRBY u8 0 5 GET u16 0 OVERFLOW SAT INCRBY u8 0 255
[0 5 10 2560 255]
~ BITFIELD k SET u8 0 5 GET u8 0 INCRBY u8 0 5 GET u16 0 OVERFLOW SAT INCRBY u8 0 255
> BITFIELD k SET i4 #3 -3 GET u4 12
[0 13]
~ BITFIELD k SET i4 #3 -3 GET u4 12
> BITFIELD_RO k GET i4 #3 GET u63 1000
[-3 0]
> BITFIELD k SET u8 0 255
[255]
> BITFIELD k
[]
> BITFIELD none GET i64 0
[0]
> EXISTS none
0
)");
}

TEST(Bitfield, OverflowsAsItIsTold) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> BITFIELD k SET u8 0 300 OVERFLOW FAIL INCRBY u8 0 212 OVERFLOW WRAP INCRBY u8 0 213
[0 nil 1]
~ BITFIELD k SET u8 0 300 OVERFLOW FAIL INCRBY u8 0 212 OVERFLOW WRAP INCRBY u8 0 213
> BITFIELD k OVERFLOW SAT INCRBY u8 0 -9223372036854775808 SET u8 8 -1 GET u8 8
[0 0 255]
~ BITFIELD k OVERFLOW SAT INCRBY u8 0 -9223372036854775808 SET u8 8 -1 GET u8 8
> BITFIELD s SET i8 0 200 INCRBY i8 0 -100 OVERFLOW SAT INCRBY i8 0 100 INCRBY i8 0 -300
[0 100 127 -128]
~ BITFIELD s SET i8 0 200 INCRBY i8 0 -100 OVERFLOW SAT INCRBY i8 0 100 INCRBY i8 0 -300
> BITFIELD s OVERFLOW SAT SET i8 0 9223372036854775807 SET i8 0 -9223372036854775808 GET i8 0
[-128 127 127]
~ BITFIELD s OVERFLOW SAT SET i8 0 9223372036854775807 SET i8 0 -9223372036854775808 GET i8 0
> BITFIELD s SET i64 0 9223372036854775807 INCRBY i64 0 1 OVERFLOW SAT INCRBY i64 0 -1
[9151314442816847872 -9223372036854775808 -9223372036854775808]
~ BITFIELD s SET i64 0 9223372036854775807 INCRBY i64 0 1 OVERFLOW SAT INCRBY i64 0 -1
> BITFIELD s OVERFLOW FAIL INCRBY u63 0 9223372036854775807 INCRBY i1 0 1 GET i1 0
[nil 0 0]
~ BITFIELD s OVERFLOW FAIL INCRBY u63 0 9223372036854775807 INCRBY i1 0 1 GET i1 0
)");
}

// Where all writes fail the string has become longer, and replicas are told.
TEST(Bitfield, FailuresMakeRoomToo) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> BITFIELD k OVERFLOW FAIL INCRBY u1 100 2
[nil]
~ BITFIELD k OVERFLOW FAIL INCRBY u1 100 2
> STRLEN k
13
> BITFIELD k OVERFLOW FAIL INCRBY u1 100 2
[nil]
> BITFIELD k SET u8 200 0
[0]
~ BITFIELD k SET u8 200 0
)");
}

TEST(Bitfield, RefusesWhatRedisRefuses) {
  Stage stage;
  for (const Bytes type : {"u0", "u64", "i0", "i65", "x8", "U8", "i", "8", "u08", "u+8", "\"\""}) {
    EXPECT_EQ(stage.run("BITFIELD k GET " + std::string(type) + " 0"),
              "!ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not "
              "supported but i64 is.");
  }
  for (const Bytes offset : {"-1", "x", "#", "#-1", "#1x", "\"\"", "4294967296", "#536870912"}) {
    EXPECT_EQ(stage.run("BITFIELD k GET u8 " + std::string(offset)),
              "!ERR bit offset is not an integer or out of range");
  }
  for (const Bytes words : {"GET", "GET u8", "SET u8 0", "INCRBY u8 0", "OVERFLOW", "NOPE u8 0"}) {
    EXPECT_EQ(stage.run("BITFIELD k " + std::string(words)), "!ERR syntax error") << words;
  }
  EXPECT_TRANSCRIPT(stage, R"(
> LPUSH l a
1
~ LPUSH l a
> BITFIELD l SET u8 0 x
!ERR value is not an integer or out of range
> BITFIELD l OVERFLOW foo
!ERR Invalid OVERFLOW type specified
> BITFIELD l SET u8 0 1
!WRONGTYPE Operation against a key holding the wrong kind of value
> BITFIELD l
!WRONGTYPE Operation against a key holding the wrong kind of value
> BITFIELD_RO l GET u8 0
!WRONGTYPE Operation against a key holding the wrong kind of value
> BITFIELD_RO k GET u8 0 SET u8 0 1
!ERR BITFIELD_RO only supports the GET subcommand
> EXISTS k
0
)");
}

}  // namespace
}  // namespace tandem
