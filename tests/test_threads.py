"""Two workers at once: what each client sees is as if there were one, and replicas agree. The link
to a primary is none of theirs."""
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from harness.load import KEEPING, assert_same, pair, random_commands
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import encode


def together(functions):
    """Runs them in threads and raises what any of them raised."""
    problems = []

    def guarded(function):
        try:
            function()
        except Exception as problem:  # noqa: BLE001
            problems.append(problem)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, problems


@pytest.fixture
def two_workers(start, monkeypatch):
    monkeypatch.setenv("TANDEM_WORKERS", "2")
    return start("tandem")


def test_counters_lose_nothing(two_workers):
    def count():
        with two_workers.connect() as client:
            for _ in range(20):
                client.pipeline([("INCR", "n"), ("HINCRBYFLOAT", "h", "f", 1), ("RPUSH", "l",
                                                                                1)] * 20)

    together([count] * 8)
    with two_workers.connect() as client:
        assert client("GET", "n") == client("HGET", "h", "f") == "3200" and client("LLEN",
                                                                                   "l") == 3200


def test_transactions_are_whole(two_workers):
    """Money moves between accounts; whoever looks sees the same sum."""
    def move(number):
        def run():
            with two_workers.connect() as client:
                for turn in range(100):
                    one, two = f"a{(number + turn) % 5}", f"a{(number + turn * 3 + 1) % 5}"
                    client.pipeline([("MULTI",), ("DECRBY", one, 7), ("INCRBY", two, 7), ("EXEC",)])
        return run

    def look():
        with two_workers.connect() as client:
            for _ in range(200):
                values = client("MGET", *[f"a{n}" for n in range(5)])
                assert sum(int(value) for value in values) == 500

    with two_workers.connect() as client:
        client("MSET", *[word for n in range(5) for word in (f"a{n}", 100)])
    together([move(n) for n in range(4)] + [look] * 2)


def test_sort_sees_one_moment_of_keys_that_it_finds(two_workers):
    """All weights change at once; SORT, which is told of them by what a list holds, sees it so."""
    weights = [f"w_{number}" for number in range(40)]

    def write():
        with two_workers.connect() as client:
            for turn in range(200):
                client("MSET", *[word for name in weights for word in (name, turn)])

    def look():
        with two_workers.connect() as client:
            for _ in range(100):
                values = client("SORT", "l", "BY", "w_*", "GET", "w_*")
                assert len(values) == 40 and len(set(values)) == 1

    with two_workers.connect() as client:
        client("RPUSH", "l", *range(40))
        client("MSET", *[word for name in weights for word in (name, 0)])
    together([write] * 2 + [look] * 2)


def test_watch_across_workers(two_workers):
    """Optimistic counters: a success is an increment, and none is lost."""
    done = []

    def run():
        with two_workers.connect() as client:
            successes = 0
            while successes < 50:
                client("WATCH", "n")
                value = int(client("GET", "n") or 0)
                client("MULTI")
                client("SET", "n", value + 1)
                successes += client("EXEC") is not None
            done.append(successes)

    together([run] * 4)
    with two_workers.connect() as client:
        assert client("GET", "n") == str(sum(done)) == "200"


def test_queues_between_workers(two_workers):
    """Blocked poppers on both workers get every element once."""
    taken = []

    def pop():
        with two_workers.connect() as client:
            while (got := client("BLPOP", "q", 1)) is not None:
                taken.append(int(got[1]))

    def push(first):
        def run():
            with two_workers.connect() as client:
                for number in range(first, first + 200):
                    client("RPUSH", "q", number)
        return run

    together([pop] * 4 + [push(0), push(1000)])
    assert sorted(taken) == [*range(200), *range(1000, 1200)]


def test_messages_cross_workers(two_workers):
    listeners = [two_workers.connect() for _ in range(6)]
    for listener in listeners:
        listener("SUBSCRIBE", "c")

    def publish():
        with two_workers.connect() as client:
            client.pipeline([("PUBLISH", "c", n) for n in range(100)])

    together([publish] * 3)
    for listener in listeners:
        assert sorted(int(listener.read()[2]) for _ in range(300)) == sorted([*range(100)] * 3)


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_random_loads_from_many_clients_replicate(start, two_workers, kind):
    """The order in the log is the order of execution: the replica ends up the same."""
    replica = start(kind)
    replica.follow(two_workers.port)
    wait_until(replica.link_up, "linked")

    def load(seed):
        def run():
            with two_workers.connect() as client:
                client.pipeline(random_commands(client, seed, 1500))
        return run

    together([load(seed) for seed in range(4)])
    assert_same(two_workers, replica)


def test_administration_while_others_work(two_workers):
    """Commands that take everything, beside commands that take a key."""
    def work():
        with two_workers.connect() as client:
            client.pipeline(random_commands(client, "work", 1500, but=KEEPING))

    def administer():
        with two_workers.connect() as client:
            for _ in range(30):
                for words in (("INFO",), ("CLIENT", "LIST"), ("DBSIZE",), ("SWAPDB", 0, 1),
                              ("KEYS", "*"),
                              ("SCAN", 0), ("DEBUG", "DIGEST"), ("RANDOMKEY",), ("FLUSHDB",
                                                                                 "ASYNC"),
                              ("CONFIG", "GET", "*"), ("CONFIG", "SET", "timeout", 1000),
                              ("EVAL", "return redis.call('dbsize')", 0)):
                    client.raw(*words)

    together([work] * 3 + [administer] * 2)


def test_clients_come_go_and_are_killed(two_workers):
    def visit():
        for _ in range(40):
            with two_workers.connect() as client:
                client("SET", "a", 1)
                client.send(encode("BLPOP", "none", 0))

    def kill():
        with two_workers.connect() as client:
            for _ in range(40):
                client("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def ignore(function):
        def run():
            try:
                function()
            except (OSError, EOFError):
                pass
        return run

    together([ignore(visit)] * 4 + [ignore(kill)])
    with two_workers.connect() as client:
        def all_gone():
            return "connected_clients:1\r" in client("INFO", "clients")
        wait_until(all_gone, "all are gone")


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server has one thread for commands")
def test_a_long_command_holds_up_its_own_worker_and_keys_only(two_workers):
    """While one command runs for long, clients of the other worker are answered, many times. With
    one worker, or one lock for all keys, each would be answered once at most."""
    answers = 20
    with two_workers.connect() as client:
        for first in range(0, 100_000, 10_000):
            client("SADD", "set", "text", *range(first, first + 10_000))
        others = [two_workers.connect() for _ in range(4)]
        for other in others:
            other("PING")
        client.send(encode("SUNIONSTORE", "union", *["set"] * 50))
        counts = [0] * len(others)
        for number, other in enumerate(others):
            other.send(encode("INCR", f"other{number}"))
        while max(counts) < answers and not client.has_reply():
            for number, other in enumerate(others):
                if other.has_reply():
                    assert other.read() == counts[number] + 1
                    counts[number] += 1
                    other.send(encode("INCR", f"other{number}"))
        assert max(counts) >= answers and not client.has_reply()
        assert client.read() == 100_001


def processor_seconds(server):
    """What each thread has had, by its name."""
    found = {}
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        with suppress(OSError):  # one that ends meanwhile
            seconds = int((task / "schedstat").read_text().split()[0]) / 1e9
            found[(task / "comm").read_text().strip()] = seconds
    return found


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server applies the stream between commands")
def test_the_stream_is_applied_while_the_only_worker_is_busy(start, monkeypatch):
    """While it runs one long command, what the primary writes is applied and acknowledged, many
    times. On the same thread that could be once at most."""
    monkeypatch.setenv("TANDEM_WORKERS", "1")
    primary, replica = pair(start)
    rounds, enough = 0, 8
    with primary.connect() as writer, replica.connect() as reader:
        for first in range(0, 100_000, 10_000):
            writer("SADD", "set", "text", *range(first, first + 10_000))
        assert writer("WAIT", 1, 0) == 1
        reader.send(encode("SUNION", *["set"] * 40))
        while rounds < enough and not reader.has_reply():
            writer("INCR", "n")
            rounds += writer("WAIT", 1, 0)
        assert rounds == enough and not reader.has_reply()


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server has one thread for commands")
def test_no_worker_applies_the_stream(start):
    primary, replica = pair(start)
    before = processor_seconds(replica)
    with primary.connect() as client:
        client.pipeline([("SET", f"k{n}", "x" * 100) for n in range(20_000)])
        assert client("WAIT", 1, 0) == 1
    after = processor_seconds(replica)
    spent = {name: after[name] - before[name] for name in before.keys() & after.keys()}
    workers = sum(seconds for name, seconds in spent.items() if name.startswith("worker"))
    assert "worker-0" in spent and spent.get("replication", 0) > 5 * workers, spent
