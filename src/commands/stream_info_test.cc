// XPENDING and XINFO, as redis-server answers them.
#include "commands/testing.h"

namespace tandem {
namespace {

TEST(StreamGroups, TellWhatIsPending) {
  Stage stage;
  for (int i = 1; i <= 4; ++i) stage.run("XADD x " + std::to_string(i) + " f v");
  stage.run("XGROUP CREATE x g 0");
  stage.run("XGROUP CREATE x empty 0");
  stage.run("XREADGROUP GROUP g bob COUNT 2 STREAMS x >");
  stage.run("XREADGROUP GROUP g anna STREAMS x >");
  stage.run("SET text a");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
+ 20
> XCLAIM x g bob 0 3 JUSTID
[3-0]
~ XCLAIM x g bob 0 3 TIME 1000020 RETRYCOUNT 1 FORCE JUSTID LASTID 4-0
+ 5
> XPENDING x g
[4 1-0 4-0 [[anna 1] [bob 3]]]
> XPENDING x empty
[0 nil nil nil-array]
> XPENDING x empty - + 10
[]
> XPENDING x g - + 10
[[1-0 bob 25 1] [2-0 bob 25 1] [3-0 bob 5 1] [4-0 anna 25 1]]
> XPENDING x g - + 10 bob
[[1-0 bob 25 1] [2-0 bob 25 1] [3-0 bob 5 1]]
> XPENDING x g (1 3 10
[[2-0 bob 25 1] [3-0 bob 5 1]]
> XPENDING x g 2 (3-0 10 bob
[[2-0 bob 25 1]]
> XPENDING x g - + 2
[[1-0 bob 25 1] [2-0 bob 25 1]]
> XPENDING x g - + 0
[]
> XPENDING x g - + -1
[]
> XPENDING x g - + 10 nobody
[]
> XPENDING x g IDLE 6 - + 3
[[1-0 bob 25 1] [2-0 bob 25 1] [4-0 anna 25 1]]
> XPENDING x g idle -6 2 2 3 bob
[[2-0 bob 25 1]]
> XPENDING x g - + 1 bob what ever
[[1-0 bob 25 1]]
)");
}

TEST(StreamGroups, TellPendingOnlyIfAskedWell) {
  Stage stage;
  stage.run("XGROUP CREATE x g 0 MKSTREAM");
  stage.run("SET text a");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XPENDING x g - + 1 bob what ever more
!ERR syntax error
> XPENDING x g - +
!ERR syntax error
> XPENDING x g IDLE 5 -
!ERR syntax error
> XPENDING x g IDLE 5 - +
!ERR syntax error
> XPENDING x g IDLE x - + 10
!ERR value is not an integer or out of range
> XPENDING x g IDLE x -
!ERR value is not an integer or out of range
> XPENDING x g a b c
!ERR value is not an integer or out of range
> XPENDING x g a b 10
!ERR Invalid stream ID specified as stream command argument
> XPENDING x g - b 10
!ERR Invalid stream ID specified as stream command argument
> XPENDING x g (18446744073709551615-18446744073709551615 + 10
!ERR invalid start ID for the interval
> XPENDING x g - (0-0 10
!ERR invalid end ID for the interval
> XPENDING x nosuch
!NOGROUP No such key 'x' or consumer group 'nosuch'
> XPENDING none g
!NOGROUP No such key 'none' or consumer group 'g'
> XPENDING text g
!WRONGTYPE Operation against a key holding the wrong kind of value
)");
}

TEST(StreamGroups, TellAllOfAStream) {
  Stage stage;
  stage.run("XADD x 1 f v");
  stage.run("XADD x 2 f v");
  stage.run("XADD x 3 f v");
  stage.run("XDEL x 2");
  stage.run("XGROUP CREATE x g 0");
  stage.run("XREADGROUP GROUP g anna STREAMS x >");
  stage.run("XGROUP CREATECONSUMER x g bob");
  stage.run("XGROUP CREATE empty g $ MKSTREAM");
  stage.run("SET text a");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
+ 7
> XREADGROUP GROUP g anna STREAMS x >
nil-array
> XINFO GROUPS empty
[[name g consumers 0 pending 0 last-delivered-id 0-0 entries-read nil lag 0]]
> XINFO CONSUMERS x g
[[name anna pending 2 idle 0 inactive 7] [name bob pending 0 idle 7 inactive -1]]
)");
  const std::string counters =
      "radix-tree-keys 1 radix-tree-nodes 2 last-generated-id 3-0 max-deleted-entry-id 2-0 "
      "entries-added 3 recorded-first-entry-id 1-0 ";
  EXPECT_EQ(stage.run("XINFO STREAM x"),
            "[length 2 " + counters + "groups 1 first-entry [1-0 [f v]] last-entry [3-0 [f v]]]");
  EXPECT_EQ(stage.run("XINFO STREAM empty"),
            "[length 0 radix-tree-keys 0 radix-tree-nodes 1 last-generated-id 0-0 "
            "max-deleted-entry-id 0-0 entries-added 0 recorded-first-entry-id 0-0 groups 1 "
            "first-entry nil last-entry nil]");
  const std::string group =
      "name g last-delivered-id 3-0 entries-read 3 lag 0 pel-count 2 pending ";
  const std::string anna = "name anna seen-time 1000007 active-time 1000000 pel-count 2 pending ";
  const std::string bob = "[name bob seen-time 1000000 active-time -1 pel-count 0 pending []]";
  EXPECT_EQ(stage.run("XINFO STREAM x FULL"),
            "[length 2 " + counters + "entries [[1-0 [f v]] [3-0 [f v]]] groups [[" + group +
                "[[1-0 anna 1000000 1] [3-0 anna 1000000 1]] consumers [[" + anna +
                "[[1-0 1000000 1] [3-0 1000000 1]]] " + bob + "]]]]");
  EXPECT_EQ(stage.run("XINFO STREAM x full count 1"),
            "[length 2 " + counters + "entries [[1-0 [f v]]] groups [[" + group +
                "[[1-0 anna 1000000 1]] consumers [[" + anna + "[[1-0 1000000 1]]] " + bob +
                "]]]]");
  std::string many = stage.run("XINFO STREAM x FULL COUNT 0");
  EXPECT_EQ(many, stage.run("XINFO STREAM x FULL COUNT -1")) << "fewer than ten of each";
  for (int i = 4; i <= 30; ++i) stage.run("XADD x " + std::to_string(i) + " f v");
  many = stage.run("XINFO STREAM x FULL COUNT 0");
  EXPECT_NE(many.find("30-0 [f v]"), std::string::npos);
  EXPECT_EQ(stage.run("XINFO STREAM x FULL").find("12-0"), std::string::npos) << "ten by default";
}

TEST(StreamGroups, TellNothingOfWhatIsNotThere) {
  Stage stage;
  stage.run("XADD x 1 f v");
  stage.run("SET text a");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XINFO STREAM x FULL COUNT
!ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.
> XINFO STREAM x FULL FOO 1
!ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.
> XINFO STREAM x FOO
!ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.
> XINFO STREAM x FULL COUNT 1 2
!ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.
> XINFO STREAM x FULL COUNT x
!ERR value is not an integer or out of range
> XINFO STREAM none FOO
!ERR no such key
> XINFO GROUPS none
!ERR no such key
> XINFO CONSUMERS none g
!ERR no such key
> XINFO GROUPS text
!WRONGTYPE Operation against a key holding the wrong kind of value
> XINFO CONSUMERS x nosuch
!NOGROUP No such consumer group 'nosuch' for key name 'x'
)");
}

TEST(StreamGroups, Help) {
  Stage stage;
  EXPECT_TRUE(stage.run("XGROUP HELP").starts_with("[\"XGROUP <subcommand> [<arg> [value] [opt]"));
  EXPECT_TRUE(stage.run("XINFO HELP").starts_with("[\"XINFO <subcommand> [<arg> [value] [opt]"));
  EXPECT_EQ(stage.run("XGROUP"), "!ERR wrong number of arguments for 'xgroup' command");
}

}  // namespace
}  // namespace tandem
