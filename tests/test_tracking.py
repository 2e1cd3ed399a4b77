"""CLIENT TRACKING: what it takes and refuses, who is told what, when and in which form, and that a
cache that does what it is told is never out of date, whichever worker its server is."""
import random
import threading

import pytest
import redis

from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import Push, encode

only_tandem = pytest.mark.skipif(is_stock("tandem"), reason="what 7.0 does otherwise")


@pytest.fixture(params=["tandem", "redis"])
def tracked(start, request):
    """A server of either kind."""
    return start(request.param)


@pytest.fixture
def writer(tracked):
    with tracked.connect() as connection:
        yield connection


def told(connection):
    """The pushes that came before the answer to a PING: keys, or None for all of them."""
    connection.send(encode("PING"))
    pushes = []
    while (reply := connection.read()) != "PONG":
        assert isinstance(reply, Push), reply
        kind, what = reply
        assert kind == "invalidate", reply
        pushes.append(what)
    return pushes


def tracker(server, *words):
    connection = server.connect(protocol=3)
    connection("CLIENT", "TRACKING", "ON", *words)
    return connection


WORDS = """\
TRACKING
TRACKING on REDIRECT
TRACKING on REDIRECT x
TRACKING on REDIRECT 999999
TRACKING on REDIRECT 0
TRACKING on REDIRECT -5
TRACKING on REDIRECT {me} REDIRECT {me}
TRACKING on REDIRECT {other}
GETREDIR
TRACKINGINFO
TRACKING off
GETREDIR
TRACKINGINFO
TRACKING maybe
TRACKING maybe foo
TRACKING on PREFIX
TRACKING on PREFIX a
TRACKING on BCAST OPTIN
TRACKING on OPTIN OPTOUT
TRACKING on BCAST PREFIX a PREFIX ab
TRACKING on BCAST PREFIX ab PREFIX a
TRACKING on BCAST PREFIX a PREFIX a
TRACKING on BCAST PREFIX a PREFIX b
TRACKING on BCAST PREFIX abc
TRACKING on BCAST PREFIX a
TRACKING on bcast prefix c noloop
TRACKINGINFO
TRACKING on BCAST
TRACKINGINFO
TRACKING on BCAST PREFIX d
TRACKING on
TRACKING on OPTIN
CACHING yes
TRACKING off BCAST PREFIX zz
TRACKINGINFO
CACHING yes
TRACKING on
TRACKING on BCAST
CACHING yes
CACHING no
CACHING x
TRACKING on OPTIN
TRACKINGINFO
CACHING no
CACHING yes
TRACKINGINFO
ID
TRACKINGINFO
TRACKING on OPTOUT
TRACKING on OPTIN NOLOOP
TRACKINGINFO
TRACKING off
TRACKING on OPTOUT NOLOOP
CACHING no
TRACKINGINFO
CACHING yes
TRACKING off
CACHING
TRACKING off OPTIN OPTOUT
HELP NOSUCH""".splitlines()


@pytest.mark.parametrize("protocol", [2, 3])
def test_words_and_errors_are_those_of_redis(start, protocol):
    answers = []
    for kind in ("tandem", "redis"):
        server = start(kind)
        with server.connect(protocol=protocol) as client, server.connect() as other:
            names = {"me": client("CLIENT", "ID"), "other": other("CLIENT", "ID")}
            told_back = []
            for line in WORDS:
                reply = client.raw("CLIENT", *line.format(**names).split())
                for name, number in names.items():
                    reply = reply.replace(b":%d\r" % number, b":" + name.encode() + b"\r")
                told_back.append((line, reply))
            answers.append(told_back)
    assert answers[0] == answers[1]


def test_a_reader_is_told_of_the_next_change_once(tracked, writer):
    with tracker(tracked) as reader:
        assert reader("GET", "k") is None
        writer("SET", "other", 1)
        assert told(reader) == []
        writer("SET", "k", 1)
        assert told(reader) == [["k"]]
        writer("SET", "k", 2)
        assert told(reader) == []
        reader("MGET", "k", "l", "m")
        writer("MSET", "k", 1, "l", 2, "m", 3)
        assert told(reader) == [["k"], ["l"], ["m"]]


def test_the_message_stands_behind_the_reply_that_it_makes_void(tracked):
    with tracker(tracked) as reader:
        pushed = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
        assert reader.pipeline([("GET", "k"), ("SET", "k", 1), ("GET", "k"), ("PING",)]) == [
            b"_\r\n", b"+OK\r\n", pushed, b"$1\r\n1\r\n"]
        assert reader.read() == "PONG"
        assert reader.pipeline([("MULTI",), ("GET", "k"), ("SET", "k", 2), ("GET", "k"), ("EXEC",),
                                ("PING",)]) == [
            b"+OK\r\n", b"+QUEUED\r\n", b"+QUEUED\r\n", b"+QUEUED\r\n",
            b"*3\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n", pushed]
        assert reader.read() == "PONG"
        assert reader.pipeline([("FLUSHALL",), ("PING",)]) == [
            b"+OK\r\n", b">2\r\n$10\r\ninvalidate\r\n_\r\n"]
        assert reader.read() == "PONG"


def test_who_speaks_the_old_protocol_is_told_nothing(tracked, writer):
    with tracked.connect() as reader:
        reader("CLIENT", "TRACKING", "ON")
        reader("GET", "k")
        writer("SET", "k", 1)
        assert reader("PING") == "PONG"


def test_keys_of_all_databases_have_one_name(tracked, writer):
    with tracker(tracked) as reader:
        reader("GET", "k")
        writer("SELECT", 5)
        writer("SET", "k", 1)
        assert told(reader) == [["k"]]


@only_tandem
def test_what_a_script_reads_is_remembered_not_what_it_declares(server, client):
    """As in 7.2."""
    with tracker(server) as reader:
        reader("EVAL", "redis.call('get', 'read') redis.call('set', 'written', 1)", 1, "declared")
        reader("EVAL_RO", "return redis.call('get', 'read2')", 1, "declared")
        assert told(reader) == []
        for key in ("declared", "written", "read", "read2"):
            client("SET", key, 1)
        assert told(reader) == [["read"], ["read2"]]


def test_what_a_script_changes_is_told(tracked, writer):
    with tracker(tracked) as reader:
        reader("GET", "k")
        writer("EVAL", "redis.call('set', KEYS[1], 1) redis.call('set', KEYS[1], 2)", 1, "k")
        assert told(reader) == [["k"]]


def test_opt_in_and_opt_out(tracked, writer):
    def remembered():
        return int(tracked.info("stats")["tracking_total_keys"])

    with tracker(tracked, "OPTIN") as reader:
        def caching(*commands):
            before = remembered()
            reader("CLIENT", "CACHING", "YES")
            reader.pipeline(commands)
            return remembered() - before

        reader("GET", "a")
        assert remembered() == 0
        assert caching(("GET", "b"), ("GET", "c")) == 1
        assert caching(("CLIENT", "ID"), ("GET", "d"), ("GET", "e")) == 1
        assert caching(("NOSUCH",), ("GET", "f")) == 0
        assert caching(("GET",), ("GET", "f")) == 0
        assert caching(("MULTI",), ("GET", "g"), ("GET", "h"), ("EXEC",), ("GET", "i")) == 2
        assert caching(("MULTI",), ("DISCARD",), ("GET", "i")) == 0
        before = remembered()
        reader.pipeline([("MULTI",), ("CLIENT", "CACHING", "YES"), ("GET", "n1"), ("GET", "n2"),
                         ("EXEC",), ("GET", "n3")])
        assert remembered() - before == 2
    wait_until(lambda: tracked.info("clients")["tracking_clients"] == "0", "it is gone")
    with tracker(tracked, "OPTOUT") as reader:
        before = remembered()
        reader("CLIENT", "CACHING", "NO")
        reader("GET", "o1")
        assert remembered() == before
        reader("GET", "o2")
        assert remembered() == before + 1


def test_who_spares_itself(tracked, writer):
    with tracker(tracked, "NOLOOP") as reader:
        reader("GET", "k")
        reader("SET", "k", 1)
        assert told(reader) == []
        reader("GET", "k")
        writer("SET", "k", 2)
        assert told(reader) == [["k"]]
    with tracker(tracked, "NOLOOP", "BCAST") as reader:
        reader("SET", "k", 1)
        assert told(reader) == []
        writer("SET", "k", 1)
        assert told(reader) == [["k"]]


def test_broadcast(tracked, writer):
    with tracker(tracked, "BCAST", "PREFIX", "a", "PREFIX", "b") as some:
        with tracker(tracked, "BCAST") as every:
            writer("SET", "a1", 1)
            writer("SET", "c", 1)
            assert told(some) == [["a1"]] and told(every) == [["a1"], ["c"]]
            writer("MSET", "b2", 1, "a2", 2, "c", 3, "a1", 4, "b1", 5)
            assert told(some) == [["a1", "a2"], ["b1", "b2"]]
            assert told(every) == [["a1", "a2", "b1", "b2", "c"]]
            assert tracked.info("stats")["tracking_total_prefixes"] == "3"
            assert tracked.info("stats")["tracking_total_keys"] == "0"
            every.send(encode("SET", "a1", 1) + encode("DEL", "none"))
            replies = [every.read() for _ in range(3)]
            # Redis has it behind the whole pipeline.
            assert replies[0] == "OK" and ["invalidate", ["a1"]] in replies and 0 in replies


def test_a_flush_of_any_database_is_told_as_null(tracked, writer):
    with tracker(tracked) as reader, tracker(tracked, "BCAST", "PREFIX", "none") as other:
        for command in (("FLUSHDB",), ("SELECT", 3), ("FLUSHDB",), ("FLUSHALL",)):
            reader("GET", "k")
            writer(*command)
            expected = [] if command[0] == "SELECT" else [None]
            assert told(reader) == expected and told(other) == expected
        assert tracked.info("stats")["tracking_total_keys"] == "0"


@only_tandem
def test_exchanged_databases_are_told_as_a_flush(server, client):
    """Redis says nothing, and leaves caches with what is now another database's."""
    with tracker(server) as reader:
        client("SET", "k", 1)
        reader("GET", "k")
        client("SWAPDB", 0, 1)
        assert told(reader) == [None]


@pytest.mark.parametrize("lazily", [True, False], ids=["met", "found"])
def test_the_end_of_a_keys_time_is_told(tracked, writer, lazily):
    writer("DEBUG", "SET-ACTIVE-EXPIRE", 0 if lazily else 1)
    with tracker(tracked) as reader, tracker(tracked, "BCAST") as every:
        writer("SET", "k", 1)
        told(every)
        reader("GET", "k")
        writer("PEXPIRE", "k", 30)
        assert told(reader) == [["k"]] and told(every) == [["k"]]
        reader("TTL", "k")
        wait_until(lambda: not lazily or writer("GET", "k") is None, "somebody meets it")
        wait_until(lambda: reader.has_reply() and every.has_reply(), "both are told")
        assert told(reader) == [["k"]] and told(every) == [["k"]]


@only_tandem
def test_time_is_nobodys_own_change(server, client):
    """Redis does not tell a client of NOLOOP that meets the end itself, unless it broadcasts."""
    client("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    with tracker(server, "NOLOOP") as reader:
        client("SET", "k", 1, "PX", 30)
        reader("GET", "k")
        pushed = []
        wait_until(lambda: reader_call(reader, pushed, "EXISTS", "k") == 0, "its time is over")
        pushed += told(reader)
        assert pushed == [["k"]]


def reader_call(connection, pushed, *command):
    """A reply; what was pushed before it is noted."""
    connection.send(encode(*command))
    while isinstance(reply := connection.read(), Push):
        pushed.append(reply[1])
    return reply


def test_redirection_to_a_subscriber(tracked, writer):
    with tracked.connect() as target, tracked.connect() as reader:
        number = target("CLIENT", "ID")
        reader("CLIENT", "TRACKING", "ON", "REDIRECT", number)
        assert reader("CLIENT", "GETREDIR") == number
        reader("GET", "k")
        writer("SET", "k", 1)
        assert target("PING") == "PONG", "it is subscribed to nothing"
        target("SUBSCRIBE", "any")
        reader("GET", "k")
        writer("SET", "k", 2)
        assert target.read() == ["message", "__redis__:invalidate", ["k"]]
        writer("FLUSHALL")
        assert target.read() == ["message", "__redis__:invalidate", None]
        reader("CLIENT", "TRACKING", "OFF")
        reader("GET", "k")
        writer("SET", "k", 3)
        assert target("PING") == ["pong", ""]


def test_redirection_to_a_client_of_the_new_protocol(tracked, writer):
    with tracked.connect(protocol=3) as target, tracked.connect() as reader:
        reader("CLIENT", "TRACKING", "ON", "REDIRECT", target("CLIENT", "ID"), "BCAST")
        writer("SET", "k", 1)
        assert told(target) == [["k"]]


def test_a_broken_redirection(tracked, writer):
    def flags(connection):
        return set(connection("CLIENT", "TRACKINGINFO")["flags"])

    with tracked.connect(protocol=3) as reader:
        target = tracked.connect()
        number = target("CLIENT", "ID")
        reader("CLIENT", "TRACKING", "ON", "REDIRECT", number)
        reader("GET", "k")
        target.close()
        wait_until(lambda: f"id={number} " not in writer("CLIENT", "LIST"), "the target is gone")
        assert flags(reader) == {"on"}
        writer("SET", "k", 1)
        assert reader.read() == ["tracking-redir-broken", number]
        assert flags(reader) == {"on", "broken_redirect"}
        assert f" redir={number} " in reader("CLIENT", "INFO")
        assert " flags=tR " in reader("CLIENT", "INFO")
        reader("CLIENT", "TRACKING", "ON")
        assert flags(reader) == {"on"}


def test_what_is_shown_of_who_tracks(tracked, writer):
    def shown(connection):
        line = writer("CLIENT", "LIST", "ID", connection("CLIENT", "ID"))
        return {word.partition("=")[0]: word.partition("=")[2] for word in line.split()}

    with tracker(tracked) as one, tracker(tracked, "BCAST", "PREFIX", "a") as two:
        assert shown(one)["flags"] == "t" and shown(one)["redir"] == "0"
        assert shown(two)["flags"] == "tB"
        assert shown(writer)["redir"] == "-1"
        one("GET", "x")
        one("MGET", "x", "y")
        two("GET", "x")
        info = tracked.info()
        assert info["tracking_clients"] == "2" and info["tracking_total_prefixes"] == "1"
        assert info["tracking_total_keys"] == info["tracking_total_items"] == "2"
        one("RESET")
        assert tracked.info("clients")["tracking_clients"] == "1"
        assert shown(one)["flags"] == "N"
    wait_until(lambda: tracked.info("clients")["tracking_clients"] == "0", "the other closed")


def test_who_is_killed_tracks_no_more(tracked, writer):
    with tracker(tracked) as reader:
        assert writer("CLIENT", "KILL", "ID", reader("CLIENT", "ID")) == 1
        assert tracked.info("clients")["tracking_clients"] == "0"


def test_messages_come_also_where_replies_are_switched_off(tracked, writer):
    with tracker(tracked) as reader:
        reader("GET", "k")
        reader.send(encode("CLIENT", "REPLY", "OFF"))
        wait_until(lambda: "cmd=client|reply" in writer("CLIENT", "LIST"), "it is off")
        writer("SET", "k", 1)
        assert reader.read() == ["invalidate", ["k"]]


def test_messages_come_also_to_who_is_blocked(tracked, writer):
    with tracker(tracked) as reader:
        reader("GET", "k")
        reader.send(encode("BLPOP", "q", 0))
        wait_until(lambda: "flags=bt" in writer("CLIENT", "LIST"), "it waits")
        writer("SET", "k", 1)
        assert reader.read() == ["invalidate", ["k"]]
        writer("RPUSH", "q", "x")
        assert reader.read() == ["q", "x"]


def test_the_table_has_a_limit(tracked, writer):
    def kept():
        return int(tracked.info("stats")["tracking_total_keys"])

    writer("CONFIG", "SET", "tracking-table-max-keys", 50)
    with tracker(tracked) as reader:
        for number in range(200):
            reader.send(encode("GET", number))
        answered = pushed = 0
        while answered < 200:
            reply = reader.read()
            answered += reply is None
            pushed += isinstance(reply, Push)
        pushed += len(told(reader))
        assert kept() <= 51 and pushed == 200 - kept(), "who leaves is told as changed"
        writer("CONFIG", "SET", "tracking-table-max-keys", 1)
        wait_until(lambda: writer("PING") and kept() <= 1, "it has shrunk")
        writer("CONFIG", "SET", "tracking-table-max-keys", 0)
        told(reader)
        for number in range(200):
            reader_call(reader, [], "GET", number)
        assert kept() >= 200


def test_what_is_remembered_of_every_command_that_reads(start):
    """Of each with a key the same as in Redis; what writes, too, or has no keys, leaves nothing."""
    found = []
    for kind in ("tandem", "redis"):
        server = start(kind)
        with tracker(server) as reader, server.connect() as client:
            rows = {row[0]: row for row in client("COMMAND")}
            counts = {}
            for name in sorted(rows):
                if rows[name][9] or name in UNSUITED:
                    continue
                words = ARGUMENTS.get(name) or ["{0}.k"] * max(abs(rows[name][1]) - 1, 1)
                before = int(server.info("stats")["tracking_total_keys"])
                reader.send(encode(name, *(word.format(name) for word in words)))
                while reader.read_raw().startswith(b">"):
                    pass
                counts[name] = int(server.info("stats")["tracking_total_keys"]) - before
            found.append(counts)
    both = set(found[0]) & set(found[1])
    assert {name: found[0][name] for name in both} == {name: found[1][name] for name in both}
    assert sum(found[0].values()) > 40


# Those that end the connection, the server or the test's premise.
UNSUITED = {"quit", "reset", "shutdown", "monitor", "psync", "sync", "replicaof", "slaveof",
            "hello", "auth", "flushall", "flushdb", "swapdb", "subscribe", "psubscribe",
            "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe", "multi", "exec", "save",
            "bgsave", "bgrewriteaof", "select", "failover",
            "restore-asking", "asking", "debug", "evalsha", "evalsha_ro", "fcall", "fcall_ro",
            "wait", "readonly", "readwrite", "migrate", "lolwut", "eval", "eval_ro", "replconf",
            "command", "keys"}
ARGUMENTS = {name: ["{0}.k"] for name in (
    "get", "strlen", "ttl", "pttl", "type", "exists", "touch", "expiretime", "pexpiretime", "dump",
    "llen", "scard", "smembers", "hgetall", "hkeys", "hvals", "hlen", "zcard", "xlen", "pfcount",
    "mget", "srandmember", "hrandfield", "zrandmember", "sort_ro", "bitcount", "getdel", "getex",
    "lpop", "spop", "sort", "incr", "del", "unlink", "persist")}
ARGUMENTS |= {name: ["{0}.k", "0", "1"] for name in (
    "getrange", "substr", "lrange", "zrange", "zrevrange", "zrangebyscore", "zrevrangebyscore",
    "zcount", "getset", "hsetnx")}
ARGUMENTS |= {name: ["{0}.k", "m"] for name in (
    "sismember", "smismember", "hget", "hmget", "hexists", "hstrlen", "zscore", "zmscore", "zrank",
    "zrevrank", "geopos", "geohash", "lpos")}
ARGUMENTS |= {
    "lindex": ["{0}.k", "0"], "getbit": ["{0}.k", "0"], "bitpos": ["{0}.k", "1"],
    "lcs": ["{0}.a", "{0}.b"], "sinter": ["{0}.a", "{0}.b"], "sunion": ["{0}.a", "{0}.b"],
    "sdiff": ["{0}.a", "{0}.b"], "sintercard": ["2", "{0}.a", "{0}.b"],
    "zinter": ["2", "{0}.a", "{0}.b"], "zunion": ["2", "{0}.a", "{0}.b"],
    "zdiff": ["2", "{0}.a", "{0}.b"], "zintercard": ["2", "{0}.a", "{0}.b"],
    "zlexcount": ["{0}.k", "-", "+"], "zrangebylex": ["{0}.k", "-", "+"],
    "zrevrangebylex": ["{0}.k", "+", "-"], "xrange": ["{0}.k", "-", "+"],
    "xrevrange": ["{0}.k", "+", "-"], "xread": ["STREAMS", "{0}.a", "{0}.b", "0", "0"],
    "sscan": ["{0}.k", "0"], "hscan": ["{0}.k", "0"], "zscan": ["{0}.k", "0"], "scan": ["0"],
    "geodist": ["{0}.k", "a", "b"], "bitfield_ro": ["{0}.k", "GET", "u8", "0"],
    "xpending": ["{0}.k", "g"], "blpop": ["{0}.k", "0.01"], "brpop": ["{0}.k", "0.01"],
    "bzpopmin": ["{0}.k", "0.01"], "bzpopmax": ["{0}.k", "0.01"],
    "blmove": ["{0}.a", "{0}.b", "LEFT", "LEFT", "0.01"], "brpoplpush": ["{0}.a", "{0}.b", "0.01"],
    "blmpop": ["0.01", "1", "{0}.k", "LEFT"], "bzmpop": ["0.01", "1", "{0}.k", "MIN"]}


@pytest.mark.parametrize("kinds", [("tandem", "tandem"), ("redis", "tandem"), ("tandem", "redis")],
                         ids="<".join)
def test_who_reads_from_a_replica_is_told_of_the_primarys_changes(start, kinds):
    primary, replica = start(kinds[0]), start(kinds[1])
    with primary.connect() as client, tracker(replica) as reader, tracker(replica, "BCAST") as all_:
        client("SET", "k", 1)
        reader("GET", "k")
        replica.follow(primary.port)
        wait_until(replica.link_up, "linked")
        assert None in told(reader) and None in told(all_), "the full sync changed everything"
        for number in range(500):
            reader_call(reader, [], "GET", number)
        client.pipeline([("SET", number, "x") for number in range(500)])
        everything = set(map(str, range(500)))
        for connection in (reader, all_):
            heard = []

            def has_heard_all():
                heard.extend(key for keys in told(connection) for key in keys)  # noqa: B023
                return everything <= set(heard)  # noqa: B023

            wait_until(has_heard_all, "it is told of every change")
            assert len(heard) == len(everything)


def test_a_client_that_becomes_a_replica_gets_the_stream_alone(server, client):
    with tracker(server, "BCAST") as replica:
        replica.send(encode("PSYNC", "?", -1))
        assert replica._line().startswith(b"+FULLRESYNC")
        assert server.info("clients")["tracking_clients"] == "0"


def test_redis_py_over_a_redirection(tracked):
    """As its users do it: a connection that listens, and others that read."""
    pool = redis.Redis(port=tracked.port, decode_responses=True)
    listener = pool.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("__redis__:invalidate")
    listener.get_message(timeout=5)
    listens = next(int(line["id"]) for line in pool.client_list(_type="pubsub"))
    reader = redis.Redis(port=tracked.port, decode_responses=True, single_connection_client=True)
    reader.client_tracking_on(clientid=listens)
    reader.get("k")
    pool.set("k", "v")
    message = wait_until(lambda: listener.get_message(timeout=5), "a message comes")
    assert message["channel"] == "__redis__:invalidate" and message["data"] == ["k"]
    listener.close()
    reader.close()
    pool.close()


class CachingReader(threading.Thread):
    """Reads keys, keeps what it read until it is told, and compares with what it has heard of."""

    def __init__(self, server, seed, answered, keys, reads, *words):
        super().__init__()
        self.connection = tracker(server, *words)
        self.random = random.Random(seed)
        self.answered, self.keys, self.reads = answered, keys, reads
        self.cache = {}
        self.wrong = []

    def obey(self, keys):
        if keys is None:
            self.cache.clear()
        for key in keys or ():
            self.cache.pop(key, None)

    def call(self, *command):
        self.connection.send(encode(*command))
        while isinstance(reply := self.connection.read(), Push):
            self.obey(reply[1])
        return reply

    def run(self):
        for _ in range(self.reads):
            key = self.random.choice(self.keys)
            heard = self.answered.get(key, 0)
            # Whoever asks now has been told of all that was answered before.
            self.call("PING")
            if key not in self.cache:
                self.cache[key] = int(self.call("GET", key) or 0)
            if self.cache[key] < heard:
                self.wrong.append((key, self.cache[key], heard))

    def differences(self, client):
        self.call("PING")
        return {key: value for key, value in self.cache.items()
                if value != int(client("GET", key) or 0)}


@pytest.mark.parametrize("workers", [1, 4])
def test_caches_are_never_behind_what_was_answered(start, monkeypatch, workers):
    monkeypatch.setenv("TANDEM_WORKERS", str(workers))
    server = start("tandem")
    keys = [f"key:{number}" for number in range(12)]
    answered = {}
    stop = threading.Event()

    def write(seed):
        choose = random.Random(seed)
        with server.connect() as client:
            while not stop.is_set():
                key = choose.choice(keys)
                if choose.random() < 0.2:
                    client.pipeline([("MULTI",), ("INCR", key), ("INCR", keys[0])])
                    value = client("EXEC")[0]
                elif choose.random() < 0.1:
                    value = client("EVAL", "return redis.call('incr', KEYS[1])", 1, key)
                else:
                    value = client("INCR", key)
                # Two writers may be here at once: the smaller number may win, which only asks less.
                if answered.get(key, 0) < value:
                    answered[key] = value

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(2)]
    readers = [CachingReader(server, seed, answered, keys, 400, *words)
               for seed, words in enumerate([(), ("NOLOOP",), ("BCAST", "PREFIX", "key:"), ()])]
    for thread in writers + readers:
        thread.start()
    for thread in readers:
        thread.join(120)
    stop.set()
    for thread in writers:
        thread.join(20)
    with server.connect() as client:
        for reader in readers:
            assert not reader.is_alive() and not reader.wrong
            assert reader.differences(client) == {}
            reader.connection.close()
