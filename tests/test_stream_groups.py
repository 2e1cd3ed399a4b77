"""Consumer groups beside redis-server: replies, what is replicated, files, clients that wait."""
import shutil

import pytest

from harness.groups import GroupCommands, groups_of, reduced, timeless
from harness.load import assert_same, caught_up
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import ReplyError, decode, encode

BATCH = 100
KEYS = ("x", "y")
PAIRS = [("tandem", "tandem"), ("tandem", "redis"), ("redis", "tandem")]
pairs = pytest.mark.parametrize("kinds", PAIRS, ids="<".join)


def shown(value):
    return str(value) if isinstance(value, ReplyError) else value


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_random_commands(start, protocol, seed):
    ours, theirs = (start(kind).connect(protocol=protocol) for kind in ("tandem", "redis"))
    commands = GroupCommands(f"{seed} {protocol}").commands(5000)
    for at in range(0, len(commands), BATCH):
        batch = commands[at:at + BATCH]
        for command, a, b in zip(batch, ours.pipeline(batch), theirs.pipeline(batch)):
            a, b = (shown(timeless(command, decode(reply))) for reply in (a, b))
            assert a == b, f"command {at}: {command}"


class GroupLoad:
    """Random commands on a primary; a consumer of each group waits beside."""

    def __init__(self, server, seed):
        self.source = GroupCommands(seed, history=False)
        self.writer = server.connect()
        self.waiters = [server.connect() for _ in range(2)]
        self.waiting = set()

    def run(self, count):
        for _ in range(0, count, BATCH):
            for waiter, group in zip(self.waiters, ("g", "h")):
                if waiter not in self.waiting:
                    waiter.send(encode("XREADGROUP", "GROUP", group, "carl", "BLOCK", 100,
                                       "STREAMS", "x", ">"))
                    self.waiting.add(waiter)
            self.writer.pipeline(self.source.commands(BATCH))
            for waiter in [w for w in self.waiting if w.has_reply()]:
                waiter.read_raw()
                self.waiting.discard(waiter)
        return self


def assert_same_groups(one, other, kinds):
    """All but what a stock server does not hear of: how much was read, and consumers that were
    given nothing."""
    stock = "redis" in kinds or is_stock("tandem")
    left_out = {"entries-read", "lag", "consumers"} if stock else {"consumers"}
    with one.connect() as ours, other.connect() as theirs:
        for key in KEYS:
            a, b = (reduced(groups_of(client, key), left_out) for client in (ours, theirs))
            assert a == b, key
            assert owners(ours, key) == owners(theirs, key)


def owners(client, key):
    """Which consumer has which entries, as each of them tells."""
    if not client("EXISTS", key):
        return None
    groups = dict(zip(*[iter(client("XINFO", "STREAM", key, "FULL", "COUNT", 0))] * 2))["groups"]
    found = {}
    for group in (dict(zip(*[iter(group)] * 2)) for group in groups):
        for consumer in (dict(zip(*[iter(of)] * 2)) for of in group["consumers"]):
            for entry, *_ in consumer["pending"]:
                found[group["name"], entry] = consumer["name"]
    return found


@pairs
@pytest.mark.parametrize("seed", range(2))
def test_groups_in_full_sync_and_in_the_stream(start, kinds, seed):
    primary, replica = start(kinds[0]), start(kinds[1])
    load = GroupLoad(primary, f"sync {seed}").run(2000)
    replica.follow(primary.port)
    load.run(1000)  # while the snapshot is taken, sent and loaded
    assert_same(primary, replica)
    assert_same_groups(primary, replica, kinds)
    load.run(3000)
    assert_same(primary, replica)
    assert_same_groups(primary, replica, kinds)


@pairs
def test_groups_go_on_at_a_promoted_replica(start, kinds):
    """What was pending at the primary is claimed and acknowledged at its heir."""
    primary, replica = start(kinds[0]), start(kinds[1])
    replica.follow(primary.port)
    with primary.connect() as client:
        client("XGROUP", "CREATE", "x", "g", "$", "MKSTREAM")
        for number in range(1, 6):
            client("XADD", "x", f"{number}-0", "f", "v")
        client("XREADGROUP", "GROUP", "g", "anna", "COUNT", 3, "STREAMS", "x", ">")
        client("XACK", "x", "g", "1-0")
    caught_up(primary, replica)
    replica.promote()
    with replica.connect() as client:
        assert client("XPENDING", "x", "g") == [2, "2-0", "3-0", [["anna", "2"]]]
        entry = ["2-0", ["f", "v"]], ["3-0", ["f", "v"]]
        assert client("XAUTOCLAIM", "x", "g", "bob", 0, 0) == ["0-0", list(entry), []]
        assert client("XREADGROUP", "GROUP", "g", "bob", "STREAMS", "x", ">") == \
            [["x", [["4-0", ["f", "v"]], ["5-0", ["f", "v"]]]]]
        assert client("XACK", "x", "g", "2-0", "3-0", "4-0", "5-0") == 4


@pytest.mark.skipif(is_stock("tandem"), reason="a stock replica does not know how much was read")
def test_a_replica_knows_how_far_groups_have_read(start):
    primary, replica = start("tandem"), start("tandem")
    replica.follow(primary.port)
    load = GroupLoad(primary, "progress")
    for _ in range(10):
        load.run(300)
        caught_up(primary, replica)
        with primary.connect() as ours, replica.connect() as theirs:
            for key in KEYS:
                if ours("EXISTS", key):
                    a, b = (timeless(("XINFO",), client("XINFO", "GROUPS", key))
                            for client in (ours, theirs))
                    progress = [[pair for pair in group if pair[0] != "consumers"] for group in a]
                    assert progress == [[pair for pair in group if pair[0] != "consumers"]
                                        for group in b]


@pytest.mark.parametrize("writer, reader", PAIRS)
@pytest.mark.parametrize("seed", range(2))
def test_groups_in_files(start, writer, reader, seed):
    """Whoever wrote the file, and whoever reads it."""
    one = start(writer)
    with one.connect() as client:
        client.pipeline(GroupCommands(f"file {seed}").commands(3000))
        client("SAVE")
        expected = [groups_of(client, key) for key in KEYS]
    other = start(reader, launch=False)
    shutil.copy(one.folder / "dump.rdb", other.folder / "dump.rdb")
    other.start()
    with other.connect() as client:
        assert [groups_of(client, key) for key in KEYS] == expected


def test_groups_in_dumps(start):
    """DUMP and RESTORE carry groups, there and back."""
    ours, theirs = (start(kind).connect() for kind in ("tandem", "redis"))
    theirs.pipeline(GroupCommands("dump").commands(3000))
    dumped = theirs.raw("DUMP", "x")
    payload = dumped[dumped.index(b"\r\n") + 2:-2]
    ours("RESTORE", "x", 0, payload)
    assert groups_of(ours, "x") == groups_of(theirs, "x")
    back = ours.raw("DUMP", "x")
    theirs("RESTORE", "x", 0, back[back.index(b"\r\n") + 2:-2], "REPLACE")
    assert groups_of(ours, "x") == groups_of(theirs, "x")


@pytest.mark.parametrize("write, error", [
    (("XGROUP", "DESTROY", "x", "g"), "NOGROUP"), (("DEL", "x"), "NOGROUP"),
    (("FLUSHALL",), "NOGROUP"), (("RENAME", "x", "z"), "NOGROUP"), (("PEXPIRE", "x", 1), "NOGROUP"),
    (("SET", "x", "text"), "WRONGTYPE")], ids=lambda words: str(words[0]))
@pytest.mark.skipif(is_stock("tandem"), reason="other words since 7.2, which runs it again")
def test_what_a_consumer_waits_for_is_gone(server, client, write, error):
    client("XGROUP", "CREATE", "x", "g", "$", "MKSTREAM")
    with server.connect() as waiter:
        waiter.send(encode("XREADGROUP", "GROUP", "g", "anna", "BLOCK", 0, "STREAMS", "x", ">"))
        wait_until(lambda: server.info("clients")["blocked_clients"] == "1", "it waits")
        client(*write)
        with pytest.raises(ReplyError, match=error):
            waiter.read()


def test_each_entry_goes_to_one_of_those_who_wait(server, client):
    """Consumers on several workers; each entry is delivered once."""
    client("XGROUP", "CREATE", "x", "g", "$", "MKSTREAM")
    waiters = [server.connect() for _ in range(8)]
    for number, waiter in enumerate(waiters):
        waiter.send(encode("XREADGROUP", "GROUP", "g", f"c{number}", "BLOCK", 0, "STREAMS", "x",
                           ">"))
    wait_until(lambda: server.info("clients")["blocked_clients"] == "8", "all wait")
    ids = [client("XADD", "x", "*", "n", number) for number in range(8)]
    got = [entry for waiter in waiters for _, entries in waiter.read() for entry, _ in entries]
    assert sorted(got) == sorted(ids)
    assert client("XPENDING", "x", "g")[0] == 8


def let_pass(client, milliseconds):
    """At the server's own clock."""
    def now():
        seconds, microseconds = map(int, client("TIME"))
        return seconds * 1000 + microseconds // 1000

    end = now() + milliseconds
    wait_until(lambda: now() > end, "the time has passed")


TRIES = [("XREADGROUP", "GROUP", "g", "anna", "STREAMS", "x", ">"),
         ("XREADGROUP", "GROUP", "g", "anna", "BLOCK", 1, "STREAMS", "x", ">"),
         ("XREADGROUP", "GROUP", "g", "anna", "STREAMS", "x", 0),
         ("XCLAIM", "x", "g", "anna", 1_000_000, "1-1"),
         ("XAUTOCLAIM", "x", "g", "anna", 1_000_000, 0)]
GAINS = [("XREADGROUP", "GROUP", "g", "anna", "STREAMS", "x", ">"),
         ("XCLAIM", "x", "g", "anna", 0, "1-1"), ("XAUTOCLAIM", "x", "g", "anna", 0, 0)]


def times_of(client, name):
    """How long ago a consumer tried something, and how long ago it got something."""
    listed = [dict(zip(row[::2], row[1::2])) for row in client("XINFO", "CONSUMERS", "x", "g")]
    row = next(row for row in listed if row["name"] == name)
    return row["idle"], row["inactive"]


@pytest.mark.skipif(is_stock("tandem"), reason="7.0 knows one time of a consumer")
@pytest.mark.parametrize("attempt", TRIES, ids=lambda words: f"{words[0]} {words[-1]}")
def test_who_only_tried_is_seen_but_not_active(server, client, attempt):
    client("XGROUP", "CREATE", "x", "g", 0, "MKSTREAM")
    client(*attempt)
    assert times_of(client, "anna")[1] == -1
    client("XADD", "x", "1-1", "f", "v")
    client("XREADGROUP", "GROUP", "g", "anna", "STREAMS", "x", ">")
    let_pass(client, 50)
    client(*attempt)
    idle, inactive = times_of(client, "anna")
    assert inactive - idle >= 40


@pytest.mark.skipif(is_stock("tandem"), reason="7.0 knows one time of a consumer")
@pytest.mark.parametrize("gain", GAINS, ids=lambda words: words[0])
def test_who_got_something_is_active(server, client, gain):
    client("XADD", "x", "1-1", "f", "v")
    client("XGROUP", "CREATE", "x", "g", 0)
    if gain[0] != "XREADGROUP":
        client("XREADGROUP", "GROUP", "g", "bob", "STREAMS", "x", ">")
    client("XGROUP", "CREATECONSUMER", "x", "g", "anna")
    assert times_of(client, "anna")[1] == -1
    client(*gain)
    idle, inactive = times_of(client, "anna")
    assert idle == inactive >= 0
    full = client("XINFO", "STREAM", "x", "FULL")
    group = full[full.index("groups") + 1][0]
    row = next(row for row in group[group.index("consumers") + 1] if "anna" in row)
    assert row[row.index("seen-time") + 1] == row[row.index("active-time") + 1] > 10 ** 12


def test_a_large_group_is_taken_apart_elsewhere(server, client):
    """Consumers and groups with much that is pending go, and the server counts what it freed."""
    client("XGROUP", "CREATE", "x", "g", "0", "MKSTREAM")
    client.pipeline([("XADD", "x", f"{n}-0", "f", "v") for n in range(1, 3001)])
    client("XREADGROUP", "GROUP", "g", "anna", "COUNT", 2000, "STREAMS", "x", ">")
    client("XREADGROUP", "GROUP", "g", "bob", "COUNT", 1000, "STREAMS", "x", ">")
    assert client("XGROUP", "DELCONSUMER", "x", "g", "anna") == 2000
    assert client("XPENDING", "x", "g") == [1000, "2001-0", "3000-0", [["bob", "1000"]]]
    assert client("XGROUP", "DESTROY", "x", "g") == 1
    assert client("XINFO", "GROUPS", "x") == []
