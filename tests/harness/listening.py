"""Somebody who hears all events of a server, and somebody who acts."""
from .wait import wait_until

EVERYTHING = "KEAmn"


class Listening:
    """Both connections of one server."""

    def __init__(self, server, classes=EVERYTHING):
        self.server = server
        self.acts, self.hears = server.connect(), server.connect(protocol=3)
        self.acts("CONFIG", "SET", "notify-keyspace-events", classes)
        self.hears("PSUBSCRIBE", "*")

    def events(self, *command):
        """What is told of one command: channels and messages, in their order."""
        self.acts.raw(*command)
        return self.until_now()

    def until_now(self):
        self.acts("PUBLISH", "end", "now")
        heard = []
        while (message := self.hears.read())[2] != "end":
            heard.append(f"{message[2]} {message[3]}")
        return heard

    def let_end(self, key):
        """A text whose time is over, and that nobody has met since: where keys are not looked for
        that have ended (DEBUG SET-ACTIVE-EXPIRE 0)."""
        self.acts("SET", key, "old", "PX", 1)
        end = self._milliseconds() + 1
        wait_until(lambda: self._milliseconds() > end, "its time is over")

    def _milliseconds(self):
        seconds, microseconds = map(int, self.acts("TIME"))
        return seconds * 1000 + microseconds // 1000


def words(line):
    return ["" if word == "''" else word for word in line.split()]
