"""Commands on a key whose time is over, and that nobody has met yet: their answers and what is told
of them, beside redis-server."""
from harness.listening import Listening, words

# "dst" is the dead key, and "payload" what DUMP gives of a text.
DATA = """\
RPUSH list 1 2
SADD set a
ZADD zset 1 a
GEOADD geo 1.1 1.1 p
SET str s
PFADD hll x""".splitlines()

OVERWRITES = """\
SORT none STORE dst
SORT list STORE dst
SORT list BY nosort GET # STORE dst
SUNIONSTORE dst none
SUNIONSTORE dst set
SINTERSTORE dst none
SINTERSTORE dst set
SDIFFSTORE dst none
SDIFFSTORE dst set
ZUNIONSTORE dst 1 none
ZUNIONSTORE dst 1 zset
ZINTERSTORE dst 1 none
ZINTERSTORE dst 1 zset
ZDIFFSTORE dst 1 none
ZDIFFSTORE dst 1 zset
ZRANGESTORE dst none 0 -1
ZRANGESTORE dst zset 0 -1
GEOSEARCHSTORE dst none FROMLONLAT 1 1 BYRADIUS 1 km
GEOSEARCHSTORE dst geo FROMLONLAT 1 1 BYRADIUS 1 km
GEOSEARCHSTORE dst geo FROMLONLAT 1 1 BYRADIUS 1000 km
GEORADIUS none 1 1 1 km STORE dst
GEORADIUS geo 1 1 1 km STORE dst
GEORADIUS geo 1 1 1000 km STORE dst
GEORADIUSBYMEMBER geo p 1 km STOREDIST dst
BITOP AND dst none
BITOP AND dst str
BITOP NOT dst dst
PFMERGE dst hll
PFMERGE dst none
COPY str dst
COPY str dst REPLACE
COPY none dst REPLACE
RENAME str dst
RENAMENX str dst
RESTORE dst 0 payload
RESTORE dst 0 payload REPLACE
RESTORE dst 1 payload REPLACE ABSTTL
SET dst v
SET dst v XX
SET dst v NX
SET dst v GET
SET dst v KEEPTTL
SETNX dst v
SETEX dst 100 v
PSETEX dst 100000 v
GETSET dst v
MSET dst v
MSETNX dst v
RPOPLPUSH list dst
LMOVE list dst LEFT LEFT
BLMOVE list dst LEFT LEFT 0
BRPOPLPUSH list dst 0
SMOVE set dst a""".splitlines()

CHANGES = """\
GETDEL dst
GETEX dst
GETEX dst PERSIST
APPEND dst v
SETRANGE dst 0 v
SETRANGE dst 1 ''
INCR dst
DECRBY dst 2
INCRBYFLOAT dst 1
SETBIT dst 1 1
BITFIELD dst SET u8 0 1
BITFIELD dst GET u8 0
DEL dst
DEL dst str
UNLINK dst
EXPIRE dst 10
EXPIRE dst 10 NX
EXPIREAT dst 1
PEXPIRE dst -1
PERSIST dst
MOVE dst 1
COPY dst fresh
RENAME dst fresh
RENAMENX dst fresh
TOUCH dst
LPUSH dst a
LPUSHX dst a
LPOP dst
LPOP dst 2
LREM dst 0 a
LTRIM dst 0 1
LSET dst 0 1
LINSERT dst BEFORE a b
LMOVE dst list LEFT LEFT
LMPOP 1 dst LEFT
LMPOP 2 dst list LEFT
BLPOP dst 0.01
BLPOP dst list 0
SADD dst a
SREM dst a
SPOP dst
SPOP dst 2
SMOVE dst set a
HSET dst a b
HSETNX dst a 1
HDEL dst a
HINCRBY dst a 1
HINCRBYFLOAT dst a 1
ZADD dst 1 a
ZADD dst XX 1 a
ZADD dst XX INCR 1 a
ZREM dst a
ZINCRBY dst 1 a
ZPOPMIN dst
ZMPOP 1 dst MIN
BZPOPMAX dst zset 0
ZREMRANGEBYRANK dst 0 1
ZREMRANGEBYSCORE dst 0 1
ZREMRANGEBYLEX dst - +
XADD dst 1-1 a b
XADD dst NOMKSTREAM 1-1 a b
XDEL dst 1-1
XTRIM dst MAXLEN 1
XSETID dst 1-1
XGROUP CREATE dst g $
XGROUP CREATE dst g $ MKSTREAM
XGROUP DESTROY dst g
XACK dst g 1-1
XREADGROUP GROUP g c STREAMS dst >
GEOADD dst 1 1 a
PFADD dst a
PFADD dst
PFCOUNT dst
EVAL return(redis.call('sort','none','store',KEYS[1])) 1 dst
EVAL return(redis.call('set',KEYS[1],'x')) 1 dst
EVAL return(redis.call('get',KEYS[1])) 1 dst""".splitlines()


class DeadKey(Listening):
    """Nobody but a command meets a key that has ended."""

    def __init__(self, server):
        super().__init__(server)
        self.acts("DEBUG", "SET-ACTIVE-EXPIRE", 0)

    def prepare(self):
        self.acts("FLUSHALL")
        for line in DATA:
            self.acts(*line.split())
        payload = self.acts.raw("DUMP", "str").partition(b"\r\n")[2][:-2]
        self.let_end("dst")
        self.until_now()
        return payload

    def told(self, command):
        """The answer, and the events, each on one of its two channels."""
        payload = self.prepare()
        answer = self.acts.raw(*(payload if word == "payload" else word for word in command))
        return answer, [event for event in self.until_now() if "keyevent" in event]


def differences(start, lines):
    ours, theirs = (DeadKey(start(kind)) for kind in ("tandem", "redis"))
    for line in lines:
        here, there = (side.told(words(line)) for side in (ours, theirs))
        if here != there:
            yield f"{line}\n  ours   {here}\n  theirs {there}"


def test_what_overwrites_a_dead_key(start):
    differing = list(differences(start, OVERWRITES))
    assert not differing, "\n".join(differing)


def test_what_changes_a_dead_key(start):
    differing = list(differences(start, CHANGES))
    assert not differing, "\n".join(differing)
