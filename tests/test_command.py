"""COMMAND: what it tells of every command, compared with Redis."""
import re

import pytest

from harness.servers import is_stock

# Where the table of 7.2 differs from that of the 7.0 beside us.
NEW_IN_7_2 = {
    ("zrank", "arity"), ("zrevrank", "arity"),  # WITHSCORE
    ("wait", "flags"), ("wait", "categories"),  # blocking, and allowed in scripts
    *((name, "flags") for name in ("blpop", "brpop", "blmove", "brpoplpush", "blmpop", "bzpopmin",
                                   "bzpopmax", "bzmpop")),  # allowed in scripts
    ("scan", "tips"), ("randomkey", "tips"), ("latency|reset", "tips"),  # their response policy
    ("config|rewrite", "tips"), ("config|resetstat", "tips"),  # a request of all nodes
    ("client|setname", "tips"),
    ("msetnx", "tips"),  # never cut into several requests
    ("command|getkeys", "arity"), ("command|getkeysandflags", "arity"),  # a command of one word
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
        ours, theirs = (
            re.sub(rb"%4\r\n\$5\r\nnotes\r\n\$\d+\r\n[^\r]*", b"%3",
                   client.raw("COMMAND", "INFO", name)) for client in clients)
        assert ours == theirs, name


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
    if not is_stock("tandem"):  # 7.2 looks at a command of one word, too
        assert client.error("COMMAND", "GETKEYS", "PING") == "ERR The command has no key arguments"


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


# Names of arguments that are others in 7.2, which has no underscores in any.
RENAMED_IN_7_2 = {
    "field_value": "data", "key_value": "data", "parameter_value": "data", "score_member": "data",
    "longitude_latitude_member": "data", "id_or_auto": "id-selector", "auto_id": "auto-id",
    "nosave_save": "save-selector", "offset_count": "limit", "on_off_skip": "action",
    "categoryname": "category", "timeout_error": "unblock-type", "username_password": "auth",
    "groupname": "group", "consumername": "consumer", "group_consumer": "group-block",
    "entries_added": "entries-added", "max_deleted_entry_id": "max-deleted-id",
}
DEPRECATED_BY_SET = {"doc_flags": ["deprecated"], "deprecated_since": "2.6.12"}
TYPES = "normal:pure-token=NORMAL, master:pure-token=MASTER{}, {}replica:pure-token=REPLICA{}, "
TYPES += "pubsub:pure-token=PUBSUB"
UNIT = "unit:oneof(m:pure-token=M, km:pure-token=KM, ft:pure-token=FT, mi:pure-token=MI)"
BITS_OR_BYTES = "unit:oneof?@7.0.0(byte:pure-token=BYTE, bit:pure-token=BIT)"
COUNT = "count-block:block?(count:integer=COUNT, any:pure-token=ANY?{})"
ORDER = "order:oneof?(asc:pure-token=ASC, desc:pure-token=DESC)"
SHOWN = "withcoord:pure-token=WITHCOORD?, withdist:pure-token=WITHDIST?, "
SHOWN += "withhash:pure-token=WITHHASH?"
RADIUS = f"radius:double, {UNIT}, {SHOWN}, {COUNT.format('@6.2.0')}, {ORDER}"
STORE = "store:oneof?(storekey:key@1=STORE'key', storedistkey:key@2=STOREDIST'key')"
LONGITUDE_LATITUDE = "longitude:double, latitude:double"
AREA = f"from:oneof(member:string=FROMMEMBER, fromlonlat:block=FROMLONLAT({LONGITUDE_LATITUDE})), "
AREA += f"by:oneof(circle:block(radius:double=BYRADIUS, {UNIT}), "
AREA += f"box:block(width:double=BYBOX, height:double, {UNIT})), {ORDER}, {COUNT.format('')}"
SORT_ARGUMENTS = (
    "key:key@0, by-pattern:pattern@1=BY?'pattern', limit:block=LIMIT?(offset:integer, "
    "count:integer), get-pattern:pattern@1=GET?++'pattern', "
    f"{ORDER}, sorting:pure-token=ALPHA?")
GROUP_AND_ID = "key:key@0, group:string, id-selector:oneof(id:string, new-id:pure-token=$)"
ENTRIES_READ = "entriesread:integer=ENTRIESREAD?'entries-read'"
# What else 7.2 documents otherwise, or is new in it. Arguments as `shown` shows them.
NEW_DOCS_OF_7_2 = {
    "acl|log": {"history": ["7.2.0"]},
    "bitcount": {"arguments": "key:key@0, range:block?(start:integer, end:integer, "
                 f"{BITS_OR_BYTES})"},
    "bitfield": {
        "arguments": "key:key@0, operation:oneof?+(get-block:block=GET(encoding:string, "
        "offset:integer), write:block(overflow-block:oneof=OVERFLOW?(wrap:pure-token=WRAP, "
        "sat:pure-token=SAT, fail:pure-token=FAIL), write-operation:oneof(set-block:block=SET("
        "encoding:string, offset:integer, value:integer), increment-block:block=INCRBY("
        "encoding:string, offset:integer, increment:integer))))"},
    "bitfield_ro": {"arguments": "key:key@0, get-block:block=GET?++(encoding:string, "
                    "offset:integer)"},
    "bitop": {"arguments": "operation:oneof(and:pure-token=AND, or:pure-token=OR, "
              "xor:pure-token=XOR, not:pure-token=NOT), destkey:key@0, key:key@1+"},
    "bitpos": {"arguments": "key:key@0, bit:integer, range:block?(start:integer, "
               f"end-unit-block:block?(end:integer, {BITS_OR_BYTES}))"},
    "client|kill": {  # every argument has a name of its own; SKIPME is a choice
        "arguments": "filter:oneof(old-format:string'ip:port'!2.8.12, new-format:oneof+("
        "client-id:integer=ID?@2.8.12, client-type:oneof=TYPE?@2.8.12("
        + TYPES.format("@3.2.0", "slave:pure-token=SLAVE, ", "@5.0.0")
        + "), username:string=USER?, addr:string=ADDR?'ip:port', "
        "laddr:string=LADDR?'ip:port'@6.2.0, "
        "skipme:oneof=SKIPME?(yes:pure-token=YES, no:pure-token=NO)))"},
    "client|list": {  # no block for ID's one argument
        "arguments": f"client-type:oneof=TYPE?@5.0.0({TYPES.format('', '', '')}), "
        "client-id:integer=ID?+@6.2.0"},
    "client|no-touch": {
        "since": "7.2.0", "group": "connection",
        "arguments": "enabled:oneof(on:pure-token=ON, off:pure-token=OFF)"},
    "client|pause": {"since": "3.0.0"},
    "client|setinfo": {
        "since": "7.2.0", "group": "connection",
        "arguments": "attr:oneof(libname:string=LIB-NAME, libver:string=LIB-VER)"},
    "command|getkeys": {"arguments": "command:string, arg:string?+"},
    "command|getkeysandflags": {"arguments": "command:string, arg:string?+"},
    "config|get": {"arguments": "parameter:string+"},
    "geohash": {"arguments": "key:key@0, member:string?+"},
    "geopos": {"arguments": "key:key@0, member:string?+"},
    "georadius": {"arguments": f"key:key@0, {LONGITUDE_LATITUDE}, {RADIUS}, {STORE}"},
    "georadius_ro": {"history": ["6.2.0", "7.0.0"],
                     "arguments": f"key:key@0, {LONGITUDE_LATITUDE}, {RADIUS}"},
    "georadiusbymember": {"history": ["6.2.0", "7.0.0"],
                          "arguments": f"key:key@0, member:string, {RADIUS}, {STORE}"},
    "georadiusbymember_ro": {"history": ["6.2.0", "7.0.0"],
                             "arguments": f"key:key@0, member:string, {RADIUS}"},
    "geosearch": {"arguments": f"key:key@0, {AREA}, {SHOWN}"},
    "geosearchstore": {"arguments": f"destination:key@0, source:key@1, {AREA}, "
                       "storedist:pure-token=STOREDIST?"},
    "lcs": {"arguments": "key1:key@0, key2:key@0, len:pure-token=LEN?, idx:pure-token=IDX?, "
            "min-match-len:integer=MINMATCHLEN?, withmatchlen:pure-token=WITHMATCHLEN?"},
    "migrate": {  # every argument has a name of its own
        "arguments": "host:string, port:integer, key-selector:oneof(key:key@0, "
        'empty-string:pure-token=""), destination-db:integer, timeout:integer, '
        "copy:pure-token=COPY?@3.0.0, replace:pure-token=REPLACE?@3.0.0, "
        "authentication:oneof?(auth:string=AUTH'password'@4.0.7, "
        "auth2:block=AUTH2@6.0.0(username:string, password:string)), "
        "keys:key@1=KEYS?+'key'@3.0.6"},
    "pfmerge": {"arguments": "destkey:key@0, sourcekey:key@1?+"},
    "psubscribe": {"arguments": "pattern:pattern+"},
    "psetex": DEPRECATED_BY_SET | {"replaced_by": "`SET` with the `PX` argument"},
    "setex": DEPRECATED_BY_SET | {"replaced_by": "`SET` with the `EX` argument"},
    "setnx": DEPRECATED_BY_SET | {"replaced_by": "`SET` with the `NX` argument"},
    "sort": {"arguments": SORT_ARGUMENTS + ", destination:key@2=STORE?"},  # patterns have names
    "sort_ro": {"arguments": SORT_ARGUMENTS},
    "quit": {"doc_flags": ["deprecated"], "deprecated_since": "7.2.0",
             "replaced_by": "just closing the connection"},
    "xclaim": {
        "arguments": "key:key@0, group:string, consumer:string, min-idle-time:string, id:string+, "
        "ms:integer=IDLE?, unix-time-milliseconds:unix-time=TIME?, count:integer=RETRYCOUNT?, "
        "force:pure-token=FORCE?, justid:pure-token=JUSTID?, lastid:string=LASTID?"},
    "xgroup|create": {
        "arguments": f"{GROUP_AND_ID}, mkstream:pure-token=MKSTREAM?, {ENTRIES_READ}"},
    "xgroup|setid": {"arguments": f"{GROUP_AND_ID}, {ENTRIES_READ}"},
    "xinfo|consumers": {"history": ["7.2.0"]},
    "xinfo|stream": {
        "history": ["6.0.0", "7.0.0", "7.2.0"],
        "arguments": "key:key@0, full-block:block?(full:pure-token=FULL, count:integer=COUNT?)"},
    "zrank": {"history": ["7.2.0"],
              "arguments": "key:key@0, member:string, withscore:pure-token=WITHSCORE?"},
    "zrevrank": {"history": ["7.2.0"],
                 "arguments": "key:key@0, member:string, withscore:pure-token=WITHSCORE?"},
}
DOCS_FIELDS = ("summary", "since", "group", "complexity", "doc_flags", "deprecated_since",
               "replaced_by", "history", "arguments", "subcommands")


def to_fields(flat):
    return dict(zip(flat[::2], flat[1::2]))


def shown(arguments):
    """A line for a tree of arguments: name, type, key specification, token, flags, versions, parts;
    what people are shown stands in quotes where it is not the name."""
    signs = {"optional": "?", "multiple": "+", "multiple_token": "+"}
    texts = []
    for of in map(to_fields, arguments):
        name = RENAMED_IN_7_2.get(of["name"], of["name"])
        text = f"{'flush-type' if (name, of['type']) == ('async', 'oneof') else name}:{of['type']}"
        text += f"@{of['key_spec_index']}" if "key_spec_index" in of else ""
        text += f"={of['token']}" if "token" in of else ""
        text += "".join(signs[flag] for flag in of.get("flags", []))
        text += f"'{of['display_text']}'" if of.get("display_text", name) != name else ""
        text += f"@{of['since']}" if "since" in of else ""
        text += f"!{of['deprecated_since']}" if "deprecated_since" in of else ""
        text += f"({shown(of['arguments'])})" if "arguments" in of else ""
        texts.append(text)
    return ", ".join(texts)


def documented(connection):
    """{command or subcommand: what COMMAND DOCS tells of it}; of prose only that it is there."""
    found = {}

    def note(flat):
        for name, docs in to_fields(flat).items():
            of = to_fields(docs)
            assert list(of) == [field for field in DOCS_FIELDS if field in of], name
            note(of.pop("subcommands", []))
            of["summary"] = len(of["summary"]) > 0
            if "complexity" in of:
                of["complexity"] = len(of["complexity"]) > 0
            if "history" in of:
                assert all(len(change) > 0 for _, change in of["history"]), name
                of["history"] = [version for version, _ in of["history"]]
            if "arguments" in of:
                of["arguments"] = shown(of["arguments"])
            found[name] = of

    note(connection("COMMAND", "DOCS"))
    return found


def test_command_docs_are_those_of_redis(start):
    """Of every command we have: all but the wording."""
    ours, theirs = (documented(start(kind).connect()) for kind in ("tandem", "redis"))
    assert len(ours) > 220
    for name in [] if is_stock("tandem") else NEW_DOCS_OF_7_2:
        theirs[name] = theirs.get(name, {"summary": True, "complexity": True})
        theirs[name] |= NEW_DOCS_OF_7_2[name]
    differing = [f"{name}\n    {of}\n    {theirs.get(name)}" for name, of in ours.items()
                 if of != theirs.get(name)]
    assert not differing, "\n".join(differing)


@pytest.mark.skipif(is_stock("tandem"), reason="since 7.2")
def test_command_docs_show_arguments_to_people(client):
    """What has parts is shown by them, everything else by a text of its own."""
    def check(arguments):
        for of in map(to_fields, arguments):
            assert ("display_text" in of) != ("arguments" in of), of
            check(of.get("arguments", []))

    for docs in to_fields(client("COMMAND", "DOCS")).values():
        check(to_fields(docs).get("arguments", []))


def test_command_docs_has_redis_types(start):
    """RESP3: the same kinds of reply in the same order, 7.2's display_text left out."""
    kinds = []
    for kind in ("tandem", "redis"):
        raw = start(kind).connect(protocol=3).raw("COMMAND", "DOCS", "set", "getset", "bgsave")
        raw = re.sub(rb"\$12\r\ndisplay_text\r\n\$\d+\r\n[^\r]*\r\n", b"", raw)
        kinds.append(re.findall(rb"^[*%~$+:_]", raw, re.MULTILINE))
    assert kinds[0] == kinds[1] and {b"*", b"%", b"~", b"$", b"+", b":"} == set(kinds[0])
