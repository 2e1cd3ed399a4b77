#include "commands/testing.h"

namespace tandem {
namespace {

TEST(Keys, DeleteCountAndName) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> MSET a 1 b 2
OK
~ MSET a 1 b 2
> EXISTS a a none
2
> TOUCH a none
1
> TYPE a
string
> TYPE none
none
> DEL none
0
> DEL a none
1
~ DEL a none
> UNLINK b
1
~ UNLINK b
> DBSIZE
0
)");
}

TEST(Keys, ExpireSaysWhen) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> EXPIRE none 10
0
> SET k v
OK
~ SET k v
> EXPIRE k 10
1
~ PEXPIREAT k 1010000
> TTL k
10
> PTTL k
10000
> EXPIRETIME k
1010
> PEXPIRETIME k
1010000
> EXPIRE k 20 NX
0
> EXPIRE k 5 GT
0
> PEXPIRE k 30000 GT XX
1
~ PEXPIREAT k 1030000
> EXPIREAT k 2000 LT
0
> PERSIST k
1
~ PERSIST k
> PERSIST k
0
> EXPIRE k 10 GT
0
> EXPIRE k 10 XX
0
> PEXPIREAT k 1000500 LT
1
~ PEXPIREAT k 1000500
> EXPIRE k 10 NX XX
!ERR NX and XX, GT or LT options at the same time are not compatible
> EXPIRE k 10 LT GT
!ERR GT and LT options at the same time are not compatible
> EXPIRE k 10 soon
!ERR Unsupported option soon
> EXPIRE k 9223372036854775807
!ERR invalid expire time in 'expire' command
> EXPIRE k -1
1
~ DEL k
> TTL k
-2
)");
}

TEST(Keys, AReplicaNeverDeletesOnItsOwn) {
  Stage stage;
  stage.gate.set(Gate::kReplica, true);
  // Nor does what its own clients write go into its log, which is its primary's.
  EXPECT_TRANSCRIPT(stage, R"(
> SET k v
OK
> EXPIRE k -1
1
> GET k
nil
)");
  EXPECT_EQ(stage.keyspace.keys(0), 1);
}

TEST(Keys, RenameMoveCopy) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> RENAME a b
!ERR no such key
> SET a 1 EX 10
OK
~ SET a 1 PXAT 1010000
> RENAME a b
OK
~ RENAME a b
> TTL b
10
> RENAME b b
OK
> RENAMENX b b
0
> SET c 2
OK
~ SET c 2
> RENAMENX b c
0
> MOVE b 3
1
~ MOVE b 3
> MOVE b 0
!ERR source and destination objects are the same
> MOVE b 16
!ERR DB index is out of range
> MOVE b x
!ERR value is not an integer or out of range
> COPY c d
1
~ COPY c d
> COPY c d
0
> COPY c d REPLACE
1
~ COPY c d REPLACE
> COPY c c
!ERR source and destination objects are the same
> COPY c c DB 3
1
~ COPY c c DB 3
> COPY c c DB 16
!ERR DB index is out of range
> SWAPDB 0 3
OK
~ SWAPDB 0 3
> DBSIZE
2
> SWAPDB x 1
!ERR invalid first DB index
> SWAPDB 1 16
!ERR DB index is out of range
> FLUSHDB now
!ERR syntax error
> FLUSHDB ASYNC
OK
~ FLUSHDB ASYNC
> FLUSHALL
OK
~ FLUSHALL
)");
}

TEST(Keys, ScanSeesEverythingOnce) {
  Stage stage;
  for (int i = 0; i < 300; ++i) stage.run("SET key:" + std::to_string(i) + " v");
  stage.effects();
  int seen = 0;
  int calls = 0;
  std::string cursor = "0";
  do {
    const std::string reply = stage.run("SCAN " + cursor + " COUNT 50");
    const size_t space = reply.find(' ');
    cursor = reply.substr(1, space - 1);
    for (size_t at = reply.find("key:"); at != std::string::npos; at = reply.find("key:", at + 1)) {
      ++seen;
    }
    ++calls;
  } while (cursor != "0");
  EXPECT_EQ(seen, 300);
  EXPECT_GE(calls, 5);
  EXPECT_LE(calls, 7);
  EXPECT_TRANSCRIPT(stage, R"(
> KEYS key:1[^0-8]7
[key:197]
> SCAN x
!ERR invalid cursor
> SCAN 0 COUNT 0
!ERR syntax error
> SCAN 0 MATCH key:7 COUNT 1000
[0 [key:7]]
> SCAN 0 TYPE list COUNT 1000
[0 []]
)");
}

TEST(Keys, DumpAndRestore) {
  Stage stage;
  // DUMP of "hello" by redis-server 7.0.
  EXPECT_TRANSCRIPT(stage, R"(
> RESTORE k 0 "\x00\x05hello\x0a\x00cr\xdfvSB\x00\x0a"
!ERR DUMP payload version or checksum are wrong
> DUMP none
nil
> OBJECT ENCODING none
nil
> SET n 5
OK
~ SET n 5
> OBJECT ENCODING n
int
> OBJECT REFCOUNT n
2147483647
> OBJECT IDLETIME n
0
> RESTORE n -1 x
!BUSYKEY Target key name already exists.
> RESTORE n -1 x REPLACE
!ERR Invalid TTL value, must be >= 0
> RESTORE n 0 x REPLACE FREQ 256
!ERR Invalid FREQ value, must be >= 0 and <= 255
> RESTORE n 0 x REPLACE IDLETIME 1 FREQ 1
!ERR syntax error
)");
  const Bytes payload("\x00\xc0\x2a\x0a\x00\x81\xfb\x5c\xfa\x86\x63\x4f\x50", 13);
  const std::vector<Bytes> restore = {"RESTORE", "m", "10", payload};
  EXPECT_EQ(stage.reply_bytes(stage.client(""), restore), "+OK\r\n");
  EXPECT_EQ(stage.effects().front(),
            "RESTORE m 1000010 " + std::string(payload) + " REPLACE ABSTTL");
  EXPECT_EQ(stage.run("GET m"), "42");
  EXPECT_EQ(stage.run("PTTL m"), "10");
  const std::vector<Bytes> dump = {"DUMP", "m"};
  EXPECT_EQ(stage.reply_bytes(stage.client(""), dump), "$13\r\n" + std::string(payload) + "\r\n");
}

TEST(Keys, CopiesEveryType) {
  Stage stage;
  stage.run("RPUSH list a b 3");
  stage.run("SADD set x 1");
  stage.run("ZADD sorted 1.5 m 2 n");
  stage.run("HSET hash f v");
  stage.run("XADD stream 5-1 f v");
  for (const std::string key : {"list", "set", "sorted", "hash", "stream"}) {
    EXPECT_EQ(stage.run("COPY " + key + " copy"), "1") << key;
    EXPECT_EQ(stage.run("TYPE copy"), stage.run("TYPE " + key));
    EXPECT_EQ(stage.run("DUMP copy"), stage.run("DUMP " + key));
    EXPECT_EQ(stage.run("OBJECT ENCODING copy"), stage.run("OBJECT ENCODING " + key));
    EXPECT_EQ(stage.run("DEL copy"), "1");
  }
}

// As large as it was once, with little in it; and what is done to the copy stays there.
TEST(Keys, ACopyHasTheFormOfItsSource) {
  struct Large {
    std::string key;
    Bytes encoding;
    std::vector<std::string> change;  // of the copy
    std::string all;
  };
  const std::string text(100, 'x');
  const std::string much(9000, 'y');
  const std::vector<Large> kinds = {
      {"list", "quicklist", {"LSET copy 0 z", "LPOP copy"}, "LRANGE list 0 -1"},
      {"set", "hashtable", {"SADD copy z", "SREM copy a"}, "SMEMBERS set"},
      {"integers", "hashtable", {"SADD copy 9"}, "SMEMBERS integers"},
      {"sorted", "skiplist", {"ZADD copy 9 a"}, "ZRANGE sorted 0 -1 WITHSCORES"},
      {"hash", "hashtable", {"HSET copy f w"}, "HGETALL hash"}};
  Stage stage;
  stage.run("RPUSH list a b " + much + " c");
  stage.run("SADD set a " + text);
  stage.run("SREM set " + text);
  stage.run("SADD integers 1 " + text);
  stage.run("SREM integers " + text);
  stage.run("ZADD sorted 1 a 2 " + text);
  stage.run("ZREM sorted " + text);
  stage.run("HSET hash f " + text);
  stage.run("HSET hash f v");
  for (const Large& kind : kinds) {
    ASSERT_EQ(stage.run("OBJECT ENCODING " + kind.key), kind.encoding);
    const std::string before = stage.run(kind.all);
    EXPECT_EQ(stage.run("COPY " + kind.key + " copy"), "1");
    EXPECT_EQ(stage.run("OBJECT ENCODING copy"), kind.encoding);
    EXPECT_EQ(stage.run("DUMP copy"), stage.run("DUMP " + kind.key));
    for (const std::string& change : kind.change) stage.run(change);
    EXPECT_EQ(stage.run(kind.all), before);
    EXPECT_NE(stage.run("DUMP copy"), stage.run("DUMP " + kind.key)) << kind.key;
    stage.run("DEL " + kind.key);
    EXPECT_EQ(stage.run("EXISTS copy"), "1");
    stage.run("DEL copy");
  }
}

TEST(Keys, ExpiryAtTheEndOfTime) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> SET k v
OK
~ SET k v
> PEXPIREAT k 9223372036854775807
1
~ PEXPIREAT k 9223372036854775807
> EXPIRETIME k
9223372036854776
> TTL k
9223372036853776
)");
}

}  // namespace
}  // namespace tandem
