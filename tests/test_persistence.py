"""Snapshots on disk: SAVE, BGSAVE, starting from a file, files that lie, crashes."""
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from harness import rdb
from harness.load import (KEEPING, assert_same, caught_up, digest, random_commands,
                          settle)
from harness.servers import is_stock, parse_info
from harness.wait import wait_until
from harness.wire import encode

DATA = Path(__file__).parent / "data" / "rdb"


def fill(server, seed="rdb", count=3000):
    with server.connect() as connection:
        connection.pipeline(random_commands(connection, seed, count))


def fill_and_save(server, seed="rdb"):
    """The digest of what is in the file then, and of what stays as it is."""
    fill(server, seed)
    settle(server)
    with server.connect() as connection:
        connection("SAVE")
    return digest(server)


def background_save(connection):
    before = int(parse_info(connection("INFO", "persistence"))["rdb_saves"])
    assert connection("BGSAVE") == "Background saving started"

    def is_done():
        info = parse_info(connection("INFO", "persistence"))
        return info["rdb_bgsave_in_progress"] == "0" and int(info["rdb_saves"]) > before

    wait_until(is_done, "BGSAVE is done")


@pytest.mark.parametrize("writer, reader", [("tandem", "tandem"), ("redis", "tandem"),
                                            ("tandem", "redis")])
@pytest.mark.parametrize("seed", range(3))
def test_a_file_gives_the_same_data(start, writer, reader, seed):
    """Whoever wrote the file, and whoever reads it."""
    one = start(writer)
    expected = fill_and_save(one, seed)
    other = start(reader, launch=False)
    shutil.copy(one.folder / "dump.rdb", other.folder / "dump.rdb")
    other.start()
    assert digest(other) == expected


def test_save_then_kill(start):
    server = start("tandem")
    expected = fill_and_save(server)
    server.kill()
    server.restart()
    assert digest(server) == expected


def test_bgsave_is_a_moment(start):
    """Writes after BGSAVE began are not in its file."""
    server = start("tandem", "--rdbcompression", "no")
    with server.connect() as connection:
        connection.pipeline([("SET", f"k{n}", "old" * 30) for n in range(100_000)])
        assert connection("BGSAVE") == "Background saving started"
        connection.pipeline([("SET", f"k{n}", "new") for n in range(100_000)])
        def is_done():
            return "rdb_bgsave_in_progress:0\r" in connection("INFO", "persistence")
        wait_until(is_done, "BGSAVE is done")
    server.kill()
    server.restart()
    with server.connect() as connection:
        values = connection.pipeline([("GET", f"k{n}") for n in range(0, 100_000, 97)])
        assert set(values) == {b"$90\r\n" + b"old" * 30 + b"\r\n"}
        assert connection("DBSIZE") == 100_000


def test_one_save_at_a_time(start):
    server = start("tandem")
    with server.connect() as connection:
        connection.pipeline([("SET", f"k{n}", "x" * 100) for n in range(200_000)])
        connection.send(b"BGSAVE\r\nBGSAVE\r\nSAVE\r\n")
        assert connection.read() == "Background saving started"
        assert connection.read_raw() == b"-ERR Background save already in progress\r\n"
        assert connection.read_raw() == b"-ERR Background save already in progress\r\n"


def test_info_and_lastsave(start):
    server = start("tandem")
    with server.connect() as connection:
        connection("SET", "a", 1)
        assert parse_info(connection("INFO", "persistence"))["rdb_changes_since_last_save"] == "1"
        background_save(connection)
        info = parse_info(connection("INFO", "persistence"))
        assert info["rdb_changes_since_last_save"] == "0" and info["rdb_last_bgsave_status"] == "ok"
        assert connection("LASTSAVE") == int(info["rdb_last_save_time"])


def test_save_points(start):
    server = start("tandem", "--save", "1 5")
    with server.connect() as connection:
        connection.pipeline([("SET", f"k{n}", 1) for n in range(10)])
        wait_until(lambda: (server.folder / "dump.rdb").exists(), "it saves by itself", 15)


def test_no_temporary_files_stay(start):
    server = start("tandem")
    fill(server, count=300)
    with server.connect() as connection:
        connection("SAVE")
        background_save(connection)
    assert {path.name for path in server.folder.iterdir()} <= {"dump.rdb", "log", "appendonlydir"}


def test_what_a_killed_save_left_is_removed_at_start(start):
    server = start("tandem")
    pid = server.process.pid
    server.kill()
    left = server.folder / f"temp-{pid}.rdb"
    others = [server.folder / name for name in ("temp-1.rdb", "temp-x.rdb", "temp-12345.aof")]
    for path in (left, *others):
        path.write_bytes(b"REDIS0010")
    server.start()
    assert not left.exists() and all(path.exists() for path in others)


def test_clients_are_answered_while_the_file_is_read(start):
    """A pipe in the file's place: the server waits in it for as long as the test likes."""
    server = start("tandem", "--save", "1 1", launch=False)
    pipe = server.folder / "dump.rdb"
    os.mkfifo(pipe)
    server.launch()

    def is_loading():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", server.port)) != 0:
                return False
        with server.connect() as connection:
            return connection.raw("PING").startswith(b"-LOADING")

    wait_until(is_loading, "it listens while it loads")
    with server.connect() as connection:
        for command in ("GET a", "SET a 1", "SAVE", "BGSAVE", "REPLICAOF NO ONE", "FLUSHALL"):
            reply = connection.raw(*command.split())
            assert reply == b"-LOADING Redis is loading the dataset in memory\r\n", command
        info = parse_info(connection("INFO", "persistence"))
        assert info["loading"] == "1" and info["loading_loaded_perc"] == "0.00"
        assert connection("CONFIG", "GET", "save") == ["save", "1 1"]
        connection.send(b"SHUTDOWN SAVE\r\n")
        wait_until(lambda: "ready to exit" in server.log_text(), "the load was given up")
        with open(pipe, "wb"):
            assert server.wait_exit() == 0
    assert pipe.is_fifo(), "what was loaded only in part has not replaced the file"


LIBRARY = "#!lua name=lib\nredis.register_function('f', function() return 1 end)"


def test_debug_reload(start):
    """Data, functions and the log's place are what they were; replicas do not notice."""
    server, replica = start("tandem"), start("tandem")
    replica.follow(server.port)
    fill(server)
    settle(server)
    with server.connect() as client:
        client("FUNCTION", "LOAD", LIBRARY)
        caught_up(server, replica)
        before = digest(server)
        assert client("DEBUG", "RELOAD") == "OK"
        assert digest(server) == before and client("FCALL", "f", 0) == 1
        client("SET", "after", 1)
        client("FUNCTION", "FLUSH")
        assert_same(server, replica)
        assert replica.info("replication")["master_link_full_syncs"] == "1"


def test_debug_reload_of_what_was_saved(start, server, client):
    assert client.error("DEBUG", "RELOAD", "NOSAVE").startswith("ERR Error trying to load the RDB")
    client("SET", "a", 1)
    client("FUNCTION", "LOAD", LIBRARY)
    client("SAVE")
    client("SET", "a", 2)
    client("FUNCTION", "FLUSH")
    assert client("DEBUG", "RELOAD", "nosave") == "OK"
    assert client("GET", "a") == "1" and client("FCALL", "f", 0) == 1
    (server.folder / "dump.rdb").write_bytes(b"REDIS0010\xf0")
    assert client.error("DEBUG", "RELOAD", "NOSAVE").startswith("ERR Error trying to load the RDB")
    assert client("GET", "a") == "1" and client("FCALL", "f", 0) == 1


def test_debug_reload_beside_what_is_there(client):
    """A key of both is the file's with MERGE; without it nothing is loaded."""
    client("SET", "both", "of the file", "PX", 100000)
    client("SET", "of the file", 1)
    client("SAVE")
    client("SET", "both", "of memory")
    client("DEL", "of the file")
    client("RPUSH", "of memory", *range(1000))
    client("FUNCTION", "LOAD", LIBRARY)
    client("SELECT", 1)
    client("SET", "elsewhere", 1, "EX", 1000)
    client("SELECT", 0)
    if not is_stock("tandem"):  # it ends
        error = client.error("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH")
        assert error.startswith("ERR Error trying to load the RDB")
        assert client("MGET", "both", "of the file") == ["of memory", None]
    assert client("DEBUG", "RELOAD", "NOSAVE", "noflush", "Merge") == "OK"
    assert client("MGET", "both", "of the file") == ["of the file", "1"]
    assert client("PTTL", "both") > 0 and client("LLEN", "of memory") == 1000
    assert client("DBSIZE") == 3 and client("FCALL", "f", 0) == 1
    assert client.call("INFO", "keyspace").count("expires=1") == 2
    client("DEL", "both", "of the file")
    assert client("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH") == "OK"
    assert client("DBSIZE") == 3


@pytest.mark.skipif(is_stock("tandem"), reason="it may be part of a transaction there")
def test_debug_reload_says_what_it_cannot(client):
    client("MULTI")
    client("DEBUG", "RELOAD")
    assert "no part of a transaction" in str(client("EXEC")[0])
    assert client("SET", "a", 1) == "OK"


def test_nobody_writes_while_it_reloads(start):
    """What is acknowledged is there, whenever it was written."""
    server = start("tandem")
    with server.connect() as client, server.connect() as writer:
        written = 0
        for _ in range(10):
            client.send(encode("DEBUG", "RELOAD"))
            replies = writer.pipeline([("SET", n, n) for n in range(written, written + 200)])
            assert replies == [b"+OK\r\n"] * 200
            written += 200
            assert client.read() == "OK"
            assert client("DBSIZE") == written


def start_from(start, data):
    server = start("tandem", launch=False)
    (server.folder / "dump.rdb").write_bytes(data)
    return server.launch()


def refused(start, data):
    """The log of a start that the file must stop."""
    server = start_from(start, data)
    assert server.wait_exit() != 0
    assert (server.folder / "dump.rdb").read_bytes() == data, "the file is left as it was"
    return server.log_text()


@pytest.fixture
def file(start):
    """A good file, as bytes."""
    server = start("tandem")
    fill(server, count=600)
    with server.connect() as connection:
        connection("SELECT", 0)
        connection("SET", "last", "value")
        connection("SAVE")
    return (server.folder / "dump.rdb").read_bytes()


def test_a_wrong_byte_is_found_by_the_checksum(start, file):
    at = file.index(b"last")
    log = refused(start, file[:at] + b"lost" + file[at + 4:])
    assert "checksum" in log.lower()


@pytest.mark.parametrize("part", [*(n / 20 for n in range(1, 20)), 0.999])
def test_a_torn_file_is_refused(start, file, part):
    log = refused(start, file[:int(len(file) * part)])
    assert re.search(r"(byte|offset) \d+", log)


@pytest.mark.parametrize("data", [b"", b"REDIS", b"MAGIC0011", b"REDIS9999\xff" + bytes(8),
                                  b"REDIS0001\x63"])
def test_a_file_that_is_none_is_refused(start, data):
    if data == b"" and is_stock("tandem"):
        pytest.skip("a stock 7.0 starts from an empty file")
    assert refused(start, data)


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server stops in another way")
@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*corrupt*")))
def test_the_corrupt_files_are_refused_saying_where(start, name):
    log = refused(start, (DATA / name).read_bytes())
    assert "offset" in log or "byte" in log


REAL = sorted(p.name for p in DATA.glob("*.rdb") if not re.search("corrupt|function", p.name))


@pytest.mark.skipif(is_stock("tandem"), reason="a stock 7.0 reads version 10 at most")
def test_a_file_of_redis_7_2(start):
    item = rdb.entry(rdb.SET_LISTPACK, b"s", rdb.text(rdb.listpack(b"a", b"b", b"17")))
    server = start_from(start, rdb.file(item, version=11))
    wait_until(server.answers, "it has loaded the file")
    with server.connect() as connection:
        assert sorted(connection("SMEMBERS", "s")) == ["17", "a", "b"]
        assert connection("OBJECT", "ENCODING", "s") == "listpack"


@pytest.mark.parametrize("name", REAL)
def test_real_files_load_as_in_redis(start, name):
    expected, ours = start("redis", launch=False), start("tandem", launch=False)
    for server in (expected, ours):
        shutil.copy(DATA / name, server.folder / "dump.rdb")
        server.start()
    assert values(ours) == values(expected) != {}


def values(server):
    """What each key holds. Scores as numbers: 7.2 writes them, and so their digest, otherwise."""
    with server.connect() as connection:
        def value(key):
            if connection("TYPE", key) != "zset":
                return connection("DEBUG", "DIGEST-VALUE", key)
            words = connection("ZRANGE", key, 0, -1, "WITHSCORES")
            return dict(zip(words[::2], map(float, words[1::2])))
        keys = connection("KEYS", "*")
        return {key: (connection("PEXPIRETIME", key), value(key)) for key in keys}


def test_random_damage_never_crashes(start, file):
    """Files with a few wrong bytes and no checksum: loaded or refused, never a crash."""
    import random
    source = random.Random(11)
    for _ in range(12):
        data = bytearray(file[:-8] + bytes(8))  # a checksum of zero means: none
        for _ in range(source.randrange(1, 4)):
            data[source.randrange(9, len(data) - 9)] = source.randrange(256)
        server = start_from(start, bytes(data))
        server.expected_exit = {0, 1}
        def is_decided():
            return server.process.poll() is not None or server.answers()  # noqa: B023
        wait_until(is_decided, "it loads or refuses")
        if server.process.poll() is not None:
            assert server.wait_exit() == 1, server.log_tail()
        else:
            server.stop()


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server ends in another way")
def test_modules_data_is_named(start):
    """A value of a module cannot be loaded: the log names the key, and nothing is half-loaded."""
    module_id = b"\x81" + bytes.fromhex("5db7dbb1b5bdbc01")
    value = b"\x07" + b"\x05mykey" + module_id + b"\x00"
    log = refused(start, b"REDIS0009\xfe\x00" + value + b"\xff" + bytes(8))
    assert "mykey" in log and "module" in log


@pytest.mark.parametrize("compression", ["yes", "no"])
def test_compression(start, compression):
    server = start("tandem", "--rdbcompression", compression)
    with server.connect() as connection:
        connection("SET", "a", "abc" * 10000)
        connection("SAVE")
    assert ((server.folder / "dump.rdb").stat().st_size < 5000) == (compression == "yes")
    server.stop()
    server.start()
    with server.connect() as connection:
        assert connection("GET", "a") == "abc" * 10000


def test_dump_and_restore_between_servers(start):
    ours, theirs = start("tandem").connect(), start("redis").connect()
    theirs.pipeline(random_commands(theirs, "dump", 2000, but=(*KEEPING, "select")))
    theirs("SELECT", 0)
    for key in theirs("KEYS", "*"):
        theirs("PERSIST", key)
        raw = theirs.raw("DUMP", key)
        payload = raw[raw.index(b"\r\n") + 2:-2]
        assert ours("RESTORE", key, 0, payload) == "OK"
        assert ours("DEBUG", "DIGEST-VALUE", key) == theirs("DEBUG", "DIGEST-VALUE", key)
        again = ours.raw("DUMP", key)
        ours("RESTORE", key, 0, again[again.index(b"\r\n") + 2:-2], "REPLACE")
        assert ours("DEBUG", "DIGEST-VALUE", key) == theirs("DEBUG", "DIGEST-VALUE", key)
    wrong = payload[:-1] + bytes([payload[-1] ^ 1])
    assert "payload version or checksum" in ours.error("RESTORE", "x", 0, wrong)


def test_what_was_written_without_a_log_has_no_place_in_its_history(start, proxy):
    """Once the backlog is freed writes are not counted: a file of then must not let the replica of
    before go on as if nothing had happened."""
    primary = start("tandem", "--repl-backlog-ttl", "1")
    replica = start("tandem")
    link = proxy(primary)
    replica.follow(link.port)
    caught_up(primary, replica)
    link.cut()
    wait_until(lambda: primary.info("replication")["repl_backlog_active"] == "0", "it is freed")
    with primary.connect() as client:
        client("SET", "unseen", 1)
        client("SAVE")
    primary.kill()
    primary.restart()
    link.resume()
    assert_same(primary, replica)


# A collection without elements, in each form that old servers wrote, and a list with empty nodes.
EMPTY = [
    *(rdb.entry(kind, b"e%d" % kind, b"\x00") for kind in (
        rdb.LIST, rdb.SET, rdb.ZSET, rdb.HASH, rdb.ZSET_2, rdb.QUICKLIST, rdb.QUICKLIST_2)),
    *(rdb.entry(kind, b"e%d" % kind, rdb.text(rdb.ziplist())) for kind in (
        rdb.LIST_ZIPLIST, rdb.ZSET_ZIPLIST, rdb.HASH_ZIPLIST)),
    *(rdb.entry(kind, b"e%d" % kind, rdb.text(rdb.listpack())) for kind in (
        rdb.HASH_LISTPACK, rdb.ZSET_LISTPACK)),
    rdb.entry(rdb.QUICKLIST, b"nodes", b"\x01", rdb.text(rdb.ziplist())),
]
BESIDE = [
    rdb.entry(rdb.QUICKLIST, b"list1", b"\x03", rdb.text(rdb.ziplist(b"a")),
              rdb.text(rdb.ziplist()), rdb.text(rdb.ziplist(b"b"))),
    rdb.entry(rdb.QUICKLIST_2, b"list2", b"\x02\x02", rdb.text(rdb.listpack()), b"\x02",
              rdb.text(rdb.listpack(b"a"))),
    rdb.entry(rdb.STRING, b"string", rdb.text(b"value")),
]


def test_what_redis_passes_over_in_a_file_stops_no_start(start):
    """Collections without elements, empty nodes, bytes after the end."""
    data = rdb.file(*EMPTY, *BESIDE) + b"bytes after the end"
    digests = set()
    for kind in ("redis", "tandem"):
        server = start(kind, launch=False)
        (server.folder / "dump.rdb").write_bytes(data)
        server.start()
        digests.add(digest(server))
        with server.connect() as connection:
            assert sorted(connection("KEYS", "*")) == ["list1", "list2", "string"]
            assert connection("LRANGE", "list1", 0, -1) == ["a", "b"]
    assert len(digests) == 1
    if not is_stock("tandem"):
        log = server.log_text()
        assert 'RDB, byte 11, database 0: the key "e1" has no elements' in log
        assert log.count("has no elements") == 10
        assert f"keys without elements passed over: {len(EMPTY)}" in log


@pytest.mark.parametrize("item", [
    rdb.entry(rdb.INTSET, b"k", rdb.text(b"\x02" + bytes(7))),
    rdb.entry(rdb.ZIPMAP, b"k", rdb.text(b"\x00\xff")),
    rdb.entry(rdb.SET, b"k", b"\x02", rdb.text(b"m"), rdb.text(b"m")),
    rdb.entry(rdb.HASH_ZIPLIST, b"k", rdb.text(rdb.ziplist(b"f", b"1", b"f", b"2"))),
])
def test_what_redis_takes_for_damage_is_damage(start, item):
    for kind in ("redis", "tandem"):
        server = start(kind, launch=False)
        (server.folder / "dump.rdb").write_bytes(rdb.file(item))
        server.launch()
        assert server.wait_exit() != 0


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server ends in another way")
def test_a_key_twice_is_told_with_its_place(start):
    twice = rdb.entry(rdb.STRING, b"a\n\x00", rdb.text(b"v"))
    log = refused(start, rdb.file(twice, twice))
    assert 'RDB, byte 18, database 0: the key "a\\x0a\\x00" comes twice' in log


@pytest.mark.skipif(is_stock("tandem"), reason="a stock server saves in a process of its own")
def test_a_failing_save_leaves_the_old_file_and_stops_writes(start):
    """A folder lies where the new file is to be written."""
    server = start("tandem", "--save", "3600 1")
    saved, obstacle = server.folder / "dump.rdb", server.folder / f"temp-{server.process.pid}.rdb"
    with server.connect() as connection:
        connection("SET", "a", 1)
        connection("SAVE")
        before = saved.read_bytes()
        connection("SET", "a", 2)
        obstacle.mkdir()
        assert connection.raw("SAVE").startswith(b"-ERR")
        assert saved.read_bytes() == before
        assert connection("BGSAVE") == "Background saving started"

        def has_failed():
            info = parse_info(connection("INFO", "persistence"))
            return info["rdb_bgsave_in_progress"] == "0" and info["rdb_last_bgsave_status"] == "err"

        wait_until(has_failed, "BGSAVE has failed")
        assert saved.read_bytes() == before
        assert connection.error("SET", "a", 3).startswith("MISCONF")
        assert connection("GET", "a") == "2"
        obstacle.rmdir()
        assert connection("SAVE") == "OK"
        assert connection("SET", "a", 3) == "OK" and saved.read_bytes() != before


def test_a_file_without_checksum(start):
    server = start("tandem", "--rdbchecksum", "no")
    expected = fill_and_save(server)
    server.kill()
    data = (server.folder / "dump.rdb").read_bytes()
    assert data[-9:] == b"\xff" + rdb.NO_CHECKSUM
    for kind in ("tandem", "redis"):
        other = start(kind, launch=False)
        (other.folder / "dump.rdb").write_bytes(data)
        other.start()
        assert digest(other) == expected
