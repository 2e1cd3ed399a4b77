"""Keys with a lifetime: lazy and active deletion, at a primary and at its replica."""
import pytest

from harness.servers import parse_info
from harness.wait import wait_until


def test_a_key_is_gone_at_its_time(client):
    client("SET", "a", 1, "PX", 50)
    wait_until(lambda: client("GET", "a") is None, "the key is gone")
    assert client("EXISTS", "a") == 0 and client("TTL", "a") == -2


def test_lazy_deletion_alone(client):
    """Without the active cycle a key stays counted until it is touched."""
    client("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    client("SET", "a", 1, "PX", 1)
    wait_until(lambda: client("EXISTS", "a") == 0, "the key is hidden and deleted when touched")
    assert client("DBSIZE") == 0
    assert parse_info(client("INFO", "stats"))["expired_keys"] == "1"


def test_active_deletion(client):
    client.pipeline([("SET", f"k{n}", n, "PX", 100) for n in range(5000)])
    wait_until(lambda: client("DBSIZE") == 0, "nobody touched them, and they are gone")
    assert parse_info(client("INFO", "stats"))["expired_keys"] == "5000"


@pytest.mark.parametrize("command", [
    ("SET", "a", 2), ("GETSET", "a", 2), ("MSET", "a", 2), ("PERSIST", "a"), ("SET", "a", 3, "EX",
                                                                              500)])
def test_what_ends_or_changes_a_lifetime(client, command):
    client("SET", "a", 1, "EX", 100)
    client(*command)
    assert client("TTL", "a") == (-1 if "EX" not in command else 500)


def test_what_keeps_a_lifetime(client):
    client("SET", "a", 1, "EX", 100)
    for command in (("INCR", "a"), ("APPEND", "a", 1), ("SET", "a", 2, "KEEPTTL"), ("GETEX", "a")):
        client(*command)
        assert 90 < client("TTL", "a") <= 100
    client("RENAME", "a", "b")
    assert 90 < client("TTL", "b") <= 100
    client("COPY", "b", "c")
    assert 90 < client("TTL", "c") <= 100


def test_expire_options(client):
    client("SET", "a", 1)
    assert client("EXPIRE", "a", 100, "XX") == 0 and client("EXPIRE", "a", 100, "GT") == 0
    assert client("EXPIRE", "a", 100, "LT") == 1 and client("EXPIRE", "a", 50, "NX") == 0
    assert client("EXPIRE", "a", 200, "GT") == 1 and client("EXPIRE", "a", 300, "LT") == 0


def follow(start, *arguments):
    primary, replica = start("tandem"), start("tandem")
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    return primary, replica


def test_a_replica_hides_but_does_not_delete(start):
    """With the primary held still, its expired key is hidden at the replica and yet counted."""
    primary, replica = follow(start)
    with primary.connect() as a, replica.connect() as b:
        a("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        a("SET", "k", 1, "PX", 300)
        wait_until(lambda: b("GET", "k") == "1" or b("DBSIZE") == 1, "it has arrived")
        wait_until(lambda: b("GET", "k") is None, "it is hidden")
        assert b("DBSIZE") == 1, "only the primary deletes"
        assert b("TTL", "k") == -2 and b("EXISTS", "k") == 0
        assert a("GET", "k") is None
        wait_until(lambda: b("DBSIZE") == 0, "the primary's DEL has come")


def test_a_promoted_replica_deletes_by_itself(start):
    primary, replica = follow(start)
    with primary.connect() as a, replica.connect() as b:
        a("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        a("SET", "k", 1, "PX", 200)
        wait_until(lambda: b("DBSIZE") == 1, "it has arrived")
        replica.promote()
        wait_until(lambda: b("DBSIZE") == 0, "the new primary deletes it")


def test_relative_times_replicate_as_moments(start):
    primary, replica = follow(start)
    with primary.connect() as a, replica.connect() as b:
        a("SET", "a", 1, "EX", 1000)
        a("SETEX", "b", 2000, "x")
        a("SET", "c", 1)
        a("PEXPIRE", "c", 3000000)
        a("GETEX", "a", "EX", 4000)
        wait_until(lambda: replica.offset() == primary.offset(), "caught up")
        for key in "abc":
            assert a("PEXPIRETIME", key) == b("PEXPIRETIME", key) > 0


def test_loading_drops_what_expired_meanwhile(start):
    server = start("tandem")
    with server.connect() as connection:
        connection("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        connection("SET", "short", 1, "PX", 100)
        connection("SET", "long", 1, "EX", 1000)
        connection("SAVE")
        wait_until(lambda: connection("GET", "short") is None, "it has expired")
    server.kill()
    server.restart()
    with server.connect() as connection:
        assert connection("DBSIZE") == 1 and connection("TTL", "long") > 900
