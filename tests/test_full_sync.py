"""Full syncs of replicas that are slow, hang, only say that they live, or must know the length
beforehand: whoever is slow goes alone, and what takes long is not silence."""
import os
import resource
import socket

import pytest

from harness.load import assert_same, caught_up
from harness.servers import is_stock, parse_info
from harness.wait import wait_until
from harness.wire import Connection, encode

pytestmark = pytest.mark.skipif(is_stock("tandem"), reason="a stock primary gives up differently")

MEGABYTE = 1_000_000
STACK_BYTES = 128 * 1024 * 1024  # of each thread of a server that cannot have another


def filled(start, megabytes, *arguments):
    """A primary of incompressible size; its replicas' clocks run out after two seconds."""
    primary = start("tandem", "--rdbcompression", "no", "--repl-ping-replica-period", "1",
                    "--client-output-buffer-limit", "replica 0 0 0", *arguments)
    with primary.connect() as client:
        client.pipeline([("SET", f"k{n}", "x" * 10_000) for n in range(megabytes * 100)])
        if "--repl-timeout" not in arguments:
            client("CONFIG", "SET", "repl-timeout", 2)
    return primary


def compare(primary, *replicas):
    """With the pings' period as it is, the stream would hardly rest."""
    with primary.connect() as client:
        client("CONFIG", "SET", "repl-ping-replica-period", 3600)
    assert_same(primary, *replicas)


def stats(server):
    return parse_info(server.connect()("INFO", "stats"))


class Hung:
    """Asks for a full sync and takes nothing of it; says that it lives when it is asked to."""

    def __init__(self, server, *before):
        self.server = server
        self.before = before or (("REPLCONF", "capa", "eof"), ("PSYNC", "?", -1))
        self.connections = 0
        self.connection = None
        self.connect()

    def connect(self):
        self.connection = Connection(self.server.port)
        self.connections += 1
        for words in self.before[:-1]:
            assert self.connection(*words) == "OK"
        self.connection.send(encode(*self.before[-1]))

    def say_something(self):
        """Comes again where it was dropped."""
        try:
            self.connection.send(b"\n")
        except OSError:
            self.connection.close()
            self.connect()

    def close(self):
        self.connection.close()


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_a_transfer_longer_than_the_timeout(start, proxy, kind):
    """While the primary writes; and the replica's own load begins only when it has everything."""
    primary = filled(start, 20)
    replica = start(kind)
    link = proxy(primary)
    link.throttle(4 * MEGABYTE)
    replica.follow(link.port)
    with primary.connect() as client:
        def follows():
            client.pipeline([("SET", f"k{n}", "y" * 100) for n in range(50)])
            return replica.link_up()
        wait_until(follows, "the replica follows", 60)
    link.throttle(None)
    compare(primary, replica)
    assert stats(primary)["sync_full"] == "1"


def test_one_of_three_hangs(start):
    """It goes alone; the two others get their snapshot from the same walk, and saves go on."""
    primary = filled(start, 40, "--repl-timeout", "4", "--repl-diskless-sync-delay", "3600",
                     "--repl-diskless-sync-max-replicas", "3")
    hung, stock, own = start("redis"), start("redis"), start("tandem")
    hung.follow(primary.port)
    wait_until(lambda: "slave0" in primary.info("replication"), "it waits for the snapshot")
    hung.pause()
    for replica in (stock, own):
        replica.follow(primary.port)
    caught_up(primary, stock, own)
    assert stats(primary)["sync_full"] == "3"
    with primary.connect() as client:
        wait_until(lambda: client.raw("BGSAVE").startswith(b"+"), "a save is let in")
        wait_until(lambda: primary.info("replication")["connected_slaves"] == "2", "it is dropped")
        client("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    assert stats(primary)["sync_full"] == "3"
    hung.unpause()
    caught_up(primary, hung)
    compare(primary, stock, own, hung)


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_one_that_takes_nothing_and_comes_again_for_ever(start, kind):
    """Empty lines are no progress. Saves and other replicas are served meanwhile."""
    primary = filled(start, 40)
    hung = Hung(primary)
    replica = start(kind)
    replica.follow(primary.port)
    with primary.connect() as client:
        def served():
            hung.say_something()
            return replica.link_up()
        wait_until(served, "the other one follows", 40)
        def saved():
            hung.say_something()
            return client.raw("BGSAVE").startswith(b"+")
        wait_until(saved, "a save is let in")
        def came_again():
            hung.say_something()
            return hung.connections >= 3
        wait_until(came_again, "it was dropped, and again", 40)
    wait_until(lambda: int(stats(primary)["sync_full"]) == 1 + hung.connections,
               "each time it was sent a snapshot, and the other one once")
    assert replica.link_up()
    hung.close()


def test_a_slow_one_is_served_while_others_save(start, proxy):
    """Its snapshot goes on in a file that has no name."""
    primary = filled(start, 40)
    replica = start("tandem")
    link = proxy(primary)
    link.throttle(MEGABYTE)
    replica.follow(link.port)
    wait_until(lambda: link.backward_bytes > MEGABYTE, "the snapshot flows")
    with primary.connect() as client:
        wait_until(lambda: client.raw("BGSAVE").startswith(b"+"), "a save is let in", 35)
        assert not replica.link_up()
        link.throttle(None)
        wait_until(lambda: primary.info("persistence")["rdb_saves"] == "1", "it is saved")
    assert set(os.listdir(primary.folder)) == {"log", "dump.rdb"}
    wait_until(replica.link_up, "the replica follows", 60)
    compare(primary, replica)
    assert stats(primary)["sync_full"] == "1"


def resident_bytes(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        line = next(line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def test_clients_that_say_sync_share_one_copy(start):
    """By the length; who takes nothing is dropped, and who reads gets everything."""
    primary = filled(start, 60, "--repl-diskless-sync-delay", "1", "--repl-timeout", "4")
    before = resident_bytes(primary)
    hung = [Hung(primary, ("SYNC",)) for _ in range(3)]
    with socket.create_connection(("127.0.0.1", primary.port)) as connection:
        connection.sendall(b"SYNC\r\n")
        reader = connection.makefile("rb")
        while (line := reader.readline()) == b"\n":
            pass
        length = int(line[1:])
        assert length > 60 * MEGABYTE
        assert resident_bytes(primary) - before < 40 * MEGABYTE
        assert reader.read(length)[:5] == b"REDIS"
        wait_until(lambda: primary.info("replication")["connected_slaves"] == "1", "they go")
        assert os.listdir(primary.folder) == ["log"]
    for client in hung:
        client.close()


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_a_standstill_of_the_primary_is_no_silence_of_its_replica(start, kind):
    """SIGSTOP for longer than repl-timeout: what the replica sent meanwhile is there to be read."""
    primary = start("tandem", "--repl-timeout", "2")
    replica = start(kind)
    replica.follow(primary.port)
    caught_up(primary, replica)
    wait_until(lambda: "state=online" in primary.info("replication").get("slave0", ""), "online")
    primary.pause()
    wait_until(lambda: int(replica.info()["master_last_io_seconds_ago"]) >= 5, "it hears nothing")
    primary.unpause()
    caught_up(primary, replica)
    with primary.connect() as client:
        assert client("WAIT", 1, 5000) == 1
    counts = stats(primary)
    assert (counts["sync_full"], counts["sync_partial_ok"]) == ("1", "0")


def limit_address_space(server):
    """No room for the stack of another thread, some for everything else."""
    with open(f"/proc/{server.process.pid}/statm") as status:
        size = int(status.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    change_soft_limit(server, size + STACK_BYTES // 2)


def change_soft_limit(server, limit):
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_AS)
    resource.prlimit(server.process.pid, resource.RLIMIT_AS, (limit, hard))


def test_snapshots_need_no_thread_that_may_not_be_had(start):
    primary = start("tandem", launch=False)
    primary.wrapper = ["prlimit", f"--stack={STACK_BYTES}"]
    primary.start()
    with primary.connect() as client:
        client("SET", "a", 1)
        replica = start("redis")
        limit_address_space(primary)
        assert client("BGSAVE") == "Background saving started"
        wait_until(lambda: primary.info("persistence")["rdb_saves"] == "1", "it is saved")
        replica.follow(primary.port)
        caught_up(primary, replica)
        assert client("PING") == "PONG"
    change_soft_limit(primary, resource.RLIM_INFINITY)


def test_what_is_renamed_in_the_middle_of_a_save_is_saved_whole(start):
    server = start("tandem")
    with server.connect() as client:
        for base in range(0, 200_000, 1000):
            words = [word for n in range(base, base + 1000) for word in (f"field{n}", "v" * 20)]
            client("HSET", "big", *words)
        client("BGSAVE")
        assert client("RENAME", "big", "other") == "OK"
        assert server.info("persistence")["rdb_bgsave_in_progress"] == "1"
        wait_until(lambda: server.info("persistence")["rdb_saves"] == "1", "it is saved")
    server.kill()
    server.start()
    with server.connect() as client:
        # Under one of its names, as the rename came before or after the cut; never in parts.
        assert sorted((client("HLEN", "big"), client("HLEN", "other"))) == [0, 200_000]
