"""notify-keyspace-events: which events every command tells, in which order and on which channels,
beside redis-server."""
import pytest

from harness.listening import Listening, words
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import encode

# One after the other: each finds what those before it left.
COMMANDS = """\
SET s 1
SET s 2
SET s 3 EX 100
SET s 4 KEEPTTL
SET s 5 XX GET
SET none 5 XX
SET s 5 NX
SETNX s2 1
SETNX s2 1
SETEX s3 100 v
PSETEX s3 100000 v
GETSET s 5
GETSET fresh 5
GETDEL fresh
GETDEL none
GETEX s EX 100
GETEX s PERSIST
GETEX s PERSIST
GETEX none
GETEX s EXAT 1
MSET s 1 t 2
MSETNX s 1 u 2
MSETNX u 1 w 2
MGET s none none2
GET none
STRLEN none
GETRANGE none 0 1
APPEND s x
APPEND a1 x
SETRANGE s 1 abc
SETRANGE a2 1 abc
SETRANGE a3 1 ''
INCR n
DECR n
INCRBY n 5
DECRBY n 5
INCRBYFLOAT n 0.5
INCRBYFLOAT n2 0.5
EXISTS none none2
TYPE none
TTL none
PTTL none
EXPIRETIME none
OBJECT ENCODING none
DUMP none
TOUCH none s
EXPIRE s 100
EXPIRE s 100 NX
EXPIRE none 100
PEXPIREAT s 1
PERSIST t
EXPIRE t 100
PERSIST t
RENAME t t2
SET t 1
RENAME t t2
RENAME none t2
RENAMENX t2 u
RENAMENX t2 t3
MOVE t3 1
MOVE t3 1
COPY u v
COPY u v
COPY u v REPLACE
COPY none v
DEL u v none
UNLINK w none
LPUSH l a b c d e f
RPUSHX l g
LPUSHX none g
RPUSH l2 a
LLEN none
LRANGE none 0 1
LINDEX none 0
LPOS none a
LSET l 0 z
LINSERT l BEFORE b x
LINSERT l BEFORE nosuch x
LINSERT none BEFORE b x
LREM l 0 x
LREM l 0 nosuch
LTRIM l 0 100
LTRIM l 0 3
LPOP l
LPOP none
RPOP l 1
LMOVE l l2 LEFT RIGHT
RPOPLPUSH l2 l2
RPOPLPUSH l l4
LMOVE none l LEFT LEFT
BLPOP l2 0
BLPOP none 0.01
BRPOP l2 0.01
BLMOVE l4 l3 LEFT RIGHT 0
LTRIM l3 1 0
SADD a 1 2 3 4 5 6 x
SADD a 1
SREM a 1 nosuch
SREM a nosuch
SMOVE a b 2
SMOVE b a 2
SMOVE a a 3
SMOVE a b nosuch
SPOP none
SCARD none
SMEMBERS none
SISMEMBER none a
SMISMEMBER none a
SRANDMEMBER none
SADD b x
SINTER a none
SUNION a none
SDIFF none a
SINTERSTORE c a b
SINTERSTORE c a b
SUNIONSTORE c a none
SDIFFSTORE c2 a b
SINTERSTORE c a none
SINTERSTORE c a none
SREM b x
HSET h f 1 g 2
HSET h f 1
HSETNX h f 1
HSETNX h i 1
HMSET h f 1
HGET none f
HMGET none f
HLEN none
HEXISTS none f
HSTRLEN none f
HGETALL none
HKEYS none
HVALS none
HINCRBY h f 2
HINCRBY h2 f 2
HINCRBYFLOAT h f 0.5
HINCRBYFLOAT h3 f 0.5
HDEL h nosuch
HDEL h f
HDEL h g i
ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g
ZADD z 1 a
ZADD z 2 a
ZADD z INCR 1 a
ZINCRBY z 1 a
ZINCRBY z2 1 a
ZREM z nosuch
ZREM z a
ZCARD none
ZSCORE none a
ZMSCORE none a
ZRANK none a
ZRANGE none 0 1
ZCOUNT none 0 1
ZPOPMIN z
ZPOPMAX z
ZPOPMIN none
ZRANGESTORE y z 0 -1
ZRANGESTORE y z 0 -1
ZRANGESTORE y z 50 60
ZRANGESTORE y none 0 1
ZREMRANGEBYRANK z 0 0
ZREMRANGEBYSCORE z 4 4
ZREMRANGEBYSCORE none 4 4
ZREMRANGEBYLEX z - +
ZADD z 1 a 2 b
BZPOPMIN z 0
BZPOPMAX z 0
XADD x 1-1 f v
XADD x MAXLEN 5 2-1 f v
XADD x MAXLEN 1 3-1 f v
XADD x NOMKSTREAM 4-1 f v
XADD none NOMKSTREAM 4-1 f v
XLEN none
XRANGE none - +
XREAD STREAMS none 0
XTRIM x MAXLEN 5
XTRIM x MAXLEN 1
XDEL x 4-1
XDEL x 4-1
SCAN 0
KEYS *
RANDOMKEY
DBSIZE
MEMORY USAGE none
EVAL return(redis.call('set',KEYS[1],redis.call('get','none'))) 1 e1
SETBIT bit 1 1
GETBIT none 1
BITCOUNT none
BITOP AND bd bit none
BITPOS none 1
BITFIELD bf SET u8 0 1
BITFIELD bf GET u8 0
PFADD pf a
PFADD pf a
PFCOUNT none
PFCOUNT pf
PFMERGE pfm pf
GEOADD geo 1 1 m
GEOPOS none m
GEOSEARCHSTORE gs geo FROMMEMBER m BYRADIUS 1 m
GEOSEARCHSTORE gs geo FROMLONLAT 50 50 BYRADIUS 1 m
SORT l ALPHA STORE sd
SORT a STORE sd
SORT a STORE sd
SORT none STORE sd
LMPOP 1 a4 LEFT
ZUNIONSTORE zu 2 z none
ZUNIONSTORE zu 2 a c2
ZINTERSTORE zi 2 a none
ZDIFFSTORE zi 2 a none
ZRANDMEMBER none
HRANDFIELD none
LCS none s2
SINTERCARD 2 a none
XGROUP CREATE xx g $ MKSTREAM
XGROUP CREATECONSUMER xx g c
XGROUP SETID xx g 0
XGROUP DELCONSUMER xx g c
XGROUP DESTROY xx g
XSETID x 9-9
XPENDING none g
XINFO STREAM none
XADD xg 1-1 f v
XADD xg 2-1 f v
XADD xg 3-1 f v
XGROUP CREATE xg g 0
XGROUP CREATE xg g 0
XREADGROUP GROUP g c COUNT 1 STREAMS xg >
XREADGROUP GROUP g c STREAMS xg 0
XREADGROUP GROUP g d NOACK STREAMS xg >
XREADGROUP GROUP g d STREAMS xg >
XREADGROUP GROUP g e STREAMS none >
XCLAIM xg g f 0 1-1
XCLAIM xg g f 0 9-9
XAUTOCLAIM xg g h 0 0
XACK xg g 1-1
XACK xg g 1-1
XACK none g 1-1
XCLAIM none g f 0 1-1
XAUTOCLAIM none g f 0 0
XINFO GROUPS none
XINFO CONSUMERS none g
XGROUP SETID none g 0
XGROUP DESTROY none g
XDEL none 1-1
XTRIM none MAXLEN 1
XSETID none 1-1
XREVRANGE none + -
XPENDING xg g
XINFO GROUPS xg
XGROUP CREATECONSUMER xg g c
XGROUP DELCONSUMER xg g nosuch
XGROUP DESTROY xg nosuch
XGROUP CREATE none g 0
DEL xg
RPUSH p a b c d e
LMPOP 2 none p LEFT
LMPOP 2 none p RIGHT COUNT 3
BLMPOP 0.01 2 none p LEFT
BLMPOP 0.01 1 none LEFT
ZADD q 1 a 2 b 3 c 4 d
ZMPOP 2 none q MIN
ZMPOP 2 none q MAX COUNT 2
BZMPOP 0.01 2 none q MAX
BZMPOP 0.01 1 none MIN
ZMPOP 1 none MIN
SADD r 1 2 3 4
SPOP r
SPOP r 2
SPOP r 5
SRANDMEMBER none 2
RPUSH numbers 3 1 2
SORT numbers
SORT numbers BY w_* GET # GET v_*
SORT numbers BY nosort STORE sorted
SORT none BY w_*
SORT_RO numbers
SORT_RO none
GEOADD geo 2 2 n
GEOADD geo NX 2 2 n
GEORADIUS geo 1 1 500 km STORE gr
GEORADIUSBYMEMBER geo m 1 m STOREDIST gr
GEORADIUS geo 50 50 1 m STORE gr
GEORADIUS none 50 50 1 m STORE gr
GEODIST none a b
GEOHASH none a
GEOSEARCH none FROMLONLAT 1 1 BYRADIUS 1 m
ZUNION 2 none none2
ZINTER 2 none none2
ZDIFF 2 none none2
ZINTERCARD 2 none none2
ZRANGEBYSCORE none 0 1
ZREVRANGE none 0 1
ZRANGEBYLEX none - +
ZLEXCOUNT none - +
ZREVRANK none a
ZRANDMEMBER none 2
HRANDFIELD none 2
ZADD zg GT CH 1 a
ZADD zg GT CH 0 a
ZADD zg XX 5 a
ZINTERSTORE zi 1 zg
ZDIFFSTORE zi 2 zg zg
BITFIELD bf INCRBY u8 0 1
BITFIELD_RO none GET u8 0
BITOP NOT bd none
SETBIT bit 1 1
PFMERGE pfn none
COPY pf pf2 DB 1
COPY pf pf2 DB 1
COPY pf pf2 DB 1 REPLACE
EXPIRE pf -1
PEXPIRE pfm 100000 GT
EVAL return(redis.call('sort',KEYS[1],'store',KEYS[2])) 2 numbers es
EVAL_RO return(redis.call('get',KEYS[1])) 1 none
SELECT 1
SET s 1
SELECT 0
FLUSHDB
FLUSHALL""".splitlines()


def unknown(client, line):
    return client.raw(*line.split()[:1]).startswith(b"-ERR unknown command")


def test_every_command_tells_what_it_tells_in_redis(start):
    ours, theirs = (Listening(start(kind)) for kind in ("tandem", "redis"))
    differing = []
    for line in COMMANDS:
        if unknown(ours.acts, line):
            continue
        here, there = (listening.events(*words(line)) for listening in (ours, theirs))
        if line.startswith("XREAD "):  # Redis looks for each stream twice
            there = there[:len(there) // 2]
        if here != there:
            differing.append(f"{line}\n  ours   {here}\n  theirs {there}")
    assert not differing, "\n".join(differing)


@pytest.fixture(params=["tandem", "redis"])
def listening(start, request):
    return Listening(start(request.param))


def test_a_value_that_is_restored_is_a_new_key(listening):
    listening.acts("SET", "a", 1)
    listening.until_now()
    payload = listening.acts.raw("DUMP", "a").partition(b"\r\n")[2][:-2]
    new = ["__keyspace@0__:b new", "__keyevent@0__:new b", "__keyspace@0__:b restore",
           "__keyevent@0__:restore b"]
    assert listening.events("RESTORE", "b", 0, payload) == new
    assert listening.events("RESTORE", "b", 0, payload) == []
    assert listening.events("RESTORE", "b", 0, payload, "REPLACE") == new
    assert listening.events("RESTORE", "b", 1, payload, "REPLACE", "ABSTTL") == [
        "__keyspace@0__:b del", "__keyevent@0__:del b"]


@pytest.mark.parametrize("command", ["RESTORE", "COPY", "RENAME", "SET"])
def test_what_comes_in_the_place_of_a_dead_key(listening, command):
    """Its end is told first, but RESTORE does not look at what it replaces."""
    listening.acts("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    listening.acts("SET", "a", 1)
    payload = listening.acts.raw("DUMP", "a").partition(b"\r\n")[2][:-2]
    listening.acts("SET", "b", 1, "PX", 1)
    listening.acts("DEBUG", "SLEEP", "0.01")
    listening.until_now()
    words = {"RESTORE": ["b", 0, payload, "REPLACE"], "COPY": ["a", "b", "REPLACE"],
             "RENAME": ["a", "b"], "SET": ["b", 2]}[command]
    told = [event.partition(":")[2] for event in listening.events(command, *words)
            if event.startswith("__keyevent@0__")]
    assert told == {
        "RESTORE": ["new b", "restore b"], "COPY": ["expired b", "new b", "copy_to b"],
        "RENAME": ["expired b", "new b", "rename_from a", "rename_to b"],
        "SET": ["expired b", "new b", "set b"]}[command]


def test_the_end_of_a_keys_time(listening):
    """Met by a read, by a write that overwrites it, or by nobody."""
    client = listening.acts

    def names(events):
        return [event.split(":")[1].replace(" ", ":") for event in events if "keyevent" in event]

    def let_end(key):
        listening.let_end(key)
        listening.until_now()

    client("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    let_end("a")
    assert names(listening.events("GET", "a")) == ["expired:a", "keymiss:a"]
    let_end("b")
    assert names(listening.events("SET", "b", 1)) == ["expired:b", "new:b", "set:b"]
    client("SET", "from", 1)
    let_end("to")
    assert names(listening.events("RENAME", "from", "to")) == [
        "expired:to", "new:to", "rename_from:from", "rename_to:to"]
    let_end("c")
    client("DEBUG", "SET-ACTIVE-EXPIRE", 1)
    heard = []

    def is_found():
        heard.extend(names(listening.until_now()))
        return heard

    wait_until(is_found, "it is found")
    assert heard == ["expired:c"]


def test_served_clients_tell_what_they_did(listening):
    with listening.server.connect() as waits:
        waits.send(encode("BRPOPLPUSH", "q", "r", 0))
        wait_until(lambda: "blocked_clients:1\r" in listening.acts("INFO", "clients"), "it waits")
        events = [event for event in listening.events("LPUSH", "q", "x") if "keyevent" in event]
        assert events == ["__keyevent@0__:new q", "__keyevent@0__:lpush q", "__keyevent@0__:new r",
                          "__keyevent@0__:lpush r", "__keyevent@0__:rpop q", "__keyevent@0__:del q"]


@pytest.mark.parametrize("classes, heard", [
    ("", []), ("KE", []), ("A", []), ("Kg", ["__keyspace@0__:k del"]),
    ("Eg", ["__keyevent@0__:del k"]), ("E$", ["__keyevent@0__:set k"]),
    ("Em", ["__keyevent@0__:keymiss none"]), ("En", ["__keyevent@0__:new k"]),
    ("K$g", ["__keyspace@0__:k set", "__keyspace@0__:k del"]), ("Elshzxetd", [])])
def test_classes_and_channels(start, classes, heard):
    listening = Listening(start("tandem"), classes)
    listening.acts.pipeline([("SET", "k", 1), ("GET", "none"), ("DEL", "k")])
    assert listening.until_now() == heard


def test_the_order_is_that_of_what_happened(listening):
    """In a transaction and in a script, also among messages."""
    listening.acts("CONFIG", "SET", "notify-keyspace-events", "EA")
    listening.acts.pipeline([("MULTI",), ("SET", "a", 1), ("PUBLISH", "m", "between"),
                             ("DEL", "a"), ("EXEC",)])
    expected = ["__keyevent@0__:set a", "m between", "__keyevent@0__:del a"]
    assert listening.until_now() == expected
    listening.acts("EVAL", "redis.call('set','a',1) redis.call('publish','m','between') "
                           "redis.call('del','a')", 0)
    assert listening.until_now() == expected


def test_events_of_one_key_come_in_its_order(start):
    """Whoever the writers are, and wherever they are served."""
    server = start("tandem")
    listening = Listening(server, "Kl")
    writers = [server.connect() for _ in range(4)]
    for _ in range(50):
        for writer in writers:
            writer.send(encode("LPUSH", "q", "x") + encode("RPOP", "q"))
    for _ in range(100):
        for writer in writers:
            writer.read()
    depth = 0
    for event in listening.until_now():
        depth += 1 if event.endswith("lpush") else -1
        assert depth >= 0


def test_a_replica_tells_of_its_primarys_changes(start):
    if is_stock("tandem"):
        pytest.skip("the same as the primary")
    primary, replica = start("redis"), start("tandem")
    listening = Listening(replica, "Eg$")
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    with primary.connect() as client:
        client.pipeline([("SET", number, 1) for number in range(300)] + [("DEL", 7)])
    offset = primary.offset()
    wait_until(lambda: replica.offset() >= offset, "all is applied")
    expected = [f"__keyevent@0__:set {number}" for number in range(300)]
    assert listening.until_now() == [*expected, "__keyevent@0__:del 7"]


def test_config_shows_and_keeps_what_was_chosen(start):
    answers = []
    for kind in ("tandem", "redis"):
        with start(kind).connect() as client:
            answers.append([
                (client.raw("CONFIG", "SET", "notify-keyspace-events", letters),
                 client("CONFIG", "GET", "notify-keyspace-events"))
                for letters in ("KEA", "KEn", "AKEm", "g$lshzxetd", "mKE", "K", "Ad", "q", "Kq",
                                "$K", "")])
    if not is_stock("tandem"):
        answers = [[(reply, sorted(value)) for reply, (_, value) in one] for one in answers]
    assert answers[0] == answers[1]
