"""Commands that wait: order, wake-ups, time limits, transactions, replication of what they did."""
import pytest

from harness.load import assert_same
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import ReplyError, encode

# (blocking command, the write that ends it, its answer)
WAITS = [
    (("BLPOP", "a", "b", 0), ("RPUSH", "b", "x"), ["b", "x"]),
    (("BRPOP", "a", 0), ("RPUSH", "a", "x", "y"), ["a", "y"]),
    (("BLMOVE", "a", "d", "LEFT", "RIGHT", 0), ("RPUSH", "a", "x"), "x"),
    (("BZPOPMIN", "a", "b", 0), ("ZADD", "a", "2", "x", "1", "y"), ["a", "y", "1"]),
    (("XREAD", "BLOCK", 0, "STREAMS", "a", "$"), ("XADD", "a", "1-1", "f", "v"),
     [["a", [["1-1", ["f", "v"]]]]]),
    (("BLMPOP", 0, 2, "a", "b", "RIGHT", "COUNT", 2), ("RPUSH", "b", "x", "y", "z"),
     ["b", ["z", "y"]]),
    (("BZMPOP", 0, 2, "a", "b", "MAX", "COUNT", 2), ("ZADD", "b", "1", "x", "2", "y", "3", "z"),
     ["b", [["z", "3"], ["y", "2"]]]),
]


def blocked(connection):
    """How many clients wait now."""
    return int(connection("INFO", "clients").split("blocked_clients:")[1].split("\r")[0])


@pytest.mark.parametrize("command, write, answer", WAITS, ids=[w[0][0] for w in WAITS])
def test_a_write_wakes_the_waiter(server, client, command, write, answer):
    with server.connect() as waiter:
        waiter.send(encode(*command))
        wait_until(lambda: blocked(client) == 1, "it waits")
        client(*write)
        assert waiter.read() == answer
        assert blocked(client) == 0


@pytest.mark.parametrize("command, write, answer", WAITS, ids=[w[0][0] for w in WAITS])
def test_the_time_limit(client, command, write, answer):
    limited = [word if word != 0 else "0.05" for word in command]
    if command[0] == "XREAD":
        limited[2] = 50
    assert client(*limited) is None


def test_data_that_is_there_needs_no_wait(client):
    client("RPUSH", "b", 1)
    assert client("BLPOP", "a", "b", 0) == ["b", "1"]
    client("ZADD", "z", 1, "m")
    assert client("BZPOPMIN", "z", 0) == ["z", "m", "1"]


def test_first_come_first_served(server, client):
    waiters = [server.connect() for _ in range(5)]
    for number, waiter in enumerate(waiters, 1):
        waiter.send(encode("BLPOP", "q", 0))
        wait_until(lambda: blocked(client) == number, "it waits")  # noqa: B023
    client("RPUSH", "q", *range(5))
    assert [waiter.read()[1] for waiter in waiters] == ["0", "1", "2", "3", "4"]


def test_chains_of_moves(server, client):
    with server.connect() as one, server.connect() as two:
        one.send(encode("BLMOVE", "a", "b", "LEFT", "LEFT", 0))
        two.send(encode("BLMOVE", "b", "c", "LEFT", "LEFT", 0))
        wait_until(lambda: blocked(client) == 2, "both wait")
        client("RPUSH", "a", "x")
        assert one.read() == "x" and two.read() == "x"
        assert client("LRANGE", "c", 0, -1) == ["x"]


def test_a_wrong_type_does_not_wake(server, client):
    with server.connect() as waiter:
        waiter.send(encode("BLPOP", "a", 0))
        wait_until(lambda: blocked(client) == 1, "it waits")
        client("SET", "a", 1)
        client("DEL", "a")
        client("RPUSH", "a", "x")
        assert waiter.read() == ["a", "x"]


@pytest.mark.parametrize("command", [("BLMOVE", "a", "text", "LEFT", "LEFT", 0),
                                     ("BRPOPLPUSH", "a", "text", 0)], ids=["BLMOVE", "BRPOPLPUSH"])
def test_a_target_of_the_wrong_type_ends_the_wait(server, client, command):
    with server.connect() as waiter:
        waiter.send(encode(*command))
        wait_until(lambda: blocked(client) == 1, "it waits")
        client("SET", "text", 1)
        client("RPUSH", "a", "x")
        with pytest.raises(ReplyError, match="WRONGTYPE"):
            waiter.read()
        assert client("LRANGE", "a", 0, -1) == ["x"]
        assert "errorstat_WRONGTYPE:count=1" in client("INFO", "errorstats")


@pytest.mark.parametrize("command, write", [
    (("BLPOP", "text", "a", 0), ("RPUSH", "a", "x")),
    (("BZPOPMIN", "text", "a", 0), ("ZADD", "a", 1, "x")),
    (("XREAD", "BLOCK", 0, "STREAMS", "text", "a", "$", "$"), ("XADD", "a", "1-1", "f", "v"))],
                         ids=["BLPOP", "BZPOPMIN", "XREAD"])
def test_another_key_of_the_wrong_type_ends_the_wait(server, client, command, write):
    """As in 7.2, which runs the whole command again."""
    if is_stock("tandem"):
        pytest.skip("7.0 looks at the key that changed only")
    with server.connect() as waiter:
        waiter.send(encode(*command))
        wait_until(lambda: blocked(client) == 1, "it waits")
        client("SET", "text", 1)
        assert client("EXISTS", "text") == 1 and not waiter.has_reply()
        client(*write)
        with pytest.raises(ReplyError, match="WRONGTYPE"):
            waiter.read()


def test_waiters_for_another_type_are_left_alone(server, client):
    with server.connect() as of_list, server.connect() as of_set, server.connect() as of_stream:
        of_list.send(encode("BLPOP", "a", 0))
        of_set.send(encode("BZPOPMIN", "a", 0))
        of_stream.send(encode("XREAD", "BLOCK", 0, "STREAMS", "a", "0"))
        wait_until(lambda: blocked(client) == 3, "all wait")
        client("XADD", "a", "1-1", "f", "v")
        assert of_stream.read() == [["a", [["1-1", ["f", "v"]]]]]
        client("DEL", "a")
        client("ZADD", "a", 1, "m")
        assert of_set.read() == ["a", "m", "1"] and not of_list.has_reply()
        client("RPUSH", "a", "x")
        assert of_list.read() == ["a", "x"]


def test_inside_a_transaction_nobody_waits(client):
    client("MULTI")
    client("BLPOP", "a", 0)
    client("XREAD", "BLOCK", 0, "STREAMS", "a", "$")
    assert client("EXEC") == [None, None]


def test_a_transaction_wakes_after_its_end(server, client):
    with server.connect() as waiter:
        waiter.send(encode("BLPOP", "a", 0))
        wait_until(lambda: blocked(client) == 1, "it waits")
        client("MULTI")
        client("RPUSH", "a", 1)
        client("DEL", "a")
        client("EXEC")
        client("RPUSH", "a", 2)
        assert waiter.read() == ["a", "2"]


@pytest.mark.parametrize("write", [
    ("RENAME", "src", "a"), ("COPY", "src", "a"), ("EVAL", "redis.call('rpush','a','v')", 0),
    ("RESTORE", "a", 0,
     bytes.fromhex("1201020f0f00000003008161028162020101ff0a00e01bab4a47ce5922"))])
def test_other_ways_for_a_key_to_appear(server, client, write):
    client("RPUSH", "src", "v")
    with server.connect() as waiter:
        waiter.send(encode("BLPOP", "a", 0))
        wait_until(lambda: blocked(client) == 1, "it waits")
        client(*write)
        assert waiter.read()[0] == "a"


def test_a_waiter_that_leaves_takes_nothing(server, client):
    waiter = server.connect()
    waiter.send(encode("BLPOP", "a", 0))
    wait_until(lambda: blocked(client) == 1, "it waits")
    waiter.close()
    wait_until(lambda: blocked(client) == 0, "it is gone")
    client("RPUSH", "a", "x")
    assert client("LLEN", "a") == 1


def test_kill_and_pipeline_of_a_waiter(server, client):
    with server.connect() as waiter:
        identity = waiter("CLIENT", "ID")
        waiter.send(encode("BLPOP", "a", 0) + encode("PING"))
        wait_until(lambda: blocked(client) == 1, "it waits")
        assert not waiter.has_reply(), "what follows in the pipeline waits too"
        assert client("CLIENT", "KILL", "ID", identity) == 1
        wait_until(waiter.is_closed, "it is closed")


def test_what_waiters_took_is_replicated(start):
    primary, replica = start("tandem"), start("redis")
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    waiters = [primary.connect() for _ in range(4)]
    with primary.connect() as client:
        for waiter, command in zip(waiters, [c for c, _, _ in WAITS]):
            waiter.send(encode(*command))
        wait_until(lambda: blocked(client) == 4, "all wait")
        client("RPUSH", "a", 1, 2, 3, 4, 5)
        client("DEL", "b")
        client("ZADD", "b", 1, "m")
        assert client("LRANGE", "a", 0, -1) == ["3", "4"] or client("LLEN", "a") == 2
    assert_same(primary, replica)


def test_a_replica_that_is_promoted_frees_its_waiters(start):
    primary, replica = start("tandem"), start("tandem")
    with replica.connect() as waiter, replica.connect() as client:
        waiter.send(encode("BLPOP", "a", 0))
        wait_until(lambda: blocked(client) == 1, "it waits")
        replica.follow(primary.port)
        with pytest.raises(Exception, match="UNBLOCKED"):
            waiter.read()
