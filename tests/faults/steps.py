"""The steps that writers take: each one command, one transaction or one script, drawn by family."""
import random
from dataclasses import dataclass

from harness.wire import ReplyError, encode

LONG = 3_600_000  # milliseconds: nothing that the model knows expires during a round
KEYS = 3          # of each type a writer
RUN_ALL = """
local at = 1
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + count))
  at = at + count + 1
end
return redis.status_reply('DONE')
"""


@dataclass(frozen=True)
class Step:
    """`effects` happen all or not at all."""
    effects: tuple
    kind: str = "plain"  # or "transaction", "script"

    def wire(self):
        if self.kind == "plain":
            return encode(*self.effects[0])
        if self.kind == "transaction":
            return b"".join(encode(*words) for words in [("MULTI",), *self.effects, ("EXEC",)])
        words = [word for effect in self.effects for word in (len(effect), *effect)]
        return encode("EVAL", RUN_ALL, 0, *words)

    def reply_count(self):
        return len(self.effects) + 2 if self.kind == "transaction" else 1

    def expected(self, replies):
        """The reply that tells the outcome, from those of the effects."""
        return {"plain": replies[-1], "transaction": replies, "script": "DONE"}[self.kind]


# What a server may say instead of executing: the step has then no effect.
REFUSALS = ("READONLY", "LOADING", "MASTERDOWN", "EXECABORT", "UNBLOCKED", "NOREPLICAS", "BUSY",
            "ERR WAIT cannot be used")


def is_refusal(reply):
    return isinstance(reply, ReplyError) and str(reply).startswith(REFUSALS)


class Steps:
    """An endless, seeded source of one family's steps, on keys of one writer."""

    def __init__(self, family, number, seed):
        self.random = random.Random(seed)
        self.family = family
        self.number = number
        self.count = 0
        self.stream_id = 0

    def keys(self):
        return [self.key(kind, n) for kind in ("string", "list", "set", "hash", "sorted", "stream",
                                               "timed") for n in range(KEYS)]

    def key(self, kind, n=None):
        return f"{kind}:{self.number}:{self.random.randrange(KEYS) if n is None else n}"

    def next(self):
        self.count += 1
        if self.family in ("transaction", "script"):
            effects = [self.one(self.random.choice(SIMPLE))
                       for _ in range(self.random.randrange(1, 5))]
            return Step(tuple(effects), self.family)
        return Step((self.one(self.family),))

    def one(self, family):
        chance = self.random.random()
        if chance < 0.02:
            return ("DEL", self.key(family), self.key(family))
        if chance < 0.04:
            one, other = self.random.sample(range(KEYS), 2)
            return ("COPY", self.key(family, one), self.key(family, other), "REPLACE")
        return tuple(map(str, self.random.choice(getattr(self, family)())))

    def unique(self):
        return f"{self.number}.{self.count}"

    def string(self):
        key = self.key("string")
        return [("SET", key, self.unique()), ("APPEND", key, "+"),
                ("INCRBY", f"timed:{self.number}:0", self.random.randrange(-5, 10)),
                ("MSET", key, self.unique(), self.key("string"), self.unique())]

    def list(self):
        key = self.key("list")
        return [("RPUSH", key, self.unique()), ("LPUSH", key, self.unique(), "x"), ("LPOP", key),
                ("RPOP", key), ("LMOVE", key, self.key("list"), "LEFT", "RIGHT"),
                ("LTRIM", key, 0, 30)]

    def set(self):
        key, member = self.key("set"), self.random.randrange(40)
        return [("SADD", key, member, self.random.randrange(40)), ("SREM", key, member),
                ("SADD", key, f"m{member}"), ("SMOVE", key, self.key("set"), member)]

    def hash(self):
        key, field = self.key("hash"), self.random.randrange(20)
        return [("HSET", key, field, self.unique()), ("HINCRBY", key, f"n{field}", 3),
                ("HDEL", key, field, field + 1)]

    def sorted(self):
        key, member = self.key("sorted"), self.random.randrange(30)
        return [("ZADD", key, self.count, member), ("ZINCRBY", key, 2, member),
                ("ZREM", key, member)]

    def stream(self):
        self.stream_id += 1
        key = self.key("stream")
        return [("XADD", key, f"{self.stream_id}-0", "f", self.unique())] * 3 + [
            ("XTRIM", key, "MAXLEN", 20), ("XDEL", key, f"{max(1, self.stream_id - 5)}-0")]

    def timed(self):
        key = self.key("timed")
        number = self.random.randrange(100)
        return [("SET", key, number, "PX", LONG), ("SET", key, number), ("PEXPIRE", key, LONG),
                ("PERSIST", key), ("INCRBY", key, 1)]


SIMPLE = ["string", "list", "set", "hash", "sorted", "stream", "timed"]
FAMILIES = [*SIMPLE, "transaction", "script"]
