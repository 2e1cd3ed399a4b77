"""maxmemory: what is evicted and what refused, at replicas, in files, under load."""
import subprocess
import threading

import pytest

from harness.load import Load, assert_same, caught_up
from harness.servers import is_stock
from harness.wait import wait_until

only_tandem = pytest.mark.skipif(is_stock("tandem"), reason="Tandem's own")
POLICIES = ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru",
            "allkeys-lfu", "allkeys-random", "noeviction"]
MEGA = 1024 * 1024
ASKING = 64 * 1024  # what it takes to ask for INFO


def used(server):
    return int(server.info("memory")["used_memory"])


def counted(server):
    info = server.info("memory")
    return int(info["used_memory"]) - int(info["mem_not_counted_for_evict"])


def has_room(server):
    return counted(server) <= int(server.info("memory")["maxmemory"]) + ASKING


def evicted(server):
    return int(server.info("stats")["evicted_keys"])


def limit(server, policy, room):
    """So many bytes more than now may be in use."""
    bytes_max = used(server) + room
    with server.connect() as client:
        client("CONFIG", "SET", "maxmemory-policy", policy, "maxmemory", bytes_max)
    return bytes_max


def fill(server, name, count, size=100, expires=False):
    with server.connect() as client:
        tail = ("EX", 100000) if expires else ()
        for at in range(0, count, 1000):
            client.pipeline([("SET", f"{name}:{n}", "v" * size, *tail)
                             for n in range(at, min(at + 1000, count))])


@pytest.mark.parametrize("policy", POLICIES)
def test_what_each_policy_evicts(start, policy):
    for kind in ("tandem", "redis"):
        server = start(kind)
        limit(server, policy, 3 * MEGA)
        fill(server, "volatile", 6000, expires=True)
        fill(server, "persistent", 6000)
        fill(server, "volatile", 6000, expires=True)
        with server.connect() as client:
            client("CONFIG", "SET", "maxmemory", used(server) - MEGA // 3)
            error = None
            if policy == "noeviction":
                error = client.error("SET", "new", "1")
            else:
                client("SET", "new", "1")
                wait_until(lambda: has_room(server), "there is room")
            kept = [client("EXISTS", *(f"{name}:{n}" for n in range(6000)))
                    for name in ("volatile", "persistent")]
        if policy == "noeviction":
            assert error.startswith("OOM command not allowed") and evicted(server) == 0, kind
            continue
        assert evicted(server) > 100, kind
        assert kept[0] < 6000 or policy in ("allkeys-lru", "allkeys-lfu"), kind
        assert (kept[1] < 6000) == policy.startswith("allkeys"), (kind, kept)


# What is answered when there is no room: on one connection, in this order.
WITHOUT_ROOM = [
    ("GET", "a"), ("SET", "a", 1), ("DEL", "a"), ("LPUSH", "l", 1), ("LPOP", "l"),
    ("EXPIRE", "a", 1), ("COPY", "a", "b"), ("APPEND", "a", "x"), ("SORT", "l"),
    ("SORT", "l", "STORE", "x"),
    ("XADD", "s", "*", "a", 1), ("PING",), ("INCR", "a"), ("RENAME", "a", "b"),
    ("MULTI",), ("SET", "a", 1), ("EXEC",),
    ("MULTI",), ("GET", "a"), ("EXEC",),
    ("MULTI",), ("EXEC",), ("MULTI",), ("WATCH", "a"), ("DISCARD",), ("MULTI",), ("PING",),
    ("DISCARD",),
    ("WATCH", "a"), ("UNWATCH",),
    ("EVAL", "return redis.call('set', KEYS[1], 1)", 1, "a"),
    ("EVAL", "return redis.pcall('set', KEYS[1], 1)", 1, "a"),
    ("EVAL", "return redis.call('get', KEYS[1])", 1, "a"),
    ("EVAL", "return 1", 0),
    ("EVAL", "redis.call('del', 'x') return redis.call('set', KEYS[1], 1)", 1, "a"),
    ("EVAL", "#!lua\nreturn 1", 0),
    ("EVAL", "#!lua flags=allow-oom\nreturn redis.call('set', KEYS[1], 1)", 1, "a"),
    ("EVAL", "#!lua flags=no-writes\nreturn redis.call('get', KEYS[1])", 1, "a"),
    ("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 1 end)"),
    ("FUNCTION", "DUMP"), ("CONFIG", "SET", "maxmemory", 0), ("SET", "a", 1),
    ("CONFIG", "SET", "maxmemory", 1), ("SET", "a", 2), ("GET", "a"), ("FLUSHALL",),
]


def test_replies_without_room(start):
    servers = [start(kind) for kind in ("tandem", "redis")]
    connections = [server.connect() for server in servers]
    for client in connections:
        client("CONFIG", "SET", "maxmemory", 1)
    for command in WITHOUT_ROOM:
        replies = [client.raw(*command) for client in connections]
        assert replies[0] == replies[1], command


def test_a_transaction_of_before_is_refused_as_a_whole(start):
    replies = []
    for kind in ("tandem", "redis"):
        server = start(kind)
        with server.connect() as client, server.connect() as reader, server.connect() as admin:
            client.pipeline([("MULTI",), ("SET", "a", 1), ("GET", "a")])
            reader.pipeline([("MULTI",), ("GET", "a")])
            admin("CONFIG", "SET", "maxmemory", 1)
            replies.append([client.raw("EXEC"), reader.raw("EXEC"), client.raw("GET", "a")])
    assert replies[0] == replies[1] and b"EXECABORT" in replies[0][0]


def test_idle_time_and_frequency(start):
    """The errors of the wrong policy, what RESTORE gives, and that looking changes nothing."""
    replies = []
    for kind in ("tandem", "redis"):
        with start(kind).connect() as client:
            client("SET", "a", "text")  # a stock server has small numbers once for all keys
            dump = bytes_of(client, "DUMP", "a")
            got = [client.raw("OBJECT", "FREQ", "a"), client.raw("OBJECT", "IDLETIME", "none")]
            client("RESTORE", "old", 0, dump, "IDLETIME", 100000)
            got.append(100000 <= client("OBJECT", "IDLETIME", "old") < 100020)
            for command in (("TYPE", "old"), ("TTL", "old"), ("EXISTS", "old"),
                            ("OBJECT", "ENCODING", "old"), ("MEMORY", "USAGE", "old"),
                            ("EXPIRETIME", "old")):
                client(*command)
                got.append((command, client("OBJECT", "IDLETIME", "old") >= 100000))
            client("RESTORE", "often", 0, dump, "FREQ", 77)  # of no use under this policy
            got.append(client("OBJECT", "IDLETIME", "often") < 20)
            client("TOUCH", "old")
            got.append(client("OBJECT", "IDLETIME", "old") < 20)
            client("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
            got += [client.raw("OBJECT", "IDLETIME", "a"), client.raw("OBJECT", "FREQ", "none")]
            client("RESTORE", "f", 0, dump, "FREQ", 77)
            got.append(client.raw("OBJECT", "FREQ", "f"))
            client("SET", "new", "text")
            got.append(client.raw("OBJECT", "FREQ", "new"))
            client("CONFIG", "SET", "lfu-log-factor", 0)
            client.pipeline([("GET", "new")] * 10)
            got.append(client.raw("OBJECT", "FREQ", "new"))
            client("RENAME", "f", "g")
            got.append(client("OBJECT", "FREQ", "g"))
            client("COPY", "g", "h")
            got.append(client("OBJECT", "FREQ", "h"))
            client("SET", "g", "over")
            got.append(client("OBJECT", "FREQ", "g"))
            client("SUNIONSTORE", "g", "none")
            client("SADD", "set", 1)
            client("SUNIONSTORE", "set2", "set")
            got.append(client("OBJECT", "FREQ", "set2"))
            replies.append(got)
    assert replies[0] == replies[1]


def bytes_of(client, *command):
    """A bulk reply as it is."""
    raw = client.raw(*command)
    return raw[raw.index(b"\r\n") + 2:-2]


@only_tandem
def test_a_client_that_leaves_no_trace(server, client):
    client("SET", "a", "1")
    dump = bytes_of(client, "DUMP", "a")
    def idle():
        with server.connect() as other:
            return other("OBJECT", "IDLETIME", "old")
    client("RESTORE", "old", 0, dump, "IDLETIME", 1000)
    client("CLIENT", "NO-TOUCH", "ON")
    client("GET", "old")
    client("EVAL", "return redis.call('touch', 'old')", 0)
    assert idle() >= 1000
    client("TOUCH", "old")
    assert idle() < 100
    client("RESTORE", "old", 0, dump, "IDLETIME", 1000, "REPLACE")
    client("CLIENT", "NO-TOUCH", "OFF")
    client("GET", "old")
    assert idle() < 100
    client("CLIENT", "NO-TOUCH", "ON")
    client("RESET")
    client("RESTORE", "old", 0, dump, "IDLETIME", 1000, "REPLACE")
    client("GET", "old")
    assert idle() < 100


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lfu", "noeviction"])
@pytest.mark.parametrize("writer, reader", [("tandem", "redis"), ("redis", "tandem"),
                                            ("tandem", "tandem")])
def test_files_tell_how_keys_were_used(start, writer, reader, policy):
    server = start(writer, "--maxmemory-policy", policy)
    with server.connect() as client:
        client("SET", "a", "text")
        dump = bytes_of(client, "DUMP", "a")
        client("RESTORE", "old", 0, dump,
               *(("FREQ", 77) if "lfu" in policy else ("IDLETIME", 5000)))
        client("SAVE")
    data = (server.folder / "dump.rdb").read_bytes()
    other = start(reader, "--maxmemory-policy", policy, launch=False)
    (other.folder / "dump.rdb").write_bytes(data)
    with other.start().connect() as client:
        if "lfu" in policy:
            assert client("OBJECT", "FREQ", "old") == 77
        else:
            idle = client("OBJECT", "IDLETIME", "old")
            assert 5000 <= idle < 5100 if "lru" in policy else idle < 100


CHAINS = [("tandem", "tandem"), ("tandem", "redis"), ("tandem", "tandem", "redis"),
          ("redis", "tandem", "redis")]


@pytest.mark.parametrize("kinds", CHAINS, ids="<".join)
@pytest.mark.parametrize("lazy", ["yes", "no"])
def test_replicas_evict_what_their_primary_does(start, kinds, lazy):
    """Random loads at the limit, scripts and transactions among them; replicas have a limit that is
    far too low, and ignore it."""
    primary = start(kinds[0], "--lazyfree-lazy-eviction", lazy)
    fill(primary, "before", 10000)
    limit(primary, "allkeys-lru", MEGA)
    load = Load(primary, f"evict {lazy}").run(500)
    replicas = []
    for kind in kinds[1:]:
        above = replicas[-1] if replicas else primary
        replicas.append(start(kind, "--maxmemory", 1, "--maxmemory-policy", "allkeys-random",
                              "--replicaof", "127.0.0.1", above.port))
    fill(primary, "while", 20000, 200)  # the snapshot is taken, sent and loaded meanwhile
    for replica in replicas:
        wait_until(replica.link_up, "it is linked", 30)
    load.run(1000)
    script = "for i = 1, 5 do redis.call('set', KEYS[1] .. i, ARGV[1]) end"
    with primary.connect() as client:
        for n in range(300):
            client.pipeline([("MULTI",), ("SET", f"m:{n}", "v" * 3000),
                             ("SET", f"n:{n}", "w" * 3000), ("EXEC",),
                             ("EVAL", script, 1, f"e:{n}", "x" * 1000)])
    fill(primary, "after", 5000)
    assert evicted(primary) > 1000
    assert all(evicted(replica) == 0 for replica in replicas)
    assert_same(primary, *replicas)


def test_a_replica_that_does_not_ignore_its_limit(start):
    for kind in ("tandem", "redis"):
        primary = start("tandem")
        replica = start(kind, "--replica-ignore-maxmemory", "no", "--maxmemory-policy",
                        "allkeys-random", "--replicaof", "127.0.0.1", primary.port)
        fill(primary, "k", 20000)
        caught_up(primary, replica)
        limit(replica, "allkeys-random", -MEGA)
        wait_until(lambda: has_room(replica), "there is room")
        assert evicted(replica) > 1000 and evicted(primary) == 0
        fill(primary, "more", 1000)
        caught_up(primary, replica)


@only_tandem
@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_memory_stays_at_the_limit(start, policy):
    """Counted, at many moments, while several workers' clients write as fast as they can, and a
    replica reads."""
    server = start("tandem")
    replica = start("tandem", "--replicaof", "127.0.0.1", server.port)
    wait_until(replica.link_up, "it is linked", 30)
    bytes_max = limit(server, policy, 40 * MEGA)
    seen = []
    load = subprocess.Popen(["redis-benchmark", "-p", str(server.port), "-c", "20", "-P", "16",
                             "-n", "600000", "-d", "400", "-r", "1000000", "-t", "set", "-q"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while load.poll() is None:
        seen.append(counted(server))
    assert load.returncode == 0
    assert max(seen) <= bytes_max * 1.01, (max(seen), bytes_max)
    full = [bytes_now for at, bytes_now in enumerate(seen) if max(seen[:at + 1]) > bytes_max * 0.99]
    assert len(full) > 10 and min(full) >= bytes_max * 0.98, (min(full), bytes_max)
    assert_same(server, replica)


def test_a_lower_limit_at_run_time(start):
    """Everybody is served while what is too much goes."""
    server = start("tandem")
    fill(server, "k", 200000, 50)
    stop = threading.Event()
    served = []

    def ask():
        with server.connect() as client:
            while not stop.is_set():
                assert client("PING") == "PONG"
                client("GET", "k:5")
                served.append(1)

    asking = threading.Thread(target=ask)
    asking.start()
    limit(server, "allkeys-lru", -used(server) // 3)
    wait_until(lambda: has_room(server), "there is room", 30)
    stop.set()
    asking.join()
    assert served and evicted(server) > 50000
    with server.connect() as client:
        assert client("SET", "new", "1") == "OK"
        assert client("CONFIG", "SET", "maxmemory", 0) == "OK"


def test_a_large_value_goes_alone(start):
    """What is freed in the background counts as gone: small keys are not evicted in its place."""
    server = start("tandem")
    fill(server, "small", 2000)
    with server.connect() as client:
        for _ in range(20):
            client.pipeline([("RPUSH", "large", *("e" * 100 for _ in range(1000)))] * 10)
        client("EXPIRE", "large", 100000)
        client("CONFIG", "SET", "maxmemory-policy", "volatile-lru",
               "maxmemory", used(server) - 5_000_000)
        assert client("SET", "new", "1") == "OK"
        assert client("EXISTS", "large") == 0 and client("DBSIZE") == 2001
        assert evicted(server) == 1


def test_what_is_told(start):
    """INFO's fields, with redis-server's names and values."""
    told = []
    for kind in ("tandem", "redis"):
        server = start(kind, "--maxmemory", "200mb", "--maxmemory-policy", "volatile-ttl")
        info = server.info()
        names = ("maxmemory", "maxmemory_human", "maxmemory_policy", "evicted_keys",
                 "total_eviction_exceeded_time", "current_eviction_exceeded_time")
        told.append({name: info[name] for name in names})
        with server.connect() as client:
            client("CONFIG", "SET", "maxmemory", 1)
            client.error("SET", "a", 1)
            wait_until(lambda: int(server.info("stats")["current_eviction_exceeded_time"]) > 0,
                       "the time is counted")
            client("CONFIG", "SET", "maxmemory", 0)
            client("CONFIG", "SET", "maxmemory", "200mb")
            client("SET", "a", 1)
            stats = server.info("stats")
            assert stats["current_eviction_exceeded_time"] == "0", kind
            assert int(stats["total_eviction_exceeded_time"]) > 0, kind
            client("CONFIG", "RESETSTAT")
            assert server.info("stats")["total_eviction_exceeded_time"] == "0", kind
    assert told[0] == told[1]


MEMORY_VALUES = ["0", "100mb", "1", "1k", "18446744073709551615", "99999999999999999999", "-1", "x",
                 "", "10%"]


def test_values_of_the_directive(start):
    answers = []
    for kind in ("tandem", "redis"):
        with start(kind).connect() as client:
            answers.append([(client.raw("CONFIG", "SET", "maxmemory", value),
                             client.raw("CONFIG", "GET", "maxmemory")) for value in MEMORY_VALUES])
    assert answers[0] == answers[1]


@only_tandem
def test_debug_object(client):
    client("SET", "a", "1")
    dump = bytes_of(client, "DUMP", "a")
    client("RESTORE", "old", 0, dump, "IDLETIME", 1000)
    line = client("DEBUG", "OBJECT", "old")
    assert "encoding:int serializedlength:2 lru:" in line
    assert int(line.rpartition("lru_seconds_idle:")[2]) >= 1000
    assert client.error("DEBUG", "OBJECT", "none") == "ERR no such key"
