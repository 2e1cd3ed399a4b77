"""The server's own commands: HELP, SLOWLOG, MONITOR, ROLE, MEMORY, DEBUG, SHUTDOWN."""
import re
import signal
import time

import pytest

from harness.load import caught_up
from harness.peers import EMPTY_RDB, FakePrimary, full_resync
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import ReplyError, encode


def help_entries(connection, container):
    """HELP by the lines of its entries; each begins at the margin."""
    lines = connection(container, "HELP")
    found = [[line] for line in lines[1:] if not line.startswith(" ")]
    at = -1
    for line in lines[1:]:
        if line.startswith(" "):
            found[at].append(line)
        else:
            at += 1
    return lines[0], found


NEW_HELP_OF_7_2 = {"SETINFO", "NO-TOUCH"}
OTHER_HELP = {"POPULATE"}  # its replicas get what it makes


def test_help_is_that_of_redis(start):
    """Of every container: what there is here, in Redis's words and order."""
    ours, theirs = (start(kind).connect() for kind in ("tandem", "redis"))
    containers = {row[0]: {part[0].split("|")[1] for part in row[9]}
                  for row in ours("COMMAND") if row[9]}
    assert {"client", "config", "object"} <= set(containers)
    containers["command"].add("(no")  # subcommand
    containers["debug"] = {entry[0].split()[0].lower() for entry in help_entries(ours, "debug")[1]}
    assert ours.error("CLUSTER", "HELP") == theirs.error("CLUSTER", "HELP")
    del containers["cluster"]
    for container, parts in containers.items():
        title, entries = help_entries(ours, container)
        their_title, their_entries = help_entries(theirs, container)
        words = [entry[0].split()[0] for entry in entries]
        assert {word.lower() for word in words} == parts, container
        assert title == their_title
        own = "Prints" if is_stock("tandem") else "Print"  # since 7.2
        assert entries.pop() == ["HELP", f"    {own} this help."]
        assert their_entries.pop() == ["HELP", "    Prints this help."]
        theirs_here = [entry for entry in their_entries if entry[0].split()[0].lower() in parts]
        assert [entry for entry, word in zip(entries, words)
                if word not in NEW_HELP_OF_7_2 | OTHER_HELP] == [
            entry for entry in theirs_here if entry[0].split()[0] not in OTHER_HELP], container


def test_slowlog(client):
    client("CONFIG", "SET", "slowlog-log-slower-than", 0, "slowlog-max-len", 3)
    client("SLOWLOG", "RESET")
    for number in range(5):
        client("SET", "a", number)
    assert client("SLOWLOG", "LEN") == 3
    entries = client("SLOWLOG", "GET", 2)
    assert len(entries) == 2 and len(entries[0]) == 6
    identity, when, microseconds, words, address, name = entries[1]
    assert words[0].lower() in ("slowlog", "set") and address.startswith("127.0.0.1:")
    client("CONFIG", "SET", "slowlog-log-slower-than", -1)
    client("SLOWLOG", "RESET")
    assert client("SLOWLOG", "GET") == []


def test_a_pause_by_debug_is_a_slow_command(client):
    client("CONFIG", "SET", "slowlog-log-slower-than", 10_000)
    client("SLOWLOG", "RESET")
    client("CLIENT", "SETNAME", "sleeper")
    client("DEBUG", "SLEEP", "0.05")
    (_, _, duration_us, words, _, name), = client("SLOWLOG", "GET")
    assert words == ["DEBUG", "SLEEP", "0.05"] and name == "sleeper"
    assert 50_000 <= duration_us


def test_slowlog_counts_and_names(server, client):
    """Ten entries unless another number is asked for, the newest first; who sent them."""
    with server.connect() as other:
        other("CLIENT", "SETNAME", "watcher")
        address = re.search(r" addr=(\S+)", other("CLIENT", "INFO"))[1]
        client("SLOWLOG", "RESET")
        client("CONFIG", "SET", "slowlog-log-slower-than", 0)
        for number in range(15):
            other("SET", "a", number)
        client("CONFIG", "SET", "slowlog-log-slower-than", -1)
    own_address = re.search(r" addr=(\S+)", client("CLIENT", "INFO"))[1]
    everything = client("SLOWLOG", "GET", -1)
    assert [entry[3] for entry in everything] == [
        *(["SET", "a", str(number)] for number in reversed(range(15))),
        ["CONFIG", "SET", "slowlog-log-slower-than", "0"]]
    assert client("SLOWLOG", "GET") == everything[:10]
    assert client("SLOWLOG", "GET", 12) == everything[:12]
    assert client("SLOWLOG", "GET", 1000) == everything
    assert [entry[4:] for entry in everything] == [[address, "watcher"]] * 15 + [[own_address, ""]]
    for wrong in (-2, "abc"):
        assert client.error("SLOWLOG", "GET", wrong) == (
            "ERR count should be greater than or equal to -1")


def test_slowlog_is_that_of_redis(start):
    """Parts of transactions and scripts, and secrets, as Redis logs them."""
    seen = []
    for kind in ("tandem", "redis"):
        with start(kind).connect() as client:
            client("CONFIG", "SET", "slowlog-log-slower-than", 0)
            client("SLOWLOG", "RESET")
            client("MULTI")
            client("SET", "a", 1)
            client("LPUSH", "a", 1)
            client("EXEC")
            client("EVAL", "return redis.call('get', 'a')", 0)
            client.error("GET")
            client.error("AUTH", "a")
            client.error("AUTH", "a", "b")
            client.error("HELLO", 3, "AUTH", "a", "b", "SETNAME", "c")
            client("CONFIG", "SET", "masterauth", "secret", "timeout", 0, "masteruser", "me")
            client("CONFIG", "SET", "requirepass", "")
            client("MSET", *range(40))
            client("SET", "a", "x" * 200)
            client("CONFIG", "SET", "slowlog-log-slower-than", -1)
            seen.append([entry[3] for entry in client("SLOWLOG", "GET", -1)])
    assert seen[0] == seen[1]


def test_monitor(server, client):
    with server.connect() as watcher:
        assert watcher("MONITOR") == "OK"
        client("SELECT", 2)
        client("SET", "a", 'quo"te\n')
        client("EVAL", "return redis.call('get', KEYS[1])", 1, "a")
        lines = [watcher.read() for _ in range(4)]
    assert re.fullmatch(r'\d+\.\d{6} \[2 127\.0\.0\.1:\d+\] "SELECT" "2"', lines[0])
    assert re.search(r'\[2 127\.0\.0\.1:\d+\] "SET" "a" "quo\\"te\\n"$', lines[1])
    assert '"EVAL"' in lines[2] and re.search(r'\[2 lua\] "get" "a"', lines[3])


def test_monitor_shows_the_database_that_a_command_leaves(start):
    sent = [("SELECT", 3), ("PING",), ("MULTI",), ("SELECT", 4), ("EXEC",), ("RESET",),
            ("EVAL", "redis.call('select', 2) return redis.call('get', 'a')", 0)]
    shown = []
    for kind in ("tandem", "redis"):
        server = start(kind)
        with server.connect() as watcher, server.connect() as client:
            assert watcher("MONITOR") == "OK"
            client.pipeline(sent)
            lines = [watcher.read() for _ in range(len(sent) + 2)]
            shown.append([re.sub(r".*\[(\d) \S+\]", r"\1", line) for line in lines])
    assert shown[0] == shown[1]


def test_a_monitor_without_replies_hears_nothing(server, client):
    with server.connect() as watcher:
        watcher.send(encode("CLIENT", "REPLY", "OFF") + encode("MONITOR"))
        wait_until(lambda: "flags=O" in client("CLIENT", "LIST"), "it monitors")
        client("ECHO", "unheard")
        watcher.send(encode("CLIENT", "REPLY", "ON"))
        assert watcher.read() == "OK"
        client("ECHO", "heard")
        seen = []
        while not seen or not seen[-1].endswith('"heard"'):
            seen.append(watcher.read())
    assert not any("unheard" in line for line in seen)


def test_monitor_shows_what_a_transaction_does(server, client):
    with server.connect() as watcher:
        watcher("MONITOR")
        client.pipeline([("MULTI",), ("INCR", "n"), ("SET", "k", "v"), ("EXEC",)])
        shown = [watcher.read().split("] ")[1] for _ in range(4)]
    assert shown == ['"MULTI"', '"INCR" "n"', '"SET" "k" "v"', '"EXEC"']


def test_a_monitor_only_looks(start):
    """As in Redis, to which it is a replica: a second MONITOR is not even answered."""
    for kind in ("tandem", "redis"):
        with start(kind).connect() as watcher:
            assert watcher("MONITOR") == "OK"
            watcher.send(encode("MONITOR") + encode("GET", "a") + encode("SET", "a", 1) +
                         encode("PUBLISH", "a", 1) + encode("EVAL", "return 1", 0) +
                         encode("ECHO", "next"))
            seen = [watcher.read_raw() for _ in range(6)]
            refused = b"-ERR Replica can't interact with the keyspace\r\n"
            assert [line for line in seen if line[:1] != b"+"] == [refused] * 4 + [
                b"$4\r\nnext\r\n"]
            assert [line for line in seen if line[:1] == b"+"][0].endswith(b'"ECHO" "next"\r\n')
            assert watcher("RESET") == "RESET"
            assert watcher("GET", "a") is None


def test_reset_ends_monitor(server, client):
    with server.connect() as watcher:
        watcher("MONITOR")
        client("PING")
        assert '"PING"' in watcher.read()
        assert watcher("RESET") == "RESET"
        client("PING")
        assert watcher("ECHO", "next") == "next"
        assert " flags=N " in watcher("CLIENT", "INFO")
        assert watcher("MONITOR") == "OK"
        client("PING")
        assert '"PING"' in watcher.read()


def test_monitor_hides_passwords(server, client):
    with server.connect() as watcher:
        watcher("MONITOR")
        client.error("AUTH", "secret")
        client("PING")
        seen = watcher.read()
    assert "secret" not in seen


def test_role(start):
    primary, replica = start("tandem"), start("tandem")
    with primary.connect() as connection:
        assert connection("ROLE") == ["master", 0, []]
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    with primary.connect() as a, replica.connect() as b:
        def listed():
            role = a("ROLE")
            return role[2] and role[2][0][:2] == ["127.0.0.1", str(replica.port)]
        wait_until(listed, "the primary lists its replica")
        assert b("ROLE")[:4] == ["slave", "127.0.0.1", primary.port, "connected"]


def test_role_of_a_replica_on_its_way(start):
    """A word for each step; no offset until the link is up."""
    with FakePrimary() as primary:
        unreachable = primary.port
    server = start("tandem")
    with server.connect() as client:
        def role_is(word, offset):
            return client("ROLE")[3:] == [word, offset]
        server.follow(unreachable)
        wait_until(lambda: role_is("connect", -1), "nobody listens there")
        with FakePrimary(PING=b"") as silent:
            server.follow(silent.port)
            wait_until(lambda: role_is("handshake", -1), "it waits for the answer to its PING")
        answer = full_resync(EMPTY_RDB, offset=77)
        with FakePrimary(PSYNC=answer[:-8]) as slow:
            server.follow(slow.port)
            wait_until(lambda: role_is("sync", -1), "the full sync runs")
            assert client("ROLE")[:3] == ["slave", "127.0.0.1", slow.port]
            slow.send(answer[-8:])
            wait_until(lambda: role_is("connected", 77), "the snapshot is loaded")


def test_memory_usage(client):
    client("SET", "small", "x")
    client("SET", "large", "x" * 100_000)
    client("RPUSH", "l", *["y" * 100] * 1000)
    small, large, many = (client("MEMORY", "USAGE", key) for key in ("small", "large", "l"))
    assert 16 <= small <= 200 and 100_000 < large < 150_000 and 100_000 < many < 200_000
    assert client("MEMORY", "USAGE", "none") is None
    assert client("MEMORY", "USAGE", "l", "SAMPLES", 0) > 100_000


def test_memory_stats_has_the_figures_of_redis(start):
    ours, theirs = (start(kind).connect(protocol=3)("MEMORY", "STATS")
                    for kind in ("tandem", "redis"))
    names = [name for name in theirs if not name.startswith("db.")]
    assert list(ours) == names
    assert [type(ours[name]) for name in names] == [type(theirs[name]) for name in names]
    assert ours["total.allocated"] <= ours["peak.allocated"]
    assert 0 < ours["peak.percentage"] <= 100


def test_object_encoding_limits(client):
    client("SET", "i", 12)
    client("SET", "e", "x" * 44)
    client("SET", "r", "x" * 45)
    client("SADD", "is", 1, 2)
    client("HSET", "h", "f", "v")
    client("HSET", "hb", "f", "v" * 65)
    client("ZADD", "z", 1, "a")
    client("RPUSH", "lb", *["x" * 100] * 200)
    encodings = [client("OBJECT", "ENCODING", key)
                 for key in ("i", "e", "r", "is", "h", "hb", "z", "lb")]
    assert encodings == ["int", "embstr", "raw", "intset", "listpack", "hashtable", "listpack",
                         "quicklist"]


def test_scan_gives_every_key_that_stays(server, client):
    """Keys present all the time come at least once, whatever is added and deleted between."""
    client.pipeline([("SET", f"stay:{n}", n) for n in range(3000)])
    seen, cursor, turn = set(), "0", 0
    while True:
        cursor, keys = client("SCAN", cursor, "COUNT", 50)
        seen |= set(keys)
        turn += 1
        client.pipeline([("SET", f"new:{turn}:{n}", 1) for n in range(100)])
        client.pipeline([("DEL", f"new:{turn - 1}:{n}") for n in range(100)])
        if cursor == "0":
            break
    assert {f"stay:{n}" for n in range(3000)} <= seen


def test_randomkey(client):
    assert client("RANDOMKEY") is None
    client("SET", "only", 1)
    assert client("RANDOMKEY") == "only"
    client("MSET", "a", 1, "b", 2)
    seen = set()
    def all_seen():
        seen.add(client("RANDOMKEY"))
        return seen == {"only", "a", "b"}
    wait_until(all_seen, "each key is drawn, and no other")
    client("SELECT", 1)
    assert client("RANDOMKEY") is None


def test_scan_match_type_count(client):
    client.pipeline([("SET", f"a{n}", 1) for n in range(100)] + [("RPUSH", f"b{n}",
                                                                  1) for n in range(50)])

    def everything(*words):
        found, cursor = [], "0"
        while True:
            cursor, keys = client("SCAN", cursor, *words)
            found += keys
            if cursor == "0":
                return set(found)

    assert everything("MATCH", "b*") == {f"b{n}" for n in range(50)}
    assert everything("TYPE", "string", "COUNT", 1) == {f"a{n}" for n in range(100)}
    assert len(everything()) == 150


def test_hscan(client):
    pairs = {f"f{n}": str(n) for n in range(2000)}
    client("HSET", "h", *[word for pair in pairs.items() for word in pair])
    found, cursor = {}, "0"
    while True:
        cursor, words = client("HSCAN", "h", cursor, "COUNT", 100)
        found.update(zip(words[::2], words[1::2]))
        if cursor == "0":
            break
    assert found == pairs


def test_flush_and_swap(client):
    client("SET", "a", 0)
    client("SELECT", 1)
    client("SET", "a", 1)
    client("SWAPDB", 0, 1)
    assert client("GET", "a") == "0"
    assert client("FLUSHDB", "ASYNC") == "OK" and client("DBSIZE") == 0
    client("SELECT", 0)
    assert client("GET", "a") == "1"
    assert client("FLUSHALL", "SYNC") == "OK" and client("DBSIZE") == 0


def test_time_and_lastsave(client):
    seconds, microseconds = client("TIME")
    assert abs(int(seconds) - client("LASTSAVE")) < 60 and 0 <= int(microseconds) < 1_000_000


def test_debug(client):
    assert client("DEBUG", "DIGEST") == "0" * 40
    client("SET", "a", 1)
    one = client("DEBUG", "DIGEST")
    client("SET", "a", 2)
    assert client("DEBUG", "DIGEST") != one
    assert client("DEBUG", "DIGEST-VALUE", "a", "none")[1] == "0" * 40
    assert client("DEBUG", "SLEEP", "0.01") == "OK"
    assert client("DEBUG", "SET-ACTIVE-EXPIRE", 0) == "OK"


def test_debug_sleep_holds_its_client_for_the_time(client):
    started = time.monotonic()
    assert client("DEBUG", "SLEEP", "0.3") == "OK"
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("words", [(), ("NOSAVE",), ("SAVE",), ("NOW", "FORCE")])
def test_shutdown(start, words):
    server = start("tandem")
    with server.connect() as connection:
        connection("SET", "a", 1)
        connection.send(b"SHUTDOWN " + " ".join(words).encode() + b"\r\n")
        assert connection.read_until_closed() == b""
    assert server.wait_exit() == 0
    assert (server.folder / "dump.rdb").exists() == ("SAVE" in words)


def with_stalled_replica(start, proxy, shutdown_timeout):
    primary, replica = start("tandem", "--shutdown-timeout", shutdown_timeout), start("tandem")
    link = proxy(primary)
    replica.follow(link.port)
    wait_until(replica.link_up, "linked")
    link.stall()
    return primary, replica, link


def test_shutdown_waits_for_replicas(start, proxy):
    primary, replica, link = with_stalled_replica(start, proxy, 60)
    asked, other = primary.connect(), primary.connect()
    other("SET", "a", 1)
    asked.send(b"SHUTDOWN NOSAVE\r\n")
    wait_until(lambda: "Waiting for replicas" in primary.log_text(), "it waits")
    assert other("SHUTDOWN", "ABORT") == "OK"
    with pytest.raises(ReplyError, match="Errors trying to SHUTDOWN. Check logs."):
        asked.read()
    assert other("SET", "a", 2) == "OK"
    other.send(b"SHUTDOWN NOSAVE\r\n")
    wait_until(lambda: primary.log_text().count("Waiting for replicas") == 2, "it waits again")
    link.resume()
    assert primary.wait_exit() == 0
    with replica.connect() as client:
        assert client("GET", "a") == "2"


def test_shutdown_now_leaves_lagging_replicas(start, proxy):
    primary, replica, _ = with_stalled_replica(start, proxy, 600)
    with primary.connect() as client:
        client("SET", "a", 1)
        client.send(b"SHUTDOWN NOSAVE NOW\r\n")
        assert client.read_until_closed() == b""
    assert primary.wait_exit() == 0
    with replica.connect() as client:
        assert client("EXISTS", "a") == 0


@pytest.mark.parametrize("save_points, words", [("", ("SAVE",)), ("3600 1", ())])
def test_shutdown_that_cannot_save_stays_unless_forced(start, save_points, words):
    server = start("tandem", "--save", save_points)
    (server.folder / "dump.rdb").mkdir()  # nothing can be renamed to that
    with server.connect() as client:
        client("SET", "a", 1)
        assert client.error("SHUTDOWN", *words) == "ERR Errors trying to SHUTDOWN. Check logs."
        assert client("GET", "a") == "1"
        client.send(encode("SHUTDOWN", *words, "FORCE"))
        assert client.read_until_closed() == b""
    assert server.wait_exit() == 0


def test_a_shutdown_that_cannot_save_lets_writes_go_on(start):
    """After a wait for a replica, too, during which writes are held back."""
    server, replica = start("tandem", "--shutdown-timeout", "1"), start("tandem")
    replica.follow(server.port)
    caught_up(server, replica)
    replica.pause()
    (server.folder / "dump.rdb").mkdir()  # nothing can be renamed to that
    with server.connect() as client:
        client("SET", "a", 1)
        assert client.error("SHUTDOWN", "SAVE") == "ERR Errors trying to SHUTDOWN. Check logs."
        assert client("SET", "a", 2) == "OK"


def test_shutdown_abort_and_bad_options(client):
    assert client.error("SHUTDOWN", "ABORT") == "ERR No shutdown in progress."
    assert client.error("SHUTDOWN", "SAVE", "NOSAVE") == "ERR syntax error"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_save_and_stop(start, number):
    server = start("tandem", "--save", "3600 1")
    with server.connect() as connection:
        connection("SET", "a", 1)
        server.process.send_signal(number)
        assert server.wait_exit() == 0
    assert (server.folder / "dump.rdb").exists()


@pytest.mark.skipif(is_stock("tandem"), reason="about Tandem's version")
def test_it_says_which_redis_it_speaks_like(server):
    assert server.info("server")["redis_version"].startswith("7.2.")
