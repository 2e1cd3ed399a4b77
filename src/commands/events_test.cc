// What each command tells of its keys, as redis-server 7.0.15 notifies it (notify-keyspace-events
// EA).
#include <gtest/gtest.h>

#include "commands/table.h"
#include "engine/command.h"
#include "engine/context.h"
#include "keyspace/event_choice.h"
#include "resp/request.h"

namespace tandem {
namespace {

// The handlers without an executor, for whom its keyspace's events come first.
class Listening final : KeyListener {
 public:
  Listening() { access_.listen(this); }

  std::string run(Bytes line) {
    std::string storage;
    std::vector<Bytes> args;
    EXPECT_TRUE(split_arguments(line, storage, args));
    std::string out;
    ReplyWriter reply(out);
    effects_.begin(true);
    access_.begin(1'000'000, ExpiryMode::kDelete, {}, every_stripe_);
    View view(access_, 0);
    const Command* command = registry_.resolve(args);
    Context context{.command = *command,
                    .args = args,
                    .keys = view,
                    .reply = reply,
                    .random = random_,
                    .now_ms = access_.now_ms()};
    events_.clear();
    command->row.handler(context);
    EXPECT_NE(out[0], '-') << line << ": " << out;
    return events_;
  }

 private:
  void heard(const KeyEvent& event, int database, Bytes key) override {
    if (!told_.tells(event.event_class)) return;
    if (!events_.empty()) events_ += ' ';
    if (database != 0) events_ += std::to_string(database) + "/";
    events_ += std::string(event.name) + ":" + std::string(key);
  }

  const EventChoice told_ = *EventChoice::parse("EA");
  const StripeSet every_stripe_ = StripeSet::all();
  Keyspace keyspace_{{.databases = 16, .hash_seed = 7}};
  EncodingLimits limits_;
  Effects effects_;
  KeyAccess access_{keyspace_, limits_, effects_};
  Registry registry_{keyspace_rows()};
  Random random_{1};
  std::string events_;
};

struct Told {
  Bytes command;
  Bytes events;
};

// One after the other: each finds what those before it left.
constexpr Told kTold[] = {
    {"SET s 1", "set:s"},
    {"SET s 2 EX 100", "set:s expire:s"},
    {"SET s 3 NX", ""},
    {"SET s 4 KEEPTTL", "set:s"},
    {"SETNX s 1", ""},
    {"SETNX s2 1", "set:s2"},
    {"SETEX s 100 v", "set:s expire:s"},
    {"PSETEX s 100000 v", "set:s expire:s"},
    {"GETSET s 5", "set:s"},
    {"GETEX s EX 100", "expire:s"},
    {"GETEX s PERSIST", "persist:s"},
    {"GETEX s PERSIST", ""},
    {"GETEX s EXAT 1", "del:s"},
    {"MSET s 1 t 2", "set:s set:t"},
    {"MSETNX s 1 u 2", ""},
    {"MSETNX u 1 w 2", "set:u set:w"},
    {"APPEND s x", "append:s"},
    {"APPEND fresh x", "append:fresh"},
    {"SETRANGE s 1 abc", "setrange:s"},
    {"SETRANGE s 1 ''", ""},
    {"INCR n", "incrby:n"},
    {"DECRBY n 5", "incrby:n"},
    {"INCRBYFLOAT n 0.5", "incrbyfloat:n"},
    {"GETDEL n", "del:n"},
    {"SETBIT bit 7 1", "setbit:bit"},
    {"SETBIT bit 7 1", ""},
    {"BITFIELD bit SET u4 0 3 INCRBY u4 4 1", "setbit:bit"},
    {"BITFIELD bit GET u4 0", ""},
    {"BITFIELD bit OVERFLOW FAIL SET u4 100 99", ""},
    {"BITOP NOT bit bit", "set:bit"},
    {"BITOP AND bit none", "del:bit"},
    {"BITOP AND bit none", ""},
    {"PFADD p a b", "pfadd:p"},
    {"PFADD p a", ""},
    {"PFCOUNT p", ""},
    {"PFMERGE q p", "pfadd:q"},
    {"DEL p q", "del:p del:q"},
    {"EXPIRE s 100", "expire:s"},
    {"EXPIRE s 100 NX", ""},
    {"PEXPIREAT s 1", "del:s"},
    {"PERSIST t", ""},
    {"EXPIRE t 100", "expire:t"},
    {"PERSIST t", "persist:t"},
    {"RENAME t t2", "rename_from:t rename_to:t2"},
    {"RENAMENX t2 u", ""},
    {"MOVE t2 1", "move_from:t2 1/move_to:t2"},
    {"COPY u v", "copy_to:v"},
    {"COPY u v REPLACE", "copy_to:v"},
    {"DEL u v none", "del:u del:v"},
    {"UNLINK w", "del:w"},
    {"LPUSH l a b c d e f", "lpush:l"},
    {"RPUSHX l g", "rpush:l"},
    {"LPUSHX none g", ""},
    {"RPUSH l2 a", "rpush:l2"},
    {"LSET l 0 z", "lset:l"},
    {"LINSERT l BEFORE b x", "linsert:l"},
    {"LINSERT l BEFORE nosuch x", ""},
    {"LREM l 0 x", "lrem:l"},
    {"LREM l 0 nosuch", ""},
    {"LTRIM l 0 100", "ltrim:l"},
    {"LTRIM l 0 3", "ltrim:l"},
    {"LPOP l", "lpop:l"},
    {"RPOP l 1", "rpop:l"},
    {"LMOVE l l2 LEFT RIGHT", "rpush:l2 lpop:l"},
    {"RPOPLPUSH l2 l2", "lpush:l2 rpop:l2"},
    {"RPOPLPUSH l l2", "lpush:l2 rpop:l del:l"},
    {"LMOVE none l LEFT LEFT", ""},
    {"BLPOP l2 0", "lpop:l2"},
    {"BRPOP l2 0", "rpop:l2"},
    {"BLMOVE l2 l3 LEFT RIGHT 0", "rpush:l3 lpop:l2 del:l2"},
    {"LTRIM l3 1 0", "ltrim:l3 del:l3"},
    {"RPUSH l4 1 2 3 4 5 6", "rpush:l4"},
    {"LMPOP 2 none l4 LEFT", "lpop:l4"},
    {"LMPOP 2 none l4 RIGHT COUNT 2", "rpop:l4"},
    {"BLMPOP 0 1 l4 LEFT", "lpop:l4"},
    {"LMPOP 1 none LEFT", ""},
    {"SORT l4 DESC STORE l5", "sortstore:l5"},
    {"SORT l4 BY none* ALPHA STORE l5", "sortstore:l5"},
    {"SORT none STORE l5", "del:l5"},
    {"SORT none STORE l5", ""},
    {"SORT l4 BY none* GET #", ""},
    {"BLMPOP 0 1 l4 LEFT COUNT 9", "lpop:l4 del:l4"},
    {"SADD a 1 2 3 4 5 6 x", "sadd:a"},
    {"SADD a 1", ""},
    {"SREM a 1 nosuch", "srem:a"},
    {"SREM a nosuch", ""},
    {"SMOVE a b 2", "srem:a sadd:b"},
    {"SMOVE b a 2", "srem:b del:b sadd:a"},
    {"SMOVE a a 2", ""},
    {"SPOP a", "spop:a"},
    {"SPOP a 2", "spop:a"},
    {"SPOP a 100", "spop:a del:a"},
    {"SADD a x y", "sadd:a"},
    {"SADD b x", "sadd:b"},
    {"SINTERSTORE c a b", "sinterstore:c"},
    {"SUNIONSTORE c a b", "sunionstore:c"},
    {"SDIFFSTORE c a b", "sdiffstore:c"},
    {"SINTERSTORE c a none", "del:c"},
    {"SINTERSTORE c a none", ""},
    {"SREM b x", "srem:b del:b"},
    {"HSET h f 1 g 2", "hset:h"},
    {"HSETNX h f 1", ""},
    {"HSETNX h i 1", "hset:h"},
    {"HMSET h f 1", "hset:h"},
    {"HINCRBY h f 2", "hincrby:h"},
    {"HINCRBYFLOAT h f 0.5", "hincrbyfloat:h"},
    {"HDEL h nosuch", ""},
    {"HDEL h f", "hdel:h"},
    {"HDEL h g i", "hdel:h del:h"},
    {"ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g", "zadd:z"},
    {"ZADD z 1 a", ""},
    {"ZADD z 2 a", "zadd:z"},
    {"ZADD z INCR 1 a", "zincr:z"},
    {"ZINCRBY z 1 a", "zincr:z"},
    {"ZINCRBY z 0 a", ""},
    {"ZREM z nosuch", ""},
    {"ZREM z a", "zrem:z"},
    {"ZPOPMIN z", "zpopmin:z"},
    {"ZPOPMAX z", "zpopmax:z"},
    {"ZRANGESTORE y z 0 -1", "zrangestore:y"},
    {"ZRANGESTORE y z 50 60", "del:y"},
    {"ZREMRANGEBYRANK z 0 0", "zremrangebyrank:z"},
    {"ZREMRANGEBYSCORE z 4 4", "zremrangebyscore:z"},
    {"ZREMRANGEBYLEX z - +", "zremrangebylex:z del:z"},
    {"ZADD z 1 a 2 b", "zadd:z"},
    {"BZPOPMIN z 0", "zpopmin:z"},
    {"BZPOPMAX z 0", "zpopmax:z del:z"},
    {"GEOADD geo 1 1 a 2 2 b", "zadd:geo"},
    {"GEOADD geo 1 1 a", ""},
    {"GEORADIUS geo 1 1 1 km STORE near", "georadiusstore:near"},
    {"GEORADIUS geo 9 9 1 km STORE near", "del:near"},
    {"GEOSEARCHSTORE near geo FROMMEMBER a BYRADIUS 1 km", "geosearchstore:near"},
    {"GEOSEARCHSTORE near geo FROMLONLAT 9 9 BYBOX 1 1 km", "del:near"},
    {"ZADD z 1 a 2 b 3 c 4 d", "zadd:z"},
    {"ZADD y 1 a 2 b", "zadd:y"},
    {"ZUNIONSTORE u 2 z y", "zunionstore:u"},
    {"ZINTERSTORE u 2 z y", "zinterstore:u"},
    {"ZDIFFSTORE u 2 z y", "zdiffstore:u"},
    {"ZDIFFSTORE u 2 y z", "del:u"},
    {"ZUNIONSTORE u 1 none", ""},
    {"ZUNION 2 z y", ""},
    {"ZMPOP 2 none z MIN", "zpopmin:z"},
    {"ZMPOP 1 z MAX COUNT 2", "zpopmax:z"},
    {"BZMPOP 0 1 z MIN", "zpopmin:z del:z"},
    {"ZMPOP 1 z MIN", ""},
    {"XADD x 1-1 f v", "xadd:x"},
    {"XADD x MAXLEN 5 2-1 f v", "xadd:x"},
    {"XADD x MAXLEN 1 3-1 f v", "xadd:x xtrim:x"},
    {"XADD x 4-1 f v", "xadd:x"},
    {"XGROUP CREATE x g 0", "xgroup-create:x"},
    {"XGROUP CREATE x2 g 0 MKSTREAM", "xgroup-create:x2"},
    {"XGROUP CREATECONSUMER x g anna", "xgroup-createconsumer:x"},
    {"XGROUP CREATECONSUMER x g anna", ""},
    {"XREADGROUP GROUP g anna COUNT 1 STREAMS x >", ""},
    {"XREADGROUP GROUP g bob STREAMS x >", "xgroup-createconsumer:x"},
    {"XCLAIM x g carl 0 4-1", "xgroup-createconsumer:x"},
    {"XAUTOCLAIM x g dora 0 0", "xgroup-createconsumer:x"},
    {"XACK x g 4-1", ""},
    {"XGROUP SETID x g 0", "xgroup-setid:x"},
    {"XGROUP DELCONSUMER x g nobody", ""},
    {"XGROUP DELCONSUMER x g dora", "xgroup-delconsumer:x"},
    {"XGROUP DESTROY x g", "xgroup-destroy:x"},
    {"XGROUP DESTROY x g", ""},
    {"XSETID x 4-1", "xsetid:x"},
    {"XTRIM x MAXLEN 5", ""},
    {"XTRIM x MAXLEN 1", "xtrim:x"},
    {"XDEL x 4-1", "xdel:x"},
    {"XDEL x 4-1", ""},
    {"FLUSHALL", ""},
};

TEST(Events, EveryChangeHasTheNamesOfRedis) {
  Listening commands;
  for (const Told& told : kTold) EXPECT_EQ(commands.run(told.command), told.events) << told.command;
}

}  // namespace
}  // namespace tandem
