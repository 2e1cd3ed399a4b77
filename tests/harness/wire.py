"""A small client that hides nothing: RESP2 and RESP3, raw bytes or values, read when asked."""
import socket


class ReplyError(Exception):
    """An error reply; its text is the server's line without the minus."""


class Push(list):
    """An out-of-band reply of RESP3."""


def encode(*arguments):
    """One command as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        data = to_bytes(argument)
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


def to_bytes(argument):
    if isinstance(argument, (bytes, bytearray)):
        return bytes(argument)
    return str(argument).encode("utf-8", "surrogateescape")


class Connection:
    """One socket to a server. `raw` gives the server's bytes, `call` values; it raises errors."""

    def __init__(self, port=None, host="127.0.0.1", path=None, protocol=2, seconds=20):
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(seconds)
            self.socket.connect(path)
        else:
            self.socket = socket.create_connection((host, port), timeout=seconds)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.at = 0
        if protocol == 3:
            self.call("HELLO", 3)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def call(self, *arguments):
        self.send(encode(*arguments))
        return self.read()

    __call__ = call

    def error(self, *arguments):
        """The text of the error that this command must get."""
        try:
            value = self.call(*arguments)
        except ReplyError as error:
            return str(error)
        raise AssertionError(f"{arguments} was answered {value!r} instead of an error")

    def raw(self, *arguments):
        self.send(encode(*arguments))
        return self.read_raw()

    def pipeline(self, commands):
        """The raw replies of many commands sent at once."""
        self.send(b"".join(encode(*command) for command in commands))
        return [self.read_raw() for _ in commands]

    def read(self):
        value = decode(self.read_raw())
        if isinstance(value, ReplyError):
            raise value
        return value

    def read_raw(self):
        """The bytes of exactly one reply."""
        start = self.at
        self._skip()
        reply = self.buffer[start:self.at]
        if self.at > 65536:
            self.buffer, self.at = self.buffer[self.at:], 0
        return reply

    def read_until_closed(self):
        """Everything the server still sends until it closes."""
        data = self.buffer[self.at:]
        try:
            while chunk := self.socket.recv(65536):
                data += chunk
        except ConnectionResetError:
            pass
        return data

    def is_closed(self):
        """True once the server has closed; unread replies are thrown away."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(20)

    def has_reply(self):
        """True when a reply (or a part of one) has arrived; reads nothing away."""
        if self.at < len(self.buffer):
            return True
        self.socket.setblocking(False)
        try:
            return len(self.socket.recv(1, socket.MSG_PEEK)) > 0
        except (BlockingIOError, InterruptedError):
            return False
        finally:
            self.socket.settimeout(20)

    def _fill(self):
        chunk = self.socket.recv(65536)
        if not chunk:
            raise EOFError("the server closed the connection")
        self.buffer += chunk

    def _line(self):
        while (end := self.buffer.find(b"\r\n", self.at)) < 0:
            self._fill()
        line = self.buffer[self.at:end]
        self.at = end + 2
        return line

    def _skip(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind in b"$=!" and rest != b"-1":
            end = self.at + int(rest) + 2
            while len(self.buffer) < end:
                self._fill()
            self.at = end
        elif kind in b"*~>":
            for _ in range(int(rest)):
                self._skip()
        elif kind in b"%|":
            for _ in range(2 * int(rest)):
                self._skip()
            if kind == b"|":
                self._skip()
        elif kind not in b"+-:_,#($" or not kind:
            raise AssertionError(f"no reply of RESP: {line!r}")


def decode(reply):
    """The value of one raw reply; text becomes str, errors become ReplyError objects."""
    value, rest = _decode(reply)
    assert not rest
    return value


def _decode(data):
    line, _, rest = data.partition(b"\r\n")
    kind, body = line[:1], line[1:]
    if kind == b"+":
        return body.decode("utf-8", "surrogateescape"), rest
    if kind == b"-":
        return ReplyError(body.decode("utf-8", "surrogateescape")), rest
    if kind in (b":", b"("):
        return int(body), rest
    if kind == b",":
        return float(body), rest
    if kind == b"#":
        return body == b"t", rest
    if kind == b"_" or body == b"-1":
        return None, rest
    if kind in (b"$", b"=", b"!"):
        length = int(body)
        text = rest[:length].decode("utf-8", "surrogateescape")
        value = ReplyError(text) if kind == b"!" else text[4:] if kind == b"=" else text
        return value, rest[length + 2:]
    return _decode_many(kind, int(body), rest)


def _decode_many(kind, count, rest):
    items = []
    for _ in range(count * (2 if kind in (b"%", b"|") else 1)):
        item, rest = _decode(rest)
        items.append(item)
    if kind == b"%":
        return {_hashable(key): value for key, value in zip(items[::2], items[1::2])}, rest
    if kind == b"~":
        return {_hashable(item) for item in items}, rest
    if kind == b">":
        return Push(items), rest
    return items, rest


def _hashable(value):
    return tuple(value) if isinstance(value, list) else value
