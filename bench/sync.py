"""A full sync under writes: its length, the primary's CPU time and extra memory, what its clients
wait and lose. The data come in several kinds."""
import base64
import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from harness.wait import wait_until
from harness.wire import Connection, encode
from measure import Peak, fill, resident

HERE = Path(__file__).parent

CAUGHT_UP = "full sync until caught up"
MEMORY = "extra memory at the peak, share of the data"
WAIT = "longest wait of a GET during the sync"
IDLE_WAIT = "longest wait of a GET at an idle server beside it"
LOSS = "writes lost beside the sync, share of the load"
CPU = "the primary's CPU time for the sync"
SYNC_SECONDS_MAX = 300


@dataclass
class Load:
    """SETs a second while the sync goes on, of values of so many bytes; none: there is none."""

    rate: int
    least: float = 0.0  # the sync counts only where this share of them was possible
    value_bytes: int = 100


def short_values(keys):
    """A filler: values of 100 bytes that compress."""
    return lambda server: fill(server, keys, "key:%012d", "v" * 100)


def texts(keys, size=1024):
    """A filler: each value is another text that does not compress."""
    letters = base64.b64encode(random.Random(3).randbytes(3 << 20))

    def put(server):
        chosen = random.Random(4)
        commands = (encode("SET", "key:%012d" % n, letters[at:at + size])
                    for n in range(keys)
                    for at in [chosen.randrange(len(letters) - size)])
        send_all(server, commands)

    return put


def collections(count):
    """A filler: so many hashes, sorted sets and lists each, of 8 to 16 short elements."""

    def commands():
        chosen = random.Random(5)
        for n in range(count):
            numbers = range(chosen.randint(8, 16))
            yield encode("HSET", f"hash:{n:012}", *(
                part for i in numbers for part in (f"field{i}", chosen.randrange(10**9))))
            yield encode("ZADD", f"zset:{n:012}", *(
                part for i in numbers for part in (chosen.randrange(10**4), f"member{i}")))
            yield encode("RPUSH", f"list:{n:012}", *(
                f"element{chosen.randrange(10**6)}" for _ in numbers))

    return lambda server: send_all(server, commands())


def send_all(server, commands, at_once=1000):
    with Connection(server.port) as connection:
        batch = []

        def flush():
            connection.send(b"".join(batch))
            for _ in batch:
                assert not connection.read_raw().startswith(b"-")
            batch.clear()

        for command in commands:
            batch.append(command)
            if len(batch) == at_once:
                flush()
        flush()


def cpu_seconds(pid):
    """Time on a processor of the process, its threads that ended and its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(map(int, fields[11:15]))  # its own, then its children's, user and system
    return ticks / 100


class Beside:
    """What goes on beside a sync: the load, a GET every millisecond, and one as often at a server
    that has nothing else to do. What this one waits the machine adds to the other's, too."""

    def __init__(self, primary, bystander, load, keys):
        self.load = load
        self.writer = self._start("load.py", primary.port, load.rate, keys, load.value_bytes)
        self.probes = [self._start("probe.py", server.port, keys)
                       for server in (primary, bystander)]
        self.processes = [self.writer, *self.probes]

    @staticmethod
    def _start(name, *arguments):
        process = subprocess.Popen([sys.executable, HERE / name, *map(str, arguments)],
                                   stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        return process

    def begin(self):
        for process in self.processes:
            process.stdin.write("begin\n")
            process.stdin.flush()

    def end(self):
        """(share of the load that was not possible, [[second, milliseconds waited], ...] at the
        primary, the same at the bystander)"""
        waits = [json.loads(probe.communicate("end\n", timeout=30)[0]) for probe in self.probes]
        reached, _ = self.writer.communicate("end\n", timeout=30)
        share = float(reached) / self.load.rate
        assert share >= self.load.least, f"only {reached.strip()} SET/s of load"
        return max(0.0, 1 - share), *waits

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()


def follow(primary, replica):
    """Seconds until the replica has what was written before its link came up."""
    started = time.monotonic()
    replica.follow(primary.port)
    wait_until(replica.link_up, "the link is up", SYNC_SECONDS_MAX)
    target = primary.offset()
    wait_until(lambda: replica.offset() >= target, "the replica has caught up", SYNC_SECONDS_MAX)
    return time.monotonic() - started


def longest(waits):
    return max((wait for _, wait in waits), default=0.0)


def full_sync(primary, replica, bystander, filler, keys, load):
    """({figure: value}, the waits of a GET). `keys`: how many the load writes to."""
    pid = primary.process.pid
    empty = resident(pid)
    filler(primary)
    beside = Beside(primary, bystander, load, keys)
    try:
        data, peak = resident(pid) - empty, Peak(pid)
        before, spent = peak.bytes or resident(pid), cpu_seconds(pid)
        beside.begin()
        seconds = follow(primary, replica)
        lost, waits, idle_waits = beside.end()
        most = peak.stop()
    finally:
        beside.stop()
    return {CAUGHT_UP: seconds, MEMORY: 100 * max(0, most - before) / data,
            WAIT: longest(waits), IDLE_WAIT: longest(idle_waits), LOSS: 100 * lost,
            CPU: cpu_seconds(pid) - spent}, waits


def quiet_sync(primary, replica, filler):
    """The same with nothing beside it."""
    filler(primary)
    spent = cpu_seconds(primary.process.pid)
    seconds = follow(primary, replica)
    return {CAUGHT_UP: seconds, CPU: cpu_seconds(primary.process.pid) - spent}
