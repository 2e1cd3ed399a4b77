"""Random loads on a primary, with blocked clients beside, and proof that others hold the same."""
from .data import differing_keys
from .differential.generator import Generator
from .differential.table import read_table
from .wait import wait_until
from .wire import Connection, encode

BLOCKED = [("BLPOP", "list:1", "list:2", "0.2"), ("BRPOP", "list:3", "0.2"),
           ("BLMOVE", "list:4", "list:5", "LEFT", "RIGHT", "0.2"), ("BZPOPMIN", "sorted:1", "0.2"),
           ("XREAD", "BLOCK", "200", "STREAMS", "stream:1", "$")]
KEEPING = ("flushdb", "flushall", "swapdb")  # left out, they leave the data in their places
WITHOUT_KEYS = ("publish", "function|load", "select", *KEEPING)  # and act on data all the same
# A distance becomes a score, of which 7.0 and 7.2 take another digest.
STORES_DISTANCES = ("georadius", "georadiusbymember", "geosearchstore")
# Not in Tandem, which may be a stock server's replica; and no data.
LACKING = ("pfdebug", "spublish")


def generator(connection, seed, but=()):
    """A source of random commands that read and write data, made from the server's own table.
    `but` are names of commands that are left out."""
    table = {name: row for name, row in read_table(connection).items()
             if (row.has_keys or name in WITHOUT_KEYS) and
             name not in STORES_DISTANCES + LACKING + but}
    return Generator(table, seed, load=True)


def random_commands(connection, seed, count, but=()):
    """`count` of them, or some more."""
    return [step.words for step in generator(connection, seed, but).steps(count)]


class Load:
    """Every command that writes, random and seeded; the blocked clients' connections live on."""

    def __init__(self, server, seed):
        self.writer = Connection(server.port)
        self.generator = generator(self.writer, seed)
        self.blocked = [(Connection(server.port), command) for command in BLOCKED]
        self.waiting = set()

    def run(self, count=1000):
        for _ in range(0, count, 100):
            for connection, command in self.blocked:
                if connection not in self.waiting:
                    connection.send(encode(*command))
                    self.waiting.add(connection)
            self.writer.pipeline([step.words for step in self.generator.steps(100)])
            for connection in [c for c in self.waiting if c.has_reply()]:
                connection.read_raw()
                self.waiting.discard(connection)
        return self

    def close(self):
        for connection, _ in self.blocked:
            connection.close()
        self.writer.close()


def caught_up(primary, *replicas):
    """Waits until every replica's link is up and its offset is the primary's."""

    def all_there():
        target = primary.offset()
        return all(replica.link_up() and replica.offset() == target for replica in replicas)

    wait_until(all_there, f"{[str(r) for r in replicas]} caught up with {primary}", 30)


def pair(start, *arguments):
    """A primary, and a replica with these arguments that has caught up."""
    primary, replica = start("tandem"), start("tandem", *arguments)
    replica.follow(primary.port)
    caught_up(primary, replica)
    return primary, replica


def digest(server):
    with Connection(server.port) as connection:
        return connection.call("DEBUG", "DIGEST")


def settle(server):
    """Nothing is about to expire, or has and is still there: the data stay as they are."""
    with server.connect() as connection:
        for database in range(16):
            connection("SELECT", database)
            for key in connection("KEYS", "*"):
                if 0 <= connection("PTTL", key) < 3_600_000:
                    connection("DEL", key)
            wait_until(lambda: connection("DBSIZE") == len(connection("KEYS", "*")),
                       f"what has expired is gone from database {database}")


def assert_same(primary, *replicas):
    """Equal digests at equal offsets; a failure names the keys that differ."""

    def measured():
        """All digests of one place: none counts if a key expired meanwhile."""
        caught_up(primary, *replicas)
        before = primary.offset()
        digests = {server: digest(server) for server in (primary, *replicas)}
        return all(server.offset() == before for server in digests) and digests

    digests = wait_until(measured, f"the stream of {primary} rests", 30)
    for replica in replicas:
        if digests[replica] != digests[primary]:
            with primary.connect() as ours, replica.connect() as theirs:
                keys = differing_keys(ours, theirs)
            assert not keys, f"{replica} differs from {primary}:\n{keys}"
