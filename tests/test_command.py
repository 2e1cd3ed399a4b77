"""COMMAND: what it tells of every command, compared with Redis."""
import re

from harness.servers import is_stock

# Where the table of 7.2 differs from that of the 7.0 beside us.
NEW_IN_7_2 = {
    ("zrank", "arity"), ("zrevrank", "arity"),  # WITHSCORE
    ("wait", "flags"), ("wait", "categories"),  # blocking
    ("scan", "tips"), ("randomkey", "tips"), ("latency|reset", "tips"),  # their response policy
    ("config|rewrite", "tips"), ("config|resetstat", "tips"),  # a request of all nodes
}
TABLE_FIELDS = ("name", "arity", "flags", "first key", "last key", "step", "categories", "tips",
                "key specifications")


def table_rows(rows):
    """Commands and subcommands by name; remarks in key specifications are prose of the peer's."""
    found = {}
    for row in rows:
        fields = dict(zip(TABLE_FIELDS, row))
        fields["flags"] = sorted(row[2])
        fields["key specifications"] = [spec[2:] if spec[0] == "notes" else spec for spec in row[8]]
        found |= {row[0]: fields} | table_rows(row[9])
    return found


def test_command_table_is_redis_table(start):
    """All that COMMAND tells of every command we have, as a 7.0 tells it."""
    ours, theirs = (table_rows(start(kind).connect()("COMMAND")) for kind in ("tandem", "redis"))
    differing = [f"{name} {what}: {fields[what]} not {theirs[name][what]}"
                 for name, fields in ours.items() if name in theirs for what in TABLE_FIELDS
                 if fields[what] != theirs[name][what] and (name, what) not in NEW_IN_7_2]
    assert not differing, "\n".join(differing)


def test_command_info_has_redis_types(start):
    """RESP3: where Redis has a set, a map or a simple string, so have we."""
    clients = [start(kind).connect(protocol=3) for kind in ("tandem", "redis")]
    for name in ("get", "xread", "eval", "mget", "client|list"):
        ours, theirs = (client.raw("COMMAND", "INFO", name) for client in clients)
        assert ours == re.sub(rb"%4\r\n\$5\r\nnotes\r\n\$\d+\r\n[^\r]*", b"%3", theirs), name


def test_command_subcommands(client):
    assert client("COMMAND", "COUNT") == len(client("COMMAND"))
    info = client("COMMAND", "INFO", "get", "nosuch")
    assert info[0][0] == "get" and info[0][1] == 2 and info[1] is None
    assert {"get", "client|list"} <= set(client("COMMAND", "LIST"))
    assert client("COMMAND", "LIST", "FILTERBY", "PATTERN", "xr*") and "get" not in client(
        "COMMAND", "LIST", "FILTERBY", "PATTERN", "xr*")
    docs = client("COMMAND", "DOCS", "set")
    assert docs[0] == "set" and {"summary", "since", "group", "arguments"} <= set(docs[1][::2])
    assert client("COMMAND", "GETKEYS", "MSET", "a", 1, "b", 2) == ["a", "b"]


def test_command_list_filters_as_redis(start):
    """Every category, patterns over subcommands and in any case, and what matches nothing."""
    ours, theirs = (start(kind).connect() for kind in ("tandem", "redis"))
    both = set(ours("COMMAND", "LIST")) & set(theirs("COMMAND", "LIST"))
    categories = [["ACLCAT", name] for name in theirs("ACL", "CAT")]
    others = [["PATTERN", pattern] for pattern in ("*", "xr*", "CLIENT|*E*", "*|help", "[sg]et",
                                                   "nosuch*")]
    others += [["ACLCAT", "READ"], ["ACLCAT", "@read"], ["ACLCAT", "nosuch"], ["MODULE", "nosuch"]]
    for words in categories + others:
        filters = "COMMAND", "LIST", "FILTERBY", *words
        here, there = (set(client(*filters)) & both for client in (ours, theirs))
        if words == ["ACLCAT", "blocking"] and not is_stock("tandem"):
            there.add("wait")  # since 7.2
        assert here == there, words
    assert len(ours("COMMAND", "LIST", "FILTERBY", "ACLCAT", "hash")) > 10
    for words in (["NOSUCH", "x"], ["ACLCAT"], ["PATTERN", "a", "b"]):
        filters = "COMMAND", "LIST", "FILTERBY", *words
        assert ours.error(*filters) == theirs.error(*filters)


def argument_shape(arguments):
    """What clients complete by; names of choices, histories and 7.2's display_text left out."""
    shape = []
    for flat in arguments:
        fields = dict(zip(flat[::2], flat[1::2]))
        shape.append((fields["type"], fields.get("token"), fields.get("key_spec_index"),
                      set(fields.get("flags", [])), argument_shape(fields.get("arguments", []))))
    return shape


def test_command_docs_has_the_arguments_of_redis(client, start):
    theirs = start("redis").connect()
    names = "get", "set", "mset", "expire", "zadd", "xread", "lmove", "hscan", "getex", "blpop"
    for name in names:
        ours_of, theirs_of = (
            dict(zip(docs[1][::2], docs[1][1::2]))["arguments"]
            for docs in (client("COMMAND", "DOCS", name), theirs("COMMAND", "DOCS", name)))
        assert argument_shape(ours_of) == argument_shape(theirs_of), name


DEPRECATED_BY_7_2 = {"setnx", "setex", "psetex"}


def docs_fields(connection, names):
    """{command or subcommand: {field: value}} of what is short and the same everywhere."""
    def fields(flat):
        return dict(zip(flat[::2], flat[1::2]))
    found = {}
    def note(name, flat):
        of = fields(flat)
        found[name] = {field: of.get(field)
                       for field in ("since", "doc_flags", "deprecated_since", "replaced_by")}
        for inner, more in fields(of.get("subcommands", [])).items():
            note(inner, more)
    for name, flat in fields(connection("COMMAND", "DOCS", *names)).items():
        note(name, flat)
    return found


def test_command_docs_says_since_when_and_what_is_better(client, start):
    theirs = start("redis").connect()
    names = sorted(set(client("COMMAND", "LIST")) - DEPRECATED_BY_7_2)
    top = [name for name in names if "|" not in name]
    ours_of, theirs_of = docs_fields(client, top), docs_fields(theirs, top)
    assert len(ours_of.keys() & theirs_of.keys()) > 150
    for name in ours_of.keys() & theirs_of.keys():
        assert ours_of[name] == theirs_of[name], name
    for name in DEPRECATED_BY_7_2:
        assert docs_fields(client, [name])[name]["deprecated_since"] == "2.6.12"
