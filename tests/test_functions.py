"""Functions: FCALL and FUNCTION, by Tandem and by redis-server; libraries in files, at replicas,
and while they run."""
import subprocess
import time

import pytest

from harness import rdb
from harness.load import assert_same, caught_up
from harness.peers import FakePrimary, full_resync
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import encode

KINDS = ["tandem", "redis"]


def library(name, *functions, flags=""):
    """Each function answers its own name."""
    return f"#!lua name={name}\n" + "\n".join(
        f"redis.register_function{{function_name='{function}', flags={{{flags}}}, "
        f"callback=function() return '{function}' end}}" for function in functions)


def codes(server):
    """The text of each library, by its name."""
    with server.connect(protocol=3) as client:
        listed = client("FUNCTION", "LIST", "WITHCODE")
    return {each["library_name"]: each["library_code"] for each in listed}


def same_functions(*servers):
    return all(codes(server) == codes(servers[0]) for server in servers)


# ---- Replies ----

@pytest.mark.parametrize("protocol", [2, 3])
def test_listed_libraries(start, protocol, request):
    text = (request.path.parent / "data" / "libraries.txt").read_text()
    bodies = [line.encode().decode("unicode_escape") for line in text.splitlines()
              if line and not line.startswith("# ")]
    ours, theirs = (start(kind).connect(protocol=protocol) for kind in KINDS)
    for client in (ours, theirs):
        client("SET", "k1", "text")
    call = ["f", 2, "k1", "k2", "a1", "a2"]
    for body in bodies:
        code = body if body.lstrip().startswith("#!") or body == "x" else f"#!lua name=lib\n{body}"
        for command in (["FUNCTION", "LOAD", "REPLACE", code], ["FCALL", *call],
                        ["FCALL_RO", *call], ["FUNCTION", "LIST", "WITHCODE"],
                        ["FUNCTION", "STATS"]):
            request_bytes = encode(*[word.encode("latin-1") if isinstance(word, str) else word
                                     for word in command])
            for client in (ours, theirs):
                client.send(request_bytes)
            assert ours.read_raw() == theirs.read_raw(), (body, command)


COMMANDS = [
    ["FUNCTION"], ["FUNCTION", "NOPE"], ["FUNCTION", "LOAD"], ["FUNCTION", "LOAD", "FOO", "x"],
    ["FUNCTION", "LOAD", "replace"], ["FUNCTION", "LOAD", "replace", "replace", "x"],
    ["FUNCTION", "LIST"], ["FUNCTION", "DUMP"], ["FUNCTION", "STATS"], ["FUNCTION", "STATS", "x"],
    ["FUNCTION", "LOAD", library("lib", "f")], ["FUNCTION", "LOAD", library("lib", "g")],
    ["FUNCTION", "LOAD", library("other", "F")],
    ["FUNCTION", "LIST", "LIBRARYNAME", "L?B", "WITHCODE"],
    ["FUNCTION", "LOAD", library("LIB", "h")], ["FUNCTION", "LIST", "LIBRARYNAME"],
    ["FUNCTION", "LIST", "x"], ["FUNCTION", "LIST", "WITHCODE", "WITHCODE"],
    ["FUNCTION", "LIST", "LIBRARYNAME", "a", "LIBRARYNAME", "b"],
    ["FUNCTION", "LIST", "LIBRARYNAME", "x*"],
    ["FCALL"], ["FCALL", "f"], ["FCALL", "f", "x"], ["FCALL", "f", -1], ["FCALL", "f", 2, "a"],
    ["FCALL", "nope", "x"], ["FCALL", "F", 0], ["FCALL", "f", "99999999999999999999"],
    ["FCALL_RO", "f", 0], ["FCALL_RO", "nope", 0], ["FUNCTION", "KILL"], ["SCRIPT", "KILL"],
    ["FUNCTION", "DELETE"], ["FUNCTION", "DELETE", "x"], ["FUNCTION", "DELETE", "Lib"],
    ["FUNCTION", "DELETE", "LIB"], ["FUNCTION", "FLUSH", "x"], ["FUNCTION", "Flush", "sync", "x"],
    ["FUNCTION", "RESTORE"], ["FUNCTION", "RESTORE", "x"], ["FUNCTION", "RESTORE", "x", "FOO"],
    ["FUNCTION", "RESTORE", ""], ["FUNCTION", "Restore", "x", "FLUSH", "x"],
    ["MULTI"], ["FUNCTION", "LOAD", library("m", "m")], ["FCALL", "m", 0],
    ["FUNCTION", "LIST", "LIBRARYNAME", "m"], ["FUNCTION", "DELETE", "m"], ["FCALL", "m", 0],
    ["EXEC"],
    ["FLUSHALL"], ["FCALL", "f", 0], ["SWAPDB", 0, 1], ["FCALL", "f", 0],
    ["FUNCTION", "FLUSH", "ASYNC"], ["FCALL", "f", 0], ["FUNCTION", "FLUSH", "sync"],
    ["FUNCTION", "FLUSH"], ["COMMAND", "GETKEYS", "FCALL", "f", 2, "a", "b", "c"],
    ["COMMAND", "GETKEYSANDFLAGS", "FCALL_RO", "f", 1, "a"],
]


@pytest.mark.parametrize("protocol", [2, 3])
def test_commands(start, protocol):
    ours, theirs = (start(kind).connect(protocol=protocol) for kind in KINDS)
    for command in COMMANDS:
        for client in (ours, theirs):
            client.send(encode(*command))
        assert ours.read_raw() == theirs.read_raw(), command


POLICIES = [("a", "f"), ("b", "f"), ("b", "g")]


@pytest.mark.parametrize("policy", ["APPEND", "replace", "Flush"])
def test_restore_meets_what_is_there(start, policy):
    """A payload of either server restored by both, over every library that may be in its way."""
    ours, theirs = (start(kind).connect() for kind in KINDS)
    for source in (ours, theirs):
        for name, function in POLICIES:
            source("FUNCTION", "FLUSH")
            source("FUNCTION", "LOAD", library(name, function))
            source.send(encode("FUNCTION", "DUMP"))
            payload = source.read_raw()
            payload = payload[payload.index(b"\n") + 1:-2]
            for client in (ours, theirs):
                client("FUNCTION", "FLUSH")
                client("FUNCTION", "LOAD", library("a", "f"))
                client("FUNCTION", "LOAD", library("c", "h"))
            commands = [["FUNCTION", "RESTORE", payload, policy], ["FCALL", "f", 0],
                        ["FCALL", "g", 0], ["FCALL", "h", 0], ["FUNCTION", "STATS"]]
            assert ours.pipeline(commands) == theirs.pipeline(commands)


# What is there, what the payload holds, and what is there after each policy; None where it is
# refused, and then everything is as it was. A library is a name and its functions.
CLASHES = [
    ([("a", "f")], [("b", "g")], {"APPEND": "ab", "REPLACE": "ab", "FLUSH": "b"}),
    ([("a", "f")], [("a", "g")], {"APPEND": None, "REPLACE": "a", "FLUSH": "a"}),
    ([("a", "f")], [("b", "f")], {"APPEND": None, "REPLACE": None, "FLUSH": "b"}),
    ([("a", "f"), ("c", "h")], [("a", "g", "h")], {"APPEND": None, "REPLACE": None, "FLUSH": "a"}),
    ([("a", "f")], [("b", "g"), ("a", "f")], {"APPEND": None, "REPLACE": "ab", "FLUSH": "ab"}),
    ([("a", "f"), ("b", "g")], [("a", "g"), ("b", "f")],
     {"APPEND": None, "REPLACE": "ab", "FLUSH": "ab"}),
    ([("a", "f"), ("b", "g")], [("a", "g")], {"APPEND": None, "REPLACE": None, "FLUSH": "a"}),
    ([("a", "f")], [("x", "i"), ("y", "f"), ("z", "j")],
     {"APPEND": None, "REPLACE": None, "FLUSH": "xyz"}),
    ([("A", "F")], [("a", "f")], {"APPEND": None, "REPLACE": None, "FLUSH": "a"}),
]


def dumped(client):
    client.send(encode("FUNCTION", "DUMP"))
    reply = client.read_raw()
    return reply[reply.index(b"\n") + 1:-2]


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("there, comes, expected", CLASHES)
def test_restored_libraries_meet_others(start, source, there, comes, expected):
    """All of a payload or nothing, by either server; and what was restored is dumped again."""
    made, servers = start(source), [start(kind) for kind in KINDS]
    writer, clients = made.connect(), [server.connect() for server in servers]
    for each in comes:
        writer("FUNCTION", "LOAD", library(*each))
    payload = dumped(writer)
    for policy, names in expected.items():
        answers = []
        for server, client in zip(servers, clients):
            client("FUNCTION", "FLUSH")
            for each in there:
                client("FUNCTION", "LOAD", library(*each))
            before = codes(server)
            answers.append(client.pipeline([("FUNCTION", "RESTORE", payload, policy)]))
            after = codes(server)
            assert after == before if names is None else sorted(after) == list(names), policy
            if names is not None:
                assert after == {name: {**before, **codes(made)}[name] for name in names}
            functions = {each for kept in (comes if names else there) for each in kept[1:]}
            assert all(client("FCALL", name, 0) == name for name in functions)
        # Which of several clashes is named is left to chance.
        assert answers[0][0].split()[:2] == answers[1][0].split()[:2]
    # From hand to hand: each dumps what it got from the other.
    for client in (*clients, writer):
        client("FUNCTION", "RESTORE", payload, "FLUSH")
        payload = dumped(client)
    assert codes(made) == codes(servers[0]) == codes(servers[1])


# ---- What is kept ----

@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("saver", KINDS)
def test_a_file_carries_functions(start, saver, kind):
    """Written by one, read by the other."""
    old = start(saver)
    with old.connect() as client:
        client("FUNCTION", "LOAD", library("a", "f", "g"))
        client("FUNCTION", "LOAD", library("b", "h") + "\n" + "-- " + "x" * 100_000)
        client("SET", "k", "v")
        client("SAVE")
    new = start(kind, launch=False)
    (new.folder / "dump.rdb").write_bytes((old.folder / "dump.rdb").read_bytes())
    new.start()
    assert same_functions(old, new)
    with new.connect() as client:
        assert [client("FCALL", name, 0) for name in "fgh"] == ["f", "g", "h"]
        assert client("GET", "k") == "v"


def test_a_background_save_has_the_functions_of_its_moment(server, client):
    client("FUNCTION", "LOAD", library("a", "f"))
    client("BGSAVE")
    wait_until(lambda: server.info("persistence")["rdb_bgsave_in_progress"] == "0", "it is saved")
    client("FUNCTION", "LOAD", library("b", "g"))
    server.kill()
    server.start()
    assert list(codes(server)) == ["a"]


def test_save_points_count_changes_of_functions(server, client):
    def changes():
        return server.info("persistence")["rdb_changes_since_last_save"]

    before = changes()
    client("FUNCTION", "LOAD", library("a", "f"))
    client.error("FUNCTION", "LOAD", library("a", "f"))
    client("FUNCTION", "DELETE", "a")
    client.error("FUNCTION", "DELETE", "a")
    client("FUNCTION", "FLUSH")
    assert int(changes()) == int(before) + 3


def start_from(start, *items):
    server = start("tandem", launch=False)
    (server.folder / "dump.rdb").write_bytes(rdb.file(*items))
    server.launch()
    return server


@pytest.mark.skipif(is_stock("tandem"), reason="a stock 7.0 reads the former format, too")
@pytest.mark.parametrize("item, said", [
    (b"\xf6" + rdb.text(b"lib"), "a function library as release candidates"),
    (b"\xf5" + rdb.text(b"#!lua name=a\nreturn )"), "Error compiling function: user_function:2"),
    (b"\xf5" + rdb.text(b"junk"), "Missing library metadata")])
def test_a_file_with_a_bad_library_is_refused(start, item, said):
    server = start_from(start, item)
    assert server.wait_exit() != 0
    assert said in server.log_text()


# ---- Replicas ----

@pytest.mark.parametrize("first, second", [("tandem", "tandem"), ("tandem", "redis"),
                                           ("redis", "tandem")])
def test_replicas_get_functions(start, first, second):
    """By the snapshot, in the place of what was there, and by the stream."""
    primary, replica = start(first), start(second)
    with primary.connect() as client, replica.connect() as other:
        client("FUNCTION", "LOAD", library("a", "f", flags="'no-writes'"))
        other("FUNCTION", "LOAD", library("gone", "f"))
        replica.follow(primary.port)
        caught_up(primary, replica)
        assert list(codes(replica)) == ["a"] and other("FCALL_RO", "f", 0) == "f"
        client.send(encode("FUNCTION", "DUMP"))
        payload = client.read_raw()
        payload = payload[payload.index(b"\n") + 1:-2]
        for command in (["LOAD", library("b", "g")], ["LOAD", "REPLACE", library("b", "h")],
                        ["DELETE", "a"], ["RESTORE", payload], ["RESTORE", payload, "REPLACE"],
                        ["FLUSH"], ["RESTORE", payload, "FLUSH"], ["FLUSH", "ASYNC"],
                        ["LOAD", library("c", "i")]):
            client("FUNCTION", *command)
            caught_up(primary, replica)
            assert same_functions(primary, replica), command
        client("SELECT", 3)
        client("MULTI")
        client("SET", "k", 1)
        client("FUNCTION", "LOAD", library("d", "j"))
        client("EXEC")
        assert_same(primary, replica)
        assert same_functions(primary, replica)
        message = "READONLY You can't write against a read only replica."
        for command in (["LOAD", library("e", "k")], ["DELETE", "c"], ["FLUSH"], ["RESTORE", "x"]):
            assert other.error("FUNCTION", *command) == message
        assert other.error("FCALL", "i", 0) == message


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_function_did_is_replicated(start, kind):
    primary, replica = start("tandem"), start(kind)
    replica.follow(primary.port)
    caught_up(primary, replica)
    body = """#!lua name=effects
        redis.register_function('effects', function(keys, args)
          redis.call('sadd', keys[1], 'a', 'b', 'c') redis.call('spop', keys[1])
          redis.call('set', keys[2], redis.call('time')[2]) redis.call('expire', keys[2], 1000)
          redis.set_repl(redis.REPL_NONE) redis.call('set', 'here', 1) redis.call('del', 'here')
          redis.set_repl(redis.REPL_ALL)
          return redis.call('incr', 'n') end)"""
    with primary.connect() as client:
        client("FUNCTION", "LOAD", body)
        for number in range(50):
            assert client("FCALL", "effects", 2, f"s{number}", f"t{number}") == number + 1
    assert_same(primary, replica)
    assert same_functions(primary, replica)


def test_chain_and_promotion(start):
    primary, middle, last = (start(kind) for kind in ("redis", "tandem", "tandem"))
    middle.follow(primary.port)
    last.follow(middle.port)
    with primary.connect() as client:
        client("FUNCTION", "LOAD", library("a", "f"))
        caught_up(primary, middle, last)
    middle.promote()
    with middle.connect() as client:
        assert client("FCALL", "f", 0) == "f"
        client("FUNCTION", "LOAD", library("b", "g"))
        caught_up(middle, last)
    assert list(codes(last)) == ["a", "b"]


def test_redis_cli_takes_functions_alone(start, tmp_path):
    server = start("tandem", "--repl-diskless-sync-delay", "60")
    with server.connect() as client:
        client("SET", "a", 1)
        client("FUNCTION", "LOAD", library("a", "f"))
    file = tmp_path / "functions.rdb"
    subprocess.run(["redis-cli", "-p", str(server.port), "--functions-rdb", file], check=True,
                   capture_output=True, timeout=60)
    checked = subprocess.run(["redis-check-rdb", file], capture_output=True, text=True)
    assert "RDB looks OK" in checked.stdout and "0 keys read" in checked.stdout
    for kind in KINDS:
        reader = start(kind, launch=False)
        (reader.folder / "dump.rdb").write_bytes(file.read_bytes())
        reader.start()
        assert same_functions(server, reader)


@pytest.mark.skipif(is_stock("tandem"), reason="a stock primary writes one version")
def test_a_replica_of_before_functions_gets_none(start):
    primary = start("tandem", "--repl-rdb-version", 9)
    with primary.connect() as client:
        client("FUNCTION", "LOAD", library("a", "f"))
        client("SET", "k", "v")
    replica = start("redis")
    replica.follow(primary.port)
    caught_up(primary, replica)
    with replica.connect() as client:
        assert client("GET", "k") == "v" and codes(replica) == {}


# ---- While one runs ----

SPIN = """#!lua name=spin
redis.register_function('spin', function() while true do end end)
redis.register_function{function_name='look', flags={'no-writes'},
                        callback=function() while true do end end}
redis.register_function('write', function() redis.call('set', 'k', 1) while true do end end)"""
BUSY = "BUSY Redis is busy running a script. You can only call {} KILL or SHUTDOWN NOSAVE."


@pytest.fixture(params=KINDS)
def busy_server(start, request):
    server = start(request.param, "--busy-reply-threshold", 50)
    with server.connect() as client:
        client("FUNCTION", "LOAD", SPIN)
    return server


@pytest.mark.parametrize("command", [["FCALL", "spin", 1, "k", "x"], ["FCALL_RO", "Look", 0]])
def test_a_busy_function_is_told_of_and_killed(busy_server, command):
    runner, other = busy_server.connect(), busy_server.connect(protocol=3)
    runner.send(encode(*command))
    wait_until(lambda: other.raw("GET", "k").startswith(b"-BUSY"), "it is told")
    for refused in (["PING"], ["SCRIPT", "KILL"], ["FUNCTION", "LIST"], ["FCALL", "spin", 0]):
        assert other.error(*refused) == BUSY.format("FUNCTION")
    running = other("FUNCTION", "STATS")["running_script"]
    assert running.pop("duration_ms") >= 50
    assert running == {"name": command[1].lower(), "command": [str(word) for word in command]}
    assert other("FUNCTION", "KILL") == "OK"
    assert b"Script killed by user with SCRIPT KILL... script: " in runner.read_raw()
    assert other("FUNCTION", "STATS")["running_script"] is None
    assert other.error("FUNCTION", "KILL") == "NOTBUSY No scripts in execution right now."


def test_each_kind_is_killed_by_its_own_command(busy_server):
    runner, other = busy_server.connect(), busy_server.connect()
    runner.send(encode("EVAL", "while true do end", 0))
    wait_until(lambda: other.raw("GET", "k").startswith(b"-BUSY"), "it is told")
    assert other.error("FUNCTION", "KILL") == BUSY.format("SCRIPT")
    assert other.error("FUNCTION", "STATS") == BUSY.format("SCRIPT")
    assert other("SCRIPT", "KILL") == "OK"
    assert b"Script killed by user" in runner.read_raw()


def test_a_function_that_wrote_is_not_killed(busy_server):
    busy_server.expected_exit = {0, -9}
    runner, other = busy_server.connect(), busy_server.connect()
    runner.send(encode("FCALL", "write", 0))
    wait_until(lambda: other.raw("GET", "k").startswith(b"-BUSY"), "it is told")
    assert other.error("FUNCTION", "KILL").startswith("UNKILLABLE Sorry the script already exec")
    other.send(encode("SHUTDOWN", "NOSAVE"))
    assert busy_server.wait_exit() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_primary_sent_is_not_killed(start, kind):
    """Primaries before Redis 7 send scripts."""
    replica = start(kind, "--busy-reply-threshold", 50)
    with FakePrimary(PSYNC=full_resync(rdb.file())) as primary, replica.connect() as client:
        replica.follow(primary.port)
        wait_until(replica.link_up, "it follows")
        primary.send(encode("EVAL", "while redis.call('time')[1] + 0 < ARGV[1] + 0 do end", 0,
                            int(time.time()) + 3))
        wait_until(lambda: client.raw("GET", "k").startswith(b"-BUSY"), "it is told")
        assert client.error("SCRIPT", "KILL") == (
            "UNKILLABLE The busy script was sent by a master instance in the context of "
            "replication and cannot be killed.")
        wait_until(lambda: not client.raw("GET", "k").startswith(b"-BUSY"), "it has ended")


@pytest.mark.parametrize("kind", KINDS)
def test_a_library_that_loads_for_ever_is_stopped(start, kind):
    with start(kind).connect() as client:
        assert client.error("FUNCTION", "LOAD", "#!lua name=a\nwhile true do end") == \
            "ERR Error registering functions: ERR FUNCTION LOAD timeout"
        assert client("FUNCTION", "LOAD", library("a", "f")) == "a"


# ---- Conditions of the node ----

@pytest.mark.parametrize("kind", KINDS)
def test_a_pause_of_writes_holds_back_who_may_write(start, kind):
    """What is held back is answered when the pause ends; the rest at once."""
    server = start(kind)
    with server.connect() as client:
        client("FUNCTION", "LOAD", library("a", "writes"))
        client("FUNCTION", "LOAD", library("b", "reads", flags="'no-writes'"))
        client("CLIENT", "PAUSE", 100_000, "WRITE")
        held = [server.connect() for _ in range(5)]
        for holder, words in zip(held, (["FCALL", "writes", 0], ["FCALL_RO", "writes", 0],
                                        ["EVAL", "#!lua\nreturn 1", 0], ["FCALL", "none", 0],
                                        ["FUNCTION", "DELETE", "none"])):
            holder.send(encode(*words))
        assert client("FCALL", "reads", 0) == client("FCALL_RO", "reads", 0) == "reads"
        assert client("EVAL", "#!lua flags=no-writes\nreturn 1", 0) == 1
        assert client("MULTI") == "OK" and client("FCALL", "reads", 0) == "QUEUED"
        assert client("EXEC") == ["reads"]
        wait_until(lambda: server.info("clients")["blocked_clients"] == "5", "they are held back")
        assert not any(holder.has_reply() for holder in held)
        client("CLIENT", "UNPAUSE")
        assert [holder.read_raw()[:4] for holder in held] == [
            b"$6\r\n", b"-ERR", b":1\r\n", b"-ERR", b"-ERR"]


def test_info_counts_functions(server, client):
    names = ("number_of_functions", "number_of_libraries", "used_memory_functions")

    def figures():
        info = server.info("memory")
        return [int(info[name]) for name in names]

    assert figures() == [0, 0, 0]
    code = library("a", "f", "g")
    client("FUNCTION", "LOAD", code)
    client("EVAL", "return 1", 0)
    assert figures() == [2, 1, len(code)]
    info = {name: int(value) for name, value in server.info("memory").items() if value.isdigit()}
    assert info["used_memory_vm_functions"] > 10_000
    assert info["used_memory_vm_total"] == (info["used_memory_vm_functions"] +
                                            info["used_memory_vm_eval"])
    assert info["used_memory_scripts"] == len(code) + len("return 1")
    stats = client("MEMORY", "STATS")
    assert stats[stats.index("functions.caches") + 1] == len(code)


def test_monitor_shows_calls_once(start):
    ours, theirs = (start(kind) for kind in KINDS)
    shown = []
    for server in (ours, theirs):
        with server.connect() as client, server.connect() as monitor:
            client("FUNCTION", "LOAD", "#!lua name=a\nredis.register_function('f', function(k) "
                   "return redis.call('set', k[1], 1) end)")
            monitor("MONITOR")
            client("FCALL", "f", 1, "k")
            client.error("FCALL", "none", 1, "k")
            client("FUNCTION", "LIST", "LIBRARYNAME", "x")
            lines = [monitor.read() for _ in range(4)]
            shown.append([line.partition("] ")[2] for line in lines])
    assert shown[0] == shown[1]
