"""One side of the comparison: a server, its replica of the other kind, and connections to both."""
from ..servers import parse_info
from ..wait import wait_until
from ..wire import ReplyError
from .hints import DIRECTIVES, USERS
from .line import Line

# Connections by their numbers, and what protocol each speaks: some send commands, some only wait
# for keys, some only subscribe; the last listens to events of keys.
PROTOCOLS = (2, 3, 2, 3, 2, 3, 2, 3, 3)
WRITERS, WAITERS, SUBSCRIBERS, LISTENER = range(4), range(4, 6), range(6, 8), 8
EVENTS = "AEn"  # all of keys, those of new ones, too
CUT_PARTIAL, CUT_FULL = "cut the replicas' links", "make the replicas sync in full"
# What a sequence leaves behind for the next. An expired key goes when it is touched: no moment
# matters.
CLEANING = [
    ("FLUSHALL",), ("SCRIPT", "FLUSH"), ("FUNCTION", "FLUSH"), ("SLOWLOG", "RESET"),
    ("ACL", "DELUSER", *filter(None, USERS)), ("ACL", "LOG", "RESET"), ("CLIENT", "UNPAUSE"),
    *(("CONFIG", "SET", name, values[0]) for name, values in DIRECTIVES.items()),
    ("DEBUG", "SET-ACTIVE-EXPIRE", "0")]


class Side:
    """start() starts it; close() may come at any time, in the middle of a start, too."""

    def __init__(self, server, replica):
        self.server = server
        self.replica = replica
        self.control = None
        self.lines = []

    def start(self):
        self.server.start()
        self.replica.start()
        self.replica.follow(self.server.port)
        self.control = self.server.connect()

    def knows(self, *words):
        try:
            self.control(*words)
        except ReplyError:
            return False
        return True

    def tell_events(self, classes):
        """Of keys; whether the server can."""
        return self.knows("CONFIG", "SET", "notify-keyspace-events", classes)

    def clean(self):
        """An empty server and new connections."""
        for line in self.lines:
            line.close()
        for words in CLEANING:
            self.knows(*words)
        self.lines = [Line(self.server, protocol) for protocol in PROTOCOLS]
        self.lines[LISTENER].connection("PSUBSCRIBE", "__key*")

    def cut(self, how):
        """Ends the replica's link; it comes back by itself."""
        if how == CUT_FULL:
            self.replica.promote()
            self.replica.follow(self.server.port)
        else:
            self.control("CLIENT", "KILL", "TYPE", "replica")

    def wait(self, step):
        """Sends what may block; when this returns it does, or has been answered."""
        line, before = self.lines[step.connection], self._blocked()
        line.send([step.words])
        wait_until(lambda: line.connection.has_reply() or self._blocked() > before,
                   f"{step.words} waits or is answered")

    def _blocked(self):
        return int(parse_info(self.control("INFO", "clients"))["blocked_clients"])

    def close(self):
        """Stops both; gives what was wrong with an end."""
        problems = []
        for server in (self.replica, self.server):
            try:
                server.stop()
            except AssertionError as problem:
                problems.append(f"{problem}\n{server.log_tail()}")
        return problems
