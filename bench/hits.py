"""How many reads of a cache at its limit of memory find their key, under a Zipf load: a read that
finds nothing writes the key."""
import bisect
import itertools
import random
import time

from harness.servers import parse_info
from harness.wait import keep_pace
from harness.wire import encode

VALUE = "v" * 100
SKEW = 0.99  # of the n-th key: 1 / n ** SKEW
BATCH = 200
POLICIES = ("allkeys-lru", "allkeys-lfu")


class Reads:
    """A seed's keys, the same for every server, and how many are read a second: who is quicker
    must not get less time, for ages are counted in seconds."""

    def __init__(self, keys, reads, rate):
        self.keys, self.reads, self.rate = keys, reads, rate
        weights = itertools.accumulate(1 / (n + 1) ** SKEW for n in range(keys))
        self.weights = list(weights)

    def __iter__(self):
        chance = random.Random(7)
        names = list(range(self.keys))
        chance.shuffle(names)  # the keys' names tell nothing of their share
        for _ in range(self.reads):
            yield names[bisect.bisect(self.weights, chance.random() * self.weights[-1])]


def used(client):
    return int(parse_info(client("INFO", "memory"))["used_memory"])


def write(client, names):
    client.send(b"".join(encode("SET", "key:%d" % name, VALUE) for name in names))
    for _ in names:
        assert client.read_raw() == b"+OK\r\n"


def hit_rate(client, reads):
    """Of the second half: in the first the cache fills, and keys get their history."""
    hits = count = 0
    names = iter(reads)
    started = time.monotonic()
    for at in range(0, reads.reads, BATCH):
        batch = list(itertools.islice(names, BATCH))
        keep_pace(started + at / reads.rate)
        client.send(b"".join(encode("GET", "key:%d" % name) for name in batch))
        missed = [name for name in batch if client.read_raw() == b"$-1\r\n"]
        write(client, missed)
        if at >= reads.reads // 2:
            count += len(batch)
            hits += len(batch) - len(missed)
    return hits / count * 100


def hit_rates(server, reads, share, room=None):
    """{name: percent}. `room`: the bytes that the data may take, the same for every server; without
    it, so many that `share` of the keys have room there, however much a key costs."""
    found = {}
    with server.connect() as client:
        for policy in POLICIES:
            client("FLUSHALL")
            client("CONFIG", "SET", "maxmemory", 0, "maxmemory-policy", policy)
            before = used(client)
            if room is None:
                for at in range(0, int(reads.keys * share), 1000):
                    write(client, range(-at - 1000, -at))
                allowed = used(client)
                client("FLUSHALL")
            else:
                allowed = before + room
            client("CONFIG", "SET", "maxmemory", allowed)
            what = "room for a tenth of the keys" if room is None else "the same memory"
            found[f"{policy}, {what}: reads that find their key"] = hit_rate(client, reads)
    return found
