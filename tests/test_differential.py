"""The same commands to Tandem and to Debian's redis-server: replies equal to the byte.

compare.py lists what Redis leaves open (orders, remaining times) and where 7.2 differs from 7.0.
"""
import pytest

from harness.compare import Comparer
from harness.generate import FAMILIES, Generator
from harness.load import digest
from harness.wait import wait_until

BATCH = 100


def compare(ours, theirs, commands, limit=12):
    """Sends the commands in batches to both and returns the differences."""
    differences, comparer = [], Comparer()
    for at in range(0, len(commands), BATCH):
        batch = commands[at:at + BATCH]
        for command, a, b in zip(batch, ours.pipeline(batch), theirs.pipeline(batch)):
            found = comparer.difference(command, a, b)
            if found:
                differences.append(found)
        if len(differences) >= limit:
            break
    return differences


def same_data(*servers):
    """Equal digests, once what has expired is deleted."""
    for server in servers:
        server.connect()("DEBUG", "SET-ACTIVE-EXPIRE", 1)
    wait_until(lambda: len({digest(server) for server in servers}) == 1, "equal digests", 5)


@pytest.fixture
def both(start):
    """Two servers that delete an expired key only when it is touched: no moment matters."""
    servers = start("tandem"), start("redis")
    for server in servers:
        with server.connect() as connection:
            connection("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    return servers


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_random_commands(both, protocol, seed):
    ours, theirs = (server.connect(protocol=protocol) for server in both)
    commands = Generator(seed * 10 + protocol).commands(6000)
    differences = compare(ours, theirs, commands)
    assert not differences, "\n".join(differences)
    same_data(*both)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_family(both, family):
    """A family alone reaches deeper states of its keys."""
    ours, theirs = (server.connect() for server in both)
    commands = Generator(family, families=(family,), flush=False).commands(4000)
    differences = compare(ours, theirs, commands)
    assert not differences, "\n".join(differences)
    same_data(*both)


@pytest.mark.parametrize("protocol", [2, 3])
def test_listed_commands(both, protocol, request):
    """Corner cases written down, one a line, in data/replies.txt."""
    ours, theirs = (server.connect(protocol=protocol) for server in both)
    text = (request.path.parent / "data" / "replies.txt").read_text()
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    commands = [[word.encode().decode("unicode_escape").encode("latin-1") if word != "''" else b""
                 for word in line.split(" ")] for line in lines]
    differences = compare(ours, theirs, commands, limit=1000)
    assert not differences, "\n".join(differences)


def test_a_difference_is_found(both):
    """The comparison itself can fail: the same question to servers that differ."""
    ours, theirs = (server.connect() for server in both)
    ours("SET", "string:1", "a")
    assert compare(ours, theirs, [(b"GET", b"string:1")])
    ours("RPUSH", "list:1", "a", "b")
    theirs("RPUSH", "list:1", "b", "a")
    assert compare(ours, theirs, [(b"LRANGE", b"list:1", b"0", b"-1")])
