"""Chains of both kinds under a random load while their links and processes fail: after each turn
all hold the same at the same offset, and nobody needed a full sync who could do without.

TANDEM_TURMOIL="FIRST:LAST" runs those seeds instead of the few that always run."""
import os
import random
import threading

import pytest

from harness.load import Load, assert_same
from harness.wait import wait_until

TURNS = 7
CHAINS = [("tandem", "redis", "tandem"), ("redis", "tandem", "redis"),
          ("tandem", "tandem", "tandem")]
OPTIONS = ["--repl-backlog-size", "64mb", "--repl-ping-replica-period", "3600",
           "--repl-timeout", "20"]


def seeds():
    first, _, last = os.environ.get("TANDEM_TURMOIL", "1:1").partition(":")
    return range(int(first), int(last) + 1)


class Chain:
    """Servers of which each follows the one before through that one's proxy, and two loads on the
    first."""

    def __init__(self, start, proxy, kinds, seed):
        self.random = random.Random(seed)
        self.nodes = [start(kind, *OPTIONS) for kind in kinds]
        self.proxies = {node: proxy(node) for node in self.nodes}
        self.turn = 0
        self.link()
        self.settle()

    def link(self):
        for upstream, node in zip(self.nodes, self.nodes[1:]):
            node.follow(self.proxies[upstream].port)

    def load(self, count=400):
        self.turn += 1
        loads = [Load(self.nodes[0], f"turmoil {self.turn} {n}") for n in range(2)]
        threads = [threading.Thread(target=load.run, args=(count,)) for load in loads]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), "the load comes to its end"
        for load in loads:
            load.close()

    def settle(self):
        assert_same(*self.nodes)

    def full_syncs(self):
        """How many each process has served so far."""
        infos = [node.info() for node in self.nodes]
        return {info["run_id"]: int(info["sync_full"]) for info in infos}

    def some_link(self):
        return self.proxies[self.random.choice(self.nodes[:-1])]

    # What may happen. Each gives whether a full sync is then in order.

    def cut(self):
        link = self.some_link()
        link.cut()
        self.load()
        link.resume()
        return False

    def flicker(self):
        link = self.some_link()
        for _ in range(4):
            self.load(100)
            link.break_once()
        return False

    def cut_in_the_stream(self):
        link = self.some_link()
        link.cut_after(self.random.randrange(1, 20_000))
        self.load()
        link.cut()
        link.resume()
        return False

    def stall(self):
        link = self.some_link()
        link.stall()
        self.load()
        link.resume()
        return False

    def throttle(self):
        link = self.some_link()
        link.throttle(200_000)
        self.load(200)
        link.throttle(None)
        return False

    def stop_and_go(self):
        node = self.random.choice(self.nodes[1:])
        node.pause()
        self.load()
        node.unpause()
        return False

    def kill_a_replica(self):
        node = self.random.choice(self.nodes[1:])
        node.kill()
        self.load()
        node.restart()
        self.link()
        return True

    def restart_a_replica(self):
        """From its snapshot it goes on where it was."""
        node = self.nodes[-1]
        with node.connect() as connection:
            connection("SAVE")
        self.load()
        upstream = str(self.proxies[self.nodes[-2]].port)
        node.kill()
        node.arguments += ["--replicaof", "127.0.0.1", upstream]
        node.restart()
        wait_until(node.link_up, f"{node} is linked again")
        node.arguments = node.arguments[:-3]
        (node.folder / "dump.rdb").unlink()
        return False

    def promote(self):
        """The second takes over, and the first follows the last."""
        self.settle()
        heir = self.nodes[1]
        heir.promote()
        self.nodes = self.nodes[1:] + self.nodes[:1]
        self.load()
        self.link()
        return False

    def kill_the_primary(self):
        first = self.nodes[0]
        self.load()
        first.kill()
        self.nodes = self.nodes[1:] + self.nodes[:1]
        self.nodes[0].promote()
        self.load()
        first.restart()
        self.link()
        return True

    def do(self, action):
        before = self.full_syncs()
        full = getattr(self, action)()
        self.settle()
        if not full:
            now = self.full_syncs()
            assert all(count == before.get(run, 0) for run, count in now.items()), f"after {action}"


ACTIONS = ["cut", "flicker", "cut_in_the_stream", "stall", "throttle", "stop_and_go",
           "kill_a_replica", "restart_a_replica", "promote", "kill_the_primary"]


@pytest.mark.parametrize("kinds", CHAINS, ids="<".join)
@pytest.mark.parametrize("seed", seeds())
def test_turmoil(start, proxy, kinds, seed):
    chain = Chain(start, proxy, kinds, seed)
    for action in chain.random.choices(ACTIONS, k=TURNS):
        chain.do(action)
