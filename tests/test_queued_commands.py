"""What was queued counts at EXEC as if it were sent then: a condition that has come meanwhile
refuses the transaction."""
import pytest

from harness.load import caught_up
from harness.servers import free_port
from harness.wait import wait_until

READS = [("GET", "k"), ("LRANGE", "l", 0, -1), ("SCAN", 0)]
STALE = ("EXECABORT Transaction discarded because of: MASTERDOWN Link with MASTER is down and "
         "replica-serve-stale-data is set to 'no'.")
WRITES = [("SET", "k", 1), ("DEL", "k")]


@pytest.fixture(params=["tandem", "redis"])
def kind(request):
    return request.param


def queue(client, *commands):
    client("MULTI")
    for command in commands:
        assert client(*command) == "QUEUED"


@pytest.mark.parametrize("command", READS, ids=lambda words: words[0])
def test_reads_queued_before_the_link_was_lost(start, proxy, kind, command):
    primary = start("tandem")
    link = proxy(primary)
    replica = start(kind, "--replica-serve-stale-data", "no")
    replica.follow(link.port)
    caught_up(primary, replica)
    with replica.connect() as client:
        queue(client, command)
        link.cut()
        wait_until(lambda: not replica.link_up(), "the link is lost")
        assert client.error("EXEC") == STALE
        queue(client, ("INFO",))
        assert len(client("EXEC")) == 1, "what is allowed without a link still is"
        link.resume()
        wait_until(replica.link_up, "linked again")
        queue(client, command)
        assert len(client("EXEC")) == 1


@pytest.mark.parametrize("command", WRITES, ids=lambda words: words[0])
def test_writes_queued_before_it_became_a_replica(start, kind, command):
    server = start(kind)
    with server.connect() as client:
        queue(client, command)
        server.follow(free_port())
        assert client.error("EXEC").startswith(
            "EXECABORT Transaction discarded because of: READONLY You can't write against a read "
            "only replica.")
        queue(client, ("GET", "k"))
        assert client("EXEC") == [None]


@pytest.mark.parametrize("command", WRITES, ids=lambda words: words[0])
def test_writes_queued_before_replicas_were_missing(start, kind, command):
    server = start(kind)
    with server.connect() as client, server.connect() as other:
        queue(client, command)
        other("CONFIG", "SET", "min-replicas-to-write", 1)
        assert client.error("EXEC") == ("EXECABORT Transaction discarded because of: NOREPLICAS "
                                        "Not enough good replicas to write.")
        queue(client, ("GET", "k"))
        assert client("EXEC") == [None]


def test_a_queued_write_waits_for_the_end_of_a_pause(start, kind):
    server = start(kind)
    with server.connect() as reader, server.connect() as writer, server.connect() as other:
        queue(reader, ("GET", "k"))
        queue(writer, ("SET", "k", 1))
        other("CLIENT", "PAUSE", 20_000, "WRITE")
        assert reader("EXEC") == [None]
        writer.socket.sendall(b"*1\r\n$4\r\nEXEC\r\n")
        for _ in range(10):
            assert other("GET", "k") is None
        other("CLIENT", "UNPAUSE")
        assert writer.read() == ["OK"]
