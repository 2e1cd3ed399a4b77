"""Primaries that lie, stop or talk rubbish: the reason is logged, the data that was there stays."""
import pytest

from harness import rdb
from harness.generate import Generator
from harness.load import assert_same, digest
from harness.peers import EMPTY_RDB, IDENTITY, FakePrimary, full_resync
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import encode

BIG = 10_000_000
# What is wrong, and how the primary answers.
EARLY = {
    "rubbish to PING": {"PING": b"\x00\x01rubbish\r\n"},
    "an error to PING": {"PING": b"-ERR go away\r\n"},
    "nothing but an end to PING": {"PING": None},
    "an endless line to PING": {"PING": b"+" + b"a" * 3_000_000},
    "rubbish to PSYNC": {"PSYNC": b"?????\r\n"},
    "an error to PSYNC": {"PSYNC": b"-ERR not now\r\n"},
    "NOMASTERLINK to PSYNC": {"PSYNC": b"-NOMASTERLINK Can't SYNC while not connected\r\n"},
    "FULLRESYNC without its words": {"PSYNC": b"+FULLRESYNC\r\n"},
    "FULLRESYNC with a short id": {"PSYNC": b"+FULLRESYNC abc 1\r\n$0\r\n"},
    "CONTINUE to a first sync": {"PSYNC": b"+CONTINUE abc\r\nrubbish"},
    "an end to PSYNC": {"PSYNC": None},
    "a lying length": {"PSYNC": b"+FULLRESYNC " + IDENTITY.encode() + b" 0\r\n$abc\r\n"},
    "a negative length": {"PSYNC": b"+FULLRESYNC " + IDENTITY.encode() + b" 0\r\n$-7\r\n"},
    "no snapshot at all": {"PSYNC": b"+FULLRESYNC " + IDENTITY.encode() + b" 0\r\n*rubbish\r\n"},
    "a snapshot that is none": {"PSYNC": full_resync(b"this is not a snapshot" * 10)},
    "a snapshot of the future": {"PSYNC": full_resync(b"REDIS9999\xff" + bytes(8))},
    "an empty snapshot file": {"PSYNC": full_resync(b"")},
}


def with_data(start, *arguments):
    """A server with data, and its digest."""
    server = start("tandem", "--repl-timeout", "3", "--repl-diskless-load", "disabled", *arguments)
    with server.connect() as connection:
        connection.pipeline(Generator("kept", exact=False, flush=False).commands(1000))
        connection.raw("DISCARD")
        connection("SELECT", 0)
        connection("SET", "kept", "yes")
    return server, digest(server)


def kept(server):
    with server.connect() as connection:
        return connection("GET", "kept") == "yes"


# After these a stock server has dropped its data, or ended.
STOCK_LOSES = {"a snapshot that is none", "a snapshot of the future", "CONTINUE to a first sync"}


@pytest.mark.parametrize("name", EARLY)
def test_before_a_plausible_snapshot_the_data_stays(start, name):
    if is_stock("tandem") and name in STOCK_LOSES:
        pytest.skip("a stock server loses its data here")
    server, before = with_data(start)
    with FakePrimary(**EARLY[name]) as primary:
        server.follow(primary.port)
        wait_until(lambda: primary.connections >= 2, "it tries again")
        assert kept(server) and digest(server) == before
        assert not server.link_up()
        server.promote()
    assert digest(server) == before
    assert len(server.log_text()) > 0


@pytest.mark.skipif(is_stock("tandem"), reason="a stock replica drops its data before it reads")
def test_a_primary_that_closes_before_the_first_key(start):
    header = b"+FULLRESYNC %s 0\r\n$%d\r\nREDIS00" % (IDENTITY.encode(), BIG)

    def cut(client, words):
        client.sendall(header)
        client.shutdown(2)

    server, before = with_data(start)
    with FakePrimary(PSYNC=cut) as primary:
        server.follow(primary.port)
        wait_until(lambda: primary.connections >= 2, "it tries again")
        assert digest(server) == before


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


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server ends itself over such a snapshot")
@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_a_snapshot_with_wrong_bytes_is_not_taken(start, kind):
    """Real snapshots, damaged: the link fails and is tried again; nothing crashes."""
    import random
    source = random.Random(5)
    giver = start(kind)
    with giver.connect() as connection:
        connection.pipeline(Generator("damage", exact=False).commands(800))
        connection("SELECT", 0)
        connection("SAVE")
    good = (giver.folder / "dump.rdb").read_bytes()
    server, _ = with_data(start)
    for _ in range(6):
        data = bytearray(good[:-8] + bytes(8))
        data[source.randrange(9, len(data) - 9)] ^= 1 << source.randrange(8)
        with FakePrimary(PSYNC=full_resync(bytes(data[:source.randrange(20,
                                                                        len(data))]))) as primary:
            server.follow(primary.port)
            wait_until(lambda: primary.connections >= 2 or server.link_up(), "decided", 30)
    server.promote()
    with server.connect() as connection:
        assert connection("PING") == "PONG"


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server ends itself over such a snapshot")
def test_modules_data_from_a_primary_are_named(start):
    value = rdb.entry(rdb.MODULE, b"mykey", b"\x81" + bytes.fromhex("5db7dbb1b5bdbc01"), b"\x00")
    snapshot = rdb.file(rdb.entry(rdb.STRING, b"kept", rdb.text(b"no")), value)
    server, before = with_data(start)
    with FakePrimary(PSYNC=full_resync(snapshot)) as primary:
        server.follow(primary.port)
        wait_until(lambda: primary.connections >= 2, "it tries again")
        assert kept(server) and digest(server) == before and not server.link_up()
        server.promote()
    assert 'key "mykey": data of the module type "XbfbsbW9v"' in server.log_text()


@pytest.mark.parametrize("data", [
    b"\x00\x01\x02 rubbish\r\n", b"*3\r\n$3\r\nSET\r\n$-5\r\n", b"*99999999\r\n",
    b"$5\r\nhello\r\n"],
    ids=range(4))
def test_rubbish_in_the_stream_ends_the_link(start, data):
    server, _ = with_data(start)
    with FakePrimary() as primary:
        server.follow(primary.port)
        wait_until(server.link_up, "linked")
        primary.send(encode("SELECT", 0) + encode("SET", "a", 1))
        wait_until(lambda: server.connect()("GET", "a") == "1", "the good part is applied")
        primary.answers["PSYNC"] = b"-ERR not again\r\n"
        primary.send(data)
        wait_until(lambda: primary.connections >= 2, "it connects again", 30)
    with server.connect() as connection:
        assert connection("GET", "a") == "1"


def test_a_silent_primary_times_out(start):
    server, before = with_data(start)
    with FakePrimary(PING=b"") as primary:
        server.follow(primary.port)
        wait_until(lambda: primary.connections >= 2, "it gives up and tries again", 20)
        assert digest(server) == before


def test_a_port_where_nobody_listens(start):
    server, before = with_data(start)
    with FakePrimary() as primary:
        port = primary.port
    server.follow(port)
    wait_until(lambda: server.info()["master_link_status"] == "down", "the link is down")
    assert digest(server) == before


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
