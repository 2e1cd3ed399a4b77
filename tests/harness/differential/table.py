"""The command table of a server: what its COMMAND and COMMAND DOCS tell, as objects."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Argument:
    """A node of a command's syntax. `path` names it among all nodes of all commands."""
    path: str
    name: str
    kind: str  # key, string, integer, double, pattern, unix-time, pure-token, oneof or block
    token: str | None
    optional: bool
    multiple: bool
    token_each_time: bool  # of a multiple one: its token stands before every repetition
    parts: tuple  # the nodes of a block, the choices of a oneof


@dataclass(frozen=True)
class Command:
    """A command, or a subcommand: then its name is "container|subcommand"."""
    name: str
    group: str
    arity: int
    flags: frozenset
    tips: frozenset
    has_keys: bool
    arguments: tuple
    is_container: bool  # its subcommands are what can be called

    @property
    def words(self):
        return self.name.split("|")

    def nodes(self):
        """Every node of its syntax."""
        waiting = list(self.arguments)
        while waiting:
            node = waiting.pop()
            waiting += node.parts
            yield node


def read_table(connection):
    """All commands and subcommands of a server by their names. `connection` speaks RESP2."""
    docs = dict(_pairs(connection("COMMAND", "DOCS")))
    for words in list(docs.values()):
        docs |= _pairs(dict(_pairs(words)).get("subcommands", []))
    return {row[0]: _command(row, dict(_pairs(docs.get(row[0], []))))
            for row in _all_rows(connection("COMMAND"))}


def _pairs(items):
    return zip(items[::2], items[1::2])


def _all_rows(rows):
    for row in rows:
        yield row
        yield from _all_rows(row[9])


def _command(row, documentation):
    name, arity, flags, first_key = row[:4]
    return Command(
        name=name, arity=arity, flags=frozenset(flags), tips=frozenset(row[7]),
        group=documentation.get("group", ""), has_keys=first_key > 0 or "movablekeys" in flags,
        arguments=_arguments(documentation.get("arguments", []), name), is_container=bool(row[9]))


def _arguments(rows, parent):
    return tuple(_argument(dict(_pairs(row)), parent) for row in rows)


def _argument(row, parent):
    path, flags = f"{parent} {row['name']}", row.get("flags", ())
    return Argument(
        path=path, name=row["name"], kind=row["type"], token=row.get("token"),
        optional="optional" in flags, multiple="multiple" in flags,
        token_each_time="multiple_token" in flags,
        parts=_arguments(row.get("arguments", []), path))
