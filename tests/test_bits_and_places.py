"""Bitmaps, HyperLogLogs, geo indexes and LCS beside redis-server: replies, bytes, and replicas."""
import pytest

from harness.compare import Comparer
from harness.generate_bits import FAMILIES, BitsGenerator
from harness.load import assert_same, caught_up, differing_keys, digest, pair

BATCH = 100


def differences(ours, theirs, commands, limit=8):
    """What the two servers answer differently, to the byte."""
    found, comparer = [], Comparer()
    for at in range(0, len(commands), BATCH):
        batch = commands[at:at + BATCH]
        for command, a, b in zip(batch, ours.pipeline(batch), theirs.pipeline(batch)):
            found.append(comparer.difference(command, a, b))
        found = [text for text in found if text]
        if len(found) >= limit:
            break
    return "\n".join(found)


def scored(connection, key):
    words = connection("ZRANGE", key, 0, -1, "WITHSCORES")
    return dict(zip(words[::2], map(float, words[1::2])))


def compare_fractions(one, other, writable):
    """7.0 and 7.2 put scores with a fraction differently into their digests: sorted sets that have
    some are compared here, and deleted from those that are writable."""
    ours, theirs = one.connect(), other.connect()
    for key in filter(lambda key: ours("TYPE", key) == "zset", ours("KEYS", "*")):
        scores = scored(ours, key)
        assert scores == scored(theirs, key), key
        if any(score % 1 for score in scores.values()):
            for server in writable:
                server.connect()("DEL", key)


def same_data(one, other):
    compare_fractions(one, other, (one, other))
    assert digest(one) == digest(other), differing_keys(one, other)


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_one_family(start, family, protocol):
    servers = start("tandem"), start("redis")
    ours, theirs = (server.connect(protocol=protocol) for server in servers)
    commands = BitsGenerator(f"{family}{protocol}", (family,)).commands(2000)
    found = differences(ours, theirs, commands)
    assert not found, found
    same_data(*servers)


@pytest.mark.parametrize("seed", range(3))
def test_all_families(start, seed):
    """A key of one family is no stranger to the commands of another."""
    servers = start("tandem"), start("redis")
    commands = BitsGenerator(seed).commands(3000)
    found = differences(servers[0].connect(), servers[1].connect(), commands)
    assert not found, found
    same_data(*servers)


@pytest.mark.parametrize("primary, replica", [("tandem", "tandem"), ("tandem", "redis"),
                                              ("redis", "tandem")])
def test_replicas_have_the_same(start, primary, replica):
    """First by a snapshot, then by the stream; the counts that PFCOUNT keeps go along."""
    def is_told(words):  # Redis does not tell that writes which failed made a string longer
        return words[0] != b"CONFIG" and not (primary == "redis" and b"FAIL" in words)

    first, second = start(primary), start(replica)
    connection = first.connect()
    connection.pipeline(BitsGenerator(1).commands(1000))
    second.follow(first.port)
    for seed in range(2, 5):
        for server in first, second:  # not by the stream
            server.connect()("CONFIG", "SET", "hll-sparse-max-bytes", 3000 // seed)
        connection.pipeline(list(filter(is_told, BitsGenerator(seed).commands(1000))))
        caught_up(first, second)
        compare_fractions(first, second, (first,))
        assert_same(first, second)
    assert second.connect()("DBSIZE") > 10


def test_a_stream_has_no_limit(start):
    """What a primary has room for goes into a replica that would refuse it its own clients."""
    primary, replica = pair(start, "--proto-max-bulk-len", "1mb")
    writer, reader = primary.connect(), replica.connect()
    assert writer("SETBIT", "bits", 2**24, 1) == 0
    assert writer("BITFIELD", "field", "SET", "u8", 2**24, 7) == [0]
    assert_same(primary, replica)
    refusal = "ERR bit offset is not an integer or out of range"
    assert reader.error("GETBIT", "bits", 2**24) == refusal
    assert reader.error("BITFIELD_RO", "field", "GET", "u8", 2**24) == refusal
    assert reader("BITPOS", "bits", 1) == 2**24


def test_a_count_is_kept_and_replicated(start):
    primary, replica = pair(start)
    writer, reader = primary.connect(), replica.connect()
    writer("PFADD", "h", "a", "b", "c")
    assert_same(primary, replica)
    assert writer("PFCOUNT", "h") == 3
    assert_same(primary, replica)
    raw = reader.raw("GET", "h")
    assert raw == writer.raw("GET", "h") and b"HYLL\x01\0\0\0\x03\0\0\0\0\0\0\0" in raw
    assert writer("PFADD", "h", "a") == 0
    assert writer("PFADD", "h", "d") == 1
    caught_up(primary, replica)
    assert reader("PFCOUNT", "h") == 4 and writer("PFCOUNT", "h", "h") == 4
