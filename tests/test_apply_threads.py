"""Replicas that apply with several threads: the same data and offsets as with one, from either kind
of primary, whatever comes in between."""
import random
import threading

import pytest

from harness.load import Load, assert_same, caught_up
from harness.peers import EMPTY_RDB, FakePrimary, full_resync
from harness.wait import wait_until
from harness.wire import ReplyError, encode


def brief(chosen, n):
    """A command that may be a part of a batch; many keys, of all types."""
    few = chosen.randrange(300)
    return chosen.choice([
        ("SET", f"string:{few}", n), ("APPEND", f"text:{few}", chosen.randrange(10)),
        ("INCR", f"count:{few}"), ("HSET", f"hash:{few}", f"f{n % 40}", n),
        ("HDEL", f"hash:{few}", f"f{n % 40}"), ("LPUSH", f"list:{few}", n),
        ("RPOP", f"list:{few}"), ("LMOVE", f"list:{few}", f"list:{few + 1}", "LEFT", "RIGHT"),
        ("SADD", f"set:{few}", n % 60), ("SPOP", f"set:{few}"),
        ("ZADD", f"sorted:{few}", n, f"m{n % 60}"), ("ZPOPMIN", f"sorted:{few}"),
        ("XADD", f"stream:{few}", "MAXLEN", "50", "*", "f", n),
        ("DEL", f"string:{few}", f"text:{few}"),
        ("MSET", f"string:{few}", n, f"string:{few + 7}", n),
        ("RENAME", f"count:{few}", f"count:{few}b"),
        ("SETEX", f"soon:{few}", 100, n), ("SELECT", n % 3)])


def write(server, seed, count, stop=None):
    chosen = random.Random(seed)
    with server.connect() as connection:
        for at in range(0, count, 500):
            if stop is not None and stop.is_set():
                return
            commands = []
            for n in range(at, at + 500):
                if n % 40 == 0:
                    commands += [("MULTI",), *[("SET", f"string:{n % 7 + i}", n) for i in range(5)],
                                 ("EXEC",)]
                commands.append(brief(chosen, n))
            connection.pipeline(commands)


def writers(server, count, seeds=(1, 2, 3), stop=None):
    threads = [threading.Thread(target=write, args=(server, seed, count, stop)) for seed in seeds]
    for thread in threads:
        thread.start()
    return threads


def join(threads):
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "the writers come to their end"


def shared(server):
    return int(server.info("stats")["stream_batches_shared"])


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_any_number_of_threads_makes_the_same_data(start, kind):
    primary = start(kind, "--client-output-buffer-limit", "replica 0 0 0")
    replicas = [start("tandem", "--replica-apply-threads", str(n)) for n in (1, 2, 5)]
    for replica in replicas:
        replica.follow(primary.port)
    caught_up(primary, *replicas)
    # What waits in their sockets comes in large pieces.
    for replica in replicas:
        replica.pause()
    join(writers(primary, 6_000))
    for replica in replicas:
        replica.unpause()
    load = Load(primary, 1).run(1000)
    load.close()
    assert_same(primary, *replicas)
    assert shared(replicas[0]) == 0
    assert all(shared(replica) > 0 for replica in replicas[1:])
    assert all(int(r.info("stats")["unexpected_error_replies"]) == 0 for r in replicas)


def save(connection, turn):
    """Now one way, now the other; the one before may still be going on."""
    try:
        connection(*[("BGSAVE", "SCHEDULE"), ("SAVE",)][turn % 2])
    except ReplyError as error:
        assert "in progress" in str(error)


def test_whatever_comes_in_between_leaves_the_same_data(start):
    """The number of threads, saves, whole databases, readers and waiting clients, roles."""
    primary = start("tandem", "--client-output-buffer-limit", "replica 0 0 0",
                    "--repl-backlog-size", "64mb")
    replica = start("tandem", "--replica-apply-threads", "3")
    below = start("tandem", "--replica-apply-threads", "2")
    replica.follow(primary.port)
    below.follow(replica.port)
    caught_up(primary, replica, below)
    full_syncs = int(primary.info()["sync_full"])
    stop = threading.Event()
    threads = writers(primary, 1_000_000, stop=stop)
    try:
        with primary.connect() as ours, replica.connect() as theirs, replica.connect() as waiting:
            for turn in range(6):
                waiting.send(encode("XREAD", "BLOCK", "100", "STREAMS", "stream:1", "$"))
                theirs("CONFIG", "SET", "replica-apply-threads", turn % 4)
                save(theirs, turn)
                theirs("WATCH", "count:1", "string:1")
                ours("SWAPDB", 0, 1)
                if turn % 3 == 2:
                    ours("FLUSHALL")
                theirs("MULTI")
                theirs("GET", "string:1")
                theirs("EXEC")
                theirs("CLIENT", "KILL", "TYPE", "master")
                waiting.read_raw()
    finally:
        stop.set()
        join(threads)
    assert_same(primary, replica, below)
    assert int(primary.info()["sync_full"]) == full_syncs


def promote(_primary, replica):
    replica.promote()


def lose_primary(primary, replica):
    primary.kill()
    wait_until(lambda: not replica.link_up(), "the link is down")


def lose_connection(_primary, replica):
    """The last moment before the link comes up again may be any, so it may not."""
    with replica.connect() as connection:
        connection("REPLICAOF", "127.0.0.1", "1")


@pytest.mark.parametrize("ending", [promote, lose_primary, lose_connection])
def test_a_stream_that_ends_in_the_middle_leaves_a_prefix(start, ending):
    """Number n is written to key n modulo 50, one after the other."""
    primary = start("tandem", "--client-output-buffer-limit", "replica 0 0 0")
    replica = start("tandem", "--replica-apply-threads", "4")
    replica.follow(primary.port)
    caught_up(primary, replica)
    replica.pause()
    with primary.connect() as connection:
        for at in range(0, 60_000, 2000):
            connection.pipeline([("SET", f"number:{n % 50}", n) for n in range(at, at + 2000)])
    replica.unpause()
    with replica.connect() as connection:
        wait_until(lambda: connection("EXISTS", "number:49") == 1, "the stream goes on")
        ending(primary, replica)
        numbers = sorted(int(v) for v in connection("MGET", *[f"number:{k}" for k in range(50)]))
    assert numbers == list(range(numbers[0], numbers[0] + 50))


@pytest.mark.parametrize("piece", [b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$9\r\nhalf", b"rubbish\r\n",
                                   b"*1\r\n$-5\r\n", encode("NOSUCH", "x"),
                                   encode("HSET", "string:1", "f", "v"), encode("MULTI")])
def test_what_comes_before_rubbish_is_applied(start, piece):
    commands = [("SET", f"string:{n % 500}", n) for n in range(20_000)]
    stream = b"".join(encode(*command) for command in commands)
    replica = start("tandem", "--replica-apply-threads", "3")
    with FakePrimary(PSYNC=full_resync(EMPTY_RDB) + stream + piece) as primary:
        replica.follow(primary.port)
        wait_until(lambda: replica.offset() >= len(stream), "the stream is applied", 20)
        with replica.connect() as connection:
            assert connection("GET", "string:499") == "19999"
            assert connection("DBSIZE") == 500


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_a_primary_that_gets_another_history_in_the_middle(start, kind):
    """It becomes the replica of one that was its own and writes by itself since then."""
    unlimited = ("--client-output-buffer-limit", "replica 0 0 0")
    primary = start(kind, *unlimited)
    replica = start("tandem", "--replica-apply-threads", "3", *unlimited)
    other = start("tandem", *unlimited)
    for follower in (replica, other):
        follower.follow(primary.port)
    caught_up(primary, replica, other)
    other.promote()
    stop = threading.Event()
    threads = writers(other, 1_000_000, seeds=(4, 5), stop=stop)
    try:
        replica.pause()
        write(primary, 1, 20_000)
        replica.unpause()
        before = replica.offset()
        wait_until(lambda: replica.offset() != before, "the stream goes on")
        primary.follow(other.port)
        wait_until(lambda: primary.link_up() and replica.link_up(), "both are linked", 60)
    finally:
        stop.set()
        join(threads)
    assert_same(other, primary, replica)
    assert replica.info()["master_replid"] == other.info()["master_replid"]


def test_the_longest_value_in_the_middle(start):
    primary = start("tandem", "--client-output-buffer-limit", "replica 0 0 0")
    replica = start("tandem", "--replica-apply-threads", "2")
    replica.follow(primary.port)
    caught_up(primary, replica)
    threads = writers(primary, 4_000)
    with primary.connect(seconds=60) as connection:
        connection("SET", "large", b"x" * 500_000_000)
        connection("APPEND", "large", "end")
    join(threads)
    assert_same(primary, replica)


def test_a_transaction_of_a_million_commands(start):
    primary = start("tandem", "--client-output-buffer-limit", "replica 0 0 0")
    replica = start("tandem", "--replica-apply-threads", "2")
    replica.follow(primary.port)
    caught_up(primary, replica)
    with primary.connect(seconds=60) as connection:
        connection("MULTI")
        for at in range(0, 1_000_000, 10_000):
            connection.pipeline([("SET", f"t:{n}", n) for n in range(at, at + 10_000)])
        connection.send(encode("EXEC"))
        connection.read_raw()
    caught_up(primary, replica)
    with replica.connect() as connection:
        assert connection("DBSIZE") == 1_000_000
        assert connection("MGET", "t:0", "t:999999") == ["0", "999999"]
    assert int(replica.info("stats")["unexpected_error_replies"]) == 0


def test_a_kill_in_the_middle_costs_no_consistency(start):
    primary = start("tandem", "--client-output-buffer-limit", "replica 0 0 0",
                    "--repl-backlog-size", "64mb")
    replica = start("tandem", "--replica-apply-threads", "3")
    replica.follow(primary.port)
    caught_up(primary, replica)
    stop = threading.Event()
    threads = writers(primary, 1_000_000, stop=stop)
    try:
        for in_order in (False, True, False):
            before = replica.offset()
            wait_until(lambda: replica.offset() > before + 500_000, "the stream goes on", 30)
            if in_order:
                replica.process.terminate()
                assert replica.wait_exit(60) == 0
            else:
                replica.kill()
            replica.restart()
            replica.follow(primary.port)
            wait_until(replica.link_up, "the link is up again", 60)
    finally:
        stop.set()
        join(threads)
    assert_same(primary, replica)
