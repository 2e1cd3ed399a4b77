"""Whether two servers hold the same, and which keys differ."""
from .differential import laws, reply
from .wire import decode

DATABASES = 16
SHOWN_MAX = 5
READING = {"string": ("GET",), "list": ("LRANGE", 0, -1), "set": ("SMEMBERS",),
           "hash": ("HGETALL",), "zset": ("ZRANGE", 0, -1, "WITHSCORES"),
           "stream": ("XRANGE", "-", "+")}


def differing_keys(one, other, lifetimes=True):
    """None where two connections' servers hold the same, or text. `lifetimes`: they end at the same
    moment in both; else it is enough that both have one."""
    if one("DEBUG", "DIGEST") == other("DEBUG", "DIGEST"):
        return None
    found = []
    for database in range(DATABASES):
        for connection in (one, other):
            connection("SELECT", database)
        keys = sorted({key for connection in (one, other) for key in connection("KEYS", "*")})
        found += [f"  database {database} {key!r}: {_shown(one, key)} | {_shown(other, key)}"
                  for key in keys if not same_value(one, other, key, lifetimes)]
    for connection in (one, other):
        connection("SELECT", 0)
    return "\n".join(found[:SHOWN_MAX]) or None


def same_value(one, other, key, lifetimes=True):
    """A digest is taken of a score's text, in which 7.0 and 7.2 differ; a number is the same."""
    ends = [connection("PEXPIRETIME", key) for connection in (one, other)]
    if (ends[0] != ends[1]) if lifetimes else (ends[0] < 0) != (ends[1] < 0):
        return False
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
    return f"{kind} {decode(connection.raw(name, key, *rest))!s:.300}, PTTL " + str(
        connection("PTTL", key))
