"""What every command that writes leaves on replicas: the same data, on a stock one and on ours.

The cases are by command; the table of commands says which there must be.
"""
import pytest

from harness.data import differing_keys
from harness.differential.hints import DUMPS, LIBRARY_DUMPS
from harness.differential.scripts import digest
from harness.differential.table import read_table
from harness.load import caught_up
from harness.servers import Server, parse_info
from harness.wire import ReplyError

# Commands before which these keys exist.
DATA = """
SET text hello | SET number 5 | SET lasting x PX 100000 | RPUSH list a b c d e | RPUSH other x y
SADD set a b c d e f | SADD numbers 1 2 3 | HSET hash a 1 b 2 c 3 | ZADD sorted 1 a 2 b 3 c 4 d
ZADD sorted2 5 a 6 z | GEOADD geo 13.361389 38.115556 a 15.087269 37.502669 b
PFADD hll a b c | PFADD hll2 c d | SETBIT bits 7 1 | XADD stream 1-1 f v | XADD stream 2-1 f v
XADD stream 3-1 f v | XGROUP CREATE stream g 0 | XGROUP CREATECONSUMER stream g c
XREADGROUP GROUP g c COUNT 2 STREAMS stream >
"""
# By command or subcommand; several lines of a command stand between bars.
CASES = """
append: APPEND text x | APPEND new x
bitfield: BITFIELD bits SET u8 0 7 INCRBY u8 8 2 | BITFIELD bits OVERFLOW FAIL INCRBY u2 0 9
bitop: BITOP NOT new bits | BITOP AND text nosuch
blmove: BLMOVE list other LEFT RIGHT 1
blmpop: BLMPOP 1 2 nosuch list LEFT COUNT 2
blpop: BLPOP nosuch list 1
brpop: BRPOP nosuch list 1
brpoplpush: BRPOPLPUSH list new 1
bzmpop: BZMPOP 1 2 nosuch sorted MIN COUNT 2
bzpopmax: BZPOPMAX nosuch sorted 1
bzpopmin: BZPOPMIN nosuch sorted 1
copy: COPY lasting new | COPY list text REPLACE | COPY text text DB 2
decr: DECR number
decrby: DECRBY number 3
del: DEL text nosuch list
eval: EVAL <script> 2 number list
evalsha: SCRIPT LOAD <script> | EVALSHA <digest> 2 number list
expire: EXPIRE text 100 | EXPIRE list -1 | EXPIRE set 100 XX
expireat: EXPIREAT text 4102444800 | EXPIREAT list 1
fcall: FUNCTION LOAD <library> | FCALL mine 1 number
flushall: FLUSHALL | FLUSHALL ASYNC
flushdb: FLUSHDB | FLUSHDB SYNC
function|delete: FUNCTION LOAD <library> | FUNCTION DELETE lib
function|flush: FUNCTION LOAD <library> | FUNCTION FLUSH
function|load: FUNCTION LOAD <library> | FUNCTION LOAD REPLACE <library>
function|restore: FUNCTION RESTORE <dumped-library>
geoadd: GEOADD geo 9 9 c 1 1 a | GEOADD geo XX CH 2 2 b
georadius: GEORADIUS geo 15 37 200 km STORE new
georadiusbymember: GEORADIUSBYMEMBER geo a 200 km STORE new
geosearchstore: GEOSEARCHSTORE new geo FROMMEMBER a BYRADIUS 200 km
getdel: GETDEL text
getex: GETEX text PX 100000 | GETEX lasting PERSIST | GETEX number PX 1
getset: GETSET lasting y
hdel: HDEL hash a nosuch
hincrby: HINCRBY hash a 5
hincrbyfloat: HINCRBYFLOAT hash a 0.1
hmset: HMSET hash x 1 a 2
hset: HSET hash x 1 a 2
hsetnx: HSETNX hash x 1 | HSETNX hash a 9
incr: INCR number | INCR new
incrby: INCRBY number 3
incrbyfloat: INCRBYFLOAT number 0.1
linsert: LINSERT list BEFORE b x
lmove: LMOVE list other RIGHT LEFT | LMOVE list list LEFT RIGHT
lmpop: LMPOP 2 nosuch list RIGHT COUNT 2
lpop: LPOP list | LPOP list 2
lpush: LPUSH list x y
lpushx: LPUSHX list x | LPUSHX nosuch x
lrem: LREM list 0 b
lset: LSET list 1 x
ltrim: LTRIM list 1 2
move: MOVE lasting 3
mset: MSET lasting 1 list 2
msetnx: MSETNX new 1 new2 2 | MSETNX new 1
persist: PERSIST lasting
pexpire: PEXPIRE text 100000 | PEXPIRE list 0
pexpireat: PEXPIREAT text 4102444800000 | PEXPIREAT list 1
pfadd: PFADD hll x | PFADD new | PFADD hll a
pfcount: PFADD hll y | PFCOUNT hll | PFCOUNT hll hll2
pfmerge: PFMERGE new hll hll2
psetex: PSETEX new 100000 x
rename: RENAME lasting list
renamenx: RENAMENX lasting new
restore: RESTORE new 0 <dump> | RESTORE new 100000 <dump> REPLACE
rpop: RPOP list | RPOP list 2
rpoplpush: RPOPLPUSH list other
rpush: RPUSH list x
rpushx: RPUSHX list x
sadd: SADD set x a
sdiffstore: SDIFFSTORE new set numbers
set: SET text y EX 100 | SET lasting z KEEPTTL | SET new v NX GET | SET text v PXAT 1
setbit: SETBIT bits 100 1
setex: SETEX new 100 x
setnx: SETNX new x
setrange: SETRANGE text 9 x
sinterstore: SINTERSTORE new set set
smove: SMOVE set numbers a
sort: SORT list ALPHA DESC STORE new | SORT set BY nosort STORE new
spop: SPOP set | SPOP set 3 | SPOP set 100
srem: SREM set a b
sunionstore: SUNIONSTORE text set numbers
swapdb: SWAPDB 0 1
unlink: UNLINK text list
xack: XACK stream g 1-1
xadd: XADD stream MAXLEN ~ 2 9-9 f v | XADD stream * f v | XADD stream NOMKSTREAM MAXLEN 2 * f v
xautoclaim: XAUTOCLAIM stream g other 0 0 COUNT 1
xclaim: XCLAIM stream g other 0 1-1 3-1 FORCE
xdel: XDEL stream 1-1 2-1
xgroup|create: XGROUP CREATE new g $ MKSTREAM
xgroup|createconsumer: XGROUP CREATECONSUMER stream g other
xgroup|delconsumer: XGROUP DELCONSUMER stream g c
xgroup|destroy: XGROUP DESTROY stream g
xgroup|setid: XGROUP SETID stream g 2-1
xreadgroup: XREADGROUP GROUP g c STREAMS stream > | XREADGROUP GROUP g new NOACK STREAMS stream >
xsetid: XSETID stream 99-1 ENTRIESADDED 9 MAXDELETEDID 4-1
xtrim: XTRIM stream MAXLEN 1 | XTRIM stream MINID ~ 3
zadd: ZADD sorted GT CH 9 x 8 a | ZADD sorted 9 x 0.1 y | ZADD sorted INCR 1 a
zdiffstore: ZDIFFSTORE new 2 sorted sorted2
zincrby: ZINCRBY sorted 1.5 a
zinterstore: ZINTERSTORE new 2 sorted sorted2 WEIGHTS 2 1
zmpop: ZMPOP 2 nosuch sorted MAX COUNT 2
zpopmax: ZPOPMAX sorted | ZPOPMAX sorted 2
zpopmin: ZPOPMIN sorted
zrangestore: ZRANGESTORE new sorted 0 1
zrem: ZREM sorted a b
zremrangebylex: ZREMRANGEBYLEX sorted - +
zremrangebyrank: ZREMRANGEBYRANK sorted 0 1
zremrangebyscore: ZREMRANGEBYSCORE sorted 2 3
zunionstore: ZUNIONSTORE new 2 sorted sorted2
"""


SCRIPT = """local n = redis.call('incr', KEYS[1])
redis.call('rpush', KEYS[2], n, redis.call('time')[1])
redis.call('set', 'made', n, 'EX', 100)
redis.call('spop', 'set', 2)
return n"""
LIBRARY = """#!lua name=lib
redis.register_function('mine', function(keys)
  redis.call('incr', keys[1])
  return redis.call('spop', 'set')
end)"""
WORDS = {"<script>": SCRIPT, "<digest>": digest(SCRIPT), "<library>": LIBRARY,
         "<dump>": bytes.fromhex(DUMPS["a hash"]),
         "<dumped-library>": bytes.fromhex(LIBRARY_DUMPS["a library"])}
# What may write, but is nothing about data; and MIGRATE, which needs one more server
# (test_migrate.py).
WITHOUT_DATA = {"publish", "spublish", "migrate"}


def commands(text):
    return [[WORDS.get(word, word) for word in line.split()]
            for line in text.replace("\n", "|").split("|") if line.strip()]


def cases():
    lines = [line.partition(": ") for line in CASES.strip().splitlines()]
    return {name: commands(text) for name, _, text in lines}


@pytest.fixture(scope="module")
def primary(tmp_path_factory):
    """A primary with a replica of each kind; nothing expires by itself."""
    made = [Server(kind, tmp_path_factory.mktemp("propagation") / str(number)).start()
            for number, kind in enumerate(("tandem", "redis", "tandem"))]
    for replica in made[1:]:
        replica.follow(made[0].port)
    caught_up(*made)
    with made[0].connect() as client:
        client("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    yield made
    for server in made:
        server.stop()


def plainly(client, words):
    client(*words)


def in_a_transaction(client, words):
    client("MULTI")
    client("SET", "before", 1)
    client(*words)
    client("SET", "behind", 1)
    assert not any(isinstance(reply, ReplyError) for reply in client("EXEC"))


def in_a_script(client, words):
    client("EVAL", "redis.call('set', 'before', 1) return redis.call(unpack(ARGV))", 0, *words)


def on_what_has_expired(client, words):
    """Its keys are there no longer, though nobody has deleted them: it may well be refused."""
    for key in client("KEYS", "*"):
        client("PEXPIRE", key, 1)
    client("DEBUG", "SLEEP", "0.003")
    client.raw(*words)


@pytest.mark.parametrize("how", [plainly, in_a_transaction, in_a_script, on_what_has_expired])
def test_every_command_that_writes(primary, how):
    server, *replicas = primary
    differing = []
    with server.connect() as client, replicas[0].connect() as one, replicas[1].connect() as two:
        table = read_table(client)
        for name, lines in cases().items():
            if how is in_a_script and "noscript" in table[name].flags:
                continue
            for words in (["FLUSHALL"], ["FUNCTION", "FLUSH"], *commands(DATA)):
                client(*words)
            for words in lines:
                how(client, words)
            caught_up(server, *replicas)
            for replica in (one, two):
                if found := differing_keys(client, replica):
                    differing.append(f"{name}:\n{found}")
    assert not differing, "\n".join(differing)


def test_every_command_that_writes_has_a_case(primary):
    with primary[0].connect() as client:
        table = read_table(client)
    writing = {name for name, row in table.items()
               if row.flags & {"write", "may_replicate"} and not row.is_container}
    assert writing - cases().keys() - WITHOUT_DATA == set()
    assert cases().keys() <= table.keys()


def test_a_case_says_something(primary):
    """Each command changes something there: else no replica could differ."""
    with primary[0].connect() as client:
        for name, lines in cases().items():
            for words in (["FLUSHALL"], ["FUNCTION", "FLUSH"], *commands(DATA)):
                client(*words)
            before = changes(client)
            for words in lines:
                client(*words)
            assert changes(client) > before, name


def changes(client):
    """The bytes that replicas have had."""
    return int(parse_info(client("INFO", "replication"))["master_repl_offset"])
