"""What the generator does not send, with the reason of each. No command is left out silently."""
import re

from .hints import CONSUMERS

# By name; "container|" stands for all its subcommands.
COMMANDS = {
    "shutdown": "ends the server",
    "quit": "ends the connection: test_connection.py",
    "monitor": "replies without end: test_admin.py",
    "sync": "a replica's: test_replication_primary.py",
    "psync": "a replica's: test_replication_primary.py",
    "replconf": "a replica's: test_replication_primary.py",
    "replicaof": "another role: test_replication_replica.py",
    "slaveof": "another role: test_replication_replica.py",
    "failover": "another role: test_interop.py",
    "wait": "how far replicas are at a moment: test_replication_replica.py",
    "save": "refused while a full sync runs: test_persistence.py",
    "bgsave": "refused while a full sync runs: test_persistence.py",
    "bgrewriteaof": "refused while a full sync runs",
    "debug": "each server's own",
    "multi": "opened by the sequence itself", "exec": "sent by the sequence itself",
    "discard": "sent by the sequence itself",
    "migrate": "needs one more server",
    "cluster|": "not a cluster", "asking": "not a cluster", "readonly": "not a cluster",
    "readwrite": "not a cluster", "restore-asking": "not a cluster",
    "module|load": "runs code of the machine", "module|loadex": "runs code of the machine",
    "module|unload": "no module is loaded",
    "client|reply": "turns replies off: test_connection.py",
    "client|kill": "ends connections: test_acting_on_clients.py",
    "client|tracking": "invalidations come when they like: test_tracking.py",
    "client|trackinginfo": "test_tracking.py",
    "client|caching": "test_tracking.py",
    "client|pause": "stops everybody for a time: test_acting_on_clients.py",
    "config|rewrite": "writes a file: test_config.py",
    "acl|load": "reads a file", "acl|save": "writes a file",
    "script|debug": "an interactive debugger", "pfselftest": "takes a second",
    "command": "test_command.py compares it row by row",
    "command|docs": "test_command.py compares it row by row",
    "command|info": "test_command.py compares it row by row",
    "command|list": "test_command.py compares it row by row",
    "command|count": "test_command.py compares it row by row",
    "latency|graph": "nothing is slow enough: test_info.py",
    "config|get": "test_config.py compares it by directive",
}

# Not sent where others wait for keys: Redis wakes them for a key that comes to exist, but not for
# one of another type that is overwritten by what they wait for. Tandem wakes them for both.
OVERWRITING = {"sort", "georadius", "georadiusbymember", "geosearchstore", "zrangestore",
               "zdiffstore", "zinterstore", "zunionstore"}

# These name a command with its arguments: from which word on.
NAMES_A_COMMAND = {"command|getkeys": 2, "command|getkeysandflags": 2, "acl|dryrun": 3}
# Above the first the server gets slow, from the second on Redis refuses the number.
SMALL, REFUSED = 10**4, 2**62


def reason(command):
    """Why a command of the table is left out, or None."""
    return "its subcommands are sent" if command.is_container else _reason(command.name)


def forbidden(words, table):
    """Why these words, of bytes, must not be sent, or None: a mistake may have made another command
    of them, and some arguments are unfit."""
    name, *rest = (word.decode("latin-1").lower() for word in words[:2])
    full_name = "|".join([name, *rest])
    if why := _reason(full_name if full_name in table else name):
        return why
    if full_name in NAMES_A_COMMAND and len(words) > NAMES_A_COMMAND[full_name]:
        if why := forbidden(words[NAMES_A_COMMAND[full_name]:], table):
            return why
    return next((why for names, unfit, why in FORMS if name in names.split() and unfit(words)),
                None)


def waits_unlike(words):
    """For several keys: since 7.2 a command that is served is executed again with all of them, and
    one that holds another type by then is an error; XREAD tells of all its streams."""
    name, options = words[0].upper(), [word.upper() for word in words]
    if name in (b"XREAD", b"XREADGROUP"):
        return b"STREAMS" in options and len(words) - options.index(b"STREAMS") > 3
    if name in (b"BLMPOP", b"BZMPOP"):
        return words[2:3] != (b"1",)
    return name in (b"BLPOP", b"BRPOP", b"BZPOPMIN", b"BZPOPMAX") and len(words) > 3


def _reason(name):
    container, bar, _ = name.partition("|")
    return COMMANDS.get(name) or COMMANDS.get(container + bar)


def _is_long(word, limit=.05):
    try:
        return float(word) == 0 or limit < float(word) < REFUSED
    except ValueError:
        return False


def _is_large(word):
    number = re.fullmatch(rb"#?-?(\d+)", word)
    return number is not None and SMALL < int(number[1]) < REFUSED


def _after(words, option):
    return [word for before, word in zip(words, words[1:]) if before.upper() == option]


def _is_whole_greeting(words):
    """HELLO that sets at most one thing, or is refused before it sets any."""
    options = [word.upper() for word in words[2:]]
    return not {b"AUTH", b"SETNAME"} & {*options} or (
        (options[0], len(options)) in ((b"AUTH", 3), (b"SETNAME", 2)))


def _names_new_consumer(words):
    """One that was not made with its group."""
    options = [word.upper() for word in words]
    at = options.index(b"GROUP") + 2 if b"GROUP" in options else 3
    return words[at:at + 1] and words[at].decode("latin-1") not in CONSUMERS


def _mixes_scores(words):
    """A range by name of a key that may have more than one score."""
    at = 2 if words[0].upper() == b"ZRANGESTORE" else 1
    by_name = words[0].upper().endswith((b"BYLEX", b"LEXCOUNT")) or (
        b"BYLEX" in map(bytes.upper, words))
    return by_name and words[at:at + 1] and not words[at].startswith(b"lexical")


# (commands, whether their words are unfit, why)
FORMS = [
    ("blpop brpop bzpopmin bzpopmax blmove brpoplpush", lambda words: _is_long(words[-1]),
     "waits for ever"),
    ("blmpop bzmpop", lambda words: any(map(_is_long, words[1:2])), "waits for ever"),
    ("xread xreadgroup",
     lambda words: any(_is_long(word, limit=50) for word in _after(words, b"BLOCK")),
     "waits for ever"),
    ("setrange setbit bitfield", lambda words: any(map(_is_large, words[2:])),
     "makes a string of so many bytes"),
    ("srandmember hrandfield zrandmember", lambda words: any(map(_is_large, words[2:])),
     "a negative count gives as many elements, some of them again"),
    ("sort sort_ro", lambda words: {b"BY", b"ALPHA"} <= {word.upper() for word in words},
     "texts that weigh the same come in no order"),
    ("zrank zrevrank", lambda words: len(words) != 3, "7.2 lets it have one more word"),
    ("command", lambda words: len(words) == 3 and words[1].lower().startswith(b"getkeys"),
     "7.2 lets it have one word less"),
    ("zrangebylex zrevrangebylex zlexcount zremrangebylex zrange zrangestore", _mixes_scores,
     "what a range by name gives is left open where scores differ"),
    ("hello", lambda words: not _is_whole_greeting(words),
     "7.2 understands all words before it does anything"),
    ("xreadgroup xclaim xautoclaim", _names_new_consumer,
     "7.2 makes a consumer that finds nothing"),
    ("acl", lambda words: b"default" in words, "locks everybody out"),
]
