"""Lists, sets, hashes and sorted sets on replicas: what replicates gives the same data."""
import pytest

from harness.load import assert_same, caught_up
from harness.wait import wait_until
from harness.wire import encode

PAIRS = [("tandem", "tandem"), ("tandem", "redis"), ("redis", "tandem")]

DATA = """
RPUSH l 3 1 2 10 b a 3 | RPUSH m 1 2 3 4 5 6 | SADD s c a b x y z | SADD t a b q | SADD i 1 2 3 4
ZADD z 1 a 2 b 3 c 4 d | ZADD y 10 b 20 c 30 e | ZADD inf inf a -inf b
HSET h_1 n 5 f one | HSET h_2 n 4 f two | MSET w_1 same w_2 same w_3 same w_10 other
"""
WRITES = """
LMPOP 2 none m LEFT | LMPOP 1 m RIGHT COUNT 2 | BLMPOP 0 1 m LEFT | BLMPOP 0 1 m RIGHT COUNT 99
ZUNIONSTORE u 3 z y t WEIGHTS 1 0.5 2 AGGREGATE SUM | ZINTERSTORE n 2 z y AGGREGATE MAX
ZDIFFSTORE e 2 z y | ZUNIONSTORE v 2 inf z WEIGHTS 0 1 | ZDIFFSTORE gone 1 none
ZINTERSTORE z 2 z s | ZMPOP 2 none u MIN COUNT 2 | BZMPOP 0 1 u MAX | ZMPOP 1 n MAX COUNT 99
SDIFFSTORE sd s t | SINTERSTORE si s t | SUNIONSTORE su s t i | SPOP su 3 | SPOP s
SORT l ALPHA STORE sorted | SORT s BY nosort STORE sorted:set | SORT z BY nosort DESC STORE sorted:z
SORT l BY w_* ALPHA STORE sorted:text | SORT l BY w_* ALPHA DESC LIMIT 1 4 STORE sorted:part
SORT i BY h_*->n GET # GET h_*->f STORE sorted:number | SORT none STORE l
"""


def commands(text):
    return [command.split() for command in text.replace("\n", "|").split("|") if command.strip()]


@pytest.mark.parametrize("kinds", PAIRS, ids="<".join)
def test_what_replicates_gives_the_same_data(start, kinds):
    primary, replica = start(kinds[0]), start(kinds[1])
    replica.follow(primary.port)
    caught_up(primary, replica)
    with primary.connect() as client:
        for command in commands(DATA) + commands(WRITES):
            client(*command)
            assert_same(primary, replica)


@pytest.mark.parametrize("kinds", PAIRS, ids="<".join)
def test_what_waiters_took_is_gone_on_replicas(start, kinds):
    primary, replica = start(kinds[0]), start(kinds[1])
    replica.follow(primary.port)
    caught_up(primary, replica)
    waits = [("BLMPOP", 0, 2, "none", "l", "LEFT", "COUNT", 2), ("BZMPOP", 0, 1, "z", "MAX")]
    with primary.connect() as client, primary.connect() as one, primary.connect() as two:
        for waiter, command in zip((one, two), waits):
            waiter.send(encode(*command))
        wait_until(lambda: primary.info("clients")["blocked_clients"] == "2", "both wait")
        client("RPUSH", "l", 1, 2, 3)
        client("ZADD", "z", 1, "a", 2, "b")
        assert one.read() == ["l", ["1", "2"]] and two.read() == ["z", [["b", "2"]]]
        assert_same(primary, replica)
        assert client("LRANGE", "l", 0, -1) == ["3"] and client("ZRANGE", "z", 0, -1) == ["a"]
