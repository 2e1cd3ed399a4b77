"""Writers: clients on the primary, each with keys of its own, who keep every acknowledgement."""
import random
import threading
from collections import deque

from harness.wire import Connection, decode

from .checks import explain
from .model import Model, observe
from .steps import Steps, is_refusal
from .violation import Violation

ANSWER_SECONDS = 10  # nobody waits longer for a reply
WAIT_CHANCE = 0.1    # after a batch, to ask whether the replicas have it


class Writer:
    """One family of steps in batches of `depth`. run() lasts until stop() or until the connection
    ends; nothing else may be called meanwhile but `acknowledged` and mark_saved()."""

    def __init__(self, family, depth, number, seed):
        self.name = f"writer {number} ({family}, batches of {depth})"
        self.steps = Steps(family, number, f"{seed} {number}")
        self.random = random.Random(f"waits {seed} {number}")
        self.depth = depth
        self.state = Model()     # after the last verified point
        self.now = Model()       # after the last acknowledgement
        self.history = []        # acknowledged since
        self.in_doubt = deque()  # sent and not answered
        self.saved = 0           # so many of the history were there when a save began
        self.on_replicas = 0     # so many of the history were on every direct replica
        self.acknowledged = 0    # of all times

    def run(self, port, stopping, replica_count):
        with Connection(port, seconds=ANSWER_SECONDS) as connection:
            while not stopping.is_set():
                batch = [self.steps.next() for _ in range(self.depth)]
                self.in_doubt.extend(batch)
                connection.send(b"".join(step.wire() for step in batch))
                for step in batch:
                    self.take(step, [decode(connection.read_raw())
                                     for _ in range(step.reply_count())][-1])
                if replica_count and self.random.random() < WAIT_CHANCE:
                    self.ask_replicas(connection, replica_count)

    def take(self, step, reply):
        """The outcome of the oldest step in doubt."""
        self.in_doubt.popleft()
        if is_refusal(reply):
            return
        expected = step.expected([self.now.apply(words) for words in step.effects])
        self.history.append(step)
        if reply != expected:
            raise Violation(f"{self.name}: {step.effects} was answered {reply!r} instead of "
                            f"{expected!r}, after {[s.effects for s in self.history[-8:-1]]}")
        self.acknowledged += 1

    def ask_replicas(self, connection, replica_count):
        there = decode(connection.raw("WAIT", replica_count, 50))
        if isinstance(there, int) and there >= replica_count:
            self.on_replicas = len(self.history)

    def mark_saved(self):
        self.saved = len(self.history)

    def verify(self, server, promise):
        """`promise` says what must have survived on this server: "everything" acknowledged, what
        was "saved", or what was "on replicas". The history goes on from what is there."""
        at_least = {"everything": len(self.history), "saved": self.saved,
                    "on replicas": self.on_replicas}[promise]
        with server.connect() as connection:
            observed = observe(connection, self.steps.keys())
        try:
            explain(self.state, self.history, self.in_doubt, at_least, observed)
        except Violation as violation:
            raise Violation(f"{self.name} on {server}: {violation}") from None
        self.state, self.now = observed, observed.copy()
        self.history, self.in_doubt = [], deque()
        self.saved = self.on_replicas = 0


class ShortLives:
    """Keys that expire while the round runs. Nobody can say which are there, but that they are the
    same everywhere at the end."""

    def __init__(self, seed):
        self.name = "writer of short lives"
        self.random = random.Random(f"short {seed}")
        self.acknowledged = 0

    def run(self, port, stopping, _replica_count):
        with Connection(port, seconds=ANSWER_SECONDS) as connection:
            while not stopping.is_set():
                key = f"short:{self.random.randrange(50)}"
                connection.pipeline([
                    ("SET", key, self.acknowledged, "PX", self.random.randrange(1, 100)),
                    ("RPUSH", key + "list", 1), ("PEXPIRE", key + "list", 20), ("GET", key)])
                self.acknowledged += 4

    def mark_saved(self):
        pass

    def verify(self, server, promise):
        pass


class Burst:
    """All writers and counters at work on one primary, each on a thread of its own, while the block
    runs. Their connections may end; whatever else goes wrong with one is raised at the block's end.
    Progress is that of the writers."""

    def __init__(self, writers, counters, server, replica_count):
        self.writers = writers
        self.counters = counters
        self.server = server
        self.replica_count = replica_count
        self.stopping = threading.Event()
        self.problems = []

    def __enter__(self):
        self.threads = [threading.Thread(target=self._run, args=(writer,), daemon=True)
                        for writer in [*self.writers, *self.counters]]
        for thread in self.threads:
            thread.start()
        return self

    def _run(self, writer):
        try:
            writer.run(self.server.port, self.stopping, self.replica_count)
        except TimeoutError:
            self.problems.append(f"{writer.name}: no answer within {ANSWER_SECONDS} s")
        except (OSError, EOFError):
            pass  # the server's end, or the fault's work
        except Exception as problem:  # noqa: BLE001
            self.problems.append(f"{writer.name}: {problem!r}")

    def __exit__(self, kind, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(2 * ANSWER_SECONDS)
        if any(thread.is_alive() for thread in self.threads):
            self.problems.append("a writer does not come to its end")
        if self.problems and kind is None:
            raise Violation("\n".join(self.problems))

    def total(self):
        return sum(writer.acknowledged for writer in self.writers)

    def over(self):
        return not any(thread.is_alive() for thread in self.threads)
