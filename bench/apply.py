"""How fast a server applies a primary's stream: a fake primary sends a recorded one as fast as the
server takes it, and asks for an acknowledgement behind it."""
import random
import socket
import threading
import time

from harness.wire import Connection, encode

import measure

HISTORY = "a" * 40
EMPTY_RDB = b"REDIS0010\xff" + bytes(8)
GETACK = encode("REPLCONF", "GETACK", "*")
TIMEOUT = 120


class FakePrimary:
    """Sends whatever it is told to one replica, after a full sync without keys."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT)
        self.port = self._listener.getsockname()[1]
        self.offset = 0

    def accept(self):
        """The handshake, up to the stream. A server may first come to see whether it is there."""
        while True:
            self._link, _ = self._listener.accept()
            self._link.settimeout(TIMEOUT)
            self._unread = b""
            if self._greet():
                return self

    def _greet(self):
        while True:
            word = self._request()
            if word is None:
                return False
            if word == b"PSYNC":
                self._link.sendall(b"+FULLRESYNC %s %d\r\n$%d\r\n" % (HISTORY.encode(), self.offset,
                                                                    len(EMPTY_RDB)) + EMPTY_RDB)
                return True
            self._link.sendall(b"+PONG\r\n" if word == b"PING" else b"+OK\r\n")

    def _line(self):
        while b"\r\n" not in self._unread:
            got = self._link.recv(4096)
            if not got:
                return None
            self._unread += got
        line, self._unread = self._unread.split(b"\r\n", 1)
        return line

    def _request(self):
        """The first word of the next request, or None at the end; the rest is kept as `words`."""
        head = self._line()
        if head is None:
            return None
        self.words = []
        for _ in range(int(head[1:])):
            self._line()
            self.words.append(self._line())
        return self.words[0].upper()

    def feed(self, stream):
        """Sends the stream; seconds until the replica has applied it."""
        target = self.offset + len(stream)
        sender = threading.Thread(target=self._link.sendall, args=(stream + GETACK,))
        started = time.monotonic()
        sender.start()
        while not (self._request() == b"REPLCONF" and self.words[1].upper() == b"ACK"
                   and int(self.words[2]) >= target):
            pass
        seconds = time.monotonic() - started
        sender.join()
        self.offset = target + len(GETACK)
        return seconds

    def close(self):
        self._link.close()
        self._listener.close()


def key(number):
    return "key:%012d" % number


def sets(count, keys, chosen):
    return [encode("SET", key(chosen.randrange(keys)), "%032d" % n) for n in range(count)]


def transactions(count, keys, chosen):
    """MULTI of ten SET."""
    made = []
    for _ in range(count // 12):
        made += [encode("MULTI"), *sets(10, keys, chosen), encode("EXEC")]
    return made


def hot_key(count, _keys, _chosen):
    return [encode("SET", "hot", "%032d" % n) for n in range(count)]


def mixed(count, keys, chosen):
    """All types, as applications use them; no collection grows without end."""
    def few():
        return chosen.randrange(keys // 100)

    kinds = [
        lambda n: encode("SET", key(chosen.randrange(keys)), "%032d" % n),
        lambda n: encode("SET", key(chosen.randrange(keys)), "%032d" % n, "PXAT",
                         str(4_000_000_000_000)),
        lambda n: encode("INCR", "count:%d" % few()),
        lambda n: encode("HSET", "hash:%d" % few(), "field:%d" % (n % 32), "value:%d" % n),
        lambda n: encode("LPUSH", "list:%d" % few(), "job:%d" % n),
        lambda n: encode("RPOP", "list:%d" % few()),
        lambda n: encode("SADD", "set:%d" % few(), "member:%d" % (n % 50)),
        lambda n: encode("SREM", "set:%d" % few(), "member:%d" % (n % 50)),
        lambda n: encode("ZADD", "zset:%d" % few(), str(n), "member:%d" % (n % 50)),
        lambda n: encode("XADD", "stream:%d" % few(), "%d-0" % (n + 1), "field", "value:%d" % n),
        lambda n: encode("DEL", key(chosen.randrange(keys))),
        lambda n: encode("PEXPIREAT", "hash:%d" % few(), str(4_000_000_000_000)),
    ]
    return [kinds[chosen.randrange(len(kinds))](n) for n in range(count)]


STREAMS = {"SET of 32 bytes": sets, "a mix of all types": mixed, "MULTI of ten SET": transactions,
           "SET of one key": hot_key}


class Streams:
    """Recorded once, sent to everybody. Each with what goes before it, so that its keys are there."""

    def __init__(self, count, keys, only=None):
        self.select = encode("SELECT", "0")
        self.fill = b"".join(encode("SET", key(n), "%032d" % n) for n in range(keys))
        self.made = {}
        for name, make in STREAMS.items():
            if only is None or name in only:
                commands = make(count, keys, random.Random(1))
                self.made[name] = (b"".join(commands), len(commands))


def apply_rates(server, streams, names=None):
    """{name: {"rate": commands a second, "cpu": microseconds of CPU time a command}}."""
    primary = FakePrimary()
    found = {}
    try:
        with Connection(server.port) as connection:
            assert connection("REPLICAOF", "127.0.0.1", str(primary.port)) == "OK"
            primary.accept()
            primary.feed(streams.select + streams.fill)
            for name in names or streams.made:
                stream, count = streams.made[name]
                before = measure.cpu_seconds(server.process.pid)
                seconds = primary.feed(stream)
                spent = measure.cpu_seconds(server.process.pid) - before
                found[name] = {"rate": count / seconds, "cpu": spent / count * 1e6}
            failed = server.info("stats").get("unexpected_error_replies", 0)
            assert int(failed) == 0, f"{failed} commands failed"
    finally:
        primary.close()
    return found
