"""Whether two servers hold the same, and which keys differ."""
from .differential import laws, reply
from .wire import decode

DATABASES = 16
SHOWN_MAX, PENDING_MAX = 5, 10**6
READING = {"string": ("GET",), "list": ("LRANGE", 0, -1), "set": ("SMEMBERS",),
           "hash": ("HGETALL",), "zset": ("ZRANGE", 0, -1, "WITHSCORES"),
           "stream": ("XRANGE", "-", "+")}


def differing_keys(one, other, exact=True):
    """None where two connections' servers hold the same, or text. `exact`: lifetimes end at the
    same moment in both; else it is enough that both have one. What expires meanwhile is no
    difference."""
    same_digest = one("DEBUG", "DIGEST") == other("DEBUG", "DIGEST")
    found = []
    for database in range(DATABASES):
        for connection in (one, other):
            connection("SELECT", database)
        keys = sorted({key for connection in (one, other) for key in connection("KEYS", "*")})
        beside = [_beside_the_value(connection, keys, exact) for connection in (one, other)]
        found += [f"  database {database} {key!r}: {_shown(one, key)} {mine} | "
                  f"{_shown(other, key)} {yours}" for key, mine, yours in zip(keys, *beside)
                  if (mine != yours or not (same_digest or same_value(one, other, key))) and
                  not _is_about_to_end(one, other, key)]
    for connection in (one, other):
        connection("SELECT", 0)
    return "\n".join(found[:SHOWN_MAX]) or None


def _is_about_to_end(one, other, key):
    """Whether it is gone, or at one of them only and there within a second: commands that give it
    a time arrive at different moments."""
    left = [connection("PTTL", key) for connection in (one, other)]
    return max(left) == -2 or (min(left) == -2 and 0 <= max(left) < 1000)


def _beside_the_value(connection, keys, exact):
    """What no digest holds, for each key: the end of its lifetime, and of a stream its groups."""
    ends = map(decode, connection.pipeline([("PEXPIRETIME", key) for key in keys]))
    kinds = map(decode, connection.pipeline([("TYPE", key) for key in keys]))
    return [(end if exact else end > 0, _groups(connection, key) if kind == "stream" else ())
            for key, end, kind in zip(keys, ends, kinds)]


def _groups(connection, key):
    """Of each group its name, the last entry that it was given, and which consumer has which
    entries. How often is counted where entries are read again, and no replica hears of it."""
    groups = []
    for row in connection("XINFO", "GROUPS", key):
        group = dict(zip(row[::2], row[1::2]))
        pending = connection("XPENDING", key, group["name"], "-", "+", PENDING_MAX)
        groups.append((group["name"], group["last-delivered-id"],
                       [tuple(entry[:2]) for entry in pending]))
    return groups


def same_value(one, other, key):
    """A digest is taken of a score's text, in which 7.0 and 7.2 differ; a number is the same."""
    digests = [connection("DEBUG", "DIGEST-VALUE", key) for connection in (one, other)]
    if digests[0] == digests[1]:
        return True
    scores = [connection.raw("ZRANGE", key, 0, -1, "WITHSCORES") for connection in (one, other)]
    if any(map(reply.is_error, scores)):
        return False
    trees = [reply.parse(raw) for raw in scores]
    return laws.alike(*trees) or laws.alike(*reversed(trees))


def _shown(connection, key):
    kind = connection("TYPE", key)
    name, *rest = READING.get(kind, ("TYPE",))
    return f"{kind} {decode(connection.raw(name, key, *rest))!s:.300}"
