"""What a connection holds is counted in one place: shown, limited, and given back."""
import re
import socket

import pytest

from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import Connection, encode

MIB = 1024 * 1024


def fields(line):
    return dict(pair.partition("=")[::2] for pair in line.split())


def listed(client, identity):
    lines = client("CLIENT", "LIST", "ID", identity).splitlines()
    return fields(lines[0]) if lines else None


def peak_resident_bytes(server):
    status = (server.folder / "/proc" / str(server.process.pid) / "status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def deaf(server):
    """A connection whose own kernel holds little, for a client that does not read."""
    connection = Connection(server.port)
    connection.socket.close()
    connection.socket = socket.socket()
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.socket.settimeout(20)
    connection.socket.connect(("127.0.0.1", server.port))
    return connection


def send_what_goes(connection, data):
    """Until the peer has closed, or takes no more for a moment."""
    connection.socket.settimeout(0.5)
    try:
        connection.socket.sendall(data)
    except OSError:
        pass


def test_replies_to_who_has_not_authenticated_have_a_small_limit(start):
    server = start("tandem", "--requirepass", "secret")
    if is_stock("tandem"):
        pytest.skip("a limit of Redis 7.2's later patches")
    with server.connect() as client:
        client("AUTH", "secret")
        strangers = [deaf(server) for _ in range(3)]
        before = peak_resident_bytes(server)
        for stranger in strangers:
            send_what_goes(stranger, b"PING\r\n" * (7 * MIB // 6))
        wait_until(lambda: len(client("CLIENT", "LIST").splitlines()) == 1, "strangers are gone")
        assert peak_resident_bytes(server) - before < 8 * MIB


@pytest.mark.parametrize("command", [
    ("SRANDMEMBER", "s", -3_000_000),
    ("EVAL", "local t = {} for i = 1, 300000 do t[i] = ARGV[1] end return t", 0, "x" * 1000),
], ids=["command", "script"])
def test_the_limit_holds_in_the_middle_of_a_reply(start, command):
    server = start("tandem", "--client-output-buffer-limit", "normal 1mb 0 0")
    with server.connect() as client, server.connect() as reader:
        client("SADD", "s", *[letter * 100 for letter in "abc"])
        before = peak_resident_bytes(server)
        reader.send(encode(*command))
        assert len(reader.read_until_closed()) < 300 * MIB
        assert peak_resident_bytes(server) - before < 60 * MIB
        assert client("PING") == "PONG"


def test_the_limit_holds_in_the_middle_of_a_transaction(start):
    server = start("tandem", "--client-output-buffer-limit", "normal 4mb 0 0")
    with server.connect() as client, server.connect() as reader:
        client("SET", "k", "x" * MIB)
        before = peak_resident_bytes(server)
        reader.pipeline([("MULTI",)] + [("GET", "k")] * 200)
        reader.send(encode("EXEC"))
        reader.read_until_closed()
        assert peak_resident_bytes(server) - before < 40 * MIB
        assert client("GET", "k") == "x" * MIB


def test_who_does_not_listen_is_not_closed_for_it(start):
    server = start("tandem", "--client-output-buffer-limit", "normal 1mb 0 0")
    with server.connect() as client:
        client("SADD", "s", "x" * 1000)
        client.send(encode("CLIENT", "REPLY", "SKIP") + encode("SRANDMEMBER", "s", -10_000))
        assert client("PING") == "PONG"


def test_what_an_idle_client_once_read_is_given_back(start):
    server = start("tandem")
    with server.connect() as client:
        client("SET", "k", "x" * (5 * MIB))
        before = int(server.info("memory")["used_memory"])
        readers = [server.connect() for _ in range(20)]
        for reader in readers:
            reader.send(encode("GET", "k"))
        for reader in readers:
            reader.read_raw()

        def all_small():
            lines = client("CLIENT", "LIST").splitlines()
            return all(int(fields(line)["tot-mem"]) < 64 * 1024 for line in lines)

        wait_until(all_small, "nobody holds anything of it")
        memory = server.info("memory")
        assert int(memory["mem_clients_normal"]) < 21 * 64 * 1024
        assert int(memory["used_memory"]) - before < 20 * MIB


def test_what_waits_to_be_read_is_shown(start):
    server = start("tandem")
    with server.connect() as client:
        client("SET", "k", "x" * (16 * MIB))
        reader = deaf(server)
        identity = reader("CLIENT", "ID")
        reader.send(encode("GET", "k"))
        waiting = wait_until(lambda: int(listed(client, identity)["omem"]), "it has not read all")
        assert waiting <= 17 * MIB
        shown = listed(client, identity)
        assert int(shown["tot-mem"]) >= int(shown["omem"]) > MIB
        assert int(server.info("memory")["mem_clients_normal"]) >= int(shown["omem"])


def test_room_for_one_large_request_is_given_back(start):
    """Also when the next request has begun to come; and who is idle holds no room at all."""
    server = start("tandem")
    with server.connect() as client, server.connect() as writer:
        identity = writer("CLIENT", "ID")
        writer.send(encode("SET", "k", "x" * (16 * MIB)) + b"*1\r\n$4\r\nPI")
        assert writer.read() == "OK"
        shown = wait_until(lambda: listed(client, identity), "it is listed")
        assert int(shown["qbuf"]) + int(shown["qbuf-free"]) < 64 * 1024
        writer.send(b"NG\r\n")
        assert writer.read() == "PONG"
        wait_until(lambda: int(listed(client, identity)["qbuf-free"]) == 0, "it holds no room")
        assert writer("PING") == "PONG"


def test_messages_count_against_the_limit_as_they_come(start):
    """33 of a megabyte each, and what the kernel takes of them."""
    server = start("tandem", "--client-output-buffer-limit", "pubsub 32mb 8mb 60")
    with server.connect() as publisher:
        subscriber = deaf(server)
        subscriber("SUBSCRIBE", "c")
        before = peak_resident_bytes(server)
        published = 0
        while publisher("PUBLISH", "c", "x" * MIB) == 1:
            published += 1
            assert published < 60
        assert published >= 31
        assert peak_resident_bytes(server) - before < 200 * MIB
        assert publisher("PUBSUB", "NUMSUB", "c") == ["c", 0]


def test_what_is_queued_is_no_query(start):
    """As in 7.0 and 7.2; later versions count it."""
    server = start("tandem", "--client-query-buffer-limit", "1mb")
    with server.connect() as client:
        assert client("MULTI") == "OK"
        for _ in range(20):
            assert client("SET", "k", "x" * 100_000) == "QUEUED"
        assert client("EXEC") == ["OK"] * 20


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_what_is_queued_or_half_sent_is_shown(start, kind):
    """qbuf is what has come and is no command yet; multi-mem is what EXEC will run."""
    server = start(kind)
    with server.connect() as client, server.connect() as writer:
        identity = writer("CLIENT", "ID")

        def shown(name):
            return int(listed(client, identity)[name])

        assert [shown(name) for name in ("qbuf", "argv-mem", "multi-mem", "omem")] == [0] * 4
        idle = shown("tot-mem")
        assert idle > 0
        half = b"*2\r\n$4\r\nECHO\r\n$10000\r\n" + b"x" * 4000
        writer.send(half)
        wait_until(lambda: shown("qbuf") + shown("argv-mem") >= 4000, "it has come")
        assert shown("qbuf") <= len(half) and shown("tot-mem") >= 4000
        writer.send(b"x" * 6000 + b"\r\n")
        assert writer.read() == "x" * 10_000
        assert shown("qbuf") == 0
        writer("MULTI")
        assert shown("multi") == 0
        for number in (1, 2, 3):
            writer("SET", "k", "x" * 100_000)
            assert shown("multi") == number
            assert number * 100_000 <= shown("multi-mem") < number * 140_000
            assert shown("tot-mem") >= shown("multi-mem")
        writer("DISCARD")
        assert shown("multi") == -1 and shown("multi-mem") == 0
        wait_until(lambda: shown("tot-mem") < 100_000, "it holds no more of it")
        writer("MULTI")
        writer("SET", "k", "x" * 100_000)
        writer("EXEC")
        assert shown("multi") == -1 and shown("multi-mem") == 0


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_subscriptions_are_counted_each_kind_by_itself(start, kind):
    server = start(kind)
    with server.connect() as client, server.connect(protocol=3) as reader:
        identity = reader("CLIENT", "ID")

        def shown():
            row = listed(client, identity)
            return [int(row[name]) for name in ("sub", "psub", "ssub")], row["flags"]

        assert shown() == ([0, 0, 0], "N")
        for words, counts in ((("SUBSCRIBE", "a", "b", "a"), [2, 0, 0]),
                              (("PSUBSCRIBE", "a*"), [2, 1, 0]),
                              (("SSUBSCRIBE", "s", "t", "u"), [2, 1, 3]),
                              (("UNSUBSCRIBE", "a", "none"), [1, 1, 3]),
                              (("SUNSUBSCRIBE", "s"), [1, 1, 2]),
                              (("PUNSUBSCRIBE", "a*"), [1, 0, 2]),
                              (("UNSUBSCRIBE", "b"), [0, 0, 2])):
            reader.send(encode(*words))
            for _ in words[1:]:
                reader.read()
            assert shown()[0] == counts, words
        reader("RESET")
        assert shown() == ([0, 0, 0], "N")
