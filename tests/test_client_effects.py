"""What a command has answered about another client is true for every command that anybody sends
after the answer, whatever that client does and whichever worker it is on."""
import itertools

import pytest

from harness.wait import wait_until
from harness.wire import Connection, ReplyError, encode

TRIES = 100
STATES = ("idle", "in a transaction", "watching", "subscribed", "monitoring", "reading slowly",
          "blocked", "blocked by several keys", "blocked by WAIT", "held back")


@pytest.fixture
def server(start, monkeypatch):
    monkeypatch.setenv("TANDEM_WORKERS", "2")
    return start("tandem")


class Target:
    """A client in a state of those above."""

    def __init__(self, server, state, client):
        self.connection = Connection(server.port)
        self.id = self.connection("CLIENT", "ID")
        self.address = "%s:%d" % self.connection.socket.getsockname()
        self.state = state
        getattr(self, state.replace(" ", "_"))(client)

    def idle(self, _client):
        pass

    def in_a_transaction(self, _client):
        self.connection.pipeline([("MULTI",), ("SET", "mark", self.id)])

    def watching(self, _client):
        self.connection.pipeline([("WATCH", "w"), ("MULTI",), ("SET", "mark", self.id)])

    def subscribed(self, _client):
        self.connection.pipeline([("HELLO", 3), ("SUBSCRIBE", "channel"), ("PSUBSCRIBE", "chan*")])

    def monitoring(self, _client):
        self.connection("MONITOR")

    def reading_slowly(self, client):
        self.connection.send(encode("GET", "large") * 3)
        wait_until(lambda: "omem=0" not in client("CLIENT", "LIST", "ID", self.id), "it is slow")

    def block(self, client, *command):
        self.connection.send(encode(*command))
        wait_until(lambda: " flags=b " in client("CLIENT", "LIST", "ID", self.id), "it is blocked")

    def blocked(self, client):
        self.block(client, "BLPOP", "q", 0)

    def blocked_by_several_keys(self, client):
        self.block(client, "BLPOP", "q", "other", "third", 0)

    def blocked_by_WAIT(self, client):
        self.block(client, "WAIT", 1, 0)

    def held_back(self, client):
        client("CLIENT", "PAUSE", 100_000, "WRITE")
        self.block(client, "INCR", "counter")


def assert_gone(client, target):
    """What anybody can tell of it, and what it still tries."""
    assert client("CLIENT", "LIST", "ID", target.id) == "", target.state
    assert client("CLIENT", "KILL", "ID", target.id) == 0, target.state
    assert client("CLIENT", "UNBLOCK", target.id) == 0, target.state
    if target.state == "held back":
        client("CLIENT", "UNPAUSE")
    assert client("PUBLISH", "channel", "m") == 0, target.state
    assert client("PUBSUB", "NUMPAT") == 0, target.state
    assert client("LPUSH", "q", "element") == 1, target.state
    assert client("LLEN", "q") == 1, target.state
    try:
        target.connection.send(encode("EXEC") + encode("SET", "mark", target.id))
    except OSError:
        pass  # it has been closed
    target.connection.read_until_closed()
    assert client("GET", "mark") is None, target.state
    assert client("GET", "counter") is None, target.state
    assert client("LLEN", "q") == 1, target.state
    client("DEL", "q")


def ways_to_kill(target):
    return [("CLIENT", "KILL", "ID", target.id),
            ("CLIENT", "KILL", "ADDR", target.address, "USER", "default"),
            ("CLIENT", "KILL", target.address)]


@pytest.mark.parametrize("state", STATES)
def test_who_was_killed_is_gone(server, state):
    with server.connect() as client, server.connect() as other:
        client("SET", "large", "x" * 3_000_000)
        for turn in range(TRIES if state != "reading slowly" else 40):
            targets = [Target(server, state, client) for _ in range(2)]
            killers = (client, other) if turn % 2 else (other, client)
            for target, killer in zip(targets, killers):
                assert killer(*ways_to_kill(target)[turn % 3]) in (1, "OK")
            for target in targets:
                assert_gone(client, target)


def test_all_of_a_type_are_gone_at_once(server):
    with server.connect() as client:
        for _ in range(20):
            crowd = [server.connect() for _ in range(20)]
            for member in crowd:
                member("PING")
            assert client("CLIENT", "KILL", "TYPE", "normal") == 20
            assert len(client("CLIENT", "LIST").splitlines()) == 1
            assert server_clients(client) == 1
            for member in crowd:
                member.close()


def server_clients(client):
    lines = client("INFO", "clients").splitlines()
    return next(int(line.partition(":")[2]) for line in lines
                if line.startswith("connected_clients:"))


@pytest.mark.parametrize("reason", ["TIMEOUT", "ERROR"])
@pytest.mark.parametrize("state", ["blocked", "blocked by several keys", "blocked by WAIT"])
def test_who_was_unblocked_waits_no_more(server, state, reason):
    with server.connect() as client:
        targets = [Target(server, "idle", client) for _ in range(2)]
        for _, target in itertools.product(range(TRIES), targets):
            getattr(target, state.replace(" ", "_"))(client)
            assert client("CLIENT", "UNBLOCK", target.id, reason) == 1
            assert client("CLIENT", "UNBLOCK", target.id, reason) == 0
            assert " flags=N " in client("CLIENT", "LIST", "ID", target.id)
            assert client("LPUSH", "q", "element") == 1
            assert client("LLEN", "q") == 1
            try:
                assert target.connection.read() in (None, 0)
                assert reason == "TIMEOUT"
            except ReplyError as error:
                assert reason == "ERROR" and str(error).startswith("UNBLOCKED")
            assert target.connection("PING") == "PONG"
            client("DEL", "q")


def test_who_closed_its_end_is_served_nothing(server):
    """Its worker may not have heard of it yet."""
    with server.connect() as client:
        for turn in range(2 * TRIES):
            target = Target(server, ("blocked", "blocked by several keys")[turn % 2], client)
            target.connection.close()
            assert client("LPUSH", "q", "element") == 1
            assert client("LLEN", "q") == 1
            client("DEL", "q")


def test_nothing_is_written_after_a_pause_was_answered(server):
    with server.connect() as client, server.connect() as writer:
        for _ in range(TRIES):
            writer.send(encode("INCR", "n") * 20)
            client("CLIENT", "PAUSE", 100_000, "WRITE")
            seen = client("GET", "n")
            for _ in range(5):
                assert client("GET", "n") == seen
            client("CLIENT", "UNPAUSE")
            for _ in range(20):
                writer.read()
