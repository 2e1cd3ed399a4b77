"""The link and the replicas among the clients: CLIENT LIST and KILL, MONITOR, SLOWLOG, INFO."""
import re

import pytest
import redis

from harness.load import assert_same, caught_up
from harness.servers import parse_info
from harness.wait import wait_until
from harness.wire import encode


@pytest.fixture(params=["tandem", "redis"])
def pair(request, start):
    """A primary, and a replica of the kind that is looked at: redis-server says what is right."""
    primary, replica = start("tandem"), start(request.param)
    replica.follow(primary.port)
    caught_up(primary, replica)
    return primary, replica


def row(client, *filters):
    lines = client("CLIENT", "LIST", *filters).splitlines()
    assert len(lines) == 1
    return dict(field.split("=", 1) for field in lines[0].split(" "))


def test_the_link_is_a_client(pair):
    primary, replica = pair
    with primary.connect() as client:
        client("SELECT", 3)
        client("SET", "a", 1)
    caught_up(primary, replica)
    with replica.connect() as client:
        link = row(client, "TYPE", "master")
        assert link["addr"] == f"127.0.0.1:{primary.port}"
        assert (link["flags"], link["user"]) == ("M", "(superuser)")
        assert (link["db"], link["cmd"]) == ("3", "set")
        assert int(link["fd"]) > 2 and int(link["idle"]) < 20
        assert row(client, "ID", link["id"])["addr"] == link["addr"]
        # Those that asked the replica how far it is may not all have been seen to leave.
        wait_until(lambda: client("INFO", "clients").splitlines()[1] == "connected_clients:2",
                   "a link counts as a client")
        replica.promote()
        wait_until(lambda: client("CLIENT", "LIST", "TYPE", "master") == "", "the link is gone")


def test_a_killed_link_comes_back_by_partial_sync(pair):
    primary, replica = pair
    with replica.connect() as client, primary.connect() as writer:
        for number, kill in enumerate((("TYPE", "master"), ("ADDR", f"127.0.0.1:{primary.port}"),
                                       ("ID", None), (f"127.0.0.1:{primary.port}",))):
            wait_until(lambda: client("CLIENT", "LIST", "TYPE", "master"), "it is linked")
            link = row(client, "TYPE", "master")
            if kill == ("ID", None):
                kill = ("ID", link["id"])
            assert client("CLIENT", "KILL", *kill) in (1, "OK")
            writer("SET", f"key{number}", number)
            wait_until(lambda: row(client, "TYPE", "master")["laddr"] != link["laddr"]
                       if client("CLIENT", "LIST", "TYPE", "master") else False, "a new link")
            caught_up(primary, replica)
    stats = primary.info("stats")
    assert stats["sync_full"] == "1" and int(stats["sync_partial_ok"]) == 4
    assert_same(primary, replica)


def test_a_link_killed_in_the_middle_of_a_transaction(start, proxy):
    """What had come of it is asked for again."""
    primary, replica = start("tandem"), start("tandem")
    link = proxy(primary)
    replica.follow(link.port)
    caught_up(primary, replica)
    link.throttle(20_000)
    with primary.connect() as client:
        client.pipeline([("MULTI",), *[("RPUSH", "list", n, "x" * 1000) for n in range(100)],
                         ("EXEC",)])
    with replica.connect() as client:
        wait_until(lambda: int(row(client, "TYPE", "master")["qbuf"]) > 3000, "a part has come")
        assert client("EXISTS", "list") == 0
        assert client("CLIENT", "KILL", "TYPE", "master") == 1
        link.throttle(None)
    caught_up(primary, replica)
    assert_same(primary, replica)
    assert primary.info("stats")["sync_full"] == "1"


def test_a_replicas_row_shows_its_acknowledgements(pair):
    primary, _ = pair
    with primary.connect() as client:
        wait_until(lambda: row(client, "TYPE", "replica")["cmd"] == "replconf", "it acknowledges")
        replica = row(client, "TYPE", "replica")
        assert replica["flags"] == "S"
        wait_until(lambda: int(row(client, "TYPE", "replica")["age"]) >= 3, "it grows old")
        assert int(row(client, "TYPE", "replica")["idle"]) < 3


def test_monitor_shows_the_primarys_address(pair):
    primary, replica = pair
    with replica.connect() as watcher, primary.connect() as client:
        watcher("MONITOR")
        client("SET", "a", 1)
        lines = iter(watcher.read, None)
        line = next(line for line in lines if '"SET" "a"' in line)
    assert re.fullmatch(rf'\d+\.\d{{6}} \[0 127\.0\.0\.1:{primary.port}\] "SET" "a" "1"', line)


def test_the_monitor_of_redis_py_reads_a_replica(pair):
    primary, replica = pair
    with redis.Redis(port=replica.port).monitor() as monitor, primary.connect() as client:
        client("SET", "a", 1)
        seen = next(each for each in monitor.listen() if each["command"] == "SET a 1")
    assert (seen["client_address"], seen["client_port"]) == ("127.0.0.1", str(primary.port))


def test_slow_commands_of_the_stream(pair):
    primary, replica = pair
    with replica.connect() as client, primary.connect() as writer:
        client("CONFIG", "SET", "slowlog-log-slower-than", 0)
        writer("SET", "a", 1)
        caught_up(primary, replica)
        entry = next(each for each in client("SLOWLOG", "GET", -1) if each[3][0] == "SET")
    assert entry[4:] == [f"127.0.0.1:{primary.port}", ""]


def test_the_stream_counts_in_info(pair):
    primary, replica = pair
    with replica.connect() as client, primary.connect() as writer:
        client("CONFIG", "RESETSTAT")
        writer("SET", "text", 1)
        writer("EVAL", "for i = 1, 3 do redis.call('incr', 'n') end", 0)
        caught_up(primary, replica)
        info = parse_info(client("INFO", "everything"))
        assert info["cmdstat_set"].startswith("calls=1,")
        assert info["cmdstat_incr"].startswith("calls=3,")
        assert int(info["total_commands_processed"]) >= 5  # and MULTI, EXEC
        assert "p50=" in info["latency_percentiles_usec_incr"]
        client("CONFIG", "RESETSTAT")
        assert "cmdstat_incr" not in parse_info(client("INFO", "commandstats"))


@pytest.mark.parametrize("load", ["disabled", "swapdb"])
@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_watched_keys_of_a_new_replica(start, kind, load):
    """A full sync touches what was there; what neither had is as it was."""
    primary, replica = start("tandem"), start(kind, "--repl-diskless-load", load)
    with primary.connect() as client:
        client.pipeline([("SET", "same", 1), ("SET", "other", 2), ("SELECT", 3), ("SET", "far", 1)])
    watchers = {}
    with replica.connect() as client:
        client.pipeline([("SET", "same", 1), ("SET", "other", 1), ("SET", "gone", 1)])
        for name in ("same", "other", "gone", "none"):
            watchers[name] = replica.connect()
            assert watchers[name]("WATCH", name) == "OK"
    replica.follow(primary.port)
    caught_up(primary, replica)
    for name, watcher in watchers.items():
        watcher("MULTI")
        watcher("GET", name)
        assert watcher("EXEC") == ([None] if name == "none" else None), name


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_wait_counts_its_own_replicas_of_a_chain(start, kind):
    first, second, third = start("tandem"), start(kind), start("tandem")
    second.follow(first.port)
    caught_up(first, second)
    third.follow(second.port)
    caught_up(second, third)
    with first.connect() as client, second.connect() as middle, third.connect() as last:
        client("SET", "a", 1)
        assert client("WAIT", 1, 10_000) == 1
        assert client("WAIT", 2, 50) == 1
        caught_up(first, third)
        assert last("GET", "a") == "1"
        for replica in (middle, last):
            assert replica.error("WAIT", 1, 50).startswith("ERR WAIT cannot be used with replica")
        second.promote()
        middle("SET", "a", 2)
        assert middle("WAIT", 1, 10_000) == 1 and last("GET", "a") == "2"
        wait_until(lambda: first.info("replication")["connected_slaves"] == "0", "it is gone")
        client("SET", "a", 3)
        assert client("WAIT", 1, 50) == 0


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_wait_goes_on_until_a_stopped_replica_answers(start, kind):
    primary, stopped, other = start("tandem"), start(kind), start(kind)
    for replica in (stopped, other):
        replica.follow(primary.port)
    caught_up(primary, stopped, other)
    with primary.connect() as client, primary.connect() as waiter, primary.connect() as third:
        stopped.pause()
        waiter("SET", "a", 1)
        assert waiter("WAIT", 1, 10_000) == 1
        assert waiter("WAIT", 2, 50) == 1
        waiter.send(encode("WAIT", 2, 0))
        third("SET", "b", 1)
        assert third("WAIT", 1, 10_000) == 1
        wait_until(lambda: primary.info("clients")["blocked_clients"] == "1", "one waits on")
        assert not waiter.has_reply()
        # Who has written nothing since both answered waits for nobody.
        assert client("WAIT", 2, 50) == 2
        stopped.unpause()
        assert waiter.read() == 2
        assert third("WAIT", 2, 10_000) == 2
