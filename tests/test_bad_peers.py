"""Primaries that lie, stop or talk rubbish: the reason is logged, the data that was there stays."""
import random
import re
import signal

import pytest

from harness import rdb
from harness.load import KEEPING, assert_same, digest, random_commands, settle
from harness.peers import EMPTY_RDB, IDENTITY, FakePrimary, full_resync
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import encode

BIG = 10_000_000
FULL = b"+FULLRESYNC " + IDENTITY.encode() + b" 0\r\n"
# What is wrong: how the primary answers, and the reason that is to be told.
EARLY = {
    "rubbish to PING": ({"PING": b"\x00\x01rubbish\r\n"},
                        "the primary answered PING with: ??rubbish"),
    "an error to PING": ({"PING": b"-ERR go away\r\n"},
                         "the primary answered PING with: -ERR go away"),
    "nothing but an end to PING": ({"PING": None}, "the primary closed the connection"),
    "an endless line to PING": ({"PING": b"+" + b"a" * 3_000_000},
                                "the primary sent a line that does not end"),
    "rubbish to PSYNC": ({"PSYNC": b"?????\r\n"}, "the primary answered PSYNC with: ?????"),
    "an error to PSYNC": ({"PSYNC": b"-ERR not now\r\n"},
                          "the primary answered PSYNC with: -ERR not now"),
    "NOMASTERLINK to PSYNC": ({"PSYNC": b"-NOMASTERLINK Can't SYNC while not connected\r\n"},
                              "the primary answered PSYNC with: -NOMASTERLINK Can't SYNC while "
                              "not connected"),
    "FULLRESYNC without its words": ({"PSYNC": b"+FULLRESYNC\r\n"},
                                     "the primary answered PSYNC with: +FULLRESYNC"),
    "FULLRESYNC with a short id": ({"PSYNC": b"+FULLRESYNC abc 1\r\n$0\r\n"},
                                   "the primary answered PSYNC with: +FULLRESYNC abc 1"),
    "CONTINUE to a first sync": ({"PSYNC": b"+CONTINUE abc\r\nrubbish"},
                                 "the primary answered PSYNC with: +CONTINUE abc"),
    "an end to PSYNC": ({"PSYNC": None}, "the primary closed the connection"),
    "a lying length": ({"PSYNC": FULL + b"$abc\r\n"},
                       "instead of a snapshot the primary sent: $abc"),
    "a negative length": ({"PSYNC": FULL + b"$-7\r\n"},
                          "instead of a snapshot the primary sent: $-7"),
    "no snapshot at all": ({"PSYNC": FULL + b"*rubbish\r\n"},
                           "instead of a snapshot the primary sent: *rubbish"),
    "a snapshot that is none": ({"PSYNC": full_resync(b"this is not a snapshot" * 10)},
                                "RDB, byte 0: not an RDB file: it does not begin with REDIS"),
    "a snapshot of the future": ({"PSYNC": full_resync(b"REDIS9999\xff" + bytes(8))},
                                 "RDB, byte 5: RDB version 9999; versions 1 to 11 can be read"),
    "an empty snapshot file": ({"PSYNC": full_resync(b"")},
                               "the snapshot is longer than announced"),
}


def with_data(start, *arguments):
    """A server with data, and what these are."""
    server = start("tandem", "--repl-timeout", "3", "--repl-diskless-load", "disabled", *arguments)
    with server.connect() as connection:
        connection.pipeline(random_commands(connection, "kept", 1000, but=KEEPING))
        connection.raw("DISCARD")
        connection("SELECT", 0)
        connection("SET", "kept", "yes")
    settle(server)
    return server, data_of(server)


def data_of(server):
    """Everything there is: the keys of each database, and the digest of all."""
    with server.connect() as connection:
        keys = {}
        for database in range(16):
            connection("SELECT", database)
            keys[database] = sorted(connection("KEYS", "*"))
    return keys, digest(server)


def failure(server, primary):
    """Why the link to this primary ended, once it has: INFO says the same as the log."""
    line = re.compile(rf"The link to the primary 127\.0\.0\.1:{primary.port} "
                      r"(?:ended|stops): (.*); next try")
    told = wait_until(lambda: line.search(server.log_text()), "the link ended", 30)[1]
    info = server.info("replication")
    assert info["master_link_last_failure"] == told and info["master_link_status"] == "down"
    return told


# After these a stock server has dropped its data, or ended.
STOCK_LOSES = {"a snapshot that is none", "a snapshot of the future", "CONTINUE to a first sync"}


@pytest.mark.parametrize("name", EARLY)
def test_before_a_plausible_snapshot_the_data_stays(start, name):
    if is_stock("tandem") and name in STOCK_LOSES:
        pytest.skip("a stock server loses its data here")
    answers, reason = EARLY[name]
    server, before = with_data(start)
    with FakePrimary(**answers) as primary:
        server.follow(primary.port)
        if not is_stock("tandem"):
            assert failure(server, primary) == reason
        if name == "a snapshot of the future":  # it will be the same for long: only when told to
            server.follow(primary.port)
        wait_until(lambda: primary.connections >= 2, "it tries again")
        assert data_of(server) == before
        assert not server.link_up()
        server.promote()
    assert data_of(server) == before


@pytest.mark.skipif(is_stock("tandem"), reason="a stock replica drops its data before it reads")
def test_a_primary_that_closes_before_the_first_key(start):
    header = b"+FULLRESYNC %s 0\r\n$%d\r\nREDIS00" % (IDENTITY.encode(), BIG)

    def cut(client, words):
        client.sendall(header)
        client.shutdown(2)

    server, before = with_data(start)
    with FakePrimary(PSYNC=cut) as primary:
        server.follow(primary.port)
        assert failure(server, primary) == "the primary closed the connection"
        wait_until(lambda: primary.connections >= 2, "it tries again")
        assert data_of(server) == before


def test_a_primary_that_closes_mid_snapshot_is_tried_again(start, proxy):
    primary = start("tandem", "--rdbcompression", "no")
    with primary.connect() as connection:
        connection.pipeline([("SET", f"k{n}", "x" * 200) for n in range(20000)])
    link = proxy(primary)
    link.cut_after(1_000_000)
    server, _ = with_data(start)
    server.follow(link.port)
    wait_until(lambda: link._is_cut, "cut in the middle")
    with server.connect() as connection:
        assert connection("PING") == "PONG"
    link.resume()
    assert_same(primary, server)


def with_a_wrong_bit(source, snapshot):
    data = bytearray(snapshot)
    data[source.randrange(9, len(data))] ^= 1 << source.randrange(8)
    return bytes(data)


def cut_short(source, snapshot):
    return snapshot[:source.randrange(20, len(snapshot))]


# No checksum helps against the third: its place in the stream holds something else.
DAMAGES = {
    "a wrong bit": with_a_wrong_bit,
    "an early end": cut_short,
    "both": lambda source, snapshot: cut_short(source, with_a_wrong_bit(source, snapshot)),
}


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server ends itself over such a snapshot")
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_a_damaged_snapshot_changes_nothing(start, kind, damage):
    """Real snapshots: the link fails, says why and is tried again; the data of before stay."""
    source = random.Random(5)
    giver = start(kind)
    with giver.connect() as connection:
        connection.pipeline(random_commands(connection, "damage", 800))
        connection("SELECT", 0)
        connection("SAVE")
    good = (giver.folder / "dump.rdb").read_bytes()
    server, before = with_data(start)
    for _ in range(6):
        with FakePrimary(PSYNC=full_resync(DAMAGES[damage](source, good))) as primary:
            server.follow(primary.port)
            assert failure(server, primary).startswith(("RDB, byte ", "the snapshot is longer"))
            assert data_of(server) == before
    server.promote()
    assert data_of(server) == before


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server ends itself over such a snapshot")
def test_modules_data_from_a_primary_are_named(start):
    value = rdb.entry(rdb.MODULE, b"mykey", b"\x81" + bytes.fromhex("5db7dbb1b5bdbc01"), b"\x00")
    snapshot = rdb.file(rdb.entry(rdb.STRING, b"kept", rdb.text(b"no")), value)
    server, before = with_data(start)
    with FakePrimary(PSYNC=full_resync(snapshot)) as primary:
        server.follow(primary.port)
        assert 'key "mykey": data of the module type "XbfbsbW9v"' in failure(server, primary)
        assert data_of(server) == before and not server.link_up()
        server.promote()
    assert data_of(server) == before


@pytest.mark.parametrize("data", [
    b"\x00\x01\x02 rubbish\r\n", b"*3\r\n$3\r\nSET\r\n$-5\r\n", b"*9999999999\r\n",
    b"$5\r\nhello\r\n", b"FLUSHALL\r\n", b"HTTP/1.1 400 Bad Request\r\n"],
    ids=range(6))
def test_rubbish_in_the_stream_ends_the_link(start, data):
    """At once, not by silence; whatever the bytes were, only a snapshot is trusted afterwards."""
    if is_stock("tandem") and data[:1] == b"\x00":
        pytest.skip("a stock server waits for the line's end, which it does not see behind a zero")
    server, _ = with_data(start, "--repl-timeout", "60")
    with FakePrimary() as primary:
        server.follow(primary.port)
        wait_until(server.link_up, "linked")
        primary.send(encode("SELECT", 0) + encode("SET", "a", 1))
        wait_until(lambda: server.connect()("GET", "a") == "1", "the good part is applied")
        primary.answers["PSYNC"] = b"-ERR not again\r\n"
        primary.send(b"\n\r\n" + data)
        wait_until(lambda: len(primary.words_heard("PSYNC")) >= 2, "it asks again")
        assert primary.words_heard("PSYNC")[-1] == ["PSYNC", "?", "-1"]
    assert "rotocol error" in server.log_text()
    with server.connect() as connection:
        assert connection("GET", "a") == "1"


@pytest.mark.skipif(is_stock("tandem"), reason="a stock replica takes it and mixes both histories")
def test_a_continuation_of_nothing_is_refused(start):
    server, before = with_data(start)
    with FakePrimary(PSYNC=b"+CONTINUE " + IDENTITY.encode() + b"\r\n" +
                     encode("SET", "foreign", 1)) as primary:
        server.follow(primary.port)
        wait_until(lambda: primary.connections >= 2, "it tries again")
        assert primary.words_heard("PSYNC")[0] == ["PSYNC", "?", "-1"]
        assert "answered a request for a full sync with: +CONTINUE" in server.log_text()
        assert data_of(server) == before and not server.link_up()


@pytest.mark.parametrize("words", [
    ["SAVE"], ["BGSAVE"], ["SHUTDOWN", "NOSAVE"], ["DEBUG", "SLEEP", "0"], ["MONITOR"],
    ["SUBSCRIBE", "a"], ["PSYNC", "?", "-1"], ["SYNC"], ["REPLICAOF", "NO", "ONE"],
    ["CLIENT", "KILL", "TYPE", "normal"], ["CONFIG", "SET", "databases", "1"], ["WAIT", "1", "0"],
    ["CLIENT", "PAUSE", "100000"], ["POST", "a"], ["RESET"], ["QUIT"], ["HELLO", "3"],
    ["WATCH", "a"]], ids=lambda words: words[0] + "-" + words[-1])
@pytest.mark.skipif(is_stock("tandem"), reason="a stock replica does what it is told")
def test_a_command_that_no_stream_holds_is_counted_and_passed_over(start, words):
    server, _ = with_data(start)
    with FakePrimary() as primary:
        server.follow(primary.port)
        wait_until(server.link_up, "linked")
        primary.send(encode(*words) + encode("MULTI") + encode(*words) + encode("EXEC") +
                     encode("SET", "after", 1))
        with server.connect() as connection:
            wait_until(lambda: connection("GET", "after") == "1", "the stream goes on")
            assert connection("INFO", "stats").count("unexpected_error_replies:3") == 1
            assert connection.error("SET", "b", 1).startswith("READONLY")
        assert primary.connections == 1
    assert f"'{words[0]}'" in server.log_text()


def test_errors_of_the_stream_are_counted(start):
    """Outside and inside a transaction; CONFIG RESETSTAT begins anew."""
    server, _ = with_data(start)
    with FakePrimary() as primary, server.connect() as connection:
        server.follow(primary.port)
        wait_until(server.link_up, "linked")
        wrong = encode("LPUSH", "text", "x")
        primary.send(encode("SELECT", 0) + encode("SET", "text", "a") + wrong + encode("MULTI") +
                     wrong + encode("SET", "b", 2) + wrong + encode("EXEC") +
                     encode("SET", "after", 1))
        wait_until(lambda: connection("GET", "after") == "1", "the stream goes on")
        assert connection("GET", "b") == "2"
        assert server.info("stats")["unexpected_error_replies"] == "3"
        connection("CONFIG", "RESETSTAT")
        assert server.info("stats")["unexpected_error_replies"] == "0"
    if not is_stock("tandem"):  # which names the EXEC
        assert server.log_text().lower().count("'lpush'") == 3


def test_a_flood_of_errors_is_logged_in_part(start):
    server, _ = with_data(start)
    with FakePrimary() as primary, server.connect() as connection:
        server.follow(primary.port)
        wait_until(server.link_up, "linked")
        primary.send(encode("NOSUCHCOMMAND", 1) * 5000 + encode("SET", "after", 1))
        wait_until(lambda: connection("GET", "after") == "1", "the stream goes on")
        assert server.info("stats")["unexpected_error_replies"] == "5000"
    if not is_stock("tandem"):
        assert 10 <= server.log_text().count("NOSUCHCOMMAND") <= 100


@pytest.mark.parametrize("behaviour, writable, ends", [
    ("ignore", "no", False), ("panic", "no", True), ("panic-on-replicas", "no", True),
    ("panic", "yes", False)])
def test_an_error_of_the_stream_ends_the_server_where_that_is_wanted(start, behaviour, writable,
                                                                     ends):
    server, _ = with_data(start, "--propagation-error-behavior", behaviour, "--replica-read-only",
                          "no" if writable == "yes" else "yes")
    with FakePrimary() as primary:
        server.follow(primary.port)
        wait_until(server.link_up, "linked")
        primary.send(encode("NOSUCHCOMMAND", 1) + encode("SET", "after", 1))
        if ends:
            assert server.wait_exit() == -signal.SIGABRT
        else:
            wait_until(lambda: server.connect()("GET", "after") == "1", "the stream goes on")


def test_a_silent_primary_times_out(start):
    server, before = with_data(start)
    with FakePrimary(PING=b"") as primary:
        server.follow(primary.port)
        if not is_stock("tandem"):
            reason = "the primary was silent for longer than repl-timeout"
            assert failure(server, primary) == reason
        wait_until(lambda: primary.connections >= 2, "it gives up and tries again", 20)
        assert data_of(server) == before


def test_a_port_where_nobody_listens(start):
    server, before = with_data(start)
    with FakePrimary() as primary:
        pass
    server.follow(primary.port)
    wait_until(lambda: server.info()["master_link_status"] == "down", "the link is down")
    if not is_stock("tandem"):
        assert failure(server, primary) == "Connection refused"
    assert data_of(server) == before


def test_the_stream_of_a_hand_made_primary_is_followed(start):
    """Offsets, acknowledgements and ids are what the wire says."""
    server, _ = with_data(start)
    with FakePrimary(PSYNC=full_resync(EMPTY_RDB, offset=1000)) as primary:
        server.follow(primary.port)
        wait_until(server.link_up, "linked")
        stream = encode("SELECT", 9) + encode("SET", "a", 1) + encode("PING")
        primary.send(stream)
        wait_until(lambda: server.offset() == 1000 + len(stream), "the offset follows")
        assert server.info()["master_replid"] == IDENTITY
        def acknowledged():
            return any(w[1:] == ["ACK", str(1000 + len(stream))]
                       for w in primary.words_heard("REPLCONF"))
        wait_until(acknowledged, "it acknowledges by itself")
        primary.send(encode("REPLCONF", "GETACK", "*"))
        primary.answers["PSYNC"] = b"+CONTINUE\r\n"
        primary._open[-1].shutdown(2)
        wait_until(lambda: len(primary.words_heard("PSYNC")) >= 2, "it asks to continue")
        identity, offset = primary.words_heard("PSYNC")[-1][1:]
        assert identity == IDENTITY and int(offset) > 1000 + len(stream)


def test_the_handshake_says_who_we_are(start):
    server = start("tandem", "--masterauth", "secret", "--masteruser", "someone")
    with FakePrimary() as primary:
        server.follow(primary.port)
        wait_until(server.link_up, "linked")
        heard = [[word.upper() for word in words] for words in primary.heard]
        assert heard[0] == ["PING"] and ["AUTH", "SOMEONE", "SECRET"] in heard
        assert ["REPLCONF", "LISTENING-PORT", str(server.port)] in heard
        capabilities = sum((w for w in heard if w[0] == "REPLCONF" and "CAPA" in w), [])
        assert "EOF" in capabilities and "PSYNC2" in capabilities
        assert len(primary.words_heard("PSYNC")[0]) == 3
