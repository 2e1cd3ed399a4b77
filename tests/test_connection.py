"""Connection commands: CLIENT and its kin, SELECT, RESET, REPLY, PAUSE."""
import contextlib
import re
import socket

import pytest

from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import encode


def fields(line):
    return dict(pair.split("=", 1) for pair in line.strip().split(" "))


def test_ping_echo_select(client):
    assert client("PING") == "PONG" and client("PING", "hi") == "hi" and client("ECHO", "x") == "x"
    client("SET", "a", 1)
    client("SELECT", 5)
    assert client("GET", "a") is None
    assert client.error("SELECT", 16) == "ERR DB index is out of range"


def test_ids_grow(server):
    with server.connect() as one:
        first = one("CLIENT", "ID")
        with server.connect() as two:
            assert two("CLIENT", "ID") > first


def test_who_comes_later_has_the_greater_id(start):
    """Though each is served by another worker, and nobody waits for an answer in between."""
    server = start("tandem", "--worker-threads", "4")
    for _ in range(30):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect()) for _ in range(8)]
            ids = [client("CLIENT", "ID") for client in clients]
            assert ids == sorted(ids)


def test_client_list_and_info(server, client):
    client("CLIENT", "SETNAME", "me")
    client("SELECT", 3)
    info = fields(client("CLIENT", "INFO"))
    assert info["name"] == "me" and info["db"] == "3" and info["cmd"] == "client|info"
    assert info["id"] == str(client("CLIENT", "ID")) and info["user"] == "default"
    assert list(info) == [
        "id", "addr", "laddr", "fd", "name", "age", "idle", "flags", "db", "sub", "psub", "ssub",
        "multi", "qbuf", "qbuf-free", "argv-mem", "multi-mem", "rbs", "rbp", "obl", "oll", "omem",
        "tot-mem", "events", "cmd", "user", "redir", "resp", "lib-name", "lib-ver"]
    with server.connect() as other:
        other("SUBSCRIBE", "a", "b")
        lines = [fields(line) for line in client("CLIENT", "LIST").splitlines()]
        assert {line["sub"] for line in lines} == {"0", "2"}
        only = client("CLIENT", "LIST", "TYPE", "pubsub").splitlines()
        assert len(only) == 1 and fields(only[0])["flags"] == "P"
        by_id = client("CLIENT", "LIST", "ID", fields(only[0])["id"]).splitlines()
        assert len(by_id) == 1


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_client_list_says_what_a_client_holds(start, kind):
    server = start(kind)
    with server.connect() as client, server.connect() as waits, server.connect() as slow:
        waits.send(encode("BLPOP", "list", 0))
        client("SET", "long", "x" * 20_000_000)
        slow.send(encode("GET", "long"))

        def shown(command):
            lines = map(fields, client("CLIENT", "LIST").splitlines())
            return next((line for line in lines if line["cmd"] == command), None)
        wait_until(lambda: shown("blpop") and shown("get"), "both are heard")
        assert shown("blpop")["argv-mem"] == "10" and shown("blpop")["events"] == "r"
        assert shown("get")["events"] == "rw" and int(shown("get")["oll"]) > 0
        assert int(shown("get")["tot-mem"]) > int(shown("get")["omem"]) > 1_000_000
        assert shown("client|list")["omem"] == "0"
        assert slow.read() == "x" * 20_000_000
        assert shown("get")["omem"] == "0"


def test_client_list_by_ids_keeps_their_order(server, client):
    with server.connect() as first, server.connect() as second:
        low, high = first("CLIENT", "ID"), second("CLIENT", "ID")
        lines = client("CLIENT", "LIST", "ID", high, low, high + 1000, high).splitlines()
    assert [fields(line)["id"] for line in lines] == [str(high), str(low), str(high)]


def test_client_setname_rules(client):
    assert client.error("CLIENT", "SETNAME", "a b").startswith("ERR Client names cannot contain")
    assert client("CLIENT", "GETNAME") is None
    client("CLIENT", "SETNAME", "x")
    assert client("CLIENT", "GETNAME") == "x"
    client("CLIENT", "SETNAME", "")
    assert client("CLIENT", "GETNAME") is None


def test_client_setinfo(server, client):
    """New in 7.2."""
    if "redis_version:7.0" in client("INFO", "server"):
        pytest.skip("7.2 only")
    assert client("CLIENT", "SETINFO", "lib-name", "mine") == "OK"
    assert client("CLIENT", "SETINFO", "LIB-VER", "1.2") == "OK"
    assert "lib-name=mine lib-ver=1.2" in client("CLIENT", "INFO")
    assert client.error("CLIENT", "SETINFO", "nosuch", "x").startswith("ERR Unrecognized option")


@pytest.mark.parametrize("words", [
    lambda c: ["ID", c("CLIENT", "ID")],
    lambda c: ["ADDR", fields(c("CLIENT", "INFO"))["addr"]],
    lambda c: [fields(c("CLIENT", "INFO"))["addr"]],
    lambda c: ["ID", c("CLIENT", "ID"), "TYPE", "normal", "USER", "default"],
    lambda c: ["ADDR", fields(c("CLIENT", "INFO"))["addr"],
               "LADDR", fields(c("CLIENT", "INFO"))["laddr"]],
], ids=["id", "addr", "old form", "several", "both ends"])
def test_client_kill(server, client, words):
    with server.connect() as victim, server.connect() as other:
        assert client("CLIENT", "KILL", *words(victim)) in (1, "OK")
        wait_until(victim.is_closed, "the victim is closed")
        assert other("PING") == "PONG" and client("PING") == "PONG"


def test_client_kill_by_near_end(start, tmp_path):
    path = str(tmp_path / "socket")
    server = start("tandem", "--unixsocket", path)
    with server.connect() as admin, server.connect() as other, server.connect(path=path) as local:
        near = fields(other("CLIENT", "INFO"))["laddr"]
        assert admin("CLIENT", "KILL", "LADDR", "127.0.0.1:1") == 0
        assert admin("CLIENT", "KILL", "LADDR", near) == 1
        wait_until(other.is_closed, "the one that came the same way is closed")
        assert local("PING") == "PONG" and admin("PING") == "PONG"


def test_client_kill_by_user(server, client):
    with server.connect() as first, server.connect() as second:
        assert "No such user" in client.error("CLIENT", "KILL", "USER", "nobody")
        assert first("PING") == "PONG" and second("PING") == "PONG"
        assert client("CLIENT", "KILL", "USER", "default") == 2
        wait_until(first.is_closed, "the first is closed")
        wait_until(second.is_closed, "the second is closed")
    assert client("PING") == "PONG"


def test_client_kill_by_type_and_skipme(server, client):
    with server.connect() as subscriber, server.connect() as other:
        subscriber("SUBSCRIBE", "c")
        assert client("CLIENT", "KILL", "TYPE", "pubsub") == 1
        wait_until(subscriber.is_closed, "the subscriber is closed")
        assert client("CLIENT", "KILL", "SKIPME", "yes", "TYPE", "normal") == 1
        wait_until(other.is_closed, "the other is closed")
    client.send(encode("CLIENT", "KILL", "SKIPME", "no", "ID", client("CLIENT", "ID")))
    assert client.read_until_closed() == b":1\r\n"


def test_client_pause_write(server, client):
    client("SET", "a", 1)
    client("CLIENT", "PAUSE", 100000, "WRITE")
    with server.connect() as writer:
        assert writer("GET", "a") == "1"
        writer.send(encode("SET", "a", 2))
        assert client("GET", "a") == "1" and not writer.has_reply()
        def held_back():
            return "flags=b" in client("CLIENT", "LIST")
        wait_until(held_back, "the writer is shown as blocked")
        assert "blocked_clients:1\r" in client("INFO", "clients")
        client("CLIENT", "UNPAUSE")
        assert writer.read() == "OK"
        assert "flags=b" not in client("CLIENT", "LIST")
        assert "blocked_clients:0\r" in client("INFO", "clients")


def test_client_pause_all(server, client):
    client("CLIENT", "PAUSE", 400)
    with server.connect() as other:
        other.send(encode("GET", "a"))
        assert not other.has_reply()
        assert other.read() is None


def test_a_pause_beyond_all_time_is_refused(client):
    if is_stock("tandem"):
        pytest.skip("7.0 takes it for a moment that is over")
    for words in ((2**63 - 1,), (2**63 - 1, "WRITE"), (2**63 - 2000, "ALL")):
        assert client.error("CLIENT", "PAUSE", *words) == "ERR timeout is out of range"
    assert client("PING") == "PONG"


def test_client_pause_ends_by_itself(server, client):
    client("CLIENT", "PAUSE", 200)
    with server.connect() as other:
        assert other("SET", "a", 1) == "OK"


def test_client_reply(client):
    client.send(encode("CLIENT", "REPLY", "OFF") + encode("SET", "a", 1) + encode("GET", "a")
                + encode("CLIENT", "REPLY", "ON") + encode("GET", "a"))
    assert client.read() == "OK" and client.read() == "1"
    client.send(encode("CLIENT", "REPLY", "SKIP") + encode("PING") + encode("ECHO", "x"))
    assert client.read() == "x"


@pytest.mark.parametrize("words, replies", [
    ("CLIENT REPLY OFF|MULTI|PING|EXEC|CLIENT REPLY ON|ECHO x", b"+OK\r\n$1\r\nx\r\n"),
    ("CLIENT REPLY SKIP|CLIENT REPLY SKIP|PING|ECHO x", b"$1\r\nx\r\n"),
    ("CLIENT REPLY SKIP|CLIENT REPLY ON|PING", b"+OK\r\n+PONG\r\n"),
    ("CLIENT REPLY SKIP|RESET|PING", b"+PONG\r\n"),
    ("CLIENT REPLY OFF|RESET|PING", b"+RESET\r\n+PONG\r\n"),
    ("MULTI|CLIENT REPLY OFF|PING|EXEC|PING|CLIENT REPLY ON|PING",
     b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+PONG\r\n"),
    ("MULTI|CLIENT REPLY SKIP|PING|EXEC|PING|ECHO x",
     b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+PONG\r\n$1\r\nx\r\n"),
    ("MULTI|PING|CLIENT REPLY OFF|PING|CLIENT REPLY ON|EXEC",
     b"+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*4\r\n+PONG\r\n+OK\r\n"),
    ("CLIENT REPLY OFF|SUBSCRIBE a|PING", b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"),
    ("CLIENT REPLY OFF|*1|x", b""),
    ("CLIENT REPLY OFF|QUIT", b""),
])
def test_client_reply_goes_by_the_moment_of_each_reply(server, words, replies):
    with server.connect() as connection:
        connection.send(words.replace("|", "\r\n").encode() + b"\r\n")
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.read_until_closed() == replies


def test_client_reply_skips_what_comes_after_a_wait(client):
    client.send(encode("CLIENT", "REPLY", "SKIP") + encode("BLPOP", "none", "0.01")
                + encode("ECHO", "x"))
    assert client.read() == "x"


def test_client_no_evict(client):
    assert client("CLIENT", "NO-EVICT", "ON") == "OK" and client("CLIENT", "NO-EVICT",
                                                                 "off") == "OK"
    assert client.error("CLIENT", "NO-EVICT", "x") == "ERR syntax error"
    client("CLIENT", "NO-EVICT", "ON")
    assert fields(client("CLIENT", "INFO"))["flags"] == "e"
    if not is_stock("tandem"):  # 7.0 keeps it
        client("RESET")
        assert fields(client("CLIENT", "INFO"))["flags"] == "N"


def test_reset(client):
    client("SELECT", 4)
    client("CLIENT", "SETNAME", "x")
    client("MULTI")
    assert client("RESET") == "RESET"
    assert client("CLIENT", "GETNAME") is None
    assert fields(client("CLIENT", "INFO"))["db"] == "0"
    assert client.error("EXEC") == "ERR EXEC without MULTI"


def test_transactions(server, client):
    assert client("MULTI") == "OK" and client("INCR", "a") == "QUEUED"
    assert client("SET", "b", "x") == "QUEUED" and client("EXEC") == [1, "OK"]
    client("MULTI")
    client.error("nosuch")
    assert client.error("EXEC").startswith("EXECABORT")
    with server.connect() as other:
        client("WATCH", "a")
        other("SET", "a", 5)
        client("MULTI")
        client("SET", "a", 6)
        assert client("EXEC") is None and client("GET", "a") == "5"
        client("WATCH", "a")
        client("UNWATCH")
        other("SET", "a", 7)
        client("MULTI")
        client("SET", "a", 8)
        assert client("EXEC") == ["OK"]


def test_watch_sees_expiry_flush_and_swap(server, client):
    with server.connect() as other:
        for touch in (("FLUSHALL",), ("SWAPDB", 0, 1), ("DEL", "w"), ("EXPIRE", "w", 100)):
            client("SET", "w", 1)
            client("WATCH", "w")
            other(*touch)
            client("MULTI")
            client("PING")
            assert client("EXEC") is None, touch


def test_watch_sees_a_trim_that_takes_nothing(server, client):
    client("RPUSH", "w", 1)
    client("WATCH", "w")
    with server.connect() as other:
        other("LTRIM", "w", 0, -1)
    client("MULTI")
    client("PING")
    assert client("EXEC") is None and client("LLEN", "w") == 1


def test_exec_that_is_refused_says_why(start):
    replies = []
    for kind in ("tandem", "redis"):
        with start(kind).connect() as client:
            replies.append(client.pipeline([("SUBSCRIBE", "a"), ("EXEC",)]))
    assert replies[0] == replies[1] and b"because of: Can't execute 'exec'" in replies[0][1]


def test_discard(client):
    client("MULTI")
    client("SET", "a", 1)
    assert client("DISCARD") == "OK" and client("EXISTS", "a") == 0


def test_age_and_name_in_list_are_of_the_right_client(server):
    connections = [server.connect() for _ in range(20)]
    for number, connection in enumerate(connections):
        connection("CLIENT", "SETNAME", f"n{number}")
    names = re.findall(r" name=(n\d+) ", connections[0]("CLIENT", "LIST"))
    assert sorted(names) == sorted(f"n{number}" for number in range(20))


HELLOS = ["HELLO", "HELLO x", "HELLO 1", "HELLO 4", "HELLO 2 NOSUCH", "HELLO 3 SETNAME",
          "HELLO 3 SETNAME a_b", "HELLO 3 AUTH default", "HELLO 3 AUTH default x SETNAME",
          "HELLO 2 SETNAME first", "CLIENT GETNAME", "HELLO 3 AUTH nosuch x SETNAME second",
          "CLIENT GETNAME", "HELLO 3 SETNAME third AUTH default any", "CLIENT GETNAME", "GET none",
          "HELLO 3 SETNAME a SETNAME b", "CLIENT GETNAME", "HELLO", "HELLO 2", "GET none"]


def test_hello_takes_and_refuses_what_redis_does(start):
    answers = []
    for kind in ("tandem", "redis"):
        with start(kind).connect() as client:
            raw = [client.raw(*(word.replace("_", " ") for word in line.split()))
                   for line in HELLOS]
            answers.append([re.sub(rb"(version\r\n)\$\d+\r\n[\d.]+|(\$2\r\nid\r\n):\d+", rb"\1\2",
                                   reply) for reply in raw])
    assert answers[0] == answers[1]


def test_reset_undoes_everything_of_the_connection(server, client):
    with server.connect() as other:
        other("SSUBSCRIBE", "s")
        other("PSUBSCRIBE", "p*")
        other("RESET")
        other.pipeline([("HELLO", 3), ("CLIENT", "TRACKING", "ON", "BCAST"), ("SELECT", 3),
                        ("CLIENT", "SETNAME", "x"), ("CLIENT", "NO-EVICT", "ON"), ("WATCH", "k"),
                        ("MULTI",), ("SET", "k", 1)])
        assert other.raw("RESET") == b"+RESET\r\n"
        info = fields(other("CLIENT", "INFO"))
        fresh = {"flags": "N", "db": "0", "name": "", "resp": "2", "redir": "-1", "multi": "-1",
                 "sub": "0", "psub": "0", "ssub": "0"}
        assert {name: info[name] for name in fresh} == fresh
        assert client("GET", "k") is None
        other("MONITOR")
        client("PING")
        other.send(encode("RESET"))
        while other.read() != "RESET":
            pass
        client("PING")
        assert other("PING") == "PONG"


def test_client_list_by_type(server, client):
    def types(name):
        lines = client("CLIENT", "LIST", "TYPE", name).splitlines()
        return sorted(fields(line)["cmd"] for line in lines)

    with server.connect() as listener, server.connect() as shard, server.connect() as monitor:
        listener("SUBSCRIBE", "a")
        shard("SSUBSCRIBE", "a")
        monitor("MONITOR")
        assert types("pubsub") == ["ssubscribe", "subscribe"]
        assert types("normal") == ["client|list", "monitor"]
        assert types("replica") == types("master") == []
        assert client.error("CLIENT", "LIST", "TYPE", "x") == "ERR Unknown client type 'x'"
        assert client.error("CLIENT", "LIST", "TYPE") == "ERR syntax error"
        assert client.error("CLIENT", "LIST", "ID", 1, "TYPE", "x") == "ERR Invalid client ID"
