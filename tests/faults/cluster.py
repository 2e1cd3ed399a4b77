"""The servers of a round and the links between them; places: 0 is the primary."""
import tempfile
from pathlib import Path

from harness.load import assert_same
from harness.proxy import Proxy
from harness.servers import Server
from harness.wait import wait_until
from harness.wire import Connection

from .violation import Violation

PING_SECONDS = 5  # a server that lives answers within
OPTIONS = ["--repl-backlog-size", "64mb", "--repl-timeout", "20", "--shutdown-timeout", "10",
           "--save", "3600", "1"]


class Cluster:
    """Each member follows the one above through that one's proxy."""

    def __init__(self, plan):
        self.folder = Path(tempfile.mkdtemp(prefix=f"faults-{plan.seed}-"))
        options = [*OPTIONS, "--repl-ping-replica-period", plan.ping_seconds]
        self.members = [Server(kind, self.folder / f"{place}-{kind}", *options)
                        for place, kind in enumerate(plan.kinds)]
        self.above = {member: None if place is None else self.members[place]
                      for member, place in zip(self.members, plan.upstream)}
        self.proxies = {}
        self.ping_seconds = plan.ping_seconds

    def start(self):
        for member in self.members:
            member.launch()
        for member in self.members:
            wait_until(member.answers, f"{member} answers", 30)
            self.proxies[member] = Proxy(member.port)
        for member in self.members[1:]:
            self.link(member)

    def close(self):
        """Stops everything; gives what was wrong with an end."""
        problems = []
        for proxy in self.proxies.values():
            proxy.close()
        for member in self.members:
            try:
                member.stop()
            except AssertionError as problem:
                problems.append(str(problem))
        return problems

    @property
    def primary(self):
        return self.members[0]

    def proxy_above(self, member):
        return self.proxies[self.above[member]]

    def link(self, member):
        member.follow(self.proxy_above(member).port)

    def below(self, member):
        return [other for other in self.members if self.above[other] is member]

    def move(self, member, above):
        self.above[member] = above
        self.link(member)

    def make_first(self, heir):
        """The order after a change of primary: who followed the old one follows the heir, and so
        will the old one. Nobody is told here."""
        former = self.primary
        for member in [*self.below(former), former]:
            self.above[member] = heir
        self.above[heir] = None
        self.members.remove(heir)
        self.members.insert(0, heir)
        self.members.remove(former)
        self.members.append(former)

    def relink(self):
        for member in self.members[1:]:
            self.link(member)

    def restart(self, member):
        """With the arguments by which it follows whom it followed."""
        arguments = member.arguments
        if self.above[member]:
            port = self.proxy_above(member).port
            member.arguments = [*arguments, "--replicaof", "127.0.0.1", str(port)]
        member.restart()
        member.arguments = arguments

    def full_syncs(self):
        """How many each process has served so far; and partial ones."""
        infos = [member.info() for member in self.members]
        return ({info["run_id"]: int(info["sync_full"]) for info in infos},
                {info["run_id"]: int(info["sync_partial_ok"]) for info in infos})

    def check_alive(self):
        for member in self.members:
            if member.process.poll() is not None:
                raise Violation(f"{member} ended unasked with {member.process.returncode}")
            try:
                with Connection(member.port, seconds=PING_SECONDS) as connection:
                    connection.raw("PING")
            except (OSError, EOFError) as problem:
                raise Violation(f"{member} does not answer PING: {problem!r}") from None

    def linked(self):
        """Links are up, and nobody has yet to hear of the primary's newest replication id: a member
        remembers one id back, so that after two changes it would need a full sync."""
        infos = [member.info("replication") for member in self.members]
        return (len({info["master_replid"] for info in infos}) == 1 and
                all(info["master_link_status"] == "up" for info in infos[1:]))

    def settle(self):
        """All hold the same at the same offset; nothing is about to expire."""
        with self.primary.connect() as connection:
            keys = connection("KEYS", "short:*")
            if keys:
                connection("DEL", *keys)
            connection("CONFIG", "SET", "repl-ping-replica-period", 3600)  # offsets can rest
        wait_until(self.linked, "all are linked in one history", 30)
        assert_same(self.primary, *self.members[1:])
        with self.primary.connect() as connection:
            connection("CONFIG", "SET", "repl-ping-replica-period", self.ping_seconds)
