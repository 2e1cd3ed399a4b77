"""MIGRATE: keys go to another server and back, between Tandem and Debian's redis-server; and what
clients see of keys that are on their way."""
import threading

import pytest

from harness.load import assert_same, caught_up, digest
from harness.peers import FakePrimary
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import Connection, ReplyError, encode

HOST = "127.0.0.1"
LONG_MS = 100_000
PAIRS = [("tandem", "redis"), ("redis", "tandem"), ("tandem", "tandem")]
pairs = pytest.mark.parametrize("kinds", PAIRS, ids=">".join)
only_tandem = pytest.mark.skipif(is_stock("tandem"), reason="a stock server stands still")

SMALL = """
SET int 12345 | SET embedded short | APPEND raw part | SET '' empty | SETRANGE zeros 100 x
RPUSH list 1 two 3 | RPUSH list:long {words} | SADD set:int 1 2 3 | SADD set a b c 1
SADD set:table {words} | HSET hash f v g 2 | HSET hash:table {words} | ZADD zset 1 a 2.5 b -inf c
ZADD zset:tree {numbers} | XADD stream 1-1 f v | XADD stream 2-1 f w g x | XGROUP CREATE stream g 0
XREADGROUP GROUP g anna COUNT 1 STREAMS stream > | XADD trimmed 1-1 f v | XTRIM trimmed MAXLEN 0
PFADD hll a b c | SETBIT bits 77 1 | GEOADD geo 13.36 38.11 Palermo
SET soon v PX 3600000 | EXPIRE list 7200
""".replace("{words}", " ".join(f"word:{n} {n}" for n in range(600))).replace(
    "{numbers}", " ".join(f"{n} m{n}" for n in range(600)))


def commands(text):
    return [["" if word == "''" else word for word in command.split()]
            for command in text.replace("\n", "|").split("|") if command.strip()]


def fill(client):
    for command in commands(SMALL):
        client(*command)
    client("SET", "big", "x1y" * 2_000_000)
    client("RPUSH", "list:big", *["e" * 3000] * 1500)


def fingerprints(client):
    return {key: (client("DEBUG", "DIGEST-VALUE", key), client("TYPE", key))
            for key in client("KEYS", "*")}


def migrate(client, target, key, *words, database=0, timeout=5000):
    return client("MIGRATE", HOST, target.port, key, database, timeout, *words)


@pairs
def test_every_type_and_encoding(start, kinds):
    source, target = start(kinds[0]), start(kinds[1])
    with source.connect() as here, target.connect() as there:
        fill(here)
        before, lifetimes = fingerprints(here), {k: here("PTTL", k) for k in ("soon", "list")}
        names = sorted(before)
        for key in names[:10]:
            assert migrate(here, target, key) == "OK", key
        assert migrate(here, target, "", "KEYS", *names[10:]) == "OK"
        assert fingerprints(there) == before and here("DBSIZE") == 0
        for key, lifetime in lifetimes.items():
            assert lifetime - 20_000 < there("PTTL", key) <= lifetime
        assert there("PTTL", "int") == -1


@pairs
def test_the_sources_replica_follows(start, kinds):
    source, target, replica = start(kinds[0]), start(kinds[1]), start("tandem")
    replica.follow(source.port)
    caught_up(source, replica)
    with source.connect() as here, target.connect() as there:
        fill(here)
        there("SET", "hash", "taken")
        names = here("KEYS", "*")
        error = here.error("MIGRATE", HOST, target.port, "", 0, 5000, "KEYS", *names)
        assert error == ("ERR Target instance replied with error: BUSYKEY Target key name already "
                         "exists.")
        assert here("KEYS", "*") == ["hash"]
        assert_same(source, replica)
        assert migrate(here, target, "hash", "COPY", "REPLACE") == "OK"
        assert here("DBSIZE") == 1
        assert migrate(here, target, "hash", "REPLACE") == "OK"
        assert_same(source, replica)
        assert here("DBSIZE") == 0 and there("TYPE", "hash") == "hash"
        assert here("WAIT", 1, 5000) == 1


# Said to a source with `k` and `l`, whose target has `taken` and a password for the user ann.
SAYINGS = """
host port k 0 abc | host port k abc 100 | host port k abc abc | host port k 0 99999999999999999999
host port k 0 100 FOO | host port k 0 100 AUTH | host port k 0 100 AUTH2 u | host port k 0 100 AUTH2
host port k 0 100 KEYS | host port '' 0 100 KEYS | host port k 0 100 KEYS k | host port '' 0 100
host port '' 99 100 | host port none 0 100 | host port none 0 100 COPY REPLACE FOO | host port k 0
host port k 99 1000 | host port k 9999999999 1000 | host port k 0 -5 | host port k 0 0
host port k 0 1000 copy | host port k 5 1000 Copy Replace | host port k 0 1000 REPLACE COPY
host port taken 0 1000 | host port taken 0 1000 REPLACE | host port '' 0 1000 KEYS k l
host port '' 0 1000 KEYS none k none2 | host port '' 0 1000 KEYS none none
host port '' 0 1000 KEYS k taken l | host port '' 0 1000 REPLACE KEYS k k
host port '' 0 1000 KEYS k k
host port k 0 1000 AUTH secret | host port k 0 1000 AUTH2 ann hers | host port k 0 1000 AUTH2 ann no
host port k 0 1000 AUTH2 nobody hers | host port k 0 1000 AUTH2 ann no AUTH hers
host port '' 0 1000 AUTH2 ann hers KEYS k l | host port '' 0 1000 AUTH2 ann no KEYS k l
host port '' 0 1000 KEYS KEYS k | host port '' 0 1000 COPY KEYS COPY k
host 1 k 0 100 | host abc k 0 100 | host 99999 k 0 100 | host -1 k 0 100 | host '' k 0 100
'' port k 0 100 | nosuchhost.invalid port k 0 1000 | nosuchhost.invalid port none 0 100
"""


# Redis sends keys before it knows that the target takes them from nobody, or lacks the database;
# they arrive, in database 0 then.
AFTER_WHICH_REDIS_SENDS = (b"DB index", b"out of range, value", b"ERR AUTH", b"WRONGPASS")


def answers_of(kind, start):
    """What is said, what is left, and what the target has then, saying by saying."""
    source, target = start(kind), start("redis")
    found = {}
    with source.connect() as here, target.connect() as there:
        there("ACL", "SETUSER", "ann", "on", ">hers", "~*", "+@all")
        for words in commands(SAYINGS):
            for client in (here, there):
                client("FLUSHALL")
                client("SET", "taken", 1)
            here("MSET", "k", "v", "l", "w", "KEYS", "x", "COPY", "y")
            said = [{"host": HOST, "port": target.port}.get(word, word) for word in words]
            reply = here.raw("MIGRATE", *said)
            left = sorted(here("KEYS", "*"))
            arrived = [sorted(there("KEYS", "*"))]
            there("SELECT", 5)
            arrived.append(there("KEYS", "*"))
            there("SELECT", 0)
            if any(reason in reply for reason in AFTER_WHICH_REDIS_SENDS):
                arrived = []
            found[" ".join(words)] = reply, left, arrived
    return found


def test_says_what_redis_says(start):
    ours, theirs = answers_of("tandem", start), answers_of("redis", start)
    differing = [f"{words}\n   {ours[words]}\n   {theirs[words]}" for words in theirs
                 if ours[words] != theirs[words]]
    assert not differing, "\n".join(differing)
    assert {reply for reply, _, _ in ours.values()} > {b"+OK\r\n", b"+NOKEY\r\n"}


@only_tandem
def test_a_missing_database_gets_no_key_into_another(start):
    source, target = start("tandem"), start("tandem")
    with source.connect() as here, target.connect() as there:
        here("SET", "k", "v")
        assert here.error("MIGRATE", HOST, target.port, "k", 99, 1000) == (
            "ERR Target instance replied with error: ERR DB index is out of range")
        assert here("GET", "k") == "v" and there("DBSIZE") == 0


def test_a_target_that_asks_for_a_password(start):
    source, target = start("tandem"), start("redis", "--requirepass", "secret")
    with source.connect() as here, target.connect() as there:
        there("AUTH", "secret")
        here("SET", "k", "v")
        for words in ((), ("AUTH", "wrong"), ("AUTH2", "default", "wrong"), ("AUTH2", "ann", "x")):
            code = "NOAUTH" if not words else "WRONGPASS"
            error = here.error("MIGRATE", HOST, target.port, "k", 0, 1000, *words)
            assert error.startswith(f"ERR Target instance replied with error: {code}"), words
        assert here("EXISTS", "k") == 1 and there("DBSIZE") == 0
        assert migrate(here, target, "k", "COPY", "AUTH", "secret") == "OK"
        assert migrate(here, target, "k", "REPLACE", "AUTH2", "default", "secret") == "OK"
        assert there("GET", "k") == "v" and here("EXISTS", "k") == 0


def test_in_a_transaction_and_in_a_script(start):
    found = []
    for kind in ("tandem", "redis"):
        source, target = start(kind), start("redis")
        with source.connect() as here, target.connect() as there:
            here("MULTI")
            here.pipeline([("SET", "k", "v"), ("MIGRATE", HOST, target.port, "k", 0, 1000),
                           ("GET", "k"), ("MIGRATE", HOST, target.port, "k", 0, 1000),
                           ("SET", "k", "w"), ("MIGRATE", HOST, target.port, "k", 0, 1000),
                           ("MIGRATE", HOST, 1, "k", 0, 1000)])
            replies = [here.raw("EXEC")]
            script = "return redis.pcall('MIGRATE', KEYS[1], ARGV[1], 'k', 3, 1000)"
            replies += [here.raw("EVAL", script, 1, HOST, target.port) for _ in range(2)]
            found.append((replies, here("KEYS", "*"), there("GET", "k")))
    assert found[0] == found[1]
    assert found[0][0][1:] == [b"+OK\r\n", b"+NOKEY\r\n"]


@pytest.mark.parametrize("inside", [False, True])
def test_to_itself(start, inside):
    """Into another database. As a part of something it holds what its target needs, as in Redis."""
    server = start("tandem", "--worker-threads", 1)
    with server.connect() as here, server.connect() as there:
        there("SELECT", 1)
        if inside or is_stock("tandem"):
            here("MULTI")
            here("SET", "k", "v")
            here("MIGRATE", HOST, server.port, "k", 1, 200)
            replies = here("EXEC")
            assert str(replies[1]) == "IOERR error or timeout reading to target instance"
            assert here("GET", "k") == "v"
        else:
            here("SET", "k", "v")
            assert migrate(here, server, "k", database=1) == "OK"
            assert here("GET", "k") is None and there("GET", "k") == "v"
            there("SELECT", 0)
            here("SET", "k", "v")
            error = here.error("MIGRATE", HOST, server.port, "k", 0, 200, "REPLACE")
            assert error == "IOERR error or timeout reading to target instance"
            assert here("GET", "k") == "v"


# ---- While keys are on their way. ----

@pytest.fixture
def silent():
    """A target that answers nothing to RESTORE, until the test does."""
    with FakePrimary(RESTORE=b"") as target:
        yield target


def on_its_way(client, target, *keys, timeout=LONG_MS):
    """A MIGRATE whose target has the keys and has not answered."""
    client.send(encode("MIGRATE", HOST, target.port, "", 0, timeout, "KEYS", *keys))
    wait_until(lambda: len(target.words_heard("RESTORE")) == len(keys), "the target has them")


@only_tandem
def test_who_comes_to_a_moving_key_waits_and_nobody_else(server, client, silent):
    client("MSET", "k", 1, "other", 1)
    clients = [server.connect() for _ in range(4)]
    mover, reader, writer, flusher = clients
    on_its_way(mover, silent, "k")
    reader.send(encode("GET", "k"))
    writer.send(encode("INCR", "k"))
    flusher.send(encode("EVAL", "return redis.call('INCR', 'counted')", 0))
    assert client("INCR", "other") == 2 and client("KEYS", "k") == ["k"]
    assert client("SCAN", 0, "COUNT", 1000)[1] and client("PING") == "PONG"
    wait_until(lambda: all(f"addr=127.0.0.1:{c.socket.getsockname()[1]}" in client("CLIENT", "LIST")
                           for c in clients), "all are there")
    assert not any(c.has_reply() for c in clients)
    silent.send(b"+OK\r\n")
    assert mover.read() == "OK" and writer.read() == 1 and reader.read() in (None, "1")
    assert flusher.read() == 1
    assert client("GET", "k") == "1"
    for connection in clients:
        connection.close()


@only_tandem
def test_a_blocked_client_puts_something_into_a_moving_key(server, client, silent):
    """It cannot be held back. Its element is not lost: the key stays."""
    with server.connect() as mover, server.connect() as waiter:
        client("RPUSH", "to", 1)
        waiter.send(encode("BLMOVE", "from", "to", "LEFT", "RIGHT", 0))
        wait_until(lambda: server.info("clients")["blocked_clients"] == "1", "it waits")
        on_its_way(mover, silent, "to")
        client("RPUSH", "from", 2)
        assert waiter.read() == "2"
        silent.send(b"+OK\r\n")
        with pytest.raises(ReplyError, match="ERR A key was changed here while it was moved"):
            mover.read()
        assert client("LRANGE", "to", 0, -1) == ["1", "2"]


@only_tandem
@pytest.mark.parametrize("end", ["closed", "killed", "unblocked", "unblocked with an error"])
def test_what_becomes_of_the_client_takes_nothing_back(server, client, silent, end):
    client("SET", "k", 1)
    mover = server.connect()
    number = mover("CLIENT", "ID")
    on_its_way(mover, silent, "k")
    if end == "closed":
        mover.close()
        wait_until(lambda: f"id={number} " not in client("CLIENT", "LIST"), "it is gone")
    elif end == "killed":
        assert client("CLIENT", "KILL", "ID", number) == 1
    elif end == "unblocked":
        assert client("CLIENT", "UNBLOCK", number) == 1
        with pytest.raises(ReplyError, match="IOERR error or timeout reading to target instance"):
            mover.read()
    else:
        assert client("CLIENT", "UNBLOCK", number, "ERROR") == 1
        with pytest.raises(ReplyError, match="UNBLOCKED client unblocked via CLIENT UNBLOCK"):
            mover.read()
    silent.send(b"+OK\r\n")
    assert client("EXISTS", "k") == 0
    if end.startswith("unblocked"):
        assert mover("PING") == "PONG"


@only_tandem
def test_a_silent_target(server, client, silent):
    client("MSET", "k", 1, "l", 2)
    error = client.error("MIGRATE", HOST, silent.port, "", 0, 50, "KEYS", "k", "l")
    assert error == "IOERR error or timeout reading to target instance"
    assert client("MGET", "k", "l") == ["1", "2"]
    assert client.error("MIGRATE", HOST, 1, "k", 0, 50) == (
        "IOERR error or timeout writing to target instance")


@pytest.mark.parametrize("answers, error", [
    ({"SELECT": None}, "IOERR error or timeout reading to target instance"),
    ({"RESTORE": None}, "IOERR error or timeout reading to target instance"),
    ({"RESTORE": b"-LOADING not yet\r\n"},
     "ERR Target instance replied with error: LOADING not yet"),
    ({"AUTH": b"-ERR who\r\n"}, "ERR Target instance replied with error: ERR who"),
    ({"RESTORE": b"+"}, "IOERR error or timeout reading to target instance"),
], ids=str)
def test_bad_targets(server, client, answers, error):
    client("MSET", "k", 1, "l", 2)
    with FakePrimary(**answers) as target:
        for _ in range(2):
            assert client.error("MIGRATE", HOST, target.port, "", 0, 200, "AUTH", "secret", "KEYS",
                                "k", "l") == error
        assert client("MGET", "k", "l") == ["1", "2"]


@only_tandem
@pytest.mark.parametrize("rubbish", [b"rubbish\r\n", b"\0\xff\r\n", b":1\r\n", b"$2\r\nOK\r\n",
                                     b"\r\n", b"+" + b"x" * 3_000_000, b"-" + b"x" * 3_000_000],
                         ids=lambda bytes: repr(bytes[:10]))
def test_targets_that_talk_rubbish(server, client, rubbish):
    client("SET", "k", 1)
    for word in ("SELECT", "RESTORE"):
        with FakePrimary(**{word: rubbish}) as target:
            assert client.error("MIGRATE", HOST, target.port, "k", 0, 200) == (
                "IOERR error or timeout reading to target instance")
    assert client("GET", "k") == "1"


@only_tandem
@pytest.mark.parametrize("inside", [False, True])
def test_the_end_does_not_wait_for_a_target(start, silent, inside):
    server = start("tandem")
    mover = server.connect()
    mover("SET", "k", 1)
    if inside:
        mover("MULTI")
        for _ in range(2):
            mover("MIGRATE", HOST, silent.port, "k", 0, LONG_MS)
        mover.send(encode("EXEC"))
        wait_until(lambda: silent.words_heard("RESTORE"), "the target has it")
    else:
        on_its_way(mover, silent, "k")
    server.process.terminate()
    assert server.wait_exit(20) == 0


@only_tandem
def test_a_pause_and_a_change_of_role_in_between(start, silent):
    server, other = start("tandem"), start("tandem")
    with server.connect() as client, server.connect() as mover:
        client("MSET", "k", 1, "l", 1)
        on_its_way(mover, silent, "k")
        client("CLIENT", "PAUSE", LONG_MS, "WRITE")
        silent.send(b"+OK\r\n")
        assert client("KEYS", "k") == ["k"] and not mover.has_reply()
        client("CLIENT", "UNPAUSE")
        assert mover.read() == "OK" and client("EXISTS", "k") == 0
        mover.send(encode("MIGRATE", HOST, silent.port, "l", 0, LONG_MS))
        wait_until(lambda: len(silent.words_heard("RESTORE")) == 2, "the target has it")
        client("REPLICAOF", HOST, other.port)
        silent.send(b"+OK\r\n")
        with pytest.raises(ReplyError, match="READONLY"):
            mover.read()
        assert client.error("MIGRATE", HOST, silent.port, "l", 0, 100).startswith("READONLY")


@pairs
def test_no_change_is_lost_while_writers_go_on(start, kinds):
    """Counters that move away while they are counted, into one database after the other: here and
    there together they have every count, and the replica has what its primary has."""
    source, target, replica = start(kinds[0]), start(kinds[1]), start("tandem")
    replica.follow(source.port)
    caught_up(source, replica)
    counters = [f"c{n}" for n in range(12)]
    stop, counted, problems = threading.Event(), [], []

    def count(seed):
        done = 0
        try:
            with source.connect() as client:
                while not stop.is_set():
                    client.pipeline([("INCR", counters[(seed + n) % 12]) for n in range(10)])
                    client("MULTI")
                    client.pipeline([("INCR", counters[seed]), ("INCR", counters[seed + 1])])
                    client("EXEC")
                    done += 12
        except Exception as problem:  # noqa: BLE001
            problems.append(problem)
        counted.append(done)

    writers = [threading.Thread(target=count, args=(seed,)) for seed in range(4)]
    for writer in writers:
        writer.start()
    with source.connect() as here:
        for database in range(15):
            for at in range(0, 12, 3):
                assert migrate(here, target, "", "KEYS", *counters[at:at + 3],
                               database=database) in ("OK", "NOKEY")
    stop.set()
    for writer in writers:
        writer.join()
    assert not problems, problems
    assert sum(counted) == total(source, counters) + total(target, counters)
    assert_same(source, replica)


def total(server, counters):
    with server.connect() as client:
        found = 0
        for database in range(16):
            client("SELECT", database)
            found += sum(int(value or 0) for value in client("MGET", *counters))
        return found


# ---- What is told of it. ----

def test_rights_to_the_keys_that_it_names(server, client):
    client("ACL", "SETUSER", "lim", "on", "nopass", "~a*", "+@all")
    client("AUTH", "lim", "x")
    for allowed in (["a1"], ["", "KEYS", "a1", "a2"], ["", "AUTH2", "b", "KEYS", "KEYS", "a1"]):
        assert migrate(client, server, *allowed) == "NOKEY"
    assert client.error("MIGRATE", HOST, 1, "b", 0, 1, "KEYS", "a").startswith("ERR When using")
    for denied in (["b1"], [""], ["", "KEYS", "a1", "b2"], ["", "KEYS"]):
        error = client.error("MIGRATE", HOST, 1, denied[0], 0, 1, *denied[1:])
        assert error.startswith("NOPERM"), denied


GETKEYS = """
'' 0 100 auth keys keys a | '' 0 100 keys a b | k 0 100 | k 0 100 keys a | k 0 100 auth keys
'' 0 100 keys | '' 0 100 replace keys a b c | '' 0 100 auth2 keys keys keys a b c
'' 0 100 auth2 keys | '' 0 100 auth2 u keys | k 0 100 auth2 keys pw | '' 0 100 KEYS keys x
"""


def test_getkeys_finds_what_redis_finds(start):
    ours, theirs = (start(kind).connect() for kind in ("tandem", "redis"))
    for words in commands(GETKEYS):
        asked = "COMMAND", "GETKEYSANDFLAGS", "MIGRATE", HOST, 1, *words
        assert ours.raw(*asked) == theirs.raw(*asked), words


def test_passwords_are_shown_to_nobody(server, client):
    client("CONFIG", "SET", "slowlog-log-slower-than", 0)
    client("SET", "k", "v")
    with server.connect() as monitor:
        monitor("MONITOR")
        client.error("MIGRATE", HOST, 1, "k", 0, 100, "AUTH2", "ann", "hers", "AUTH", "secret")
        line = monitor.read()
        assert line.endswith('"k" "0" "100" "AUTH2" "(redacted)" "(redacted)" "AUTH" "(redacted)"')
        client("PING")
        assert monitor.read().endswith('"PING"')  # it is shown once
    logged = [entry[3] for entry in client("SLOWLOG", "GET") if entry[3][0] == "MIGRATE"]
    assert [words[6:] for words in logged] == [
        ["AUTH2", "(redacted)", "(redacted)", "AUTH", "(redacted)"]]


def test_it_is_counted_once(start):
    for kind in ("tandem", "redis"):
        source, target = start(kind), start("redis")
        with source.connect() as here:
            here("SET", "k", "v")
            assert migrate(here, target, "k", "COPY") == "OK"
            here.error("MIGRATE", HOST, target.port, "k", 0, 100)
            here.error("MIGRATE", HOST, 1, "k", 0, 100)
            assert migrate(here, target, "none") == "NOKEY"
            stats = source.info("commandstats")["cmdstat_migrate"]
            assert stats.startswith("calls=4,") and stats.endswith(
                "rejected_calls=0,failed_calls=2"), stats
            errors = source.info("errorstats")
            assert errors == {"errorstat_ERR": "count=1", "errorstat_IOERR": "count=1"}


@only_tandem
def test_who_reads_in_a_group_is_told_that_the_stream_has_gone(start):
    source, target = start("tandem"), start("redis")
    with source.connect() as here, source.connect() as reader:
        here("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
        reader.send(encode("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", ">"))
        wait_until(lambda: source.info("clients")["blocked_clients"] == "1", "it waits")
        assert migrate(here, target, "s") == "OK"
        with pytest.raises(ReplyError, match="NOGROUP"):
            reader.read()


def test_digest_of_the_other_side(start):
    """A whole database, value by value: the data of both are the same afterwards as before."""
    source, target = start("tandem"), start("redis")
    with source.connect() as here:
        fill(here)
        before = digest(source)
        for key in here("KEYS", "*"):
            assert migrate(here, target, key) == "OK"
    assert digest(target) == before and digest(source) == "0" * 40
    with Connection(target.port) as there:
        for key in there("KEYS", "*"):
            assert migrate(there, source, key) == "OK"
    assert digest(source) == before
