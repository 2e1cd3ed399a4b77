"""Changes of role, planned stops and pauses under load: what was acknowledged is there, and what a
replica or a paused server must not do is not done, however the moments fall."""
import copy
import threading
from contextlib import suppress

import pytest

from faults.counters import Counter
from faults.writers import Burst
from harness.load import assert_same, pair
from harness.servers import free_port, is_stock
from harness.wait import wait_until
from harness.wire import ReplyError, decode, encode

FLIPS = 40
STOPS = 12
PAUSES = 40


def counting(server, count=8):
    """Clients who keep all workers busy, at work while the block runs."""
    return Burst([Counter(number) for number in range(count)], [], server, 0)


def progress(burst):
    target = burst.total() + 3000
    wait_until(lambda: burst.total() >= target or burst.problems, "clients write")


def assert_nothing_lost(burst, *servers):
    for counter in burst.writers:
        for server in servers:
            copy.copy(counter).verify(server, "everything")


def test_no_write_is_executed_as_a_replica(server):
    """Between MULTI and EXEC a client asks for the role: it never writes where it reads slave."""
    stopping = threading.Event()
    wrong, whole = [], []

    def work(number):
        with server.connect() as client:
            while not stopping.is_set():
                *_, reply = client.pipeline([("MULTI",), ("INCR", f"n:{number}"), ("ROLE",),
                                             ("EXEC",)])
                value = decode(reply)
                if isinstance(value, list):
                    whole.append(value[0])
                    if isinstance(value[0], int) and value[1][0] != "master":
                        wrong.append(value)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        with server.connect() as control:
            nobody = free_port()
            for _ in range(FLIPS):
                target = len(whole) + 20
                wait_until(lambda: len(whole) >= target, "clients write")  # noqa: B023
                control("REPLICAOF", "127.0.0.1", nobody)
                control("REPLICAOF", "NO", "ONE")
    finally:
        stopping.set()
        for thread in threads:
            thread.join(20)
    assert not wrong, f"{len(wrong)} of {len(whole)}: {wrong[:3]}"


def test_flips_lose_nothing_and_replicas_have_it_all(start):
    primary, replica = pair(start)
    nobody = free_port()

    def one_history():
        replication = [server.info("replication") for server in (primary, replica)]
        return (replication[0]["master_replid"] == replication[1]["master_replid"] and
                replica.link_up())

    with primary.connect() as control:
        control("CONFIG", "SET", "repl-backlog-size", "256mb")
        for _ in range(FLIPS // 2):
            with counting(primary, 4) as burst:
                progress(burst)
                control("REPLICAOF", "127.0.0.1", nobody)
                control("REPLICAOF", "NO", "ONE")
                progress(burst)
            wait_until(one_history, "the replica follows again")
            assert_same(primary, replica)
            assert_nothing_lost(burst, primary, replica)
            control("FLUSHALL")
    assert primary.info("stats")["sync_full"] == "1"


def stop_by_command(server):
    with server.connect() as client, suppress(EOFError, ConnectionError):
        client("SHUTDOWN", "SAVE")


def stop_by_signal(server):
    server.process.terminate()


@pytest.mark.parametrize("stop, options", [(stop_by_command, ()),
                                           (stop_by_signal, ("--save", "3600", "1"))])
@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_a_planned_stop_loses_nothing(start, kind, stop, options):
    server = start(kind, *options)
    for _ in range(STOPS):
        with counting(server) as burst:
            progress(burst)
            stop(server)
            assert server.wait_exit() == 0
        server.restart()
        assert_nothing_lost(burst, server)
        with server.connect() as client:
            client("FLUSHALL")


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_nothing_is_logged_in_a_pause(start, kind):
    """Once CLIENT PAUSE WRITE has answered, the offset stands until the pause ends."""
    server = start(kind, "--repl-ping-replica-period", "3600")
    replica = start("tandem")
    replica.follow(server.port)
    wait_until(replica.link_up, "linked")
    grew = []
    with server.connect() as control, counting(server) as burst:
        for _ in range(PAUSES):
            progress(burst)
            control("CLIENT", "PAUSE", 20_000, "WRITE")
            offsets = {server.offset() for _ in range(5)}
            if len(offsets) > 1:
                grew.append(offsets)
            control("CLIENT", "UNPAUSE")
    assert not grew, f"{len(grew)} of {PAUSES}: {grew[:3]}"


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_a_paused_replica_applies_nothing(start, kind):
    """Its primary's writes wait like its clients' until the pause ends."""
    primary, replica = start(kind, "--repl-ping-replica-period", "3600"), start(kind)
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    with replica.connect() as control, counting(primary) as burst:
        for pause in ("WRITE", "ALL") * 3:
            progress(burst)
            if pause == "ALL":
                control("CLIENT", "PAUSE", 50, pause)
                continue
            control("CLIENT", "PAUSE", 20_000, pause)
            offset = replica.offset()
            progress(burst)
            assert replica.offset() == offset
            control("CLIENT", "UNPAUSE")
    assert_same(primary, replica)


def test_the_middle_of_a_chain_ends_though_its_primary_writes_on(start):
    """What comes in while its own replica catches up would keep it waiting for ever."""
    backlog = ("--repl-backlog-size", "256mb")
    primary = start("tandem", *backlog)
    middle = start("tandem", *backlog, "--shutdown-timeout", 600, "--replicaof", "127.0.0.1",
                   primary.port)
    leaf = start("tandem", "--replicaof", "127.0.0.1", middle.port)
    wait_until(lambda: middle.link_up() and leaf.link_up(), "linked")
    with counting(primary) as burst:
        progress(burst)
        with middle.connect() as client:
            client.send(encode("SHUTDOWN", "SAVE"))
            assert middle.wait_exit() == 0
        assert middle.log_text().count("The link to the primary") == 0
        progress(burst)
        middle.restart()
        wait_until(lambda: middle.link_up() and leaf.link_up(), "linked again")
    assert_same(primary, middle, leaf)
    assert middle.info("stats")["sync_full"] == "0"
    assert primary.info("stats")["sync_full"] == "1"


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server writes on, and its replicas differ")
def test_a_transaction_that_becomes_a_replica_writes_no_more(server, client):
    """Its later writes would be executed by a replica, and nobody else would ever have them."""
    client("MULTI")
    client("REPLICAOF", "127.0.0.1", free_port())
    client("SET", "k", 1)
    with suppress(ReplyError):
        client("EXEC")
    assert client("ROLE")[0] == "master" or client("DBSIZE") == 0
