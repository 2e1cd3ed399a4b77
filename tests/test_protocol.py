"""The wire: RESP2, RESP3, inline, limits, and input that breaks the rules."""
import socket

import pytest

from harness import own_network
from harness.servers import free_port, is_stock
from harness.wait import wait_until
from harness.wire import Connection, ReplyError, encode

# (bytes sent, the error line that comes before the connection closes)
MALFORMED = [
    (b"*1\r\n$-5\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$abc\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$536870913\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"*abc\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*2147483648\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*99999999999999999999\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*1\r\n:1\r\n", b"-ERR Protocol error: expected '$', got ':'\r\n"),
    (b"*1\r\nx\r\n", b"-ERR Protocol error: expected '$', got 'x'\r\n"),
    (b"a" * 70000, b"-ERR Protocol error: too big inline request\r\n"),
    (b"*" + b"1" * 70000, b"-ERR Protocol error: too big mbulk count string\r\n"),
    (b"*1\r\n$" + b"1" * 70000, b"-ERR Protocol error: too big bulk count string\r\n"),
    (b'SET a "unbalanced\r\n', b"-ERR Protocol error: unbalanced quotes in request\r\n"),
    (b"set a 'x'y\r\n", b"-ERR Protocol error: unbalanced quotes in request\r\n"),
]


@pytest.mark.parametrize("data, reply", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_input_is_answered_and_closed(server, data, reply):
    with server.connect() as connection:
        connection.send(data)
        assert connection.read_until_closed() == reply
    with server.connect() as connection:
        assert connection("PING") == "PONG"


def test_what_came_before_the_error_is_answered(client):
    client.send(encode("SET", "a", "1") + encode("GET", "a") + b"*1\r\n$x\r\n")
    assert client.read_until_closed() == (
        b"+OK\r\n$1\r\n1\r\n-ERR Protocol error: invalid bulk length\r\n")


def test_random_bytes_never_take_the_server_down(server):
    import random
    source = random.Random(7)
    for _ in range(300):
        with server.connect(seconds=5) as connection:
            start = source.choice([b"", b"*3\r\n$3\r\nSET\r\n", b"*1\r\n", b"$5\r\n", b"\r\n"])
            try:
                connection.send(start + source.randbytes(source.randrange(1, 3000)) + b"\r\n")
            except OSError:
                pass
    with server.connect() as connection:
        assert connection("PING") == "PONG"


def test_a_command_in_single_bytes(client):
    for byte in encode("SET", "key", "value") + encode("GET", "key"):
        client.send(bytes([byte]))
    assert client.read_raw() == b"+OK\r\n" and client.read_raw() == b"$5\r\nvalue\r\n"


def test_inline_commands(client):
    client.send(b"SET  a   'b c'\r\nGET a\nPING \"\\x41\\n\"\r\n\r\nECHO 'it\\'s'\r\n")
    assert [client.read_raw() for _ in range(4)] == [
        b"+OK\r\n", b"$3\r\nb c\r\n", b"$2\r\nA\n\r\n", b"$4\r\nit's\r\n"]


def test_an_inline_line_may_be_64_kb_long(client):
    client.send(b"ECHO " + b"x" * (65536 - 5) + b"\r\n")
    assert client.read() == "x" * (65536 - 5)
    client.send(b"ECHO " + b"x" * (65537 - 5))
    assert client.read_until_closed() == b"-ERR Protocol error: too big inline request\r\n"


def test_empty_and_null_arrays_are_ignored(client):
    client.send(b"*0\r\n*-1\r\n" + encode("PING"))
    assert client.read_raw() == b"+PONG\r\n"


def test_a_long_pipeline(client):
    replies = client.pipeline([("INCR", "n")] * 20000)
    assert replies[-1] == b":20000\r\n"


def test_big_values(client):
    value = "x" * (8 << 20)
    assert client("SET", "big", value) == "OK"
    assert client("GET", "big") == value
    assert client("STRLEN", "big") == len(value)


def test_binary_keys_and_values(client):
    everything = bytes(range(256))
    client("SET", everything, everything)
    assert client.raw("GET", everything) == b"$256\r\n%s\r\n" % everything


def test_hello_and_resp3_types(client):
    greeting = client("HELLO", 3)
    expected = {"server": "redis", "proto": 3, "mode": "standalone", "role": "master",
                "modules": []}
    assert expected.items() <= greeting.items()
    assert client.raw("GET", "none") == b"_\r\n"
    client("HSET", "h", "f", "v")
    assert client.raw("HGETALL", "h") == b"%1\r\n$1\r\nf\r\n$1\r\nv\r\n"
    client("SADD", "s", "m")
    assert client.raw("SMEMBERS", "s") == b"~1\r\n$1\r\nm\r\n"
    client("ZADD", "z", "1.5", "m")
    assert client.raw("ZSCORE", "z", "m") == b",1.5\r\n"
    assert client.raw("ZRANGE", "z", 0, -1, "WITHSCORES") == b"*1\r\n*2\r\n$1\r\nm\r\n,1.5\r\n"
    assert client.raw("CONFIG", "GET", "timeout") == b"%1\r\n$7\r\ntimeout\r\n$1\r\n0\r\n"
    assert isinstance(client("HELLO", 2), list)
    assert client.raw("GET", "none") == b"$-1\r\n"
    assert client.error("HELLO", 4).startswith("NOPROTO")


@pytest.mark.parametrize("request_of_http", [
    b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET a 1\r\n", b"Host: x\r\nSET a 1\r\n",
    b"hOST:\r\nSET a 1\r\n", encode("post", "/") + encode("SET", "a", "1"),
    b"MULTI\r\nPOST /\r\nEXEC\r\n"],
    ids=["post", "host", "bare host", "array", "queued"])
def test_a_request_of_http_is_cut_off_unanswered(server, client, request_of_http):
    with server.connect() as browser:
        browser.send(request_of_http)
        assert browser.read_until_closed() == b""
    assert client("GET", "a") is None


def test_hello_does_nothing_unless_all_its_words_are_understood(start):
    server = start("tandem", "--requirepass", "secret")
    with server.connect() as connection:
        assert connection.error("HELLO", 3, "AUTH", "default", "secret", "NOPE") == (
            "ERR Syntax error in HELLO option 'NOPE'")
        assert connection.error("PING").startswith("NOAUTH")
        assert connection.error("HELLO", 3, "AUTH", "default", "wrong", "SETNAME", "a b") == (
            "ERR Client names cannot contain spaces, newlines or special characters.")
        assert connection.error("HELLO", 3, "SETNAME", "me", "AUTH", "default", "wrong").startswith(
            "WRONGPASS")
        assert connection("HELLO", 3, "SETNAME", "me", "AUTH", "default", "secret")["proto"] == 3
        assert connection("CLIENT", "GETNAME") == "me"


def test_query_buffer_limit(start):
    server = start("tandem", "--client-query-buffer-limit", "1mb")
    with server.connect() as connection:
        try:
            connection.send(b"*2\r\n$4\r\nECHO\r\n$3000000\r\n" + b"x" * 3000000)
        except OSError:
            pass
        wait_until(connection.is_closed, "the client over its query buffer is closed")
    with server.connect() as connection:
        assert connection("PING") == "PONG"


def test_bulk_length_limit(start):
    server = start("tandem", "--proto-max-bulk-len", "1mb")
    with server.connect() as connection:
        connection.send(b"*2\r\n$4\r\nECHO\r\n$1048577\r\n")
        assert b"invalid bulk length" in connection.read_until_closed()


def test_output_buffer_limit_of_normal_clients(start):
    server = start("tandem", "--client-output-buffer-limit", "normal 1mb 0 0")
    with server.connect() as writer, server.connect() as reader:
        writer("SET", "big", "x" * 500_000)
        try:
            reader.send(encode("GET", "big") * 200)
        except OSError:
            pass
        def gone():
            return "cmd=get" not in writer("CLIENT", "LIST")
        wait_until(gone, "the client that does not read is closed")
        assert writer("PING") == "PONG"


def test_output_buffer_limit_of_subscribers(start):
    server = start("tandem", "--client-output-buffer-limit", "pubsub 1mb 0 0")
    with server.connect() as writer, server.connect() as reader:
        reader("SUBSCRIBE", "c")
        def dropped():
            return writer("PUBLISH", "c", "x" * 100_000) == 0
        wait_until(dropped, "the subscriber that does not read is closed")


def test_soft_output_limit_of_normal_clients(start):
    server = start("tandem", "--client-output-buffer-limit", "normal 0 1mb 1")
    with server.connect() as writer, server.connect() as reader:
        writer("SET", "big", "x" * 500_000)
        reader.send(encode("GET", "big") * 40)
        def waits():
            return "cmd=get" in writer("CLIENT", "LIST")
        wait_until(waits, "the client that does not read has asked")
        wait_until(lambda: not waits(), "it is closed once the time is over")
        assert writer("PING") == "PONG"


def test_soft_output_limit_of_subscribers(start):
    server = start("tandem", "--client-output-buffer-limit", "pubsub 0 1mb 1")
    with server.connect() as writer, server.connect() as reader, server.connect() as quick:
        reader("SUBSCRIBE", "c")
        quick("SUBSCRIBE", "c")
        for _ in range(200):
            assert writer("PUBLISH", "c", "x" * 100_000) in (1, 2)
            quick.read()
        def dropped():
            return writer("PUBLISH", "c", "over") == 1
        wait_until(dropped, "the subscriber that does not read is closed, the other stays")


def connect_all(server, count):
    """As many connections, once those that the start looked in with are gone."""
    first = server.connect()
    wait_until(lambda: "connected_clients:1\r" in first("INFO", "clients"), "no other is there")
    return [first, *(server.connect() for _ in range(count - 1))]


def test_maxclients(start):
    server = start("tandem", "--maxclients", "5")
    connections = connect_all(server, 5)
    assert all(connection("PING") == "PONG" for connection in connections)
    with server.connect() as late:
        assert late.read_until_closed() == b"-ERR max number of clients reached\r\n"
    connections.pop().close()
    wait_until(lambda: "connected_clients:4" in connections[0]("INFO", "clients"), "one is gone")
    with server.connect() as next_one:
        assert next_one("PING") == "PONG"
    assert int(server_info(connections[0])["rejected_connections"]) >= 1


def with_limit(server, soft, hard):
    """The server, not started yet, as a process that may have so many descriptors."""
    server.wrapper = ["prlimit", f"--nofile={soft}:{hard}"]
    return server


def test_a_low_soft_limit_of_descriptors_is_raised(start):
    server = with_limit(start("tandem", "--maxclients", "150", launch=False), 100, 1000).start()
    connections = connect_all(server, 150)
    assert all(connection("PING") == "PONG" for connection in connections)
    assert connections[0]("CONFIG", "GET", "maxclients") == ["maxclients", "150"]
    with server.connect() as late:
        assert late.read_until_closed() == b"-ERR max number of clients reached\r\n"


def test_a_low_hard_limit_of_descriptors_lowers_maxclients(start):
    server = with_limit(start("tandem", "--maxclients", "500", launch=False), 200, 200).start()
    assert "maxclients" in server.log_text()
    with server.connect() as first:
        allowed = int(first("CONFIG", "GET", "maxclients")[1])
        assert 100 < allowed < 200
        connections = [server.connect() for _ in range(allowed - 1)]
        assert all(connection("PING") == "PONG" for connection in connections)
        with server.connect() as late:
            assert late.read_until_closed() == b"-ERR max number of clients reached\r\n"
        assert first.error("CONFIG", "SET", "maxclients", 600) == (
            "ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating "
            f"system is not able to handle the specified number of clients, try with {allowed}")
        assert first("CONFIG", "GET", "maxclients") == ["maxclients", str(allowed)]
        assert first("CONFIG", "SET", "maxclients", allowed - 1) == "OK"


def test_a_limit_that_leaves_no_descriptor_to_clients_stops_the_start(start):
    server = with_limit(start("tandem", launch=False), 30, 30).launch()
    assert server.wait_exit() == 1
    assert "ulimit -n" in server.log_text()


def server_info(connection):
    from harness.servers import parse_info
    return parse_info(connection("INFO"))


# What a client asked before it fell silent: some are closed for it, others are spared.
CLOSED = {"nothing": [], "one command": [("PING",)], "a transaction": [("MULTI",), ("GET", "a")],
          "no more": [("SUBSCRIBE", "c"), ("UNSUBSCRIBE", "c")], "a watch": [("WATCH", "a")]}
SPARED = {"an element": ("BLPOP", "none", 0), "replicas": ("WAIT", 9, 0),
          "an entry": ("XREAD", "BLOCK", 0, "STREAMS", "none", "$"), "commands": ("MONITOR",),
          "messages": ("SUBSCRIBE", "c"), "more messages": ("PSUBSCRIBE", "*"),
          "the stream": ("PSYNC", "?", -1)}
HELD_BACK = {"the end of a pause": ("SET", "a", 1)}


def silent_after(server, requests):
    """A connection of each protocol after each of the requests, by its name."""
    found = {}
    for name, command in requests.items():
        for protocol in (2, 3):
            found[name, protocol] = server.connect(protocol=protocol)
            found[name, protocol].send(encode(*command))
    return found


def silent_clients(server):
    """Who is to be closed, and who is to be spared; these fell silent before those."""
    spared = silent_after(server, SPARED)
    with server.connect() as admin:
        wait_until(lambda: "blocked_clients:6\r" in admin("INFO", "clients"), "they wait")
        admin("CLIENT", "PAUSE", 60000, "WRITE")
    spared |= silent_after(server, HELD_BACK)
    closed = {name: server.connect() for name in CLOSED}
    for name, commands in CLOSED.items():
        closed[name].pipeline(commands)
    return closed, spared


def test_idle_clients_are_closed_unless_they_wait_for_something(start):
    """As redis-server does it; nor is a replica's own connection to its primary idle."""
    servers = [start(kind, "--timeout", "1") for kind in ("tandem", "redis")]
    replicas = [start(server.kind, "--timeout", "1", "--replicaof", "127.0.0.1", server.port)
                for server in servers]
    for replica in replicas:
        wait_until(replica.link_up, "the link is up")
    groups = [silent_clients(server) for server in servers]
    for _ in range(2):  # by the second time whatever was to be closed has been
        late = [("late", server.connect()) for server in servers]
        for name, connection in [*groups[0][0].items(), *groups[1][0].items(), *late]:
            wait_until(connection.is_closed, f"who asked for {name} is closed")
    for server, replica, (_, spared) in zip(servers, replicas, groups):
        gone = {name for name, connection in spared.items() if connection.is_closed()}
        assert gone == set() and replica.link_up(), server
        counts = server.info("stats")  # two replicas are made by hand
        assert (counts["sync_full"], counts["sync_partial_ok"]) == ("3", "0"), server


def test_unix_socket(start, tmp_path):
    path = str(tmp_path / "s")
    server = start("tandem", "--unixsocket", path, "--unixsocketperm", "700")
    with Connection(path=path) as connection:
        assert connection("SET", "a", 1) == "OK"
        assert f"addr={path}:0" in connection("CLIENT", "LIST")
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o700
    server.stop()
    assert not (tmp_path / "s").exists()


def test_only_a_unix_socket(start, tmp_path):
    path = str(tmp_path / "s")
    server = start("tandem", "--unixsocket", path, launch=False, port=0)
    server.port = 0
    server.launch()
    wait_until(lambda: Connection(path=path)("PING") == "PONG", "it answers on the socket alone")


def test_ipv6(start):
    server = start("tandem", "--bind", "127.0.0.1", "::1")
    with server.connect(host="::1") as connection:
        assert connection("PING") == "PONG"
        assert "addr=[::1]:" in connection("CLIENT", "INFO")


def test_optional_bind_addresses(start):
    """A dash before an address means: do without it when this machine has none such."""
    server = start("tandem", "--bind", "127.0.0.1", "-192.0.2.1")
    with server.connect() as connection:
        assert connection("PING") == "PONG"


def test_an_address_that_is_not_ours_stops_the_start(start):
    server = start("tandem", "--bind", "192.0.2.1", launch=False)
    server.launch()
    assert server.wait_exit() != 0
    assert "192.0.2.1" in server.log_text()


def test_a_taken_port_stops_the_start(start):
    first = start("tandem")
    second = start("tandem", launch=False, port=first.port)
    second.launch()
    assert second.wait_exit() != 0
    assert str(first.port) in second.log_text()


@pytest.mark.skipif(not own_network.is_allowed(), reason="no networks of its own here")
def test_protected_mode(start, tmp_path):
    """Without a password only the loopback addresses are let in, whatever is bound."""
    told = {}
    for kind in ("tandem", "redis"):
        server = start(kind, "--bind", "*", "--unixsocket", tmp_path / kind, launch=False)
        server.wrapper = own_network.wrapper()
        pid, port = server.launch().process.pid, server.port
        admin = wait_until(lambda: Connection(path=str(tmp_path / kind)), "it answers")
        denied = own_network.said_to(pid, port)
        told[kind], _, _ = denied.partition(b"4)")  # what follows is worded anew since 7.2
        assert own_network.said_to(pid, port, "127.0.0.1") == b"+PONG\r\n"
        other = own_network.said_to(pid, port, "127.0.0.2")
        assert other == (denied if is_stock(kind) else b"+PONG\r\n")  # let in since 7.2
        for name, value, answer in [
                ("bind", f"127.0.0.1 {own_network.ADDRESS}", denied),
                ("requirepass", "secret", b"-NOAUTH Authentication required.\r\n"),
                ("requirepass", "", denied), ("protected-mode", "no", b"+PONG\r\n")]:
            admin("CONFIG", "SET", name, value)
            assert own_network.said_to(pid, port) == answer, (kind, name, value)
    assert told["tandem"] == told["redis"] and told["tandem"].startswith(b"-DENIED ")


def test_requirepass(start):
    server = start("tandem", "--requirepass", "secret")
    with server.connect() as connection:
        assert connection.error("GET", "a") == "NOAUTH Authentication required."
        assert connection.error("AUTH", "wrong").startswith("WRONGPASS ")
        assert connection.error("HELLO", 3).startswith("NOAUTH HELLO must be called")
        assert connection("AUTH", "default", "secret") == "OK"
        assert connection("PING") == "PONG"
        assert connection("RESET") == "RESET"
        assert connection.error("PING").startswith("NOAUTH")
    with server.connect() as connection:
        assert connection("HELLO", 3, "AUTH", "default", "secret", "SETNAME", "me")["proto"] == 3
        assert connection("CLIENT", "GETNAME") == "me"
        connection("CONFIG", "SET", "requirepass", "")
    with server.connect() as connection:
        assert connection("PING") == "PONG"


# What who gave no password may ask, and what is wrong with it.
BEFORE_A_PASSWORD = [
    "GET a", "GET", "GET a b c", "NOSUCH", "nosuch a b", "config|get a", "''", "PING", "PING a b c",
    "ECHO", "SELECT 99", "CLIENT", "CLIENT NOSUCH", "CLIENT ID", "CONFIG GET", "COMMAND NOSUCH",
    "MULTI", "MULTI a", "EXEC", "EXEC a", "DISCARD", "WATCH", "SUBSCRIBE", "SUBSCRIBE c", "MONITOR",
    "PSYNC ? -1", "PSYNC", "SYNC", "REPLCONF", "REPLCONF ACK 0", "REPLICAOF no one", "WAIT 0 0",
    "EVAL", "EVAL 'return 1' 0", "DEBUG", "SHUTDOWN x y z v", "INFO", "ROLE", "AUTH", "AUTH a",
    "AUTH default a", "AUTH nobody secret", "AUTH a b c", "HELLO 4", "HELLO x", "HELLO 3 NOSUCH",
    "HELLO 3 AUTH default", "HELLO 3 AUTH default a", "HELLO 3 SETNAME", "RESET", "RESET a", "QUIT",
    "QUIT a", "POST /", "Host: a", "'a",
]


@pytest.mark.parametrize("encoding", ["inline", "array"])
def test_without_a_password_errors_come_in_the_order_of_redis(start, encoding):
    """Unknown commands and wrong numbers of words are told before the want of a password."""
    ours, theirs = (start(kind, "--requirepass", "secret") for kind in ("tandem", "redis"))
    for line in BEFORE_A_PASSWORD:
        request = line.encode() + b"\r\n"
        if encoding == "array":
            request = encode(*(word.strip("'") for word in line.split(" ")))
        answers = []
        for server in (ours, theirs):
            with server.connect() as connection:
                connection.send(request + encode("GET", "a"))
                connection.socket.shutdown(socket.SHUT_WR)
                answers.append(connection.read_until_closed())
        assert answers[0] == answers[1], line


def test_who_was_locked_out_is_let_in_when_the_password_goes(start):
    server = start("tandem")
    with server.connect() as admin:
        admin("CONFIG", "SET", "requirepass", "p")
        with server.connect() as connection:
            assert connection.error("GET", "a").startswith("NOAUTH")
            admin("CONFIG", "SET", "requirepass", "")
            assert connection("GET", "a") is None
            assert connection.error("HELLO", 2).startswith("NOAUTH")  # Redis lets no HELLO in
            assert connection("SET", "a", "x" * 20000) == "OK"
            admin("CONFIG", "SET", "requirepass", "p")
            assert connection.error("GET", "a").startswith("NOAUTH")


def test_unauthenticated_clients_are_held_small(start):
    """Before AUTH a request may have ten words of 16 KB at most."""
    server = start("tandem", "--requirepass", "secret")
    for data, error in [(b"*11\r\n", b"unauthenticated multibulk length"),
                        (b"*1\r\n$16385\r\n", b"unauthenticated bulk length")]:
        with server.connect() as connection:
            connection.send(data)
            assert error in connection.read_until_closed()


def keepalive_seconds(server, connection):
    """How long the accepted side's timer still runs, by the kernel's table of sockets; None where
    it has no such timer."""
    near = connection.socket.getsockname()[1]
    for row in open("/proc/net/tcp").read().splitlines()[1:]:
        words = row.split()
        if words[1].endswith(f":{server.port:04X}") and words[2].endswith(f":{near:04X}"):
            kind, left = words[5].split(":")
            return int(left, 16) / 100 if kind == "02" else None
    raise AssertionError("the connection is not in the table")


def test_tcp_keepalive_is_set(start):
    server = start("tandem", "--tcp-keepalive", "100")
    with server.connect() as first, server.connect() as client:
        assert first("PING") == "PONG"
        assert 10 < keepalive_seconds(server, first) <= 100.1
        for value, bounds in (("1000", (500, 1000.1)), ("0", None)):
            assert client("CONFIG", "SET", "tcp-keepalive", value) == "OK"
            with server.connect() as later:
                assert later("PING") == "PONG"
                left = keepalive_seconds(server, later)
                assert left is None if bounds is None else bounds[0] < left <= bounds[1]


def test_quit_and_half_closed_connections(server):
    with server.connect() as connection:
        assert connection("QUIT") == "OK"
        wait_until(connection.is_closed, "QUIT closes")
    with server.connect() as connection:
        connection.send(encode("SET", "a", "1"))
        connection.socket.shutdown(socket.SHUT_WR)
        connection.read_until_closed()
    with server.connect() as connection:
        assert connection("GET", "a") == "1"


def test_many_clients_come_and_go(server):
    for _ in range(5):
        connections = [server.connect() for _ in range(100)]
        for connection in connections:
            connection.send(encode("INCR", "n"))
        for connection in connections:
            connection.read()
            connection.close()
    with server.connect() as connection:
        assert connection("GET", "n") == "500"
        wait_until(lambda: "connected_clients:1\r" in connection("INFO", "clients"), "all are gone")


def test_real_clients(server):
    redis = pytest.importorskip("redis")
    client = redis.Redis(port=server.port, decode_responses=True)
    with client.pipeline() as pipeline:
        pipeline.set("a", 1).incr("a").hset("h", mapping={"f": "v"}).hgetall("h")
        assert pipeline.execute() == [True, 2, 1, {"f": "v"}]
    assert client.eval("return ARGV[1]", 0, "x") == "x"
    assert client.info()["tcp_port"] == server.port
    client.close()


def test_a_closed_port_is_refused():
    with pytest.raises(OSError):
        Connection(free_port(), seconds=1)


def test_errors_are_raised(client):
    with pytest.raises(ReplyError, match="unknown command"):
        client("nosuch")
