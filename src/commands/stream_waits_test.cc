// Who waits as a consumer, who watches a stream, and what replicas know of its groups.
#include "commands/testing.h"

namespace tandem {
namespace {

// What a client that waits as a consumer is answered, and when.
TEST(StreamGroups, Wait) {
  Stage stage;
  stage.run("XGROUP CREATE x g $ MKSTREAM");
  stage.run("XGROUP CREATE y g $ MKSTREAM");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
a> XREADGROUP GROUP g anna BLOCK 0 STREAMS x >
(waits)
b> XREADGROUP GROUP g bob BLOCK 100 STREAMS y x > >
(waits)
c> XREADGROUP GROUP g carl BLOCK 0 STREAMS x 0
[[x []]]
> XADD x 1 f v
1-0
~ XADD x 1-0 f v
~ XCLAIM x g anna 0 1-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0
a< [[x [[1-0 [f v]]]]]
> XADD x 2 f v
2-0
~ XADD x 2-0 f v
~ XCLAIM x g bob 0 2-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-0
b< [[x [[2-0 [f v]]]]]
b> XREADGROUP GROUP g bob BLOCK 100 STREAMS x >
(waits)
+ 200
b< nil-array
> MULTI
OK
> XREADGROUP GROUP g bob BLOCK 100 STREAMS x >
QUEUED
> EXEC
[nil-array]
)");
}

TEST(StreamGroups, WaitNoLongerThanTheGroup) {
  Stage stage;
  stage.run("XGROUP CREATE x g $ MKSTREAM");
  stage.run("XGROUP CREATE x h $");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
a> XREADGROUP GROUP g anna BLOCK 0 STREAMS x >
(waits)
b> XREADGROUP GROUP h bob BLOCK 0 STREAMS x >
(waits)
c> XREAD BLOCK 0 STREAMS x $
(waits)
> XGROUP DESTROY x g
1
~ XGROUP DESTROY x g
a< !NOGROUP No such key 'x' or consumer group 'g' in XREADGROUP with GROUP option
> DEL x
1
~ DEL x
b< !NOGROUP No such key 'x' or consumer group 'h' in XREADGROUP with GROUP option
> XADD x 1 f v
1-0
~ XADD x 1-0 f v
c< [[x [[1-0 [f v]]]]]
)");
}

TEST(StreamGroups, WaitNoLongerThanTheStream) {
  static constexpr const char* kEnds[][2] = {
      {"SET x text", "!WRONGTYPE Operation against a key holding the wrong kind of value"},
      {"RENAME other x", "!WRONGTYPE Operation against a key holding the wrong kind of value"},
      {"RENAME x z",
       "!NOGROUP No such key 'x' or consumer group 'g' in XREADGROUP with GROUP option"},
      {"FLUSHALL",
       "!NOGROUP No such key 'x' or consumer group 'g' in XREADGROUP with GROUP option"},
      {"SWAPDB 0 1",
       "!NOGROUP No such key 'x' or consumer group 'g' in XREADGROUP with GROUP option"},
      {"MOVE x 1",
       "!NOGROUP No such key 'x' or consumer group 'g' in XREADGROUP with GROUP option"},
      {"PEXPIREAT x 1",
       "!NOGROUP No such key 'x' or consumer group 'g' in XREADGROUP with GROUP option"},
  };
  for (const auto& [command, reply] : kEnds) {
    SCOPED_TRACE(command);
    Stage stage;
    stage.run("SET other text");
    stage.run("XGROUP CREATE x g $ MKSTREAM");
    stage.run("XGROUP CREATE y g $ MKSTREAM");
    for (const char* name : {"a", "b"}) {
      const std::vector<Bytes> args{"XREADGROUP", "GROUP", "g", name, "BLOCK", "0",
                                    "STREAMS",    "y",     "x", ">",  ">"};
      stage.reply_bytes(stage.client(name), args);
      ASSERT_EQ(stage.last, Outcome::kBlocked);
    }
    stage.run(command);
    for (const char* name : {"a", "b"}) {
      ASSERT_EQ(stage.client(name).unblocked.size(), 1u);
      const std::string expected =
          std::string(command) == "FLUSHALL" || std::string(command) == "SWAPDB 0 1"
              ? "!NOGROUP No such key 'y' or consumer group 'g' in XREADGROUP with GROUP option"
              : reply;
      EXPECT_EQ(rendered(stage.client(name).unblocked.front()), expected);
    }
    EXPECT_EQ(stage.engine.blocked.count(), 0);
  }
}

// Deleted and made again at once, the stream is the one to wait for, if it has the group.
TEST(StreamGroups, WaitForTheStreamThatIsThere) {
  Stage stage;
  stage.run("XGROUP CREATE x g $ MKSTREAM");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
a> XREADGROUP GROUP g anna BLOCK 0 STREAMS x >
(waits)
> MULTI
OK
> DEL x
QUEUED
> XADD x 1 f v
QUEUED
> XGROUP CREATE x g 0
QUEUED
> EXEC
[1 1-0 OK]
~ MULTI
~ DEL x
~ XADD x 1-0 f v
~ XGROUP CREATE x g 0
~ EXEC
~ XCLAIM x g anna 0 1-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0
a< [[x [[1-0 [f v]]]]]
)");
}

// As in Redis, who watches a stream is not disturbed by who reads it.
TEST(StreamGroups, WatchersSeeEntriesOnly) {
  static constexpr const char* kOfGroups[] = {"XGROUP CREATE x h 0",
                                              "XGROUP SETID x g 0",
                                              "XGROUP CREATECONSUMER x g bob",
                                              "XGROUP DELCONSUMER x g anna",
                                              "XGROUP DESTROY x g",
                                              "XREADGROUP GROUP g anna STREAMS x >",
                                              "XREADGROUP GROUP g anna STREAMS x 0",
                                              "XACK x g 1",
                                              "XCLAIM x g bob 0 1",
                                              "XAUTOCLAIM x g bob 0 0",
                                              "XSETID x 9"};
  static constexpr const char* kOfEntries[] = {"XADD x 9 f v", "XDEL x 1", "XTRIM x MAXLEN 0",
                                               "XGROUP CREATE y g $ MKSTREAM"};
  const auto watched = [](const char* command) {
    Stage stage;
    stage.run("XADD x 1 f v");
    stage.run("XADD x 2 f v");
    stage.run("XGROUP CREATE x g 0");
    stage.run("XREADGROUP GROUP g anna COUNT 1 STREAMS x >");
    stage.play("> WATCH x y\no> " + std::string(command) + "\n");
    stage.run("MULTI");
    stage.run("EXISTS nosuch");
    return stage.run("EXEC");
  };
  for (const char* command : kOfGroups) EXPECT_EQ(watched(command), "[0]") << command;
  for (const char* command : kOfEntries) EXPECT_EQ(watched(command), "nil-array") << command;
}

// A primary and its replica: what the one states, the other executes.
class Pair {
 public:
  // A random command about one stream, its groups and consumers, after a moment.
  void step() {
    const std::string id = std::to_string(1 + random_.below(100));
    const std::string group = " x g" + std::to_string(random_.below(2));
    const std::string consumer = " c" + std::to_string(random_.below(3)) + " ";
    const std::string reader = "XREADGROUP GROUP" + group.substr(2) + consumer;
    const auto seldom = [this](uint64_t of, const std::string& command) {
      if (random_.below(of) == 0) primary.run(command);
    };
    switch (random_.below(12)) {
      case 0:
        return primary_run("XGROUP CREATE" + group + " $ MKSTREAM");
      case 1:
        return seldom(8, "XGROUP DELCONSUMER" + group + consumer);
      case 2:
        return primary_run("XCLAIM" + group + consumer + "0 " + id + " FORCE");
      case 3:
        return primary_run("XAUTOCLAIM" + group + consumer + "3 0 COUNT 2");
      case 4:
        return primary_run("XACK" + group + " " + id);
      case 5:
        return seldom(3, "XDEL x " + id);
      case 6:
        return seldom(20, "XGROUP SETID" + group + " 0");
      case 7:
        return seldom(20, "DEL x");
      case 8:
        return primary_run(reader + "NOACK COUNT 1 STREAMS x >");
      case 9:
        return primary_run(reader + "COUNT 2 STREAMS x >");
      default:
        return primary_run("XADD x MAXLEN ~ 20 " + std::to_string(++added_ / 8 + 1) + "-* f v");
    }
  }
  void replicate() {
    for (const std::string& effect : primary.effects()) {
      if (effect == "MULTI" || effect == "EXEC") continue;
      std::string storage;
      std::vector<Bytes> args;
      ASSERT_TRUE(split_arguments(effect, storage, args));
      const std::string reply = replica.reply_bytes(link_, args);
      ASSERT_FALSE(reply.starts_with("-")) << effect << ": " << reply;
    }
    primary.clock.now_us += 1000;
    replica.clock.now_us += 1000;
  }

  Stage primary;
  Stage replica;

 private:
  void primary_run(const std::string& command) { primary.run(command); }

  Random random_{1};
  StageClient link_{ClientKind::kNormal, true};
  int added_ = 0;
};

// Of XINFO GROUPS. Consumers that have nothing may be missing at a replica.
std::string without_consumers(std::string groups) {
  for (size_t at = 0; (at = groups.find("consumers ", at)) != std::string::npos;) {
    groups.erase(at, groups.find("pending", at) - at);
  }
  return groups;
}

// All that is pending, and how far groups have read, although the primary does not say how much
// that is.
TEST(StreamGroups, ReplicasFollow) {
  Pair pair;
  for (int i = 0; i < 3000; ++i) {
    pair.step();
    ASSERT_NO_FATAL_FAILURE(pair.replicate());
    if (i % 10 != 0) continue;
    for (const char* question : {"XPENDING x g0 - + 1000", "XPENDING x g1 - + 1000"}) {
      ASSERT_EQ(pair.replica.run(question), pair.primary.run(question)) << i;
    }
    ASSERT_EQ(without_consumers(pair.replica.run("XINFO GROUPS x")),
              without_consumers(pair.primary.run("XINFO GROUPS x")))
        << i;
  }
}

}  // namespace
}  // namespace tandem
