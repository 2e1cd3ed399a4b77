"""Whatever a command has answered is true for every command that anybody sends afterwards: whom it
killed, unblocked, paused or unsubscribed, wherever that client is served and whatever it does."""
import re
import time

import pytest

from harness.servers import is_stock, parse_info
from harness.wait import wait_until
from harness.wire import ReplyError, encode

TRIES = 24
CROWD = 20
PAUSE_MILLISECONDS = 50


@pytest.fixture(params=["tandem", "redis"])
def acting(start, request):
    return start(request.param)


def listed(client):
    return set(re.findall(r"\bid=(\d+)", client("CLIENT", "LIST")))


class Target:
    """A client to act on. `make` brings it into a state."""

    def __init__(self, server, control, make):
        self.client = server.connect()
        self.identity = str(self.client("CLIENT", "ID"))
        make(self, control)

    def is_shown(self, control, words):
        line = f"id={self.identity} "
        return any(line in shown and re.search(words, shown)
                   for shown in control("CLIENT", "LIST").splitlines())

    def idle(self, control):
        pass

    def blocked(self, control):
        self.client.send(encode("BLPOP", "queue", 0))
        wait_until(lambda: self.is_shown(control, r"flags=b"), "it waits")

    def in_a_transaction(self, control):
        self.client("MULTI")
        self.client("INCR", "n")

    def watching(self, control):
        self.client("WATCH", "n")

    def subscribed(self, control):
        self.client("SUBSCRIBE", "channel")

    def with_a_pattern(self, control):
        self.client("PSUBSCRIBE", "chan*")

    def reading_slowly(self, control):
        """Its replies wait in the server, for it takes none of them."""
        control("SET", "long", "x" * 1_000_000)
        self.client.send(encode("GET", "long") * 20)
        wait_until(lambda: self.is_shown(control, r"omem=[1-9]"), "replies wait")


STATES = [Target.idle, Target.blocked, Target.in_a_transaction, Target.watching, Target.subscribed,
          Target.with_a_pattern, Target.reading_slowly]
states = pytest.mark.parametrize("make", STATES, ids=lambda make: make.__name__)


def tries(make):
    """A slow reader costs megabytes."""
    return TRIES // 8 if make is Target.reading_slowly else TRIES


def what_lives_on(client, target, count):
    """What is wrong after this many clients in such a state were killed."""
    wrong = []
    if target.identity in listed(client):
        wrong.append("it is listed")
    if count("PUBLISH", "channel", "m") or count("PUBSUB", "NUMPAT"):
        wrong.append("it is subscribed")
    if client("PUBSUB", "NUMSUB", "channel")[1]:
        wrong.append("its channel has a subscriber")
    client("RPUSH", "queue", "element")
    if client("LLEN", "queue") != 1:
        wrong.append("it took an element")
    client("DEL", "queue")
    if client("CLIENT", "KILL", "ID", target.identity) != 0:
        wrong.append("it could be killed again")
    if client("CLIENT", "UNBLOCK", target.identity) != 0:
        wrong.append("it could be unblocked")
    return wrong


@states
def test_who_was_killed_is_gone(acting, make):
    found = []
    with acting.connect() as control:
        for _ in range(tries(make)):
            target = Target(acting, control, make)
            assert control("CLIENT", "KILL", "ID", target.identity) == 1
            found += what_lives_on(control, target, control)
            target.client.close()
    assert not found, f"{len(found)}: {sorted(set(found))}"


@pytest.mark.parametrize("make", [Target.idle, Target.in_a_transaction, Target.watching],
                         ids=lambda make: make.__name__)
def test_what_a_killed_client_sends_is_not_executed(acting, make):
    executed = 0
    with acting.connect() as control:
        for _ in range(TRIES):
            target = Target(acting, control, make)
            assert control("CLIENT", "KILL", "ID", target.identity) == 1
            try:
                target.client.send(encode("INCR", "m") + encode("EXEC") + encode("INCR", "m"))
                target.client.read_until_closed()
            except OSError:
                pass
            executed += control("DEL", "m", "n")
            target.client.close()
    assert not executed, f"{executed} of {TRIES}"


@pytest.mark.parametrize("selection", [("TYPE", "normal"), ("TYPE", "normal", "SKIPME", "yes"),
                                       ("USER", "default"), ("LADDR", None)],
                         ids=lambda words: words[0])
def test_a_killed_crowd_is_gone(acting, selection):
    with acting.connect() as control:
        for _ in range(5):
            crowd = [acting.connect() for _ in range(CROWD)]
            for client in crowd:
                client("PING")
            words = [word or f"127.0.0.1:{acting.port}" for word in selection]
            assert control("CLIENT", "KILL", *words) == CROWD
            assert listed(control) == {str(control("CLIENT", "ID"))}
            for client in crowd:
                client.close()


def become_replica(server, control):
    """A connection that follows the log and has acknowledged all of it."""
    replica = server.connect()
    section = parse_info(control("INFO", "replication"))
    end = int(section["master_repl_offset"])
    replica.send(encode("PSYNC", section["master_replid"], end + 1))
    assert replica._line().startswith(b"+CONTINUE")

    def counts():
        replica.send(encode("REPLCONF", "ACK", end))
        return control("WAIT", 0, 0) == 1

    wait_until(counts, "the replica counts")
    return replica


KILLS_OF_REPLICAS = {"type": ("TYPE", "replica"), "id": ("ID", None), "all": ("SKIPME", "yes")}


@pytest.mark.parametrize("words", KILLS_OF_REPLICAS.values(), ids=list(KILLS_OF_REPLICAS))
def test_a_killed_replica_counts_no_more(acting, words):
    """For nobody: INFO, ROLE, WAIT, and the writes that ask for one."""
    found = []
    with acting.connect() as control, acting.connect() as first:
        control("CONFIG", "SET", "min-replicas-to-write", 1)
        first.send(encode("PSYNC", "?", -1))  # now there is a backlog
        wait_until(lambda: "connected_slaves:1\r" in control("INFO", "replication"), "it is there")
        assert control("CLIENT", "KILL", "TYPE", "replica") == 1
        for _ in range(TRIES):
            replica = become_replica(acting, control)
            identity = re.search(r"id=(\d+) (?=.*flags=S)", control("CLIENT", "LIST"))[1]
            assert control("CLIENT", "KILL", *(word or identity for word in words)) == 1
            if "connected_slaves:0\r" not in control("INFO", "replication"):
                found.append("INFO")
            if control("ROLE")[2]:
                found.append("ROLE")
            if control("WAIT", 0, 0):
                found.append("WAIT")
            if "NOREPLICAS" not in str(control.raw("SET", "k", 1)):
                found.append("min-replicas-to-write")
            replica.close()
    assert not found, f"{len(found)}: {sorted(set(found))}"


@pytest.mark.parametrize("how", ["TIMEOUT", "ERROR"])
def test_who_was_unblocked_waits_no_more(acting, how):
    found = []
    with acting.connect() as control:
        for _ in range(TRIES):
            target = Target(acting, control, Target.blocked)
            assert control("CLIENT", "UNBLOCK", target.identity, how) == 1
            control("RPUSH", "queue", "element")
            if control("LLEN", "queue") != 1:
                found.append("it took an element")
            if control("CLIENT", "UNBLOCK", target.identity) != 0:
                found.append("it could be unblocked again")
            try:
                answer = target.client.read()
            except ReplyError as error:
                answer = str(error)[:9]
            if answer != {"TIMEOUT": None, "ERROR": "UNBLOCKED"}[how]:
                found.append(f"it was answered {answer}")
            control("DEL", "queue")
            target.client.close()
    assert not found, f"{len(found)}: {sorted(set(found))}"


def test_who_unsubscribed_is_not_counted(acting):
    with acting.connect() as control:
        for _ in range(TRIES):
            with acting.connect() as client:
                client("SUBSCRIBE", "channel")
                assert control("PUBLISH", "channel", "m") == 1
                client.read()
                client("UNSUBSCRIBE", "channel")
                assert control("PUBLISH", "channel", "m") == 0
                assert control("PUBSUB", "CHANNELS") == []


def test_who_is_paused_writes_nothing(acting):
    """Clients of all workers that ask after the pause was answered."""
    with acting.connect() as control:
        control("SET", "n", 0)
        clients = [acting.connect() for _ in range(4)]
        for _ in range(TRIES):
            control("CLIENT", "PAUSE", 20_000, "WRITE")
            for client in clients:
                client.send(encode("INCR", "n"))
            with acting.connect() as other:  # they were sent before it came
                assert other("GET", "n") == control("GET", "n") == "0"
            assert not any(client.has_reply() for client in clients)
            control("CLIENT", "UNPAUSE")
            for client in clients:
                client.read()
            control("SET", "n", 0)


WRITES_REFUSED = {"replica-read-only": ("yes", "no"), "min-replicas-to-write": (1, 0)}


@pytest.mark.parametrize("directive", WRITES_REFUSED)
def test_who_may_write_no_more_writes_nothing(acting, directive):
    """Whatever was under way when the directive was set is done, or refused, when it is answered.
    """
    refused, allowed = WRITES_REFUSED[directive]
    found = []
    with acting.connect() as control:
        control("CONFIG", "SET", directive, allowed)
        if directive == "replica-read-only":
            control("REPLICAOF", "127.0.0.1", 1)
        writers = [acting.connect() for _ in range(4)]
        for _ in range(2 * TRIES):
            for writer in writers:
                writer.send(encode("INCR", "n") * 200)
            control("CONFIG", "SET", directive, refused)
            at_once = control("GET", "n")
            for writer in writers:
                for _ in range(200):
                    writer.read_raw()
            if control("GET", "n") != at_once:
                found.append(f"{at_once} became {control('GET', 'n')}")
            control("CONFIG", "SET", directive, allowed)
    assert not found, f"{len(found)}: {found[:3]}"


def test_who_is_paused_is_not_even_answered(acting):
    """In a pause of ALL nobody is, so that nobody can end it: it lasts as long as it was told to.
    """
    with acting.connect() as control:
        clients = [acting.connect() for _ in range(4)]
        for _ in range(TRIES // 2):
            started = time.monotonic()
            control("CLIENT", "PAUSE", PAUSE_MILLISECONDS, "ALL")
            for client in clients:
                client.send(encode("GET", "n"))
            for client in clients:
                client.read()
                assert time.monotonic() - started >= PAUSE_MILLISECONDS / 1000


def test_what_was_set_is_seen_by_all(acting):
    clients = [acting.connect() for _ in range(4)]
    for turn in range(TRIES):
        one, other = clients[turn % 4], clients[(turn + 1) % 4]
        one("CONFIG", "SET", "timeout", 1000 + turn)
        assert other("CONFIG", "GET", "timeout") == ["timeout", str(1000 + turn)]
        one("CLIENT", "SETNAME", f"name{turn}")
        assert f"name=name{turn} " in other("CLIENT", "LIST")
        sha = one("SCRIPT", "LOAD", f"return {turn}")
        assert other("EVALSHA", sha, 0) == turn
        one("SCRIPT", "FLUSH")
        assert other("SCRIPT", "EXISTS", sha) == [0]


def test_a_role_is_the_role_of_all(acting):
    clients = [acting.connect() for _ in range(4)]
    for turn in range(TRIES // 2):
        one, other = clients[turn % 4], clients[(turn + 1) % 4]
        one("REPLICAOF", "127.0.0.1", 1)
        assert other.error("SET", "k", turn).startswith("READONLY")
        assert other("ROLE")[0] == "slave"
        other("REPLICAOF", "NO", "ONE")
        assert one("SET", "k", turn) == "OK" and one("ROLE")[0] == "master"


POPS = [("BLPOP", "q", 0), ("BRPOP", "q", "r", 0), ("BLMOVE", "q", "target", "LEFT", "LEFT", 0)]


@pytest.mark.parametrize("command", POPS, ids=lambda words: words[0])
def test_who_closed_while_it_waited_is_not_served(acting, command):
    """Pushed right after the close: what cannot be delivered is not taken."""
    if is_stock(acting.kind):
        pytest.skip("a stock server may hear of the close a moment later")
    lost = []
    with acting.connect() as control:
        for turn in range(2 * TRIES):
            waiter = acting.connect()
            waiter.send(encode(*command))
            wait_until(lambda: "blocked_clients:1\r" in control("INFO", "clients"), "it waits")
            waiter.close()
            control("RPUSH", "q", turn)
            if control("LRANGE", "q", 0, -1) != [str(turn)]:
                lost.append(turn)
            control("DEL", "q", "target")
    assert not lost, f"{len(lost)} of {2 * TRIES}"


def test_the_next_in_the_row_gets_what_a_closed_one_cannot(acting):
    if is_stock(acting.kind):
        pytest.skip("a stock server may hear of the close a moment later")
    with acting.connect() as control:
        for turn in range(TRIES):
            gone, waits = acting.connect(), acting.connect()
            for number, client in enumerate((gone, waits), 1):
                client.send(encode("BLPOP", "q", 0))
                wait_until(lambda: f"blocked_clients:{number}\r"  # noqa: B023
                           in control("INFO", "clients"), "it waits")
            gone.close()
            control("RPUSH", "q", turn)
            assert waits.read() == ["q", str(turn)]
            waits.close()
