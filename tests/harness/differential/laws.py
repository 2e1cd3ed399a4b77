"""What two servers may answer differently, and how far: every exception from "equal to the byte".

A law holds for replies that are no errors; it is given the words of the command and both replies as
trees (reply.py). The table of commands names itself what is in no order (its tips).
"""
import re
from dataclasses import dataclass
from typing import Callable

from . import reply, scripts

MILLISECONDS, SECONDS = 5000, 5  # how much later one server may hear a command


def differ(table, words, ours, theirs):
    """Whether no law allows these two replies, of bytes, to one command."""
    if ours == theirs:
        return False
    script, words = words, scripts.called(words) or words
    command = find(table, words)
    if any(change.allows(command, ours, theirs) for change in NEW_IN_7_2):
        return False
    if reply.is_error(ours) or reply.is_error(theirs):
        return True
    ours, theirs = reply.parse(ours), reply.parse(theirs)
    allowed = [law.same for law in LAWS if law.holds_for(command)]
    if scripts.CALL_IN_RESP3.encode() in script[:2]:
        allowed.append(unordered_throughout)  # maps and sets were tables of Lua
    return not any(same(words, ours, theirs) for same in allowed)


def find(table, words):
    """The command of these words, or None: the name of a subcommand has two of them."""
    names = [word.decode("latin-1").lower() for word in words[:2]]
    return table.get("|".join(names)) or table.get(names[0])


# How trees may be alike


def exactly(words, ours, theirs):
    return alike(ours, theirs)


def alike(ours, theirs, leaves=None):
    """Equal, with the two forms of a double; `leaves` may allow more for two leaves."""
    if isinstance(ours[1], tuple) and isinstance(theirs[1], tuple):
        return ours[0] == theirs[0] and len(ours[1]) == len(theirs[1]) and all(
            alike(one, other, leaves) for one, other in zip(ours[1], theirs[1]))
    return ours == theirs or same_double(ours, theirs) or bool(leaves and leaves(ours, theirs))


def same_double(ours, theirs):
    """7.0 writes a double in 17 digits, 7.2 in as few as give it back; base_test has the digits."""
    try:
        return ours[0] == theirs[0] and theirs[1] == b"%.17g" % float(ours[1])
    except (TypeError, ValueError):
        return False


def unordered(words, ours, theirs):
    """The same elements, or the same pairs where the reply is of pairs."""
    size = 2 if find_pairs(words, ours) else 1
    return ours[0] == theirs[0] and len(ours[1]) == len(theirs[1]) and all(
        alike(one, other) for one, other in zip(in_order(ours, size), in_order(theirs, size)))


def unordered_throughout(words, ours, theirs):
    """Collections in collections, none of which has an order."""
    return sorted_throughout(ours) == sorted_throughout(theirs)


def sorted_throughout(node):
    if not isinstance(node[1], tuple):
        return node
    return node[0], tuple(sorted(map(sorted_throughout, node[1]), key=repr))


def find_pairs(words, node):
    return node[0] == b"%" or words[0].upper() in (b"HGETALL", b"HSCAN", b"ZSCAN")


def in_order(node, size):
    """Elements in groups of this size, in one order."""
    items = node[1]
    groups = [(b"*", tuple(items[at:at + size])) for at in range(0, len(items), size)]
    return sorted(groups, key=repr)


def one_call_scan(words, ours, theirs):
    """Cursors are a server's own; what is scanned in one call is compared."""
    (our_cursor, our_items), (their_cursor, their_items) = ours[1], theirs[1]
    began = words[1 if words[0].upper() == b"SCAN" else 2]
    if began.strip(b"0") or our_cursor[1] != b"0" or their_cursor[1] != b"0":
        return True
    return unordered(words, our_items, their_items)


def set_not_sorted(words, ours, theirs):
    """SORT BY a pattern without a star leaves a set in its own order."""
    options = [word.upper() for word in words]
    if b"BY" not in options[:-1] or b"*" in words[options.index(b"BY") + 1]:
        return False
    if b"LIMIT" in options:
        return len(ours[1]) == len(theirs[1])
    return unordered(words, ours, theirs)


def sorted_up_to_zero(words, ours, theirs):
    """SORT ALPHA looks at no more of a text than what stands before its first zero byte."""
    ends = [[node[1].split(b"\0")[0] for node in tree[1]] for tree in (ours, theirs)]
    is_part = b"LIMIT" in [word.upper() for word in words]
    return ends[0] == ends[1] and (is_part or unordered(words, ours, theirs))


def near(allowance):
    """Integers may differ by this; negative ones say something else than a time."""

    def leaves(ours, theirs):
        return ours[0] == theirs[0] == b":" and min(int(ours[1]), int(theirs[1])) >= 0 and (
            abs(int(ours[1]) - int(theirs[1])) <= allowance)

    return lambda words, ours, theirs: alike(ours, theirs, leaves)


def times_of_consumers(words, ours, theirs):
    """7.2 tells two moments of a consumer, 7.0 one."""

    def without_new(node):
        kind, value = node
        if not isinstance(value, tuple):
            return node
        new = [at for at, child in enumerate(value) if child[1] in (b"inactive", b"active-time")]
        return kind, tuple(without_new(child) for at, child in enumerate(value)
                           if at not in new and at - 1 not in new)

    return near(MILLISECONDS)(words, without_new(ours), theirs)


def as_many(words, ours, theirs):
    """Chance chose: as many elements of the same kinds."""
    if isinstance(ours[1], tuple) and isinstance(theirs[1], tuple):
        return ours[0] == theirs[0] and len(ours[1]) == len(theirs[1]) and all(
            as_many(words, one, other) for one, other in zip(ours[1], theirs[1]))
    return ours[0] == theirs[0]


def by_chance(words, ours, theirs):
    """As many; with a count that is not negative each only once, and all where they are fewer."""
    if not as_many(words, ours, theirs):
        return False
    count = int(words[2]) if len(words) > 2 else -1
    if count < 0 or not isinstance(ours[1], tuple):
        return True
    size = 2 if len(words) > 3 and not any(isinstance(item, tuple) for _, item in ours[1]) else 1
    groups = [in_order(tree, size) for tree in (ours, theirs)]
    names = {group[1][0] if size == 2 else group[1][0][1] for group in groups[0]}
    return len(names) == len(groups[0]) and (
        len(names) >= count or all(map(alike, *groups)))


def same_kind(words, ours, theirs):
    return ours[0] == theirs[0]


def same_moments(words, ours, theirs):
    """Identifiers that XADD takes from the clock."""

    def leaves(ours, theirs):
        moments = [re.fullmatch(rb"(\d{13})-\d+", node[1]) for node in (ours, theirs)]
        return all(moments) and abs(int(moments[0][1]) - int(moments[1][1])) <= MILLISECONDS

    return alike(ours, theirs, leaves)


def commands_of_both(words, ours, theirs):
    """Tandem may lack commands of 7.0, and has some of 7.2."""
    new = {b"client|setinfo", b"client|no-touch", b"wait"}
    return {value for _, value in ours[1]} - {value for _, value in theirs[1]} <= new


def rights_but_commands(words, ours, theirs):
    """7.2 gives every user a flag and shows the rules of commands as they were written, 7.0 as it
    makes them from the commands (test_acl.py has them)."""

    def bare(node):
        kind, value = node
        if isinstance(value, tuple):
            return kind, tuple(bare(child) for child in value if child[1] != b"sanitize-payload")
        kept = [word for word in value.split(b" ")
                if word != b"sanitize-payload" and word[:1] not in (b"+", b"-")]
        return kind, b" ".join(kept)

    return bare(ours) == bare(theirs)


@dataclass(frozen=True)
class Law:
    title: str
    names: str  # of commands
    same: Callable
    tip: str | None = None  # or this tip of the command's row

    def holds_for(self, command):
        if not self.names and not self.tip:
            return True
        return command is not None and (command.name in self.names.split() or
                                        self.tip in command.tips)


LAWS = [
    Law("a double in 17 digits or in as few as needed", "", exactly),
    Law("in no order", "", unordered, tip="nondeterministic_output_order"),
    Law("a scan", "scan sscan hscan zscan", one_call_scan),
    Law("those of more commands", "acl|cat", commands_of_both),
    Law("in no order", "acl|cat pubsub|channels pubsub|shardchannels", unordered),
    Law("in no order", "function|list", unordered_throughout),
    Law("in a set's own order", "sort sort_ro", set_not_sorted),
    Law("texts with zero bytes", "sort sort_ro", sorted_up_to_zero),
    Law("what remains of a lifetime", "ttl expiretime", near(SECONDS)),
    Law("what remains of a lifetime", "pttl pexpiretime", near(MILLISECONDS)),
    Law("time since a delivery", "xpending", near(MILLISECONDS)),
    Law("time since a delivery", "xinfo|consumers xinfo|stream", times_of_consumers),
    Law("by chance", "spop srandmember hrandfield zrandmember", by_chance),
    Law("by chance", "randomkey acl|genpass", as_many),
    Law("rights", "acl|list acl|getuser", rights_but_commands),
    Law("by the clock", "time lastsave", as_many),
    Law("by the clock", "xadd xread xreadgroup", same_moments),
    Law("a payload with its version", "dump function|dump", same_kind),
    Law("the server's own", "info hello client|list client|info client|id role lolwut "
        "memory|usage memory|stats memory|doctor memory|malloc-stats slowlog|get slowlog|len "
        "latency|histogram latency|doctor latency|latest latency|history acl|log "
        "function|stats object|refcount object|freq object|idletime module|list", same_kind),
    Law("prose", "client|help config|help command|help object|help memory|help latency|help "
        "slowlog|help script|help function|help pubsub|help acl|help xgroup|help xinfo|help "
        "module|help cluster|help debug|help", same_kind),
]


@dataclass(frozen=True)
class Change:
    """Tandem answers as 7.2, and the peer here is 7.0.15: how a reply of each begins, a text
    without its length. One that is equal to neither still fails."""
    names: str  # of commands; none stands for all
    theirs: bytes
    ours: bytes
    why: str

    def allows(self, command, ours, theirs):
        known = not self.names or (command is not None and command.name in self.names.split())
        return known and _text(ours).startswith(self.ours) and (
            _text(theirs).startswith(self.theirs))


def _text(raw):
    return raw.partition(b"\r\n")[2] if raw[:1] == b"$" else raw


NEW_IN_7_2 = [
    Change("object|encoding", b"quicklist\r\n", b"listpack\r\n",
           "7.2 keeps a small list in one listpack"),
    Change("object|encoding", b"hashtable\r\n", b"listpack\r\n",
           "7.2 keeps a small set of texts in a listpack"),
    Change("xread xreadgroup", b"-ERR Unbalanced XREAD list of streams",
           b"-ERR Unbalanced 'xread", "7.2 names the command in quotes"),
    Change("hello", b"-WRONGPASS ", b"-ERR ",
           "7.2 understands all words before it does anything"),
    Change("xsetid", b"",
           b"-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
           "7.2 refuses to go behind what was deleted"),
    Change("command|getkeys command|getkeysandflags",
           b"-ERR wrong number of arguments for 'command|getkeys", b"-ERR ",
           "7.2 looks at a command of one word"),
    Change("sort sort_ro", b"-ERR One or more scores can't be converted into double", b"*",
           "Redis takes an older error of the C library, of another number, for one of SORT's"),
    Change("lpos", b":", b"-ERR value is out of range, value must between -9223372036854775807",
           "7.2 refuses a rank that has no opposite"),
    Change("blpop brpop blmove brpoplpush bzpopmin bzpopmax blmpop bzmpop",
           b"-ERR timeout is negative", b"-ERR timeout is out of range",
           "7.2 tells a time limit that is too large from a negative one"),
    Change("acl|dryrun", b"This user has no permissions to ", b"User ",
           "7.2 names who must not"),
    Change("", b"-NOPERM this user has no permissions to run ", b"-NOPERM User ",
           "7.2 names who must not"),
    Change("", b"-NOPERM this user has no permissions to access one of the ",
           b"-NOPERM No permissions to access a ", "7.2 names who must not"),
]
