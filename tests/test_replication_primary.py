"""A primary as its replicas see it: PSYNC, REPLCONF, the stream's bytes, backlog, INFO, limits."""
import re
import subprocess

import pytest

from harness import rdb
from harness.load import assert_same, caught_up, digest, random_commands, settle
from harness.servers import is_stock, parse_info
from harness.wait import wait_until
from harness.wire import Connection, decode, encode


class FakeReplica:
    """Speaks PSYNC by hand and keeps what comes."""

    def __init__(self, server, *capabilities):
        self.offset = 0
        self.connection = Connection(server.port)
        self.connection("REPLCONF", "listening-port", "1234")
        for name in capabilities or ("eof", "psync2"):
            self.connection("REPLCONF", "capa", name)

    def psync(self, identity="?", offset=-1):
        """The answer's words."""
        self.connection.send(encode("PSYNC", identity, offset))
        words = self.connection._line().decode().strip().lstrip("+").split()
        self.offset = words[2] if words[0] == "FULLRESYNC" else offset
        return words

    def snapshot(self):
        """The RDB that follows FULLRESYNC; the acknowledgement then asks for the stream."""
        data = self.received = self._payload()
        self.connection.send(encode("REPLCONF", "ACK", self.offset))
        return data

    def _payload(self):
        """Announced by its length, or ended by a mark."""
        line = self.connection._line().lstrip()
        assert line[:1] == b"$"
        wire = self.connection
        if line.startswith(b"$EOF:"):
            mark = line[5:]
            while (end := wire.buffer.find(mark, wire.at)) < 0:
                wire._fill()
            data, wire.at = wire.buffer[wire.at:end], end + len(mark)
            return data
        length = int(line[1:])
        while len(wire.buffer) < wire.at + length:
            wire._fill()
        data = wire.buffer[wire.at:wire.at + length]
        wire.at += length
        return data

    def command(self):
        """The next command; acknowledges while waiting, for only an ACK starts the stream."""
        def has_come():
            if self.connection.has_reply():
                return True
            self.connection.send(encode("REPLCONF", "ACK", self.offset))
            return False
        wait_until(has_come, "the stream goes on")
        return decode(self.connection.read_raw())

    def commands_with_pings(self, count):
        """The next commands of the stream, as lists of words, the first in capitals."""
        commands = [self.command() for _ in range(count)]
        return [[words[0].upper(), *words[1:]] for words in commands]

    def commands(self, count):
        """The same without PING."""
        found = []
        while len(found) < count:
            found += [words for words in self.commands_with_pings(1) if words != ["PING"]]
        return found


def synced(server, *capabilities):
    replica = FakeReplica(server, *capabilities)
    word, identity, offset = replica.psync()
    assert word == "FULLRESYNC" and re.fullmatch("[0-9a-f]{40}", identity)
    assert replica.snapshot()[:5] == b"REDIS"
    return replica, identity, int(offset)


def test_full_resync(server, client):
    client("SET", "a", 1)
    replica = FakeReplica(server)
    word, identity, offset = replica.psync()
    assert word == "FULLRESYNC" and identity == server.info()["master_replid"]
    data = replica.snapshot()
    assert data.startswith(b"REDIS0010"), "a stock replica of 7.0 reads version 10"
    assert b"repl-id" in data and identity.encode() in data and b"repl-offset" in data
    client("SET", "b", 2)
    assert replica.commands(2) == [["SELECT", "0"], ["SET", "b", "2"]]


@pytest.mark.parametrize("checksum", ["yes", "no"])
def test_the_snapshot_has_head_and_end_of_a_file(start, checksum):
    server = start("tandem", "--rdbchecksum", checksum)
    with server.connect() as client:
        client("SET", "a", "x" * 3_000_000)
        before = int(client("TIME")[0])
        replica, _, _ = synced(server)
        snapshot = replica.received
        client("SAVE")
        after = int(client("TIME")[0])
    file = (server.folder / "dump.rdb").read_bytes()
    of_replica, of_file = rdb.head(snapshot), rdb.head(file)
    assert list(of_replica) == list(of_file)
    version = server.info("server")["redis_version"]
    for head in (of_replica, of_file):
        assert head["redis-ver"] == version.encode()
        assert before <= int(head["ctime"]) <= after
        assert 3_000_000 < int(head["used-mem"]) < 300_000_000
    for data in (snapshot, file):
        assert (data[-8:] == rdb.NO_CHECKSUM) == (checksum == "no")


def test_redis_check_rdb_accepts_the_snapshot(server, tmp_path):
    with server.connect() as client:
        client.pipeline(random_commands(client, "check", 2000))
    replica = FakeReplica(server)
    replica.psync()
    (tmp_path / "snapshot.rdb").write_bytes(replica.snapshot())
    done = subprocess.run(["redis-check-rdb", tmp_path / "snapshot.rdb"], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 0 and "RDB looks OK" in done.stdout, done.stdout


def test_without_the_eof_capability_the_length_comes_first(server, client):
    client("SET", "a", "x" * 100)
    replica = FakeReplica(server, "psync2")
    assert replica.psync()[0] == "FULLRESYNC"
    assert replica.snapshot()[:5] == b"REDIS"
    client("SET", "b", 2)
    assert replica.commands(2)[1] == ["SET", "b", "2"]


def test_partial_resync_gives_the_missing_bytes(server, client):
    replica, identity, offset = synced(server)
    client("SET", "a", 1)
    replica.commands(2)
    replica.connection.close()
    client("SET", "b", 2)
    again = FakeReplica(server)
    assert again.psync(identity, offset + 1) == ["CONTINUE", identity]
    assert again.commands(3) == [["SELECT", "0"], ["SET", "a", "1"], ["SET", "b", "2"]]


@pytest.mark.parametrize("identity, offset", [
    ("0" * 40, 1), (None, 10**9), (None, -5), ("nonsense", 1)])
def test_what_cannot_be_continued_becomes_a_full_sync(server, client, identity, offset):
    first, own, _ = synced(server)
    client("SET", "a", 1)
    first.commands(2)
    again = FakeReplica(server)
    assert again.psync(identity or own, offset)[0] == "FULLRESYNC"
    assert int(server.info("stats")["sync_partial_err"]) >= 1


def test_the_stream_is_what_redis_sends(start):
    """The same commands give the same effects, and so the same bytes, as in a stock primary."""
    commands = [
        ("SET", "a", 1), ("INCR", "a"), ("APPEND", "a", "x"), ("GETDEL", "a"),
        ("MSET", "a", 1, "b", 2), ("INCRBYFLOAT", "f", "1.5"), ("SETRANGE", "s", 3, "abc"),
        ("DEL", "none"), ("DEL", "a", "none"), ("UNLINK", "b"), ("RPUSH", "l", 1, 2, 3),
        ("LPOP", "l"), ("LPOP", "l", 2), ("SADD", "s1", "x"), ("SPOP", "s1"),
        ("SADD", "s2", "a", "b"), ("SINTERSTORE", "d", "s2"), ("HSET", "h", "f", "1"),
        ("HINCRBYFLOAT", "h", "f", "0.5"), ("ZADD", "z", "INCR", 2, "m"),
        ("ZADD", "z", "NX", 2, "m"), ("ZPOPMIN", "z"), ("XADD", "x", "1-1", "f", "v"),
        ("SELECT", 3), ("SET", "other", 1), ("MULTI",), ("SET", "m", 1), ("GET", "m"),
        ("INCR", "m"), ("EXEC",), ("MULTI",), ("GET", "m"), ("EXEC",),
        ("EVAL", "redis.call('set','e',1) return 1", 0),
        ("EVAL", "redis.call('set','e',1) redis.call('incr','e')", 0), ("PUBLISH", "c", "m"),
        ("BLPOP", "none", "l2", "0.01"), ("RENAME", "m", "m2"), ("COPY", "m2", "m3"),
        ("PERSIST", "m3"), ("EXPIREAT", "m3", 4000000000), ("EXPIRE", "m3", -1),
        ("GETEX", "m2", "PXAT", 4000000000000), ("SET", "p", 1, "EXAT", 4000000000),
        ("SETNX", "p", 2), ("GETSET", "p", 3), ("SWAPDB", 0, 3), ("FLUSHDB",),
        ("FLUSHALL", "ASYNC"), ("SET", "end", 1)]
    streams = []
    for kind in ("tandem", "redis"):
        server = start(kind)
        replica, _, _ = synced(server)
        with server.connect() as connection:
            for command in commands:
                connection.raw(*command)
        got = []
        while not got or got[-1] != ["SET", "end", "1"]:
            got += replica.commands(1)
        streams.append(got)
    assert streams[0] == streams[1]


def test_offsets_count_every_byte(server, client):
    replica, _, offset = synced(server)
    client("SET", "a", 1)
    sent = encode("SELECT", 0) + encode("SET", "a", 1)
    replica.commands(2)
    grown = int(server.info()["master_repl_offset"]) - offset
    assert grown >= len(sent) and (grown - len(sent)) % len(encode("PING")) == 0


def test_info_names_the_replicas(server):
    replica, _, offset = synced(server)
    replica.connection.send(encode("REPLCONF", "ACK", offset))
    def listed():
        return server.info("replication").get("slave0", "")
    wait_until(lambda: "state=online" in listed(), "the replica is online")
    assert re.fullmatch(r"ip=127\.0\.0\.1,port=1234,state=online,offset=\d+,lag=[01]", listed())
    info = server.info("replication")
    assert info["connected_slaves"] == "1" and info["repl_backlog_active"] == "1"
    assert int(info["repl_backlog_histlen"]) >= 0 and info["repl_backlog_size"] == "1048576"
    replica.connection.close()
    wait_until(lambda: server.info("replication")["connected_slaves"] == "0", "it is gone")


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_a_replica_announces_another_address(start, kind):
    """Either way: as the primary that is told, and as the replica that tells."""
    primary = start(kind)
    other = start("redis" if kind == "tandem" else "tandem", "--replica-announce-ip", "10.1.2.3",
                  "--replica-announce-port", "7777")
    other.follow(primary.port)
    wait_until(lambda: primary.info("replication").get("slave0", "").startswith(
        "ip=10.1.2.3,port=7777,"), "the announced address is listed")


def test_getack_and_wait(server, client):
    replica, _, offset = synced(server)
    client("SET", "a", 1)
    replica.commands(2)
    client.send(encode("WAIT", 1, 10000))
    while replica.command()[:2] != ["REPLCONF", "GETACK"]:
        pass
    replica.connection.send(encode("REPLCONF", "ACK", int(server.info()["master_repl_offset"])))
    assert client.read() == 1
    assert client("WAIT", 2, 50) in (0, 1)


def test_pings_come_in_the_stream(start):
    server = start("tandem", "--repl-ping-replica-period", "1")
    replica, _, _ = synced(server)
    assert [word.upper() for word in replica.command()] == ["PING"]


def test_pings_come_no_more_often_than_asked_for(start):
    """Compared with another server's pings, not with a clock."""
    often = start("tandem", "--repl-ping-replica-period", "1")
    seldom = start("tandem", "--repl-ping-replica-period", "3")
    quick, slow = synced(often)[0], synced(seldom)[0]
    offset = seldom.offset()
    pings = 0
    while seldom.offset() < offset + 2 * len(encode("PING")):
        assert quick.commands_with_pings(1) == [["PING"]]
        pings += 1
    assert pings >= 3 and slow.commands_with_pings(1) == [["PING"]]


def test_the_first_ping_waits_for_its_period(start):
    """It counts from the server's start, however long the machine is up."""
    often = start("tandem", "--repl-ping-replica-period", "1")
    seldom = start("tandem", "--repl-ping-replica-period", "30")
    quick = synced(often)[0]
    _replica, _, _ = synced(seldom)
    offset = seldom.offset()
    assert quick.commands_with_pings(3) == [["PING"]] * 3
    assert seldom.offset() == offset


def test_a_silent_replica_is_dropped(start):
    server = start("tandem", "--repl-timeout", "2", "--repl-ping-replica-period", "1")
    synced(server)[0].connection.send(encode("REPLCONF", "ACK", 0))
    wait_until(lambda: server.info("replication")["connected_slaves"] == "0", "it is dropped")


def test_a_replica_that_does_not_read_is_dropped(start):
    server = start("tandem", "--client-output-buffer-limit", "replica 4mb 0 0",
                   "--repl-backlog-size", "1mb")
    replica, _, _ = synced(server)
    with server.connect() as client:
        def dropped():
            client.pipeline([("SET", "a", "x" * 100_000)] * 20)
            return server.info("replication")["connected_slaves"] == "0"
        wait_until(dropped, "it is dropped")
        assert client("PING") == "PONG"
    replica.connection.close()


def test_a_changed_output_limit_meets_connected_replicas(start):
    server = start("tandem", "--client-output-buffer-limit", "replica 0 0 0",
                   "--repl-backlog-size", "100kb")
    replica, _, _ = synced(server)
    with server.connect() as client:
        client.pipeline([("SET", "a", "x" * 100_000)] * 200)
        assert server.info("replication")["connected_slaves"] == "1"
        client("CONFIG", "SET", "client-output-buffer-limit", "replica 1mb 0 0")
        wait_until(lambda: server.info("replication")["connected_slaves"] == "0", "it is dropped")
    replica.connection.close()


def test_the_backlog_is_let_through_whatever_the_output_limit(start, proxy):
    """A replica that is let in with all of the backlog to catch up with can catch up."""
    primary = start("tandem", "--client-output-buffer-limit", "replica 64kb 0 0",
                    "--repl-backlog-size", "8mb")
    replica = start("tandem")
    link = proxy(primary)
    replica.follow(link.port)
    caught_up(primary, replica)
    link.cut()
    wait_until(lambda: not replica.link_up(), "the cut is seen")
    with primary.connect() as client:
        client.pipeline([("SET", f"k{n}", "x" * 100_000) for n in range(60)])
    link.throttle(4_000_000)
    link.resume()
    assert_same(primary, replica)
    stats = primary.info("stats")
    assert stats["sync_full"] == "1" and stats["sync_partial_ok"] == "1"


@pytest.mark.parametrize("limit", ["replica 4mb 0 0", "replica 0 1mb 1"])
def test_a_replica_that_does_not_read_its_snapshot_is_dropped(start, limit):
    server = start("tandem", "--client-output-buffer-limit", limit, "--rdbcompression", "no")
    with server.connect() as client:
        client.pipeline([("SET", f"k{n}", "x" * 100_000) for n in range(300)])
        replica = FakeReplica(server)
        replica.psync()
        def dropped():
            client.pipeline([("SET", "a", "x" * 100_000)] * 20)
            return server.info("replication")["connected_slaves"] == "0"
        wait_until(dropped, "it is dropped")
    replica.connection.close()


def test_backlog_size_is_kept(start):
    server = start("tandem", "--repl-backlog-size", "100kb")
    synced(server)
    with server.connect() as client:
        client.pipeline([("SET", "a", "x" * 1000)] * 500)
    info = server.info("replication")
    assert 90_000 < int(info["repl_backlog_histlen"]) <= 300_000
    first = int(info["repl_backlog_first_byte_offset"])
    assert first + int(info["repl_backlog_histlen"]) - 1 == int(info["master_repl_offset"])


def test_min_replicas(start):
    server = start("tandem", "--min-replicas-to-write", "1", "--min-replicas-max-lag", "10")
    with server.connect() as client:
        assert client.error("SET", "a", 1).startswith("NOREPLICAS ")
        assert client("GET", "a") is None
        replica = start("tandem")
        replica.follow(server.port)
        def writable():
            return client.raw("SET", "a", 1) == b"+OK\r\n"
        wait_until(writable, "a good replica allows writes")
        replica.kill()
        wait_until(lambda: server.info("replication")["connected_slaves"] == "0", "it is gone")
        assert client.error("SET", "a", 1).startswith("NOREPLICAS ")


def test_a_lagging_replica_is_no_good_one(start):
    """It is connected and silent: good by its first acknowledgement, until that is too old."""
    server = start("tandem", "--min-replicas-to-write", "1", "--min-replicas-max-lag", "1")
    with server.connect() as client:
        replica, _, offset = synced(server)
        def good(count):
            replica_count = server.info("replication")["min_slaves_good_slaves"]
            return replica_count == str(count)
        def acknowledged():
            replica.connection.send(encode("REPLCONF", "ACK", offset))
            return good(1) and client.raw("SET", "a", 1) == b"+OK\r\n"
        wait_until(acknowledged, "it is good while it speaks")
        wait_until(lambda: good(0), "it lags")
        wait_until(lambda: client.raw("SET", "a", 1).startswith(b"-NOREPLICAS "), "writes end")
        assert server.info("replication")["connected_slaves"] == "1"
        wait_until(acknowledged, "it is good again")


def test_a_promoted_server_counts_its_replicas_at_once(start):
    server = start("tandem", "--min-replicas-to-write", "1")
    with server.connect() as client:
        client("REPLICAOF", "127.0.0.1", 1)
        client("MULTI")
        client("REPLICAOF", "NO", "ONE")
        client("EXEC")
        assert client.error("SET", "a", 1).startswith("NOREPLICAS ")


def test_several_replicas_one_walk(start):
    server = start("tandem", "--repl-diskless-sync-delay", "1")
    replicas = [FakeReplica(server) for _ in range(3)]
    for replica in replicas:
        replica.connection.send(encode("PSYNC", "?", -1))
    answers = [replica.connection._line().strip() for replica in replicas]
    assert len(set(answers)) == 1 and answers[0].startswith(b"+FULLRESYNC")
    assert all(replica.snapshot()[:5] == b"REDIS" for replica in replicas)


def test_enough_replicas_do_not_wait_for_the_delay(start):
    server = start("tandem", "--repl-diskless-sync-delay", "3600",
                   "--repl-diskless-sync-max-replicas", "2")
    replicas = [FakeReplica(server) for _ in range(2)]
    replicas[0].connection.send(encode("PSYNC", "?", -1))
    wait_until(lambda: server.info("replication").get("connected_slaves") == "1", "one waits")
    assert "state=wait_bgsave" in server.info("replication")["slave0"]
    replicas[1].connection.send(encode("PSYNC", "?", -1))
    answers = [replica.connection._line().strip() for replica in replicas]
    assert len(set(answers)) == 1 and answers[0].startswith(b"+FULLRESYNC")


@pytest.mark.skipif(is_stock("tandem"), reason="a directive of Tandem")
def test_the_backlog_may_end_by_time(start):
    """What is older than repl-backlog-time goes though the bytes would fit."""
    server = start("tandem", "--repl-backlog-time", "1")
    replica, identity, offset = synced(server)
    def aged():
        with server.connect() as client:
            client("SET", "a", "x" * 1000)
        return int(server.info("replication")["repl_backlog_first_byte_offset"]) > offset + 1
    wait_until(aged, "the beginning is gone")
    assert int(server.info("replication")["repl_backlog_size"]) > server.offset()
    assert FakeReplica(server).psync(identity, offset + 1)[0] == "FULLRESYNC"
    assert FakeReplica(server).psync(identity, server.offset() + 1)[0] == "CONTINUE"


@pytest.mark.parametrize("value", [-1, 2, "x"])
def test_rdb_only_is_yes_or_no(start, value):
    server = start("tandem")
    with server.connect() as client:
        assert client.error("REPLCONF", "rdb-only", value).startswith("ERR value is ")


def test_min_replicas_may_be_set_at_any_time(start):
    server = start("tandem")
    with server.connect() as client:
        assert client("SET", "a", 1) == "OK"
        assert client("CONFIG", "SET", "min-replicas-to-write", 1) == "OK"
        assert client.error("SET", "a", 1).startswith("NOREPLICAS ")
        replica, _, _ = synced(server)
        def acknowledged():
            replica.connection.send(encode("REPLCONF", "ACK", replica.offset))
            return client.pipeline([("SET", "a", 2)])[0] == b"+OK\r\n"
        wait_until(acknowledged, "one replica is enough")
        assert client("CONFIG", "SET", "min-replicas-to-write", 0) == "OK"
        assert client("SET", "a", 1) == "OK"


def test_a_backlog_has_a_least_size(start):
    server = start("tandem")
    with server.connect() as client:
        assert client("CONFIG", "SET", "repl-backlog-size", 100) == "OK"
        assert client("CONFIG", "GET", "repl-backlog-size") == ["repl-backlog-size", "16384"]


def test_a_snapshot_alone(start, tmp_path):
    """redis-cli --rdb, and the same by hand: a whole file, and no replica stays."""
    server = start("tandem")
    with server.connect() as client:
        client.pipeline(random_commands(client, "alone", 500))
        for option in (("rdb-only", "1"), ("rdb-only", "0")):
            assert client("REPLCONF", *option) == "OK"
        assert client.error("REPLCONF", "rdb-only", "x") == \
            "ERR value is not an integer or out of range"
    file = tmp_path / "alone.rdb"
    subprocess.run(["redis-cli", "-p", str(server.port), "--rdb", file], check=True,
                   capture_output=True, timeout=60)
    checked = subprocess.run(["redis-check-rdb", file], capture_output=True, text=True)
    assert "RDB looks OK" in checked.stdout
    replica = FakeReplica(server)
    replica.connection("REPLCONF", "rdb-only", 1)
    assert replica.psync()[0] == "FULLRESYNC"
    assert replica._payload()[:5] == b"REDIS"
    wait_until(lambda: server.info("replication")["connected_slaves"] == "0", "nobody stays")


FILTERS = ["", "functions", "Functions  functions", "data", "functions data", "'", "x\"", "'a'b"]


@pytest.mark.parametrize("value", FILTERS)
def test_what_a_snapshot_may_be_filtered_by(start, value):
    ours, theirs = (start(kind).connect() for kind in ("tandem", "redis"))
    request = encode("REPLCONF", "rdb-filter-only", value)
    for client in (ours, theirs):
        client.send(request)
    assert ours.read_raw() == theirs.read_raw()


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_a_snapshot_without_data(start, kind):
    """For who wants the stream alone (redis-cli --replica)."""
    server = start(kind)
    with server.connect() as client:
        client("SET", "before", 1)
        replica = FakeReplica(server, "psync2")
        replica.connection("REPLCONF", "rdb-filter-only", "")
        assert " ".join(replica.psync()) == "-ERR Filtered replica requires EOF capability"
        replica.connection("REPLCONF", "capa", "eof")
        assert replica.psync()[0] == "FULLRESYNC"
        snapshot = replica.snapshot()
        assert snapshot[:5] == b"REDIS" and b"before" not in snapshot
        assert rdb.head(snapshot)["repl-offset"] == replica.offset.encode()
        client("SET", "behind", 1)
        assert replica.commands(2) == [["SELECT", "0"], ["SET", "behind", "1"]]


@pytest.mark.skipif(is_stock("tandem"), reason="a stock primary puts the messages into the stream")
def test_messages_stay_out_of_the_stream(start):
    """SUBSCRIBE in RESP3, then PSYNC."""
    server = start("tandem")
    replica = FakeReplica(server)
    replica.connection("HELLO", 3)
    replica.connection("SUBSCRIBE", "news")
    assert replica.psync()[0] == "FULLRESYNC" and replica.snapshot()[:5] == b"REDIS"
    with server.connect() as client:
        assert client("PUBLISH", "news", "hello") == 0
        client("SET", "a", 1)
    assert replica.commands(3) == [["SELECT", "0"], ["PUBLISH", "news", "hello"],
                                   ["SET", "a", "1"]]


def test_a_monitor_becomes_no_replica(start):
    server = start("tandem")
    with server.connect() as monitor, server.connect() as client:
        assert monitor("MONITOR") == "OK"
        monitor.send(encode("PSYNC", "?", -1))
        client("SET", "a", 1)
        wait_until(lambda: b'"SET" "a"' in monitor._line(), "it goes on hearing of commands")
        assert server.info("replication")["connected_slaves"] == "0"


@pytest.mark.skipif(is_stock("tandem"), reason="a directive of Tandem")
@pytest.mark.parametrize("version,set_type,stream_type", [(9, 2, 15), (10, 2, 19), (11, 20, 21)])
def test_rdb_version_for_replicas(start, version, set_type, stream_type):
    server = start("tandem", "--repl-rdb-version", version)
    with server.connect() as client:
        client("SADD", "a set", "a", "b")
        client("XADD", "a stream", "1-1", "f", "v")
    replica = FakeReplica(server)
    replica.psync()
    data = replica.snapshot()
    assert data[:9] == b"REDIS%04d" % version
    assert bytes([set_type]) + rdb.text(b"a set") in data
    assert bytes([stream_type]) + rdb.text(b"a stream") in data


@pytest.mark.skipif(is_stock("tandem"), reason="stock servers do not say or hear it")
@pytest.mark.parametrize("server_version,rdb_version",
                         [("7.2.4", 11), ("7.0.15", 10), ("6.2.1", 9), ("rubbish", 9)])
def test_a_replica_that_says_its_version_gets_what_it_reads(start, server_version, rdb_version):
    server = start("tandem", "--repl-rdb-version", 9)
    replica = FakeReplica(server)
    assert replica.connection("REPLCONF", "version", server_version) == "OK"
    replica.psync()
    assert replica.snapshot()[:9] == b"REDIS%04d" % rdb_version


@pytest.mark.skipif(is_stock("tandem"), reason="stock servers do not say or hear it")
def test_who_shares_a_walk_gets_what_all_of_them_read(start):
    server = start("tandem", "--repl-diskless-sync-delay", 3600,
                   "--repl-diskless-sync-max-replicas", 2)
    modern, older = FakeReplica(server), FakeReplica(server)
    modern.connection("REPLCONF", "version", "7.2.4")
    for replica in (modern, older):
        replica.connection.send(encode("PSYNC", "?", -1))
    for replica in (modern, older):
        assert replica.connection._line().startswith(b"+FULLRESYNC")
        assert replica.snapshot()[:9] == b"REDIS0010"


@pytest.mark.parametrize("name,value", [("repl-diskless-sync-delay", 0),
                                        ("repl-diskless-sync-max-replicas", 1)])
def test_who_waits_for_others_need_not_any_more(start, name, value):
    server = start("tandem", "--repl-diskless-sync-delay", 3600)
    replica = FakeReplica(server)
    replica.connection.send(encode("PSYNC", "?", -1))
    wait_until(lambda: "slave0" in server.info("replication"), "it waits")
    with server.connect() as client:
        assert client("CONFIG", "SET", name, value) == "OK"
    assert replica.connection._line().startswith(b"+FULLRESYNC")


@pytest.mark.skipif(is_stock("tandem"), reason="a directive of Tandem")
@pytest.mark.parametrize("version", [9, 10])
def test_a_stock_server_loads_the_snapshot(start, version):
    server = start("tandem", "--repl-rdb-version", version)
    with server.connect() as connection:
        connection.pipeline(random_commands(connection, "snapshot", 3000))
    settle(server)
    replica = FakeReplica(server)
    replica.psync()
    stock = start("redis", launch=False)
    (stock.folder / "dump.rdb").write_bytes(replica.snapshot())
    stock.start()
    assert digest(stock) == digest(server) != "0" * 40


def test_a_replica_that_comes_during_a_pause_is_served_behind_it(server, client):
    replica = FakeReplica(server)
    client("CLIENT", "PAUSE", 50, "ALL")
    assert replica.psync()[0] == "FULLRESYNC"
    assert replica.snapshot()[:5] == b"REDIS"


def test_a_replica_that_had_to_wait_for_a_key_is_served(server):
    replica = FakeReplica(server)
    replica.connection.send(encode("BLPOP", "nosuch", "0.05") + encode("PSYNC", "?", "-1"))
    assert replica.connection.read() is None
    assert replica.connection._line().startswith(b"+FULLRESYNC")


def test_rubbish_from_a_replica_does_no_harm(server, client):
    for data in (b"\x00\xff garbage\r\n", encode("REPLCONF", "ACK", "abc"), encode("REPLCONF"),
                 encode("PSYNC", "?"), encode("SET", "evil", 1)):
        replica, _, _ = synced(server)
        replica.connection.send(data)
        replica.connection.close()
    assert client("PING") == "PONG"


def test_writes_while_a_slow_replica_loads_are_kept_for_it(start, proxy):
    primary = start("tandem", "--repl-backlog-size", "16kb", "--rdbcompression", "no")
    replica = start("tandem")
    with primary.connect() as client:
        client.pipeline([("SET", f"k{n}", "x" * 500) for n in range(20000)])
        link = proxy(primary)
        link.throttle(4_000_000)
        replica.follow(link.port)
        wait_until(lambda: link.backward_bytes > 500_000, "the snapshot flows")
        client.pipeline([("SET", f"k{n}", "y" * 100) for n in range(5000)])
        link.throttle(None)
    assert_same(primary, replica)
    assert parse_info(primary.connect()("INFO", "stats"))["sync_full"] == "1"


def test_backlog_is_there_before_the_first_replica_is_gone(start):
    primary, replica = start("tandem"), start("tandem")
    replica.follow(primary.port)
    caught_up(primary, replica)
    replica.promote()
    replica.follow(primary.port)
    caught_up(primary, replica)
