"""maxmemory-clients: who is ended where clients hold too much, and who is not."""
import pytest

from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import encode

MEGABYTE = 1024 * 1024


@pytest.fixture(params=["tandem", "redis"])
def limited(start, request):
    return start(request.param, "--maxmemory-clients", 20 * MEGABYTE)


def begin_large_request(connection, size):
    """All of it but its end: it waits in the query buffer, if its client may go on."""
    try:
        connection.send(b"*2\r\n$4\r\nECHO\r\n$%d\r\n" % (size + MEGABYTE) + b"x" * size)
    except OSError:
        pass


def lines(control):
    return control("CLIENT", "LIST").splitlines()


def holds(control, at_least):
    return any(int(line.split("tot-mem=")[1].split()[0]) >= at_least for line in lines(control))


def test_the_largest_is_ended(limited):
    with limited.connect() as control, limited.connect() as small, limited.connect() as large:
        begin_large_request(small, 4 * MEGABYTE)
        wait_until(lambda: holds(control, 4 * MEGABYTE), "it is heard")
        begin_large_request(large, 24 * MEGABYTE)
        wait_until(large.is_closed, "the large one is closed")
        assert not small.is_closed()
        assert limited.info("stats")["evicted_clients"] == "1"
        assert "Evicting client: id=" in limited.log_text()
        control("CONFIG", "RESETSTAT")
        assert limited.info("stats")["evicted_clients"] == "0"


def test_replies_that_nobody_reads_count(limited):
    with limited.connect() as control, limited.connect() as slow:
        control("SET", "large", "x" * (4 * MEGABYTE))
        try:
            slow.send(encode("GET", "large") * 12)
        except OSError:
            pass
        wait_until(lambda: limited.info("stats")["evicted_clients"] == "1", "it is ended")
        assert control("PING") == "PONG"


def test_what_is_queued_counts(limited):
    with limited.connect() as control, limited.connect() as queues:
        queues("MULTI")
        try:
            for _ in range(6):
                queues.send(encode("SET", "k", "x" * (4 * MEGABYTE)))
            wait_until(queues.is_closed, "it is closed")
        except OSError:
            pass
        assert control("GET", "k") is None
        assert limited.info("stats")["evicted_clients"] == "1"


def test_who_is_protected_stays(limited):
    with limited.connect() as control, limited.connect() as protected:
        control("CLIENT", "NO-EVICT", "ON")
        protected("CLIENT", "NO-EVICT", "ON")
        begin_large_request(protected, 24 * MEGABYTE)
        wait_until(lambda: holds(control, 24 * MEGABYTE), "it is heard")
        with limited.connect() as other:
            other.send(encode("PING") * 3)
            wait_until(other.is_closed, "another is ended in its place")
        assert not protected.is_closed() and control("PING") == "PONG"


def test_a_limit_that_is_set_later(start):
    server = start("tandem")
    with server.connect() as control, server.connect() as large:
        begin_large_request(large, 8 * MEGABYTE)
        wait_until(lambda: holds(control, 8 * MEGABYTE), "it is heard")
        control("CONFIG", "SET", "maxmemory-clients", "5%")
        assert control("CONFIG", "GET", "maxmemory-clients") == ["maxmemory-clients", "5%"]
        assert not large.is_closed(), "a share of a memory without a limit is none"
        control("CONFIG", "SET", "maxmemory", "40mb", "maxmemory-policy", "allkeys-lru")
        wait_until(large.is_closed, "it is closed")
        assert control("PING") == "PONG"


def test_a_limit_is_never_too_small_to_speak(start):
    server = start("tandem", "--maxmemory-clients", 1)
    with server.connect() as client:
        assert client("PING") == "PONG"


@pytest.mark.skipif(is_stock("tandem"), reason="the same as the others")
def test_listeners_and_monitors_are_clients_like_others(start):
    server = start("tandem", "--maxmemory-clients", "3mb",
                   "--client-output-buffer-limit", "pubsub", 0, 0, 0)
    with server.connect() as control, server.connect() as listener, server.connect() as monitor:
        control("CLIENT", "NO-EVICT", "ON")
        listener("SUBSCRIBE", "c")
        monitor("MONITOR")
        payload = encode("PUBLISH", "c", "x" * MEGABYTE)
        for _ in range(24):
            control.send(payload)
            control.read()
        wait_until(lambda: server.info("stats")["evicted_clients"] == "2", "both are ended")
        assert control("PUBSUB", "CHANNELS") == []


def test_a_replica_is_no_client_to_end(start):
    primary = start("tandem", "--maxmemory-clients", "1mb")
    replica = start("tandem")
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    with primary.connect() as client:
        for _ in range(20):
            client("SET", "k", "x" * (MEGABYTE // 4))
        offset = primary.offset()
        wait_until(lambda: replica.offset() >= offset, "the replica follows")
        assert primary.info("stats")["evicted_clients"] == "0"
