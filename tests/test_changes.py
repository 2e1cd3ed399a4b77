"""What counts as a change towards the save points: as many as in Redis, command by command."""
import pytest

from harness.servers import parse_info

COMMANDS = """
SET a 1 | SET a 2 EX 100 | SET a 3 NX | APPEND a 4 | INCR a | SETRANGE a 2 xy | GETSET a 5
GETDEL a
MSET a 1 b 2 c 3 | MSETNX d 1 e 2 | MSETNX d 1 f 2 | DEL a b nosuch | UNLINK c | SETNX d 9
GETEX d EX 9
EXPIRE d 100 | PERSIST d | PERSIST d | EXPIRE d -1 | RENAME e f | COPY f g | COPY f g | MOVE g 1
SWAPDB 0 1
SWAPDB 0 0 | SWAPDB 0 1 | RENAMENX f d | EXPIRE nosuch 1
RPUSH l a b c d e f | LPUSHX l z y | LPUSHX nosuch z | LPOP l | RPOP l 3 | LSET l 0 q
LINSERT l AFTER q r
LREM l 0 a | RPUSH l a b c d | LTRIM l 1 2 | LTRIM l 0 -1 | LMOVE l m LEFT RIGHT | RPOPLPUSH l m
LPOP m 9
BLPOP nosuch l 1 | RPUSH l 1 2 | BLPOP l 1 | BRPOP l 1 | RPUSH l 1 2 | BLMOVE l l2 LEFT LEFT 1
RPUSH l 3 1 2 1 | LMPOP 2 nosuch l LEFT COUNT 2 | BLMPOP 1 1 l RIGHT | RPUSH l 3 1 2
LMPOP 1 nosuch LEFT
SORT l STORE l2 | SORT l GET # GET # STORE l2 | SORT l BY w* ALPHA STORE l2 | SORT nosuch STORE l2
SORT nosuch STORE l2 | SORT l
SADD s a b c d e | SADD s a | SADD s a z | SREM s a nosuch b | SMOVE s t c | SMOVE s t nosuch
SADD s p q r
SPOP s | SPOP s 2 | SPOP s 100 | SADD s 1 2 3 | SADD u 2 3 4 | SINTERSTORE v s u
SUNIONSTORE v s u
SDIFFSTORE v nosuch u | SDIFFSTORE w s u | SMOVE w s 1
HSET h a 1 b 2 c 3 | HSET h a 1 | HSETNX h a 2 | HSETNX h d 2 | HINCRBY h a 5
HINCRBYFLOAT h a 0.5
HDEL h a nosuch b | HMSET h x 1 y 2 | HDEL h c d x y
ZADD z 1 a 2 b 3 c | ZADD z 1 a | ZADD z 5 a 6 d | ZADD z XX 9 a 9 q | ZINCRBY z 1 a
ZINCRBY z 0 a
ZREM z a nosuch | ZADD z 1 p 2 q 3 r 4 s 5 t | ZPOPMIN z | ZPOPMAX z 2 | ZREMRANGEBYRANK z 0 1
ZADD z2 1 p 2 q 9 s | ZUNIONSTORE u 2 z z2 | ZINTERSTORE u 2 z z2 | ZDIFFSTORE u 2 z z2
ZDIFFSTORE u 2 z z
ZDIFFSTORE u 1 nosuch | ZMPOP 2 nosuch z2 MIN COUNT 2 | BZMPOP 1 1 z2 MAX | ZMPOP 1 z2 MIN
ZRANGESTORE y z 0 -1 | ZRANGESTORE y nosuch 0 -1 | BZPOPMIN z 1 | ZREMRANGEBYSCORE z -inf +inf
XADD x 1-1 f v | XADD x 2-1 f v | XADD x 3-1 f v | XADD x MAXLEN 2 4-1 f v | XDEL x 3-1 9-9
XTRIM x MAXLEN 0
XADD x 5-1 f v | XADD x 6-1 f v | XADD x 7-1 f v | XTRIM x MAXLEN 1
SETBIT bit 7 1 | SETBIT bit 7 1 | SETBIT bit 90 0 | BITFIELD bit SET u8 0 1 INCRBY u8 8 2 GET u8 8
BITFIELD bit SET u8 0 1 | BITFIELD bit OVERFLOW FAIL SET u8 900 999 | BITOP NOT bit bit
BITOP AND bit nosuch | BITOP AND bit nosuch
PFADD p a b c | PFADD p a | PFCOUNT p | PFCOUNT p | PFCOUNT p p | PFMERGE q p | PFMERGE q
GEOADD geo 1 1 a 2 2 b 9 9 c | GEOADD geo 1 1 a 3 3 b | GEOADD geo XX 1 1 d
GEORADIUS geo 1 1 999 km STORE near | GEOSEARCHSTORE near geo FROMMEMBER a BYRADIUS 999 km
GEORADIUS geo 80 80 1 m STORE near | GEORADIUS geo 80 80 1 m STORE near
XGROUP CREATE x g 0 | XGROUP CREATE new g 0 MKSTREAM | XGROUP CREATECONSUMER x g a
XGROUP CREATECONSUMER x g a | XGROUP CREATECONSUMER x g b | XADD x 8-1 f v | XADD x 9-1 f v
XREADGROUP GROUP g a COUNT 2 STREAMS x > | XREADGROUP GROUP g a STREAMS x >
XREADGROUP GROUP g a STREAMS x > | XREADGROUP GROUP g a STREAMS x 0
XREADGROUP GROUP g b NOACK STREAMS x 0 | XACK x g 7-1 7-1 9-9 | XCLAIM x g b 0 8-1 9-1 1-1
XCLAIM x g b 99999999 8-1 LASTID 20 | XCLAIM x g b 0 8-1 LASTID 30 | XAUTOCLAIM x g a 0 0 COUNT 1
XDEL x 9-1 | XAUTOCLAIM x g a 0 0 | XGROUP SETID x g 0 | XGROUP DELCONSUMER x g a
XGROUP DELCONSUMER x g a | XSETID x 50 | XGROUP DESTROY x g | XGROUP DESTROY x g
FLUSHDB
"""


@pytest.fixture
def both(start):
    return [start(kind).connect() for kind in ("tandem", "redis")]


def changes(connection):
    return int(parse_info(connection("INFO", "persistence"))["rdb_changes_since_last_save"])


def test_every_command_counts_as_in_redis(both):
    differing = []
    for command in COMMANDS.replace("\n", "|").split("|"):
        if not command.strip():
            continue
        counted = []
        for connection in both:
            before = changes(connection)
            connection(*command.split())
            counted.append(changes(connection) - before)
        if counted[0] != counted[1]:
            differing.append((command.strip(), *counted))
    assert not differing
