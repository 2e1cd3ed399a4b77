"""Blocking pops: one client pushes numbers and troubles those who wait, the others take them."""
import random
import threading

from harness.wire import Connection, ReplyError, decode

from .checks import Delivery
from .steps import is_refusal
from .violation import Violation
from .writers import ANSWER_SECONDS

POPPERS = 3
POP_SECONDS = "0.1"
TROUBLE_CHANCE = 0.05  # a push
MAY_LOSE = float("inf")


class Queue:
    """A queue of numbers in a list or a sorted set, new in each burst."""

    def __init__(self, kind, number, seed):
        self.name = f"queue {number} ({kind})"
        self.kind = kind
        self.number = number
        self.random = random.Random(f"queue {seed} {number}")
        self.bursts = 0
        self.acknowledged = 0
        self.delivery = Delivery()
        self.poppers = []
        self.is_over = threading.Event()

    def run(self, port, stopping, _replica_count):
        self.bursts += 1
        self.is_over = threading.Event()
        self.delivery = Delivery()
        poppers = self.poppers = [Popper(self) for _ in range(POPPERS)]
        threads = [threading.Thread(target=popper.run, args=(port, self.is_over), daemon=True)
                   for popper in poppers]
        for thread in threads:
            thread.start()
        try:
            self.push(port, stopping, poppers)
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join(ANSWER_SECONDS)
        problems = [popper.problem for popper in poppers if popper.problem]
        if problems or any(thread.is_alive() for thread in threads):
            raise Violation(problems[0] if problems else "a popper does not come to its end")

    def key(self):
        return f"queue:{self.kind}:{self.number}:{self.bursts}"

    def push(self, port, stopping, poppers):
        delivery = self.delivery
        with Connection(port, seconds=ANSWER_SECONDS) as connection:
            while not stopping.is_set():
                number = delivery.sent
                delivery.sent += 1
                words = (("RPUSH", self.key(), number) if self.kind == "list" else
                         ("ZADD", self.key(), number, number))
                reply = decode(connection.raw(*words))
                if is_refusal(reply):
                    delivery.refused.add(number)
                elif isinstance(reply, ReplyError):
                    raise Violation(f"{words} was answered {reply}")
                else:
                    delivery.acknowledged.add(number)
                    self.acknowledged += 1
                if self.random.random() < TROUBLE_CHANCE:
                    self.trouble(connection, self.random.choice(poppers))

    def trouble(self, connection, popper):
        """What has been answered is true from then on: who was killed takes no later element."""
        if not popper.identity:
            return
        if self.random.random() < 0.5:
            connection.raw("CLIENT", "UNBLOCK", popper.identity)
        elif connection.raw("CLIENT", "KILL", "ID", popper.identity) == b":1\r\n":
            popper.killed_before[popper.identity] = self.delivery.sent

    def verify(self, server, promise):
        with server.connect() as connection:
            words = (("LRANGE", self.key(), 0, -1) if self.kind == "list" else
                     ("ZRANGE", self.key(), 0, -1))
            remaining = [int(word) for word in connection(*words)]
        if promise != "everything":  # what was taken may be there again, what was pushed not at all
            return
        self.delivery.lost_below = [number for popper in self.poppers for number in popper.ends()]
        try:
            self.delivery.check(remaining)
        except Violation as violation:
            raise Violation(f"{self.name} on {server}: {violation}") from None

    def mark_saved(self):
        pass


class Popper:
    """Takes what it can get. It connects again after it was killed, and ends with the queue."""

    def __init__(self, queue):
        self.queue = queue
        self.identity = 0
        self.ended = []          # identities whose connection ended in a pop
        self.killed_before = {}  # by identity: how many had been pushed when KILL was answered
        self.problem = None

    def run(self, port, is_over):
        try:
            while not is_over.is_set():
                self.visit(port, is_over)
        except TimeoutError:
            self.problem = f"{self.queue.name}: no answer within {ANSWER_SECONDS} s"
        except (OSError, EOFError):
            pass  # nobody listens there any more
        except Exception as problem:  # noqa: BLE001
            self.problem = f"{self.queue.name}: {problem!r}"

    def visit(self, port, is_over):
        """One connection."""
        name = "BLPOP" if self.queue.kind == "list" else "BZPOPMIN"
        with Connection(port, seconds=ANSWER_SECONDS) as connection:
            identity = connection("CLIENT", "ID")
            self.identity = identity
            while not is_over.is_set():
                try:
                    reply = decode(connection.raw(name, self.queue.key(), POP_SECONDS))
                except TimeoutError:
                    raise
                except (OSError, EOFError):
                    self.identity = 0
                    self.ended.append(identity)
                    return
                if isinstance(reply, list):
                    self.queue.delivery.taken.append(int(reply[1]))
                elif reply is not None and not is_refusal(reply):
                    raise Violation(f"{name} was answered {reply!r}")

    def ends(self):
        """For each such end: only an element pushed before this number can have gone with it."""
        return [self.killed_before.get(identity, MAY_LOSE) for identity in self.ended]
