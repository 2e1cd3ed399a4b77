"""Every command of the table inside MULTI and inside EVAL, with a key watched: whatever it answers,
the server goes on. What runs inside another command must not wait for what that one holds."""
import pytest

from harness.wire import Connection, ReplyError, encode

ANSWER_SECONDS = 5  # for anything: nothing here takes long
MORE_ARGUMENTS = 2  # than a command's least
FILLS = [("k",), ("k", "1"), ("1", "k"), ("1",)]
# Shapes that the table does not tell: words that a command knows.
KNOWN = [
    ("DEBUG", "SLEEP", "0"), ("DEBUG", "RELOAD"), ("DEBUG", "DIGEST"), ("DEBUG", "OBJECT", "k"),
    ("DEBUG", "DIGEST-VALUE", "k"), ("DEBUG", "CHANGE-REPL-ID"), ("DEBUG", "JMAP"),
    ("DEBUG", "SET-ACTIVE-EXPIRE", "1"), ("DEBUG", "LISTPACK", "k"), ("DEBUG", "HTSTATS", "0"),
    ("REPLICAOF", "NO", "ONE"), ("REPLICAOF", "127.0.0.1", "1"), ("SLAVEOF", "127.0.0.1", "1"),
    ("FAILOVER", "ABORT"), ("FLUSHALL", "ASYNC"), ("FLUSHDB", "SYNC"), ("FLUSHALL", "SYNC"),
    ("BGSAVE", "SCHEDULE"), ("SWAPDB", "0", "1"), ("SELECT", "1"), ("MOVE", "k", "1"),
    ("CLIENT", "LIST"), ("CLIENT", "KILL", "TYPE", "pubsub"), ("CLIENT", "PAUSE", "1", "WRITE"),
    ("CLIENT", "PAUSE", "1", "ALL"), ("CLIENT", "UNPAUSE"), ("CLIENT", "KILL", "ID", "1"),
    ("CLIENT", "UNBLOCK", "1"), ("CLIENT", "NO-EVICT", "ON"), ("CLIENT", "TRACKING", "OFF"),
    ("CLIENT", "TRACKING", "ON"), ("CLIENT", "TRACKING", "ON", "BCAST", "NOLOOP"),
    ("CLIENT", "CACHING", "YES"), ("CONFIG", "SET", "notify-keyspace-events", "KEA"),
    ("CONFIG", "SET", "tracking-table-max-keys", "1"),
    ("CONFIG", "SET", "maxmemory-clients", "1gb"), ("CONFIG", "SET", "maxmemory", "0"),
    ("CONFIG", "GET", "*"), ("CONFIG", "SET", "hz", "50"),
    ("CONFIG", "SET", "save", "3600 1"), ("CONFIG", "RESETSTAT"), ("MEMORY", "USAGE", "k"),
    ("SCRIPT", "FLUSH", "ASYNC"), ("SCRIPT", "KILL"), ("SCRIPT", "LOAD", "return 1"),
    ("EVAL", "return redis.call('get', 'k')", "0"), ("EVAL", "return redis.call('incr', 'n')", "0"),
    ("BLPOP", "k", "0"), ("BLPOP", "none", "0"), ("BLMOVE", "none", "k", "LEFT", "LEFT", "0"),
    ("BZPOPMIN", "none", "0"), ("XREAD", "BLOCK", "0", "STREAMS", "none", "$"), ("WAIT", "1", "0"),
    ("XGROUP", "CREATE", "stream", "g", "$", "MKSTREAM"),
    ("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "stream", ">"),
    ("BRPOPLPUSH", "none", "k", "0"), ("SUBSCRIBE", "c"), ("UNSUBSCRIBE", "c"),
    ("PSUBSCRIBE", "c*"), ("PUBLISH", "c", "m"), ("SSUBSCRIBE", "c"),
    ("SUNSUBSCRIBE",), ("SPUBLISH", "c", "m"), ("SORT", "k", "STORE", "k2"),
    ("SET", "k", "1", "PX", "1"),
    ("EXPIRE", "k", "0"), ("GETEX", "k", "PX", "1"), ("RENAME", "k", "k2"), ("UNLINK", "k"),
    ("COPY", "k", "k2", "REPLACE"), ("KEYS", "*"), ("SCAN", "0"), ("RANDOMKEY",), ("DBSIZE",),
    ("OBJECT", "ENCODING", "k"), ("UNWATCH",), ("WATCH", "k2"), ("DISCARD",), ("MULTI",), ("EXEC",),
    ("INFO", "everything"), ("LATENCY", "RESET"), ("SLOWLOG", "GET"), ("COMMAND", "DOCS"),
    ("LPUSH", "none", "1"), ("ZADD", "none", "1", "m"), ("HELLO", "3"), ("RESET",), ("QUIT",),
    ("SHUTDOWN", "ABORT"), ("SHUTDOWN", "NOSAVE"), ("SAVE",), ("SYNC",),
    ("PSYNC", "?", "-1"), ("MONITOR",), ("ROLE",), ("LASTSAVE",), ("BGREWRITEAOF",)]


def words_of_the_table(client):
    """(name, least number of arguments); of a container its subcommands."""
    for row in client("COMMAND"):
        name, arity, subcommands = row[0], row[1], row[9] if len(row) > 9 else []
        for sub in subcommands:
            parts = sub[0].split("|")
            yield parts, max(0, abs(sub[1]) - len(parts))
        if not subcommands:
            yield [name], max(0, abs(arity) - 1)


def shapes(client):
    """Each command by its name, and what to say to it."""
    by_name = {}
    for words, least in words_of_the_table(client):
        for count in range(least, least + MORE_ARGUMENTS + 1):
            for fill in FILLS[:1] if count == 0 else FILLS:
                arguments = [fill[at % len(fill)] for at in range(count)]
                by_name.setdefault(words[0].upper(), []).append([*words, *arguments])
    for words in KNOWN:
        by_name.setdefault(words[0], []).append(list(words))
    return by_name


def in_a_transaction(command):
    return [("WATCH", "k"), ("MULTI",), command, ("EXEC",)]


def in_a_script(command):
    return [("WATCH", "k"), ("EVAL", "return redis.pcall(unpack(ARGV))", 0, *command), ("UNWATCH",)]


def say(port, lines):
    """All at once; a server may close the connection, but not leave it without an answer."""
    with Connection(port, seconds=ANSWER_SECONDS) as client:
        client.send(b"".join(encode(*line) for line in lines))
        try:
            for _ in lines:
                client.read_raw()
        except TimeoutError:
            raise AssertionError(f"no answer to {lines}") from None
        except (EOFError, ConnectionError):
            pass


def restore(control):
    """What one command may have left for the next."""
    for words in (("REPLICAOF", "NO", "ONE"), ("CLIENT", "UNPAUSE"), ("SET", "k", 1)):
        try:
            control(*words)
        except ReplyError as error:
            assert str(error).startswith(("ERR", "UNKNOWN")), error


@pytest.mark.parametrize("inside", [in_a_transaction, in_a_script])
def test_every_command_inside_another(server, inside):
    with server.connect(seconds=ANSWER_SECONDS) as control:
        by_name = shapes(control)
    assert len(by_name) > 100
    for name, commands in sorted(by_name.items()):
        for command in commands:
            say(server.port, inside(command))
        try:  # as one who was there before is closed by CLIENT KILL, a new one each time
            with server.connect(seconds=ANSWER_SECONDS) as control:
                restore(control)
                assert control("PING") == "PONG"
        except TimeoutError:
            raise AssertionError(f"the server is stuck after {name}: {commands}") from None
    server.stop()  # SIGTERM ends it


def test_unwatch_inside_a_transaction(client):
    """The shape that must always be tried by itself, for it is what clients' pools send."""
    client("WATCH", "k")
    client("MULTI")
    client("UNWATCH")
    client("SET", "k", 1)
    assert client("EXEC") == ["OK", "OK"]
    assert client("GET", "k") == "1"
