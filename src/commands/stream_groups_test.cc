// Consumer groups. What is expected here is what redis-server answers, and what it sends to its
// replicas; where 7.2 differs from 7.0 (consumers that found nothing exist all the same), as 7.2.
#include "commands/testing.h"

namespace tandem {
namespace {

TEST(StreamGroups, AreMadeMovedAndDestroyed) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> XADD x 1-0 f v
1-0
~ XADD x 1-0 f v
> XGROUP CREATE x g 0
OK
~ XGROUP CREATE x g 0
> XGROUP CREATE x g 0
!BUSYGROUP Consumer Group name already exists
> XGROUP CREATE x h $ ENTRIESREAD 2
OK
~ XGROUP CREATE x h $ ENTRIESREAD 2
> XGROUP CREATE new g $ MKSTREAM
OK
~ XGROUP CREATE new g $ MKSTREAM
> XGROUP CREATE new g2 5 mkstream ENTRIESREAD -1
OK
~ XGROUP CREATE new g2 5 mkstream ENTRIESREAD -1
> XGROUP CREATE new g3 5 ENTRIESREAD -2
!ERR value for ENTRIESREAD must be positive or -1
> XGROUP CREATE new g3 5 ENTRIESREAD x
!ERR value is not an integer or out of range
> XGROUP CREATE new g3 5 ENTRIESREAD
!ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.
> XGROUP CREATE new g3 5 MKSTREAM MKSTREAM MKSTREAM MKSTREAM
!ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.
)");
}

TEST(StreamGroups, GoToAnId) {
  Stage stage;
  stage.run("XADD x 1-0 f v");
  stage.run("XGROUP CREATE x g 0");
  stage.run("XGROUP CREATE x h 0");
  stage.run("XGROUP CREATE new g 0 MKSTREAM");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XGROUP CREATE new g3 -
!ERR Invalid stream ID specified as stream command argument
> XGROUP CREATE other g3 bad MKSTREAM
!ERR Invalid stream ID specified as stream command argument
> EXISTS other
0
> XGROUP SETID x g -
OK
~ XGROUP SETID x g -
> XGROUP SETID x g +
OK
~ XGROUP SETID x g +
> XGROUP SETID x g $ ENTRIESREAD 1
OK
~ XGROUP SETID x g $ ENTRIESREAD 1
> XGROUP SETID x h 5
OK
~ XGROUP SETID x h 5
> XGROUP SETID x nosuch $
!NOGROUP No such consumer group 'nosuch' for key name 'x'
> XGROUP SETID x g 5 MKSTREAM
!ERR unknown subcommand or wrong number of arguments for 'SETID'. Try XGROUP HELP.
> XGROUP SETID x g 5 ENTRIESREAD 1 ENTRIESREAD 1
!ERR unknown subcommand or wrong number of arguments for 'SETID'. Try XGROUP HELP.
> XGROUP DESTROY x nosuch
0
> XGROUP DESTROY x h
1
~ XGROUP DESTROY x h
> XGROUP BLAH x g
!ERR unknown subcommand 'BLAH'. Try XGROUP HELP.
> XINFO GROUPS x
[[name g consumers 0 pending 0 last-delivered-id 1-0 entries-read 1 lag 0]]
> XGROUP CREATE x h 5
OK
~ XGROUP CREATE x h 5
> XGROUP DESTROY x g
1
~ XGROUP DESTROY x g
> XINFO GROUPS x
[[name h consumers 0 pending 0 last-delivered-id 5-0 entries-read nil lag nil]]
)");
}

TEST(StreamGroups, NeedTheirStream) {
  Stage stage;
  for (const char* command :
       {"XGROUP CREATE none g $", "XGROUP SETID none g 5", "XGROUP DESTROY none g",
        "XGROUP CREATECONSUMER none g anna", "XGROUP DELCONSUMER none g anna"}) {
    EXPECT_EQ(stage.run(command),
              "!ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may "
              "want to use the MKSTREAM option to create an empty stream automatically.")
        << command;
  }
  stage.run("SET text a");
  for (const char* command :
       {"XGROUP CREATE text g $ MKSTREAM", "XGROUP SETID text g 5", "XGROUP DESTROY text g"}) {
    EXPECT_EQ(stage.run(command),
              "!WRONGTYPE Operation against a key holding the wrong kind of value")
        << command;
  }
}

TEST(StreamGroups, HaveConsumers) {
  Stage stage;
  stage.run("XADD x 1-0 f v");
  stage.run("XGROUP CREATE x g 0");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XGROUP CREATECONSUMER x g anna
1
~ XGROUP CREATECONSUMER x g anna
> XGROUP CREATECONSUMER x g anna
0
> XGROUP CREATECONSUMER x nosuch anna
!NOGROUP No such consumer group 'nosuch' for key name 'x'
> XREADGROUP GROUP g anna STREAMS x >
[[x [[1-0 [f v]]]]]
~ XCLAIM x g anna 0 1-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0
> XGROUP DELCONSUMER x g bob
0
> XGROUP DELCONSUMER x g anna
1
~ XGROUP DELCONSUMER x g anna
> XGROUP DELCONSUMER x nosuch anna
!NOGROUP No such consumer group 'nosuch' for key name 'x'
> XPENDING x g
[0 nil nil nil-array]
> XINFO CONSUMERS x g
[]
)");
}

TEST(StreamGroups, DeliverNewsOnceAndHistoryAgain) {
  Stage stage;
  for (const char* id : {"1-0", "2-0", "3-0"}) stage.run(std::string("XADD x ") + id + " f v");
  stage.run("XGROUP CREATE x g 0");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XREADGROUP GROUP g anna COUNT 2 STREAMS x >
[[x [[1-0 [f v]] [2-0 [f v]]]]]
~ MULTI
~ XCLAIM x g anna 0 1-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0
~ XCLAIM x g anna 0 2-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-0
~ EXEC
> XREADGROUP GROUP g bob STREAMS x >
[[x [[3-0 [f v]]]]]
~ XCLAIM x g bob 0 3-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 3-0
> XREADGROUP GROUP g bob STREAMS x >
nil-array
> XREADGROUP GROUP g bob STREAMS x 18446744073709551615-18446744073709551615
nil-array
+ 50
> XREADGROUP GROUP g anna STREAMS x 0
[[x [[1-0 [f v]] [2-0 [f v]]]]]
> XREADGROUP GROUP g anna COUNT 1 STREAMS x 0
[[x [[1-0 [f v]]]]]
> XREADGROUP GROUP g anna STREAMS x 1
[[x [[2-0 [f v]]]]]
> XREADGROUP GROUP g carl STREAMS x 0
[[x []]]
> XPENDING x g - + 10
[[1-0 anna 0 3] [2-0 anna 0 3] [3-0 bob 50 1]]
> XDEL x 2-0
1
~ XDEL x 2-0
> XREADGROUP GROUP g anna STREAMS x 0
[[x [[1-0 [f v]] [2-0 nil-array]]]]
> XPENDING x g - + 10
[[1-0 anna 0 4] [2-0 anna 0 3] [3-0 bob 50 1]]
# Delivered anew to another consumer, an entry is counted anew.
> XGROUP SETID x g 2
OK
~ XGROUP SETID x g 2
> XREADGROUP GROUP g anna STREAMS x >
[[x [[3-0 [f v]]]]]
~ XCLAIM x g anna 0 3-0 TIME 1000050 RETRYCOUNT 1 FORCE JUSTID LASTID 3-0
> XPENDING x g
[3 1-0 3-0 [[anna 3]]]
)");
}

TEST(StreamGroups, WithoutAcknowledgementNothingIsPending) {
  Stage stage;
  stage.run("XADD x 1-0 f v");
  stage.run("XGROUP CREATE x g 0");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XREADGROUP GROUP g anna NOACK STREAMS x 0
[[x []]]
~ XGROUP CREATECONSUMER x g anna
> XREADGROUP GROUP g bob NOACK STREAMS x >
[[x [[1-0 [f v]]]]]
~ MULTI
~ XGROUP CREATECONSUMER x g bob
~ XGROUP SETID x g 1-0 ENTRIESREAD 1
~ EXEC
> XREADGROUP GROUP g bob NOACK STREAMS x >
nil-array
> XPENDING x g
[0 nil nil nil-array]
)");
}

TEST(StreamGroups, SeveralStreamsAndMaps) {
  Stage stage;
  for (const char* key : {"x", "y"}) {
    stage.run(std::string("XADD ") + key + " 1-0 f v");
    stage.run(std::string("XGROUP CREATE ") + key + " g 0");
  }
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XREADGROUP GROUP g anna STREAMS x y > >
[[x [[1-0 [f v]]]] [y [[1-0 [f v]]]]]
~ MULTI
~ XCLAIM x g anna 0 1-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0
~ XCLAIM y g anna 0 1-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0
~ EXEC
> XREADGROUP GROUP g anna STREAMS x x > 0
[[x [[1-0 [f v]]]]]
)");
  stage.client("").protocol = 3;
  EXPECT_EQ(stage.run("XREADGROUP GROUP g anna STREAMS y x 0 0"),
            "%[y [[1-0 [f v]]] x [[1-0 [f v]]]]");
  EXPECT_EQ(stage.run("XREAD STREAMS y 0"), "%[y [[1-0 [f v]]]]");
}

TEST(StreamGroups, RefuseWhatCannotBeRead) {
  Stage stage;
  stage.run("XADD x 1-0 f v");
  stage.run("XGROUP CREATE x g 0");
  stage.run("SET text a");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XREADGROUP GROUP g c STREAMS x y >
!ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.
> XREADGROUP COUNT 1 STREAMS x x > >
!ERR Missing GROUP option for XREADGROUP
> XREADGROUP GROUP g c STREAMS x y > >
!NOGROUP No such key 'y' or consumer group 'g' in XREADGROUP with GROUP option
> XREADGROUP GROUP h c STREAMS x >
!NOGROUP No such key 'x' or consumer group 'h' in XREADGROUP with GROUP option
> XREADGROUP GROUP g c STREAMS text >
!WRONGTYPE Operation against a key holding the wrong kind of value
> XREADGROUP GROUP g c FOO STREAMS x >
!ERR syntax error
> XREADGROUP GROUP g STREAMS x > >
!ERR syntax error
> XREADGROUP GROUP g c BLOCK -1 STREAMS x >
!ERR timeout is negative
> XREADGROUP GROUP g c BLOCK x STREAMS x >
!ERR timeout is not an integer or out of range
> XREADGROUP GROUP g c COUNT x STREAMS x >
!ERR value is not an integer or out of range
> XREADGROUP GROUP g c STREAMS x bad
!ERR Invalid stream ID specified as stream command argument
> XREAD NOACK STREAMS x 0
!ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.
> XINFO CONSUMERS x g
[]
)");
}

TEST(StreamGroups, KnowNoDollarWhereTheyRead) {
  Stage stage;
  stage.run("XGROUP CREATE x g 0 MKSTREAM");
  EXPECT_EQ(stage.run("XREADGROUP GROUP g c STREAMS x $"),
            "!ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the "
            "history of this consumer by specifying a proper ID, or use the > ID to get new "
            "messages. The $ ID would just return an empty result set.");
}

TEST(StreamGroups, Acknowledge) {
  Stage stage;
  stage.run("XADD x 1-0 f v");
  stage.run("XADD x 2-0 f v");
  stage.run("XGROUP CREATE x g 0");
  stage.run("XREADGROUP GROUP g anna STREAMS x >");
  stage.run("SET text a");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XACK x g bad
!ERR Invalid stream ID specified as stream command argument
> XACK x g 1-0 bad
!ERR Invalid stream ID specified as stream command argument
> XACK x nosuch bad
0
> XACK none g 1
0
> XACK text g 1
!WRONGTYPE Operation against a key holding the wrong kind of value
> XACK x g 1 9 1
1
~ XACK x g 1 9 1
> XACK x g 1
0
> XPENDING x g
[1 2-0 2-0 [[anna 1]]]
)");
}

TEST(StreamGroups, ClaimWithEveryOption) {
  Stage stage;
  for (const char* id : {"1-0", "2-0", "3-0", "4-0"}) {
    stage.run(std::string("XADD x ") + id + " f v");
  }
  stage.run("XGROUP CREATE x g 0");
  stage.run("XREADGROUP GROUP g anna COUNT 3 STREAMS x >");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
+ 100
> XCLAIM x g bob 0 1-0 2
[[1-0 [f v]] [2-0 [f v]]]
~ MULTI
~ XCLAIM x g bob 0 1-0 TIME 1000100 RETRYCOUNT 2 FORCE JUSTID LASTID 3-0
~ XCLAIM x g bob 0 2 TIME 1000100 RETRYCOUNT 2 FORCE JUSTID LASTID 3-0
~ EXEC
> XCLAIM x g bob 1 1-0
[]
> XCLAIM x g bob -5 1-0 JUSTID
[1-0]
~ XCLAIM x g bob 0 1-0 TIME 1000100 RETRYCOUNT 2 FORCE JUSTID LASTID 3-0
> XCLAIM x g bob 100 3-0 JUSTID
[3-0]
~ XCLAIM x g bob 0 3-0 TIME 1000100 RETRYCOUNT 1 FORCE JUSTID LASTID 3-0
# Not pending, and what is no entry.
> XCLAIM x g bob 0 4-0 9-0
[]
> XCLAIM x g bob 0 4-0 9-0 FORCE
[[4-0 [f v]]]
~ XCLAIM x g bob 0 4-0 TIME 1000100 RETRYCOUNT 2 FORCE JUSTID LASTID 3-0
> XCLAIM x g bob 0 4-0 RETRYCOUNT 7
[[4-0 [f v]]]
~ XCLAIM x g bob 0 4-0 TIME 1000100 RETRYCOUNT 7 FORCE JUSTID LASTID 3-0
> XCLAIM x g bob 0 4-0 IDLE 1000 RETRYCOUNT -3
[[4-0 [f v]]]
~ XCLAIM x g bob 0 4-0 TIME 999100 RETRYCOUNT 8 FORCE JUSTID LASTID 3-0
> XCLAIM x g bob 0 4-0 IDLE -5 JUSTID
[4-0]
~ XCLAIM x g bob 0 4-0 TIME 1000100 RETRYCOUNT 8 FORCE JUSTID LASTID 3-0
> XCLAIM x g bob 0 4-0 TIME 5 JUSTID
[4-0]
~ XCLAIM x g bob 0 4-0 TIME 5 RETRYCOUNT 8 FORCE JUSTID LASTID 3-0
> XCLAIM x g bob 0 4-0 TIME 99999999999999 JUSTID
[4-0]
~ XCLAIM x g bob 0 4-0 TIME 1000100 RETRYCOUNT 8 FORCE JUSTID LASTID 3-0
> XCLAIM x g bob 0 4-0 IDLE 9223372036854775807 RETRYCOUNT 9223372036854775807 JUSTID
[4-0]
~ XCLAIM x g bob 0 4-0 TIME 1000100 RETRYCOUNT 9223372036854775807 FORCE JUSTID LASTID 3-0
> XCLAIM x g bob 0 4-0
[[4-0 [f v]]]
~ XCLAIM x g bob 0 4-0 TIME 1000100 RETRYCOUNT -9223372036854775808 FORCE JUSTID LASTID 3-0
> XCLAIM x g bob 0 1-0 LASTID 2-0 JUSTID
[1-0]
~ XCLAIM x g bob 0 1-0 TIME 1000100 RETRYCOUNT 2 FORCE JUSTID LASTID 3-0
> XCLAIM x g bob 1000000 1-0 LASTID 12-0
[]
~ XGROUP SETID x g 12-0 ENTRIESREAD 3
)");
}

TEST(StreamGroups, ClaimForgetsWhatIsDeleted) {
  Stage stage;
  stage.run("XADD x 1-0 f v");
  stage.run("XADD x 2-0 f v");
  stage.run("XGROUP CREATE x g 0");
  stage.run("XREADGROUP GROUP g anna STREAMS x >");
  stage.run("XDEL x 1-0");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XCLAIM x g bob 99999 1 2
[]
~ XCLAIM x g anna 0 1 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-0
> XCLAIM x g bob 0 1 FORCE
[]
> XINFO CONSUMERS x g
[[name anna pending 1 idle 0 inactive 0] [name bob pending 0 idle 0 inactive -1]]
)");
}

TEST(StreamGroups, ClaimRefusesWhatItDoesNotKnow) {
  Stage stage;
  stage.run("XADD x 1-0 f v");
  stage.run("XGROUP CREATE x g 0");
  stage.run("SET text a");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XCLAIM none g bob x 1
!NOGROUP No such key 'none' or consumer group 'g'
> XCLAIM x nosuch bob x 1
!NOGROUP No such key 'x' or consumer group 'nosuch'
> XCLAIM text g bob x 1
!WRONGTYPE Operation against a key holding the wrong kind of value
> XCLAIM x g bob x 1
!ERR Invalid min-idle-time argument for XCLAIM
> XCLAIM x g bob 0 foo
!ERR Unrecognized XCLAIM option 'foo'
> XCLAIM x g bob 0 1 LASTID 5 2
!ERR Unrecognized XCLAIM option '2'
> XCLAIM x g bob 0 1 IDLE
!ERR Unrecognized XCLAIM option 'IDLE'
> XCLAIM x g bob 0 1 IDLE x
!ERR Invalid IDLE option argument for XCLAIM
> XCLAIM x g bob 0 1 TIME x
!ERR Invalid TIME option argument for XCLAIM
> XCLAIM x g bob 0 1 RETRYCOUNT x
!ERR Invalid RETRYCOUNT option argument for XCLAIM
> XCLAIM x g bob 0 1 LASTID x
!ERR Invalid stream ID specified as stream command argument
> XINFO CONSUMERS x g
[]
> XCLAIM x g bob 0 JUSTID
[]
> XINFO CONSUMERS x g
[[name bob pending 0 idle 0 inactive -1]]
)");
}

TEST(StreamGroups, AutoClaimGoesThroughWhatIsPending) {
  Stage stage;
  for (int i = 1; i <= 6; ++i) stage.run("XADD x " + std::to_string(i) + " f v");
  stage.run("XGROUP CREATE x g 0");
  stage.run("XREADGROUP GROUP g anna STREAMS x >");
  stage.run("XDEL x 3 4");
  stage.run("SET text a");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
+ 10
> XAUTOCLAIM x g bob 10 0 COUNT 2
[3-0 [[1-0 [f v]] [2-0 [f v]]] []]
~ MULTI
~ XCLAIM x g bob 0 1-0 TIME 1000010 RETRYCOUNT 2 FORCE JUSTID LASTID 6-0
~ XCLAIM x g bob 0 2-0 TIME 1000010 RETRYCOUNT 2 FORCE JUSTID LASTID 6-0
~ EXEC
> XAUTOCLAIM x g bob 10 2 COUNT 2 JUSTID
[5-0 [] [3-0 4-0]]
~ MULTI
~ XCLAIM x g anna 0 3-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 6-0
~ XCLAIM x g anna 0 4-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 6-0
~ EXEC
> XAUTOCLAIM x g bob 10 (1 JUSTID
[0-0 [5-0 6-0] []]
~ MULTI
~ XCLAIM x g bob 0 5-0 TIME 1000010 RETRYCOUNT 1 FORCE JUSTID LASTID 6-0
~ XCLAIM x g bob 0 6-0 TIME 1000010 RETRYCOUNT 1 FORCE JUSTID LASTID 6-0
~ EXEC
> XAUTOCLAIM x g carl 10 -
[0-0 [] []]
> XAUTOCLAIM x g carl -1 + COUNT 576460752303423487
[0-0 [] []]
> XAUTOCLAIM x g carl -1 6 JUSTID COUNT 1 COUNT 9
[0-0 [6-0] []]
~ XCLAIM x g carl 0 6-0 TIME 1000010 RETRYCOUNT 1 FORCE JUSTID LASTID 6-0
> XAUTOCLAIM x g bob x bad
!ERR Invalid min-idle-time argument for XAUTOCLAIM
> XAUTOCLAIM x g bob 0 bad
!ERR Invalid stream ID specified as stream command argument
> XAUTOCLAIM x g bob 0 (18446744073709551615-18446744073709551615
!ERR invalid start ID for the interval
> XAUTOCLAIM x g bob 0 0 COUNT 0
!ERR COUNT must be > 0
> XAUTOCLAIM x g bob 0 0 COUNT x
!ERR COUNT must be > 0
> XAUTOCLAIM x g bob 0 0 COUNT 576460752303423488
!ERR COUNT must be > 0
> XAUTOCLAIM x g bob 0 0 COUNT
!ERR syntax error
> XAUTOCLAIM x g bob 0 0 FOO
!ERR syntax error
> XAUTOCLAIM none g bob 0 0
!NOGROUP No such key 'none' or consumer group 'g'
> XAUTOCLAIM x nosuch bob 0 0
!NOGROUP No such key 'x' or consumer group 'nosuch'
> XAUTOCLAIM text g bob 0 0
!WRONGTYPE Operation against a key holding the wrong kind of value
)");
}

// It looks at ten entries for each that it may return, and says where to go on.
TEST(StreamGroups, AutoClaimLooksAtTenTimesItsCount) {
  Stage stage;
  for (int i = 1; i <= 30; ++i) stage.run("XADD x " + std::to_string(i) + " f v");
  stage.run("XGROUP CREATE x g 0");
  stage.run("XREADGROUP GROUP g anna STREAMS x >");
  EXPECT_EQ(stage.run("XAUTOCLAIM x g bob 10 0 COUNT 1"), "[11-0 [] []]");
  EXPECT_EQ(stage.run("XAUTOCLAIM x g bob 10 25 COUNT 1"), "[0-0 [] []]");
  EXPECT_EQ(stage.run("XAUTOCLAIM x g bob 0 5 COUNT 1 JUSTID"), "[6-0 [5-0] []]");
  EXPECT_EQ(stage.run("XAUTOCLAIM x g bob 0 30 COUNT 1 JUSTID"), "[0-0 [30-0] []]");
}

}  // namespace
}  // namespace tandem
