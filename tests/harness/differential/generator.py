"""A seeded sequence of commands for several connections, made from a command table.

Most commands are valid and find keys that hold something; some have a mistake; some are executed in
a transaction, by a script or by a function.
"""
import random
from dataclasses import dataclass

from ..wire import to_bytes
from . import left_out, scripts
from .builder import FAMILIES, Builder
from .hints import CONSUMERS, GROUPS
from .mistakes import spoil
from .values import ANY_FAMILY, LEXICAL, LONG_SCORES, LONG_WAITS, SCORES, WAITS, Values

# What fills keys of a family, so that other commands find something.
FILLING = {
    "string": ("set", "set", "setbit", "incrby"), "list": ("rpush", "lpush"), "set": ("sadd",),
    "hash": ("hset",), "sorted": ("zadd",), LEXICAL: ("zadd",), "geo": ("geoadd",),
    "hyperloglog": ("pfadd",), "stream": ("xadd", "xadd", "xgroup|create", "xreadgroup"),
}
# How often a command is sent beside others: what takes everything away must be rare.
WEIGHTS = {
    "flushall": .03, "flushdb": .03, "swapdb": .05, "script|flush": .03, "function|flush": .03,
    "reset": .03, "auth": .1, "select": .2, "xreadgroup": 3, "xpending": 2, "client|tracking": 1,
}
WEIGHT_WITHOUT_KEYS = .25
SUBSCRIBING = {"subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe",
               "sunsubscribe"}
TURN = 24  # commands at most that one connection sends before another does


@dataclass(frozen=True)
class Step:
    """One command of a connection. `reached` are the nodes of syntax that it has. `then` are
    commands that must follow at once, or servers that did all as they should hold other data."""
    connection: int
    words: tuple
    reached: frozenset = frozenset()
    then: tuple = ()

    def commands(self):
        return [self.words, *self.then]


class Generator:
    """An endless source of steps; the same seed and table give the same steps.

    `connections` send any command, `waiters` wait for keys until somebody serves them, and
    `subscribers` only subscribe: all are numbers. `groups` narrow the commands. `mistakes` is the
    share of commands with one. Every key ends in `suffix`.
    A `load` is compared by its data's digest alone: chance and the clock may have a say in it, and
    no version of Redis digests its scores otherwise.
    """

    def __init__(self, table, seed, connections=(0,), waiters=(), subscribers=(), groups=None,
                 mistakes=.08, suffix="", load=False):
        self.random = random.Random(seed)
        self.values = Values(self.random, families_of(groups), suffix,
                             SCORES if load else SCORES + LONG_SCORES)
        self.mistakes = mistakes
        self.table = table
        self.connections = connections
        self.waiters = waiters
        self.subscribers = subscribers
        self.load = load
        sent = [command for command in table.values() if not left_out.reason(command) and
                not (waiters and command.name in left_out.OVERWRITING)]
        self.subscriptions = [command for command in sent if command.name in SUBSCRIBING]
        self.commands = [command for command in sent if command.name not in SUBSCRIBING and
                         (groups is None or command.group in groups)]
        self.waits = [command for command in self.commands if "blocking" in command.flags]
        self.keyed = [command for command in self.commands if command.has_keys]
        self.weights = [WEIGHTS.get(command.name, 1 if command.has_keys else WEIGHT_WITHOUT_KEYS)
                        for command in self.commands]
        self.tokens = sorted({node.token for command in table.values() for node in command.nodes()
                              if node.token})
        self.first = self._libraries()
        self.calls = [call for call in scripts.CALLING if call[0] in table]
        self.in_transaction = dict.fromkeys(connections, False)
        self.careful = dict.fromkeys(connections, False)  # no mistakes in this transaction

    def steps(self, count):
        """About `count` steps; transactions that are open in the end are executed."""
        made, self.first = self.first, []
        while len(made) < count:
            if self.subscribers and self.values.chance(.05):
                made.append(self._subscription())
            if self.waiters and self.waits and self.values.chance(.1):
                made.append(self._wait())
            connection = self.random.choice(self.connections)
            for _ in range(self.random.randint(1, TURN)):
                made += self.next(connection)
        ends = [self._end(connection) for connection in self.connections
                if self.in_transaction[connection]]
        return made + ends

    def _libraries(self):
        """Those that execute commands are there from the beginning."""
        return [Step(self.connections[0], (b"FUNCTION", b"LOAD", library.encode()))
                for library in scripts.LIBRARIES[:2] if "function|load" in self.table]

    def next(self, connection):
        """One step, or some that belong together."""
        chance = self.random.random()
        if self.in_transaction[connection]:
            if chance < .15:
                return [self._end(connection, b"DISCARD" if chance < .02 else b"EXEC")]
        elif chance < .012:
            self.in_transaction[connection] = True
            self.careful[connection] = self.values.chance(.7)
            return [Step(connection, (b"MULTI",))]
        elif chance > .997:
            return self._end_of_a_lifetime(connection)
        if chance > .8:
            return self._filled(connection)
        return self._any(connection, self.commands, self.weights)

    def _any(self, connection, commands, weights=None):
        command = self.random.choices(commands, weights)[0]
        words, reached = self._command(command)
        if self.values.chance(self.mistakes) and not self.careful[connection]:
            words, reached = spoil(self.values, words, self.tokens), frozenset()
        return self._sent(connection, words, reached)

    def _subscription(self):
        """By one who cannot do much else: no mistakes, for each has its own number of replies."""
        words, reached = self._command(self.random.choice(self.subscriptions))
        return Step(self.random.choice(self.subscribers), tuple(map(to_bytes, words)), reached)

    def _wait(self):
        """Longer than the test, so that it does not matter when it came."""
        self.values.waits = LONG_WAITS
        words, reached = self._command(self.random.choice(self.waits))
        self.values.waits = WAITS
        words = tuple(map(to_bytes, words))
        if left_out.waits_unlike(words):
            return self._wait()
        return Step(self.random.choice(self.waiters), words, reached)

    def _end(self, connection, word=b"EXEC"):
        self.in_transaction[connection] = self.careful[connection] = False
        return Step(connection, (word,))

    def _command(self, command):
        eagerness = self.values.pick(0, .15, .4, .8)
        builder = Builder(self.values, command, eagerness)
        words = builder.words()
        if at := left_out.NAMES_A_COMMAND.get(command.name):
            words = words[:at] + self._command(self.random.choice(self.commands))[0]
        return words, frozenset(builder.reached)

    def _filled(self, connection):
        """A command that fills a key."""
        family = self.values.pick(*self.values.families)
        if family == "sorted" and self.values.chance(.5):
            family = LEXICAL
        names = [name for name in FILLING[family] if name in self.table]
        if not names:
            return []
        builder = Builder(self.values, self.table[self.values.pick(*names)], 0, family)
        return self._sent(connection, builder.words(), frozenset(builder.reached))

    def _end_of_a_lifetime(self, connection):
        """Commands that meet a key which has expired but is still there. In the end it is not, for
        what visits keys in no order would find it sooner or later."""
        key = self.values.favourite = self.values.any_key()
        made = [Step(connection, (b"PEXPIRE", key.encode(), b"10")),
                Step(connection, (b"DEBUG", b"SLEEP", b"0.012"))]
        for _ in range(3):
            made += self._any(connection, self.keyed)
        self.values.favourite = None
        return [*made, Step(connection, (b"EXISTS", key.encode()))]

    def _sent(self, connection, words, reached):
        words = tuple(map(to_bytes, words))
        if left_out.forbidden(words, self.table):
            return []
        then = () if self.load else what_follows(words)
        return [Step(connection, self._called(words), reached, then)]

    def _called(self, words):
        """Now and then what a script or a function does. Since 7.2 they may call what blocks."""
        command = self.table.get(words[0].decode("latin-1").lower())
        if not self.calls or self.values.chance(.95) or (
                command and {"noscript", "blocking"} <= command.flags):
            return words
        name, *call = self.random.choice(self.calls)
        return (name.upper().encode(), *map(to_bytes, call), b"0", *words)


def families_of(groups):
    """Those of keys that commands of these groups work on."""
    if groups is None:
        return ANY_FAMILY
    return tuple(sorted({family for group in groups
                         for family in FAMILIES.get(group, ())})) or ANY_FAMILY


def all_consumers(key, group):
    """Before 7.2 a consumer that finds nothing does not come to exist: all are there at once."""
    return ((b"XGROUP", b"CREATECONSUMER", key, group, consumer.encode())
            for consumer in CONSUMERS)


def what_follows(words):
    """Commands after which servers hold the same again."""
    name = b" ".join(words[:2]).upper()
    if name in (b"XGROUP CREATE", b"XGROUP DELCONSUMER") and len(words) > 3:
        return tuple(all_consumers(words[2], words[3]))
    if words[0].upper() == b"RESTORE" and len(words) > 1:
        return tuple(step for group in GROUPS for step in all_consumers(words[1], group.encode()))
    return ((b"DEL", words[1]),) if differs(words) else ()


def differs(words):
    """Whether servers hold other data after this: chance or the clock chose them, the replicas of
    stock servers lack them (BITFIELD that is refused makes a key, and tells nobody), a stock server
    keeps in another way what it only read (SORT unpacks a sorted set), or 7.2 refuses more."""
    if len(words) < 2:
        return False
    options = {word.upper() for word in words[2:]}
    return (words[0].upper(), True) in (
        (b"SPOP", True), (b"XADD", b"*" in options), (b"BITFIELD", b"FAIL" in options),
        (b"SORT", True), (b"SORT_RO", True), (b"XSETID", True))
