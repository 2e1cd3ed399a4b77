"""What COMMAND DOCS does not tell of arguments: their values by name.

A command needs no row here as long as its arguments are keys, numbers and texts. A row is found by
"command.argument", "group.argument" or "argument", in this order, then by the argument's kind. It
holds choices, or a function of the Values and of the Slot that is filled.
"""
from . import scripts
from .values import INDEXES, PATTERNS, SCORE_BOUNDS, Values

# DUMP and FUNCTION DUMP of redis-server 7.0; the last of each is torn.
DUMPS = {
    "a text": "000568656c6c6f0a006372df766534200a",
    "a number": "00c02a0a0081fb5cfa86634f50",
    "a list": "1201020f0f00000003008161028162020101ff0a00e01bab4a47ce5922",
    "a set of numbers": "0b0e02000000030000000100020003000a00a5025ce26d6e4d1b",
    "a set": "0202017901780a000cdf6b3db330bcf0",
    "a hash": "100d0d0000000200816602817602ff0a0020f13d442354089d",
    "a sorted set": "110f0f0000000200816d0283312e3504ff0a0049d9876078254e8a",
    "a stream": (
        "130110000000000000000100000000000000012d2d000000110002010001010181610200010201000100"
        "01816202040100010101000101018163028164020601ff020201010100000201026731000081ffffffff"
        "ffffffff00000a006fe9aab9afd21364"),
    "a HyperLogLog": (
        "001b48594c4c01000000000000000000008060f38050b1844bfb80425a0a009f590c06b6497049"),
    "torn": "000568656c6c6f0a006372df766534200b"}
LIBRARY_DUMPS = {
    "a library": (
        "f5c3404a404f1f23216c7561206e616d653d6b6570740a72656469732e72656769737465725f6608756e"
        "6374696f6e2827401d02272c20e000100c6b657973292072657475726e20400c0420656e64290a005d74"
        "d6a3ebadf0ca"),
    "torn": "f5c3404a404f"}
# Directives that change how commands work, and nothing of the server's own: values, first the
# default.
DIRECTIVES = {
    "hash-max-listpack-entries": (128, 0, 4), "hash-max-listpack-value": (64, 1, 8),
    "list-max-listpack-size": (-2, -1, 2, 128), "list-compress-depth": (0, 1),
    "set-max-intset-entries": (512, 0, 4), "zset-max-listpack-entries": (128, 0, 4),
    "zset-max-listpack-value": (64, 1, 8), "stream-node-max-entries": (100, 3),
}
GROUPS = ("g1", "g2", "g3")
CONSUMERS = ("c1", "c2", "")
USERS = ("alice", "bob", "nobody", "")
PASSWORDS = ("secret", "other", "")
CHANNELS = ("news", "news:1", "other", b"\x00", "")
COUNTS = (0, 1, 1, 2, 2, 3, 5, 100, -1, -3, "x")
ONE_CALL = ("1000", "100000", "1000", "1", "0", "-1", "x")  # so many that a scan is one call
SHORT_IDLE_OR_NEVER = (0, 0, 0, 10**15, "x", -1)  # no moment of the test lies between

HINTS = {
    # kinds
    "key": lambda values, slot: values.key(slot.family),
    "string": lambda values, slot: values.text(),
    "integer": lambda values, slot: values.integer(),
    "double": lambda values, slot: values.double(),
    "pattern": PATTERNS,

    # lifetimes and moments
    "seconds": lambda values, slot: values.lifetime(1),
    "milliseconds": lambda values, slot: values.lifetime(1000),
    "ttl": lambda values, slot: values.pick(0, values.lifetime(1000)),
    "unix-time-seconds": lambda values, slot: values.moment(1),
    "unix-time-milliseconds": lambda values, slot: values.moment(1000),
    "restore.seconds": (0, 1, 100, 100000, -1),
    "frequency": (0, 1, 255, 256, -1),

    # databases, lists, strings
    "destination-db": (0, 1, 2, 3, 99, "x"), "db": (0, 1, 2, 3, 99, "x"),
    "select.index": (0, 0, 0, 1, 2, 3, 16, -1, "x", 2**31), "index1": (0, 1, 2, 16, "x"),
    "index2": (0, 1, 2, 16, "x"),
    "index": INDEXES, "list.start": INDEXES, "list.stop": INDEXES, "string.start": INDEXES,
    "string.end": INDEXES, "bitmap.start": INDEXES, "bitmap.end": INDEXES,
    "lrem.count": (0, 1, 2, -1, "x"), "rank": (1, 2, -1, -2, 0, "x", -2**63 + 1),
    "count": COUNTS, "num-matches": COUNTS, "limit": COUNTS,
    "offset": (0, 0, 1, 2, 7, 8, 100, -1, "x"),
    "setrange.offset": (0, 1, 5, 70, -1, 2**29, 2**40),
    "bit": (0, 1, 2, "x"), "setbit.value": (0, 1, 1, 2, "x"),
    "bitop.operation": ("AND", "OR", "XOR", "not", "NOR"),
    "encoding": ("u1", "u8", "i8", "i5", "u63", "i64", "u64", "i65", "x8", "i", ""),
    "bitfield.offset": (0, 1, 7, 8, 100, "#0", "#3", -1, "#-1", "x"),
    "bitfield_ro.offset": (0, 1, 7, 8, 100, "#0", "#3", -1, "#-1", "x"),

    # collections
    "member": lambda values, slot: values.word(), "member1": lambda values, slot: values.word(),
    "member2": lambda values, slot: values.word(), "field": lambda values, slot: values.word(),
    "element": lambda values, slot: values.word(), "pivot": lambda values, slot: values.word(),
    "sadd.member": lambda values, slot: values.pick(values.word(), values.integer()),
    "score": lambda values, slot: values.score(slot.family),
    "zincrby.increment": lambda values, slot: values.score(slot.family),
    "weight": (1, 2, -1, "0.5", 0, "inf", "x"),
    "min": lambda values, slot: values.bound(slot.tokens | {"BYSCORE"}, slot.family),
    "max": lambda values, slot: values.bound(slot.tokens | {"BYSCORE"}, slot.family),
    "sorted-set.start": lambda values, slot: values.bound(slot.tokens, slot.family),
    "sorted-set.stop": lambda values, slot: values.bound(slot.tokens, slot.family),
    "zrangestore.min": lambda values, slot: values.bound(slot.tokens, slot.family),
    "zrangestore.max": lambda values, slot: values.bound(slot.tokens, slot.family),
    "longitude": ("13.361389", "15.087269", "0", "-180", "180", "2.5", "181", "x"),
    "latitude": ("38.115556", "37.502669", "0", "85", "-85.05", "48.8", "86", "nan"),
    "radius": ("100", "200.5", "5000", "0", "-1", "20000000", "x"),
    "width": ("100", "400", "40000000", "0", "-1", "x"),
    "height": ("100", "400", "40000000", "0", "-1", "x"),
    "cursor": (0, 0, 0, 0, "00", "x", -1, 5), "scan.count": ONE_CALL, "sscan.count": ONE_CALL,
    "hscan.count": ONE_CALL, "zscan.count": ONE_CALL,
    "scan.type": ("string", "LIST", "zset", "set", "hash", "stream", "nosuch"),
    "sort.pattern": ("string:*", "hash:*->a", "#", "nosort", "list:*", "*"),
    "sort_ro.pattern": ("string:*", "hash:*->a", "#", "nosort", "list:*", "*"),
    "pfdebug.subcommand": ("GETREG", "DECODE", "ENCODING", "TODENSE", "nosuch"),

    # streams
    "id": lambda values, slot: values.identity(),
    "xadd.id": lambda values, slot: values.new_identity(),
    "xreadgroup.id": lambda values, slot: values.pick(">", ">", "0", values.identity()),
    "last-id": lambda values, slot: values.pick(values.new_identity(), values.identity()),
    "max_deleted_entry_id": lambda values, slot: values.identity(),
    "stream.start": lambda values, slot: values.pick("-", "0", values.identity()),
    "stream.end": lambda values, slot: values.pick("+", values.identity()),
    "threshold": lambda values, slot: (values.identity() if "MINID" in slot.tokens else
                                       values.pick(0, 1, 3, 20, 1000, -1, "x")),
    "group": ("g1", "g1", "g2", "nosuch"), "groupname": ("g1", "g1", "g2", "g3"),
    "consumer": CONSUMERS, "consumername": CONSUMERS,
    "min-idle-time": SHORT_IDLE_OR_NEVER, "ms": (0, 1000, 10**6, -1, "x"),
    "entries_read": (0, 1, 5, -1, -2, "x"), "entries_added": (0, 5, 100, 10000, -1),

    # waiting
    "timeout": lambda values, slot: values.pick(*values.waits),
    "xread.milliseconds": lambda values, slot: values.wait_milliseconds(),
    "xreadgroup.milliseconds": lambda values, slot: values.wait_milliseconds(),

    # scripts and functions
    "script": scripts.SCRIPTS, "sha1": lambda values, slot: values.digest(),
    "function": scripts.FUNCTION_NAMES, "function-code": scripts.LIBRARIES,
    "library-name": scripts.LIBRARY_NAMES, "library-name-pattern": scripts.LIBRARY_NAMES,

    # the server and its connections
    "serialized-value": tuple(map(bytes.fromhex, DUMPS.values())),
    "function|restore.serialized-value": tuple(map(bytes.fromhex, LIBRARY_DUMPS.values())),
    "channel": CHANNELS, "shardchannel": CHANNELS,
    "protover": (2, 3, 3, 4, "x"), "username": USERS, "auth.username": ("default", *USERS),
    "hello.username": ("default", *USERS), "prefix": ("", "list:", "str"), "password": PASSWORDS,
    "rule": ("on", "off", ">secret", "nopass", "~*", "allkeys", "%R~list:*", "&*", "+@all", "+get",
             "-@dangerous", "+config|get", "(+set ~string:*)", "clearselectors", "resetpass",
             "reset", "~", "+nosuch", ">", "nosuch"),
    "categoryname": ("string", "all", "dangerous", "nosuch"), "bits": (0, 5, 64, 4096, 4097, -1),
    "parameter": tuple(DIRECTIVES), "config|set.value": (0, 1, 3, 64, 128, -2, "x", ""),
    "connection-name": ("me", "you", "a b", ""), "clientname": ("me", "a b", ""),
    "client-id": (10**9, 0, -1, "x"), "ip:port": ("127.0.0.1:1", "x"),
    "event": ("command", "nosuch"), "section": ("server", "nosuch", "everything"),
}


def value(values, slot):
    """A value for a slot."""
    node = slot.node
    names = (f"{slot.command.name}.{node.name}", f"{slot.command.group}.{node.name}", node.name,
             node.kind, "string")
    hint = next(HINTS[name] for name in names if name in HINTS)
    return hint(values, slot) if callable(hint) else values.pick(*hint)
