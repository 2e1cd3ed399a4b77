"""Replies of two servers side by side: equal to the byte, but for what Redis itself leaves open."""
import operator

from .wire import ReplyError, decode

# Redis gives these in no particular order once the collection is a hash table.
UNORDERED = {"SMEMBERS", "KEYS", "SPOP", "SINTER", "SUNION", "SDIFF", "HKEYS", "HVALS"}
UNORDERED_PAIRS = {"HGETALL"}
# A cursor, and then no particular order; a generous COUNT makes one call of it.
SCANS = {"SCAN": 1, "SSCAN": 1, "HSCAN": 2, "ZSCAN": 2}
# The end of a lifetime, and what remains of it, depend on when the command arrived.
REMAINING = {"TTL": 2, "PTTL": 2000, "EXPIRETIME": 2, "PEXPIRETIME": 2000}

# Tandem answers as Redis 7.2, and the peer here is 7.0.15. (command word, reply of 7.0, reply of
# 7.2, why). A pair that is equal to neither column still fails.
DIFFERENCES_OF_7_0 = [
    ("OBJECT", b"$9\r\nquicklist\r\n", b"$8\r\nlistpack\r\n",
     "7.2 keeps a small list in one listpack"),
    ("OBJECT", b"$9\r\nhashtable\r\n", b"$8\r\nlistpack\r\n",
     "7.2 keeps a small set of texts in a listpack"),
    ("XREAD", b"-ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be "
     b"specified.\r\n",
     b"-ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' "
     b"must be specified.\r\n", "7.2 names the command in quotes"),
    ("LPOS", b":7\r\n", b"-ERR value is out of range, value must between -9223372036854775807 and "
     b"9223372036854775807\r\n", "7.2 refuses a rank that has no opposite"),
    ("BLPOP", b"-ERR timeout is negative\r\n", b"-ERR timeout is out of range\r\n",
     "7.2 tells a time limit that is too large from a negative one"),
    ("COMMAND", b"-ERR wrong number of arguments for 'command|getkeys' command\r\n",
     b"-ERR Invalid number of arguments specified for command\r\n",
     "7.2 looks at a command of one word"),
    ("COMMAND", b"-ERR wrong number of arguments for 'command|getkeys' command\r\n",
     b"-ERR The command has no key arguments\r\n", "7.2 looks at a command of one word"),
    ("COMMAND", b"-ERR wrong number of arguments for 'command|getkeysandflags' command\r\n",
     b"-ERR The command has no key arguments\r\n", "7.2 looks at a command of one word"),
]
# 7.0 prints a score with 17 digits, 7.2 with as many as give the number back: equal as numbers.
# tests/data/replies.txt has scores that both print alike; base_test has the digits of 7.2.
SCORES = {"ZADD", "ZSCORE", "ZRANGE", "ZPOPMIN", "BZPOPMIN", "BZPOPMAX", "ZINCRBY", "ZMSCORE",
          "ZPOPMAX", "ZRANGEBYSCORE", "ZREVRANGE"}


class Comparer:
    """Follows one connection: EXEC answers with the replies of the commands queued before."""

    def __init__(self):
        self.queued = None

    def difference(self, command, ours, theirs):
        """None, or a description of how the two raw replies differ."""
        name = command[0].decode("latin-1").upper() if isinstance(command[0], bytes) else command[0]
        queued, before = None, self.queued
        if name == "MULTI" and ours == b"+OK\r\n" and before is None:
            self.queued = []
        elif name in ("EXEC", "DISCARD") and (before is not None):
            queued, self.queued = before, None
        elif before is not None and theirs == b"+QUEUED\r\n":
            before.append(name)
        if ours == theirs or same(name, ours, theirs):
            return None
        if queued and _same_transaction(queued, ours, theirs):
            return None
        return f"{show(command)}\n    ours   {ours[:300]!r}\n    theirs {theirs[:300]!r}"


def same(name, ours, theirs):
    if (name, theirs, ours) in {row[:3] for row in DIFFERENCES_OF_7_0}:
        return True
    if ours[:1] != theirs[:1] or ours[:1] == b"-":
        return False
    return _same_value(name, decode(ours), decode(theirs))


def _same_value(name, ours, theirs):
    if name in UNORDERED and isinstance(ours, list):
        return sorted(ours) == sorted(theirs)
    if name in UNORDERED_PAIRS and isinstance(ours, list):
        return sorted(zip(ours[::2], ours[1::2])) == sorted(zip(theirs[::2], theirs[1::2]))
    if name in SCANS and isinstance(ours, list):
        equal = _same_scores if name == "ZSCAN" else operator.eq
        ours, theirs = ([reply[0], _groups(reply[1], SCANS[name])] for reply in (ours, theirs))
        return equal(ours, theirs)
    if name in UNORDERED | UNORDERED_PAIRS:
        return ours == theirs
    if name in REMAINING and isinstance(ours, int):
        return min(ours, theirs) > 0 and abs(ours - theirs) <= REMAINING[name]
    if name in SCORES:
        return _same_scores(ours, theirs)
    return any(name == word and _equal(decode(new), ours) and _equal(decode(old), theirs)
               for word, old, new, _ in DIFFERENCES_OF_7_0)


def _groups(items, size):
    """In one order; what does not make a whole group keeps its place."""
    whole = len(items) - len(items) % size
    return sorted(items[at:at + size] for at in range(0, whole, size)) + items[whole:]


def _same_scores(ours, theirs):
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same_scores, ours, theirs))
    try:
        return ours == theirs or float(ours) == float(theirs)
    except (TypeError, ValueError):
        return False


def _same_transaction(names, ours, theirs):
    ours, theirs = decode(ours), decode(theirs)
    if not isinstance(ours, list) or not isinstance(theirs, list) or len(ours) != len(theirs):
        return False
    return all(_equal(a, b) or _same_value(n, a, b) for n, a, b in zip(names, ours, theirs))


def _equal(ours, theirs):
    if isinstance(ours, ReplyError) and isinstance(theirs, ReplyError):
        return str(ours) == str(theirs)
    return type(ours) is type(theirs) and repr(ours) == repr(theirs)


def show(command):
    return " ".join(repr(word)[1:60] if isinstance(word, bytes) else str(word) for word in command)
