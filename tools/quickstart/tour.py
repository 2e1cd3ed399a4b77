"""The tour: a primary, two replicas, a cut link and a crash. Each step is checked, none assumed."""
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.proxy import Proxy
from harness.servers import Server, free_port
from harness.wait import Waited, wait_until


class Untrue(Exception):
    """A step of the story did not hold."""


def cli(server, *words, text=None):
    """redis-cli's answer, as a person would see it."""
    done = subprocess.run(["redis-cli", "-p", str(server.port), *map(str, words)], input=text,
                          capture_output=True, text=True, timeout=30)
    return (done.stdout + done.stderr).strip()


def must(truth, what):
    if not truth:
        raise Untrue(what)


def counter(server, name):
    return int(server.info("stats")[name])


class Tour:
    """Three servers, replica 2 behind a link that can be cut, and what was written so far."""

    OPTIONS = ["--save", "", "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0"]

    def __init__(self, folder):
        self.folder = Path(folder)
        self.servers = []
        self.proxy = None
        self.written = {}

    def start(self):
        for name in ("primary", "replica-1", "replica-2"):
            self.servers.append(Server("tandem", self.folder / name, *self.OPTIONS,
                                       port=free_port(), defaults=False))
            self.servers[-1].start()
        self.primary, self.first, self.second = self.servers
        self.proxy = Proxy(self.primary.port)

    def stop(self):
        for server in reversed(self.servers):
            server.stop()
        if self.proxy:
            self.proxy.close()

    def kill(self):
        """Whatever still runs."""
        for server in self.servers:
            if server.process is not None:
                server.process.kill()
                server.process.wait()

    def write(self, server, prefix, count):
        """Writes with redis-cli, one command a line; every one must be answered OK."""
        pairs = {f"{prefix}:{number}": f"{prefix} value {number}" for number in range(count)}
        lines = "".join(f'SET "{key}" "{value}"\n' for key, value in pairs.items())
        answers = cli(server, text=lines).splitlines()
        must(answers == ["OK"] * count, f"{count} writes answered OK (got {answers[:3]})")
        self.written.update(pairs)

    def holds_all(self, server):
        """Reads every key that was ever written, with redis-cli, and compares."""
        keys = list(self.written)
        answers = cli(server, text="".join(f'GET "{key}"\n' for key in keys)).splitlines()
        return answers == [self.written[key] for key in keys]

    def follow(self, replica, port):
        must(cli(replica, "REPLICAOF", "127.0.0.1", port) == "OK", "REPLICAOF is answered OK")

    # the story

    def two_replicas_follow(self):
        self.follow(self.first, self.primary.port)
        self.follow(self.second, self.proxy.port)
        for replica in (self.first, self.second):
            wait_until(replica.link_up, f"{replica} is linked to the primary")
        state = cli(self.primary, "INFO", "replication")
        must("connected_slaves:2" in state, "the primary counts two replicas")

    def write_and_read(self):
        self.write(self.primary, "first", 1000)
        for replica in (self.first, self.second):
            wait_until(lambda: self.holds_all(replica), f"{replica} gives back every write")

    def replica_refuses_writes(self):
        answer = cli(self.first, "SET", "first:0", "mine")
        must(answer.startswith("READONLY"), f"the replica answers READONLY (got {answer})")
        must(self.holds_all(self.first), "and its data is as before")

    def cut_and_write_on(self):
        self.proxy.cut()
        wait_until(lambda: not self.second.link_up(), "replica 2 sees that its link is down")
        self.write(self.primary, "while-cut", 500)
        wait_until(lambda: self.holds_all(self.first), "replica 1 has the new writes")
        must(cli(self.second, "GET", "while-cut:0") == "", "replica 2 cannot have them")

    def catch_up_in_part(self):
        partial = counter(self.primary, "sync_partial_ok")
        full = counter(self.primary, "sync_full")
        self.proxy.resume()
        wait_until(lambda: self.second.link_up() and self.holds_all(self.second),
                   "replica 2 has caught up")
        must(counter(self.primary, "sync_partial_ok") == partial + 1, "by one partial sync")
        must(counter(self.primary, "sync_full") == full, "and without a full one")

    def kill_and_promote(self):
        self.primary.kill()
        must("refused" in cli(self.primary, "PING"), "the primary is gone")
        must(cli(self.first, "REPLICAOF", "NO", "ONE") == "OK", "replica 1 is promoted")
        must("role:master" in cli(self.first, "INFO", "replication"), "and says so")

    def follow_the_new_primary(self):
        self.follow(self.second, self.first.port)
        wait_until(self.second.link_up, "replica 2 is linked to the new primary")
        must(counter(self.first, "sync_partial_ok") == 1, "it continued by partial sync")
        must(counter(self.first, "sync_full") == 0, "without a full sync")

    def read_everything_back(self):
        self.write(self.first, "after", 500)
        wait_until(lambda: self.holds_all(self.second), "replica 2 gives back all 2000 writes")
        must(self.holds_all(self.first), "and so does the new primary")

    STORY = [
        ("two replicas follow a primary", two_replicas_follow),
        ("1000 writes to the primary are read from both replicas", write_and_read),
        ("a write to a replica is refused", replica_refuses_writes),
        ("the link of replica 2 is cut, 500 more writes go on", cut_and_write_on),
        ("the link is back: replica 2 catches up by partial sync", catch_up_in_part),
        ("kill -9 of the primary, replica 1 is promoted", kill_and_promote),
        ("replica 2 follows the new primary, again by partial sync", follow_the_new_primary),
        ("everything ever written is read back from both", read_everything_back),
    ]


def run_tour():
    """0 when every step was true; the data folder is kept only after a failure."""
    folder = tempfile.mkdtemp(prefix="tandem-tour-")
    tour = Tour(folder)
    title = "three servers start"
    try:
        tour.start()
        print(f"  ok  {title}", flush=True)
        for title, step in Tour.STORY:
            step(tour)
            print(f"  ok  {title}", flush=True)
        title = "all servers stop cleanly"
        tour.stop()
        print(f"  ok  {title}")
    except (Untrue, Waited, AssertionError, OSError, subprocess.SubprocessError) as problem:
        print(f"FAIL  {title}\n      {problem}\n      logs: {folder}", flush=True)
        return 1
    except (KeyboardInterrupt, SystemExit):
        tour.kill()
        shutil.rmtree(folder)
        return 1
    finally:
        tour.kill()
    shutil.rmtree(folder)
    print("every step is true")
    return 0
