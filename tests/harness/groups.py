"""Consumer groups: seeded random commands, and what two servers may tell differently of them."""
import random

GROUPS = ("g", "h")
CONSUMERS = ("anna", "bob", "carl")
# Milliseconds that a test's clock decides: nothing is ever this idle.
NEVER_IDLE = 10**9


class GroupCommands:
    """An endless source of commands about a few streams, their groups and consumers. All consumers
    are made with their group: before 7.2, one that found nothing did not come to exist. A history
    that is read again is counted, but no replica hears of it."""

    def __init__(self, seed, keys=("x", "y"), history=True):
        self.random = random.Random(seed)
        self.keys = keys
        self.kinds = ["add"] * 6 + ["news"] * 6 + ["ack", "claim", "pending"] * 2
        self.kinds += ["autoclaim", "delete", "info", "rare"] + ["history"] * history
        self.next_ms = 1

    def commands(self, count):
        made = []
        while len(made) < count:
            made += self.step()
        return made

    def step(self):
        key, group = self.random.choice(self.keys), self.random.choice(GROUPS)
        return getattr(self, self.random.choice(self.kinds))(key, group)

    def id(self):
        number = self.random.randint(max(1, self.next_ms - 60), self.next_ms + 1)
        return self.random.choice([f"{number}", f"{number}-0", f"{number}-1"])

    def bound(self):
        return self.random.choice(["-", "+", self.id(), "(" + self.id()])

    def consumer(self):
        return self.random.choice(CONSUMERS)

    def add(self, key, group):
        self.next_ms += self.random.randint(0, 1)
        trim = self.random.choice([()] * 6 + [("MAXLEN", "~", 40), ("MAXLEN", 50), ("NOMKSTREAM",),
                                              ("MINID", max(1, self.next_ms - 40)),
                                              ("MINID", "~", max(1, self.next_ms - 40))])
        return [("XADD", key, *trim, f"{self.next_ms}-*", "field", self.random.randint(0, 9999))]

    def news(self, key, group):
        count = self.random.choice([(), ("COUNT", self.random.randint(0, 4))])
        acknowledged = self.random.choice([(), (), ("NOACK",)])
        keys = self.random.choice([[key], [key], list(self.keys)])
        return [("XREADGROUP", "GROUP", group, self.consumer(), *count, *acknowledged, "STREAMS",
                 *keys, *[">"] * len(keys))]

    def history(self, key, group):
        return [("XREADGROUP", "GROUP", group, self.consumer(), "COUNT", self.random.randint(0, 9),
                 "STREAMS", key, self.random.choice(["0", self.id()]))]

    def ack(self, key, group):
        return [("XACK", key, group, *[self.id() for _ in range(self.random.randint(1, 6))])]

    def claim(self, key, group):
        words = [("JUSTID",), ("FORCE",), ("TIME", self.random.randint(1, 10**6)),
                 ("RETRYCOUNT", self.random.randint(-1, 9)), ("IDLE", self.random.randint(0, 9999)),
                 ("LASTID", self.id())]
        chosen = [word for word in words if self.random.random() < 0.25]
        ids = [self.id() for _ in range(self.random.randint(1, 5))]
        idle = self.random.choice([0, 0, NEVER_IDLE])
        return [("XCLAIM", key, group, self.consumer(), idle, *ids,
                 *[part for word in chosen for part in word])]

    def autoclaim(self, key, group):
        more = self.random.choice([(), ("JUSTID",), ("COUNT", self.random.randint(1, 9))])
        return [("XAUTOCLAIM", key, group, self.consumer(), self.random.choice([0, 0, NEVER_IDLE]),
                 self.random.choice(["-", "0", self.id(), "(" + self.id()]), *more)]

    def delete(self, key, group):
        return [self.random.choice([("XDEL", key, self.id(), self.id()),
                                    ("XTRIM", key, "MAXLEN", self.random.randint(20, 60)),
                                    ("XTRIM", key, "MINID", "~", self.id(), "LIMIT", 100)])]

    def pending(self, key, group):
        consumer = self.random.choice([(), (self.consumer(),), ("nobody",)])
        idle = self.random.choice([(), ("IDLE", 0), ("IDLE", NEVER_IDLE)])
        return [self.random.choice([("XPENDING", key, group),
                                    ("XPENDING", key, group, *idle, self.bound(), self.bound(),
                                     self.random.randint(-1, 20), *consumer)])]

    def info(self, key, group):
        return [self.random.choice([("XINFO", "GROUPS", key), ("XINFO", "CONSUMERS", key, group),
                                    ("XINFO", "STREAM", key), ("XINFO", "STREAM", key, "FULL"),
                                    ("XINFO", "STREAM", key, "FULL", "COUNT", 2),
                                    ("XLEN", key), ("XRANGE", key, self.bound(), self.bound())])]

    def rare(self, key, group):
        if self.random.random() < 0.7:
            create = ("XGROUP", "CREATE", key, group, self.random.choice(["0", "$", self.id()]))
            read = self.random.choice([(), ("ENTRIESREAD", self.random.randint(-1, 50))])
            return [(*create, "MKSTREAM", *read), *self.consumers(key, group)]
        name = self.consumer()
        return self.random.choice([
            [("XGROUP", "DELCONSUMER", key, group, name),
             ("XGROUP", "CREATECONSUMER", key, group, name)],
            [("XGROUP", "SETID", key, group, self.random.choice(["$", "0", "-", self.id()]))],
            [("XGROUP", "SETID", key, group, self.id(), "ENTRIESREAD", self.random.randint(0, 60))],
            [("XGROUP", "DESTROY", key, group)],
            [("XSETID", key, f"{self.next_ms + 1}", "ENTRIESADDED", self.random.randint(50, 99))],
            [("DEL", key)]])

    def consumers(self, key, group):
        return [("XGROUP", "CREATECONSUMER", key, group, name) for name in CONSUMERS]


# Fields by name that the clock decides, or that are new in 7.2.
_CLOCK = {"idle", "inactive", "seen-time", "active-time"}
_NEW_IN_7_2 = {"inactive", "active-time"}
_OF_A_RADIX_TREE = {"radix-tree-nodes"}


def timeless(command, reply):
    """The value of a reply without what the clock decides or only one of two versions tells."""
    name = str(command[0])
    if name == "XPENDING" and len(command) > 3 and isinstance(reply, list):
        return [[entry, consumer, "ms", count] for entry, consumer, _, count in reply]
    if name == "XINFO":
        return _without_times(reply)
    return reply


def _without_times(value):
    if isinstance(value, dict):
        value = [part for pair in value.items() for part in pair]
    if not isinstance(value, list):
        return value
    if value and value[0] in ("name", "length"):
        pairs = zip(value[::2], value[1::2])
        return [[field, "ms" if field in _CLOCK else _pending(field, of)] for field, of in pairs
                if field not in _NEW_IN_7_2 | _OF_A_RADIX_TREE]
    return [_without_times(part) for part in value]


def _pending(field, value):
    """Of a pending entry the time is the last but one."""
    if field == "pending" and isinstance(value, list):
        return [[*entry[:-2], "ms", entry[-1]] for entry in value]
    return _without_times(value)


def groups_of(connection, key):
    """All that a server knows of a stream's groups, times left out."""
    command = ("XINFO", "STREAM", key, "FULL", "COUNT", 0)
    return timeless(command, connection(*command)) if connection("EXISTS", key) else None


def reduced(groups, fields):
    """The same without some fields of each group."""
    return groups and [[field, [[pair for pair in group if pair[0] not in fields] for group in of]]
                       if field == "groups" else [field, of] for field, of in groups]
