"""Counters: clients who keep a worker busy at every moment, at a hundredth of a writer's price. A
moment that falls between two steps of the server's is then no rare one."""
from harness.wire import Connection, encode

from .violation import Violation
from .writers import ANSWER_SECONDS

BATCH = 500
BURST_MAX = 100_000  # increments; one at a time after them: a backlog must hold all of a burst
CHUNK = 1 << 16


class Counter:
    """Sends INCR of its own key in large batches, the next one before the last one's answers."""

    def __init__(self, number):
        self.name = f"counter {number}"
        self.key = f"counter:{number}"
        self.base = 0          # what was there after the last verified point
        self.sent = 0          # since
        self.answered = 0
        self.refused = 0
        self.saved = 0         # increments that were there when a save began
        self.acknowledged = 0  # of all times

    def accepted(self):
        return self.answered - self.refused

    def run(self, port, stopping, _replica_count):
        one = encode("INCR", self.key)
        with Connection(port, seconds=ANSWER_SECONDS) as connection:
            cut = b""  # the beginning of a line
            while not stopping.is_set() or self.answered < self.sent:
                count = BATCH if self.sent < BURST_MAX else 1
                if not stopping.is_set() and self.sent - self.answered < 2 * count:
                    self.sent += count
                    connection.send(one * count)
                data = connection.socket.recv(CHUNK)
                if not data:
                    return
                whole, _, cut = (cut + data).rpartition(b"\r\n")
                if whole:
                    self.take(whole)

    def take(self, lines):
        """Answers, without the last one's end."""
        refused = lines.count(b"-")
        count = lines.count(b"\r\n") + 1
        self.answered += count
        self.refused += refused
        self.acknowledged += count - refused
        last = lines.rpartition(b"\r\n")[2]
        if last[:1] == b":" and int(last[1:]) != self.base + self.accepted():
            raise Violation(f"{self.name}: {self.accepted()} were accepted after {self.base}, and "
                            f"the answer is {last!r}")

    def mark_saved(self):
        self.saved = self.accepted()

    def verify(self, server, promise):
        with server.connect() as connection:
            held = int(connection("GET", self.key) or 0)
        at_least = {"everything": self.accepted(), "saved": self.saved, "on replicas": 0}[promise]
        at_most = self.accepted() + self.sent - self.answered
        if not at_least <= held - self.base <= at_most:
            raise Violation(f"{self.name} on {server} is {held}: it was {self.base}, and "
                            f"{at_least} to {at_most} increments must be there")
        self.base, self.sent, self.answered, self.refused, self.saved = held, 0, 0, 0, 0
