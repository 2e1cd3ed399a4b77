"""Commands of every type, CPU time an operation; large collections, memory. Both are measured as
the plain commands are (measure.py)."""
import subprocess

from harness.wire import Connection
from measure import cpu_seconds, resident

VALUE = "v" * 32
DEPTH = 16
ANY = "__rand_int__"  # redis-benchmark's word for a number of twelve digits

# In this order: what one takes another has put there before.
COMMANDS = {
    "PING": ("PING",),
    "LPUSH": ("LPUSH", "list", VALUE),
    "RPOP": ("RPOP", "list"),
    "SADD": ("SADD", "set", f"element:{ANY}"),
    "HSET": ("HSET", "hash", f"element:{ANY}", VALUE),
    "ZADD": ("ZADD", "sorted", ANY, f"element:{ANY}"),
    "ZPOPMIN": ("ZPOPMIN", "sorted"),
    "LRANGE of 100 elements": ("LRANGE", "hundred", "0", "99"),
    "MSET of ten keys": ("MSET", *(part for _ in range(10) for part in (f"key:{ANY}", VALUE))),
    "XADD": ("XADD", "stream", "*", "field", VALUE),
    "EVAL of a small script": ("EVAL", "return redis.call('GET', KEYS[1])", "1", f"key:{ANY}"),
    "ZADD to a million members": ("ZADD", "million", ANY, f"member:{ANY}"),
    "ZRANK among a million members": ("ZRANK", "million", f"member:{ANY}"),
}

# What a script does for the number i, and the names of what it makes.
MEMBER = "string.format('member:%012d', i)"
COLLECTIONS = {
    "small hashes of five fields": (
        "redis.call('HSET', string.format('hash:%012d', i), 'one', i, 'two', i * 7, 'three', "
        "'some text', 'four', 'of no great', 'five', 'length')"),
    "members of a sorted set": f"redis.call('ZADD', 'sorted', i * 7919 % 1000003, {MEMBER})",
    "members of a set": f"redis.call('SADD', 'set', {MEMBER})",
    "entries of a stream": "redis.call('XADD', 'stream', i .. '-1', 'sensor', i, 'value', i * 3)",
}
AT_ONCE = 10_000


def make(connection, statement, count):
    """Runs the statement for each number below `count`, in scripts that are soon over."""
    script = f"for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do {statement} end"
    for first in range(0, count, AT_ONCE):
        connection("EVAL", script, 0, first, min(first + AT_ONCE, count) - 1)


def run(server, command, operations, keys):
    subprocess.run(["redis-benchmark", "-p", str(server.port), "-c", "50", "-P", str(DEPTH), "-n",
                    str(operations), "-r", str(keys), "-q", *command], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def command_costs(servers, keys, operations, slices):
    """Microseconds of each server's CPU time for an operation: {kind: {name: value}}."""
    for server in servers.values():
        with Connection(server.port) as connection:
            connection("RPUSH", "hundred", *([VALUE] * 100))
            make(connection, COLLECTIONS["members of a sorted set"].replace("sorted", "million"),
                 keys)
    found = {kind: {} for kind in servers}
    for name, command in COMMANDS.items():
        spent = dict.fromkeys(servers, 0)
        for kind, server in [*servers.items()] * slices:
            before = cpu_seconds(server.process.pid)
            run(server, command, operations, keys)
            spent[kind] += cpu_seconds(server.process.pid) - before
        for kind, seconds in spent.items():
            found[kind][name] = seconds / (operations * slices) * 1e6
    return found


def memory_cost(server, name, count):
    """Bytes that each of so many takes."""
    with Connection(server.port) as connection:
        connection("EVAL", "return 1", 0)
        before = resident(server.process.pid)
        make(connection, COLLECTIONS[name], count)
    return (resident(server.process.pid) - before) / count
