"""How fast a server applies a primary's stream, and how far behind its primary it is.

Alone: a fake primary sends a recorded stream as fast as the server takes it, and asks for an
acknowledgement behind it. With its primary: redis-benchmark writes, and both offsets are read again
and again.
"""
import random
import statistics
import subprocess
import tempfile
import time

from harness.peers import FakePrimary
from harness.servers import parse_info
from harness.wait import wait_until
from harness.wire import Connection, encode

import measure

GETACK = encode("REPLCONF", "GETACK", "*")
LIMIT_SECONDS = 300
FEEDS = 3  # of each stream in a round


class Feeder:
    """Sends to the one replica of a fake primary, and waits for it."""

    def __init__(self, primary):
        self.primary = primary
        self.offset = 0

    def acknowledged(self):
        said = [words for words in self.primary.heard if words[1:2] == ["ACK"]]
        return int(said[-1][2]) if said else 0

    def feed(self, recorded):
        """Seconds until the replica has applied what is recorded."""
        target = self.offset + recorded.size
        self.primary.heard.clear()
        started = time.monotonic()
        self.primary.send_file(recorded.file)
        with self.primary.heard_more:
            there = self.primary.heard_more.wait_for(lambda: self.acknowledged() >= target,
                                                     LIMIT_SECONDS)
        seconds = time.monotonic() - started
        assert there, "the replica does not come to its end"
        self.offset = target + len(GETACK)
        return seconds


def key(number):
    return "key:%012d" % number


def sets(count, keys, chosen):
    return [encode("SET", key(chosen.randrange(keys)), "%032d" % n) for n in range(count)]


def transactions(count, keys, chosen):
    """MULTI of ten SET."""
    made = []
    for _ in range(count // 12):
        made += [encode("MULTI"), *sets(10, keys, chosen), encode("EXEC")]
    return made


def hot_key(count, _keys, _chosen):
    return [encode("SET", "hot", "%032d" % n) for n in range(count)]


def mixed(count, keys, chosen):
    """All types, as applications use them; no collection grows without end."""
    def few():
        return chosen.randrange(keys // 100)

    kinds = [
        lambda n: encode("SET", key(chosen.randrange(keys)), "%032d" % n),
        lambda n: encode("SET", key(chosen.randrange(keys)), "%032d" % n, "PXAT",
                         str(4_000_000_000_000)),
        lambda n: encode("INCR", "count:%d" % few()),
        lambda n: encode("HSET", "hash:%d" % few(), "field:%d" % (n % 32), "value:%d" % n),
        lambda n: encode("LPUSH", "list:%d" % few(), "job:%d" % n),
        lambda n: encode("RPOP", "list:%d" % few()),
        lambda n: encode("SADD", "set:%d" % few(), "member:%d" % (n % 50)),
        lambda n: encode("SREM", "set:%d" % few(), "member:%d" % (n % 50)),
        lambda n: encode("ZADD", "zset:%d" % few(), str(n), "member:%d" % (n % 50)),
        lambda n: encode("XADD", "stream:%d" % few(), "%d-0" % (n + 1), "field", "value:%d" % n),
        lambda n: encode("DEL", key(chosen.randrange(keys))),
        lambda n: encode("PEXPIREAT", "hash:%d" % few(), str(4_000_000_000_000)),
    ]
    # It may be sent again: entries come in the order of their ids.
    again = [encode("DEL", f"stream:{n}") for n in range(keys // 100)]
    return again + [kinds[chosen.randrange(len(kinds))](n) for n in range(count)]


STREAMS = {"SET of 32 bytes": sets, "a mix of all types": mixed, "MULTI of ten SET": transactions,
           "SET of one key": hot_key}


class Recorded:
    """A stream in a file, so that sending it costs next to nothing; GETACK is behind it."""

    def __init__(self, commands):
        stream = b"".join(commands)
        self.commands, self.size = len(commands), len(stream)
        self.file = tempfile.TemporaryFile()
        self.file.write(stream + GETACK)
        self.file.flush()


class Streams:
    """Recorded once, sent to everybody, and what goes before them all, so that their keys are
    there."""

    def __init__(self, count, keys):
        self.fill = Recorded([encode("SELECT", "0"),
                              *[encode("SET", key(n), "%032d" % n) for n in range(keys)]])
        self.made = {name: Recorded(make(count, keys, random.Random(1)))
                     for name, make in STREAMS.items()}


def apply_rates(server, streams):
    """{name: (commands a second, microseconds of CPU time a command)}."""
    found = {}
    with FakePrimary() as primary:
        server.follow(primary.port)
        wait_until(server.link_up, "the link is up", 20)
        feeder = Feeder(primary)
        feeder.feed(streams.fill)
        for name, recorded in streams.made.items():
            before = measure.cpu_seconds(server.process.pid)
            seconds = [feeder.feed(recorded) for _ in range(FEEDS)]
            spent = measure.cpu_seconds(server.process.pid) - before
            found[name] = (recorded.commands / statistics.median(seconds),
                           spent / recorded.commands / FEEDS * 1e6)
        failed = server.info("stats").get("unexpected_error_replies", 0)
        assert int(failed) == 0, f"{failed} commands failed"
    return found


def offsets(primary, replica):
    """Bytes that the replica is behind, at about this moment, by two connections."""
    ahead = parse_info(primary("INFO", "replication"))["master_repl_offset"]
    behind = parse_info(replica("INFO", "replication"))["slave_repl_offset"]
    return max(0, int(ahead) - int(behind))


def ended_within(process, seconds):
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def lag(primary, replica, pipeline, operations, keys):
    """While redis-benchmark sets: {"rate": SET a second, "lag": [bytes, ...]}."""
    replica.follow(primary.port)
    wait_until(replica.link_up, "the link is up", 60)
    measure.run_benchmark(primary, "set", 64, keys, keys)
    wait_until(lambda: replica.offset() == primary.offset(), "the replica has caught up", 60)
    samples = []
    with Connection(primary.port) as ahead, Connection(replica.port) as behind:
        before = primary.offset()
        started = time.monotonic()
        load = subprocess.Popen(measure.benchmark_command(primary, "set", pipeline, operations,
                                                          keys),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not ended_within(load, 0.01):
                samples.append(offsets(ahead, behind))
        finally:
            load.kill()
            load.wait()
        seconds = time.monotonic() - started
        assert primary.offset() > before
    return {"rate": operations / seconds, "lag": samples}


def lag_figures(found):
    """The figures of a page: the rate, and how far behind half of the time and at most."""
    return {"SET a second": found["rate"],
            "lag, median": statistics.median(found["lag"]) / 1e6,
            "lag, longest": max(found["lag"]) / 1e6}
