"""What chance decides: each member is as likely as another, and estimates are near the truth.

A right implementation fails these tests less than once in a million runs of them all."""
import hashlib
import math
import random
from collections import Counter

import pytest

from harness.servers import is_stock

FAR_IN_DEVIATIONS = 5.7  # of a normal distribution: beyond lies one of 160 million


def bound(freedom):
    """Chi-square's, as Wilson and Hilferty bring it near to a normal distribution."""
    part = 2 / (9 * freedom)
    return freedom * (1 - part + FAR_IN_DEVIATIONS * math.sqrt(part)) ** 3


def assert_even(members, drawn, share=0.0):
    """`drawn` is all that came; `share` is the part of the members that one call takes out, where
    it takes none of them twice."""
    counts = Counter(drawn)
    assert counts.keys() <= set(members)
    expected = len(drawn) / len(members)
    assert expected >= 5, "chi-square needs some of each"
    squares = sum((counts[member] - expected) ** 2 for member in members)
    freedom = len(members) - 1
    variance = expected * (1 - share) * len(members) / freedom if share else expected
    assert squares / variance < bound(freedom)


def test_the_measure_tells_uneven_from_even():
    chance, members = random.Random(1), range(1000)
    assert_even(members, chance.choices(members, k=20_000))
    assert_even(members, [each for _ in range(100) for each in chance.sample(members, 200)], 0.2)
    for weights in ([2] * 100 + [1] * 900, [0] * 30 + [1] * 970, [1.4] * 500 + [1] * 500):
        with pytest.raises(AssertionError):
            assert_even(members, chance.choices(members, weights, k=20_000))
    with pytest.raises(AssertionError):
        few = members[30:]
        assert_even(members, [each for _ in range(100) for each in chance.sample(few, 200)], 0.2)


def names(count):
    return [f"member:{number}" for number in range(count)]


class Kind:
    """A type with its commands: `fill` writes members, `draw` gives the members that came."""

    def __init__(self, pick, take, remove, width):
        self.pick, self.take, self.remove, self.width = pick, take, remove, width

    def fill(self, client, members):
        for at in range(0, len(members), 1000):
            words = members[at:at + 1000]
            if self.width == 2:
                words = [word for member in words for word in self.pair(member)]
            client(self.take, "k", *words)

    def pair(self, member):
        value = member.rpartition(":")[2]
        return (value, member) if self.take == "ZADD" else (member, value)

    def draw(self, client, count):
        if self.width == 1:
            return client(self.pick, "k", count)
        option = "WITHSCORES" if self.take == "ZADD" else "WITHVALUES"
        reply = client(self.pick, "k", count, option)
        assert all(member.rpartition(":")[2] == value
                   for member, value in zip(reply[::2], reply[1::2]))
        return reply[::2]

    def draw_repeating(self, client, count):
        return [member for _ in range(0, count, 1000) for member in self.draw(client, -1000)]


KINDS = {"set": Kind("SRANDMEMBER", "SADD", "SREM", 1),
         "hash": Kind("HRANDFIELD", "HSET", "HDEL", 2),
         "sorted set": Kind("ZRANDMEMBER", "ZADD", "ZREM", 2)}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
# Its hash tables are walked from chance places, which is not quite even.
fair = pytest.mark.skipif(is_stock("tandem"), reason="Redis promises less")


@fair
@kinds
@pytest.mark.parametrize("size", [100, 1000, 20_000])
def test_draws_that_may_repeat(client, kind, size):
    members = names(size)
    kind.fill(client, members)
    assert_even(members, kind.draw_repeating(client, max(8 * size, 20_000)))


@fair
@kinds
def test_draws_from_what_is_left(client, kind):
    """A table that had twenty times as much."""
    members = names(20_000)
    kind.fill(client, members)
    left = members[::20]
    gone = [member for number, member in enumerate(members) if number % 20]
    for at in range(0, len(gone), 1000):
        client(kind.remove, "k", *gone[at:at + 1000])
    assert_even(left, kind.draw_repeating(client, 20_000))


@fair
@kinds
@pytest.mark.parametrize("size, count, calls", [
    (1000, 1, 20_000), (1000, 20, 1000), (300, 200, 150), (300, 299, 3000), (100, 60, 500)])
def test_draws_of_different_members(client, kind, size, count, calls):
    members, drawn = names(size), []
    kind.fill(client, members)
    if size - count == 1:  # who is left out is what is looked at
        calls = 10 * size
    for _ in range(calls):
        got = kind.draw(client, count)
        assert len(got) == len(set(got)) == count
        drawn += set(members) - set(got) if size - count == 1 else got
    assert_even(members, drawn, (1 if size - count == 1 else count) / size)


@fair
@kinds
def test_single_draws(client, kind):
    members = names(1000)
    kind.fill(client, members)
    drawn = [reply.split(b"\r\n")[1].decode()
             for reply in client.pipeline([(kind.pick, "k")] * 20_000)]
    assert_even(members, drawn)


@fair
@pytest.mark.parametrize("make", [names, lambda count: [str(3 * n) for n in range(count)]],
                         ids=["texts", "numbers"])
@pytest.mark.parametrize("size, count, calls", [(1000, 100, 100), (400, 300, 30), (400, 1, 8000),
                                                (100, 50, 300)])
def test_members_that_are_popped(client, make, size, count, calls):
    members, drawn = make(size), []
    client("SADD", "k", *members)
    for _ in range(calls):
        client("COPY", "k", "t", "REPLACE")
        got = client("SPOP", "t", count)
        assert len(got) == len(set(got)) == count
        assert client("SCARD", "t") == size - count
        drawn += got
    assert_even(members, drawn, count / size)


@fair
def test_members_that_are_popped_one_by_one(client):
    members, drawn = names(1000), []
    client("SADD", "k", *members)
    for _ in range(30):
        client("COPY", "k", "t", "REPLACE")
        got = [reply.split(b"\r\n")[1].decode() for reply in client.pipeline([("SPOP", "t")] * 500)]
        assert len(set(got)) == 500
        drawn += got
    assert_even(members, drawn, 0.5)


@fair
def test_numbers_are_drawn_evenly(client):
    members = [str(number * number) for number in range(500)]
    client("SADD", "k", *members)
    assert client("OBJECT", "ENCODING", "k") == "intset"
    assert_even(members, KINDS["set"].draw_repeating(client, 20_000))


@fair
def test_keys_are_drawn_evenly(client):
    members = names(1000)
    client("MSET", *[word for member in members for word in (member, 1)])
    replies = client.pipeline([("RANDOMKEY",)] * 20_000)
    assert_even(members, [reply.split(b"\r\n")[1].decode() for reply in replies])


COUNTED = 100_000
SETS = {"numbers": str, "users": "user:{}".format, "filled": "{:012d}".format,
        "long": ("x" * 50 + "{}").format,
        "digests": lambda number: hashlib.md5(str(number).encode()).hexdigest()}


@pytest.mark.parametrize("element", SETS.values(), ids=SETS.keys())
def test_a_count_of_many_is_near(start, element):
    """And the same as redis-server's, for the registers are."""
    ours, theirs = start("tandem").connect(), start("redis").connect()
    for at in range(0, COUNTED, 1000):
        for client in (ours, theirs):
            client("PFADD", "h" if at < COUNTED // 2 else "h2", *map(element, range(at, at + 1000)))
    counts = [(client("PFCOUNT", "h", "h2"), client("PFMERGE", "all", "h", "h2"),
               client("PFCOUNT", "all")) for client in (ours, theirs)]
    assert counts[0] == counts[1]
    union, _, merged = counts[0]
    assert union == merged and abs(merged - COUNTED) < 0.02 * COUNTED
