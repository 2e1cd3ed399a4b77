"""One valid command from its syntax: which options it has is drawn first, then every value."""
from dataclasses import dataclass

from . import hints
from .table import Argument, Command
from .values import LEXICAL

# The families of keys that a command works on: by its name, its group, or any.
FAMILIES = {
    "string": ("string",), "bitmap": ("string",), "list": ("list",), "set": ("set",),
    "hash": ("hash",), "sorted-set": ("sorted",), "geo": ("geo",), "stream": ("stream",),
    "hyperloglog": ("hyperloglog",), "sort": ("list", "set", "sorted"),
    "sort_ro": ("list", "set", "sorted"), "zunion": ("sorted", "sorted", "set"),
    "zinter": ("sorted", "sorted", "set"), "zdiff": ("sorted", "sorted", "set"),
}
# These are repeated as often as there are keys before them.
AS_MANY_AS_KEYS = {"weight", "xread streams id", "xreadgroup streams id"}
MANY = 140  # elements: past the limits of small encodings


@dataclass
class Slot:
    """A place for a value. The rest of the command is known when it is filled."""
    command: Command
    node: Argument
    tokens: set  # of the whole command
    family: str  # of the key that belongs here, or of the command's keys


class Builder:
    """Makes one command. `reached` are its name and the paths of the nodes that it has."""

    def __init__(self, values, command, eagerness=0, family=None):
        self.values = values
        self.command = command
        self.eagerness = eagerness  # the share of its options that it has
        self.family = family
        self.tokens = set()
        self.reached = {command.name}
        self.keys = 0  # in the last run of keys

    def words(self):
        items = self._all(self.command.arguments)
        families = self._families()
        for item in items:
            if isinstance(item, Slot):
                item.family = self._family(item, families)
        filled = [self._fill(items, at) for at in range(len(items))]
        return [*map(self._in_any_case, self.command.words), *filled]

    # which nodes, and how often

    def _all(self, nodes):
        """Options that stand side by side come in any order."""
        placed, options = [], []
        for node in nodes:
            if not node.optional:
                placed += self._flush(options)
                placed += self._place(node)
            elif self.values.chance(self.eagerness):
                options.append(self._place(node))
        return placed + self._flush(options)

    def _flush(self, options):
        if self.values.chance(.3):
            self.values.random.shuffle(options)
        items = [item for option in options for item in option]
        options.clear()
        return items

    def _place(self, node):
        self.reached.add(node.path)
        once, each_time = [], []
        if node.token is not None:
            self.tokens.add(node.token)
            (each_time if node.token_each_time else once).append(self._in_any_case(node.token))
        count = self._count(node) if node.multiple else 1
        if node.kind == "key":
            self.keys = count
        for _ in range(count):
            once += each_time + self._body(node)
        return once

    def _body(self, node):
        if node.kind == "pure-token":
            return []
        if node.kind == "oneof":
            return self._place(self.values.pick(*node.parts))
        if node.kind == "block":
            return self._all(node.parts)
        return [Slot(self.command, node, self.tokens, "")]

    def _count(self, node):
        if node.name in AS_MANY_AS_KEYS or node.path in AS_MANY_AS_KEYS:
            return self.keys
        if self.values.chance(.02) and node.kind in ("string", "block") and self.command.has_keys:
            return MANY
        return self.values.pick(1, 1, 1, 2, 2, 3, 4)

    # their values

    def _families(self):
        if self.family:
            return (self.family,)
        if "BYLEX" in self.tokens or "lex" in self.command.name:
            return (LEXICAL,)
        return FAMILIES.get(self.command.name, FAMILIES.get(self.command.group,
                                                                 self.values.families))

    def _family(self, slot, families):
        if slot.node.kind == "key" and not self.family and self.values.chance(.04):
            return self.values.pick("string", "list", "stream")
        return self.values.pick(*families)

    def _fill(self, items, at):
        slot = items[at]
        if not isinstance(slot, Slot):
            return slot
        if slot.node.name == "numkeys":
            return self._keys_after(items, at)
        return hints.value(self.values, slot)

    @staticmethod
    def _keys_after(items, at):
        count = 0
        for item in items[at + 1:]:
            if not isinstance(item, Slot) or item.node.kind != "key":
                break
            count += 1
        return count

    def _in_any_case(self, word):
        return self.values.pick(word, word, word, word.lower(), word.capitalize())
