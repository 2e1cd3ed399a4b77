"""A connection to one server: replies, and what it is sent without having asked."""
import re

from ..wire import Connection, encode

MARK = b"that is all so far"
UNASKED = re.compile(rb">\d+\r\n\$\d+\r\n(p?message|smessage|invalidate)\r\n")


class Line:
    """Sends commands at once and reads their replies. A push in between is set apart."""

    def __init__(self, server, protocol):
        self.connection = Connection(server.port, protocol=protocol)
        self.identity = self.connection("CLIENT", "ID")
        self.pushed = []

    def close(self):
        self.connection.close()

    def send(self, commands):
        self.connection.send(b"".join(encode(*words) for words in commands))

    def reply(self):
        """The bytes of the next reply."""
        while UNASKED.match(raw := self.connection.read_raw()):
            self.pushed.append(raw)
        return raw

    def replies_to_mark(self):
        """All up to the answer to PING, however many replies a command has had."""
        self.send([(b"PING", MARK)])
        found = []
        while MARK not in (raw := self.connection.read_raw()):
            found.append(raw)
        return found

    def pushed_so_far(self):
        """What was pushed since the last time."""
        pushed, self.pushed = self.pushed, []
        return pushed
