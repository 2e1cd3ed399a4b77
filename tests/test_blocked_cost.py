"""A write's cost does not depend on who waits for other keys, nor that of serving one waiter on how
many wait. Measured in the server's processor time, as a ratio: a clock on the wall proves nothing.
"""
import resource
from pathlib import Path

import pytest

from harness.wait import wait_until
from harness.wire import encode

WAITERS = 4000
FEW = 20
WRITES = 4000
SERVED = 400
RATIO_MAX = 4
# A tick below which the ratio says nothing: the time that scheduling alone adds or takes.
SECONDS_MIN = 0.02


@pytest.fixture
def many_files():
    """Room for this program's ends of the connections, and for the servers that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = WAITERS + 500
    if hard < needed:
        pytest.skip("this system allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def processor_seconds(server):
    tasks = Path(f"/proc/{server.process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def cost(server, client, commands, batch=16):
    """The processor time of these commands, in batches."""
    before = processor_seconds(server)
    for first in range(0, len(commands), batch):
        client.pipeline(commands[first:first + batch])
    return processor_seconds(server) - before


def assert_like(cost_beside, cost_alone):
    ratio = max(cost_beside, SECONDS_MIN) / max(cost_alone, SECONDS_MIN)
    assert ratio < RATIO_MAX, f"{ratio:.1f} times the processor time"


def block(server, commands):
    waiters = []
    for command in commands:
        waiters.append(server.connect())
        waiters[-1].send(encode(*command))
    wait_until(lambda: server.info("clients")["blocked_clients"] == str(len(waiters)), "all wait",
               60)
    return waiters


SHAPES = [lambda n: ("BLPOP", f"qa:{n}", f"qb:{n}", 0),
          lambda n: ("BRPOP", "q:critical", "q:default", "q:low", 0),
          lambda n: ("BZPOPMIN", f"z:{n}", "z", 0),
          lambda n: ("XREAD", "BLOCK", 0, "STREAMS", f"x:{n}", "$")]


@pytest.mark.parametrize("shape", SHAPES, ids=["own keys", "same keys", "sorted sets", "streams"])
def test_who_waits_for_other_keys_costs_nothing(start, many_files, shape):
    server = start("tandem", "--maxclients", WAITERS + 100)
    writes = [("SET", f"k{n % 100}", n) if n % 2 else ("RPUSH", f"l{n % 100}", n)
              for n in range(WRITES)]
    with server.connect() as client:
        cost(server, client, writes)  # once for what is made at first
        alone = cost(server, client, writes)
        waiters = block(server, [shape(n) for n in range(WAITERS)])
        beside = cost(server, client, writes)
    for waiter in waiters:
        waiter.close()
    assert_like(beside, alone)


@pytest.mark.parametrize("words", [("BLPOP", "q", 0), ("BRPOP", "q", "r", 0),
                                   ("BLMOVE", "q", "target", "LEFT", "LEFT", 0)],
                         ids=lambda words: words[0])
def test_serving_one_does_not_depend_on_how_many_wait(start, many_files, words):
    server = start("tandem", "--maxclients", WAITERS + 100)
    pushes = [("RPUSH", "q", n) for n in range(SERVED)]
    with server.connect() as client:
        few = 0
        for _ in range(SERVED // FEW):
            waiters = block(server, [words] * FEW)
            few += cost(server, client, pushes[:FEW], 1)
            for waiter in waiters:
                waiter.read()
                waiter.close()
        waiters = block(server, [words] * WAITERS)
        many = cost(server, client, pushes, 1)
        # Which ones came first, only the workers know.
        wait_until(lambda: server.info("clients")["blocked_clients"] == str(WAITERS - SERVED),
                   "as many are served as elements came")
        assert sum(waiter.has_reply() for waiter in waiters) == SERVED
    for waiter in waiters:
        waiter.close()
    assert_like(many, few)
