"""A replica as its clients see it: roles, refused writes, stale data, passwords, chains."""
import pytest

from harness import rdb
from harness.load import Load, assert_same, caught_up, digest, pair
from harness.peers import FakePrimary, full_resync
from harness.servers import free_port, is_stock, parse_info
from harness.wait import wait_until
from harness.wire import ReplyError, encode


def test_three_ways_to_become_a_replica(start):
    primary = start("tandem")
    by_argument = start("tandem", "--replicaof", "127.0.0.1", primary.port)
    by_command = start("tandem")
    with by_command.connect() as connection:
        assert connection("SLAVEOF", "127.0.0.1", primary.port) == "OK"
        assert connection("SLAVEOF", "127.0.0.1", primary.port).startswith("OK Already connected")
    by_file = start("tandem", launch=False)
    (by_file.folder / "redis.conf").write_text(f"replicaof 127.0.0.1 {primary.port}\n")
    by_file.start()
    caught_up(primary, by_argument, by_command, by_file)


def test_a_replica_refuses_writes(start):
    _, replica = pair(start)
    with replica.connect() as client:
        message = "READONLY You can't write against a read only replica."
        for words in (("SET", "a", 1), ("DEL", "a"), ("FLUSHALL",), ("SPOP", "s"), ("XADD", "x",
                                                                                    "*", "f", 1),
                      ("BLPOP", "l", 0), ("GETEX", "a", "EX", 10), ("PFADD", "h", 1)):
            got = client.error(*words)
            assert got == message or got.startswith("ERR unknown command"), words
        client("MULTI")
        assert client.error("SET", "a", 1) == message
        assert client.error("EXEC").startswith("EXECABORT")
        assert client("GET", "a") is None


def test_a_writable_replica(start):
    primary, replica = pair(start, "--replica-read-only", "no")
    with replica.connect() as client:
        assert client("SET", "mine", 1) == "OK"
    with primary.connect() as client:
        client("SET", "theirs", 1)
    wait_until(lambda: replica.connect()("GET", "theirs") == "1", "the stream still comes")
    assert primary.connect()("EXISTS", "mine") == 0


@pytest.mark.parametrize("read_only", ["yes", "no"])
def test_what_a_replicas_own_clients_do_stays_out_of_the_stream(start, read_only):
    """Its log is its primary's: a byte of its own, and the two speak of different places."""
    primary, replica = pair(start, "--replica-read-only", read_only)
    third = start("tandem", "--replicaof", "127.0.0.1", replica.port)
    caught_up(replica, third)
    before = replica.offset()
    with replica.connect() as client:
        client("PUBLISH", "channel", "message")
        client("EVAL", "return redis.call('PUBLISH', 'channel', 'message')", 0)
        if read_only == "no":
            client("SET", "mine", 1)
            client("EVAL", "return redis.call('SET', KEYS[1], 1)", 1, "mine")
            client("SET", "short", 1, "PX", 1)
            wait_until(lambda: client("GET", "short") is None, "it is over")
            client("DEL", "mine")
    assert replica.offset() == before
    Load(primary, "own").run(200).close()
    caught_up(primary, replica, third)


WRITES_ON_WHAT_IS_OVER = {
    "counted": ("INCR", "counted"), "down": ("DECRBY", "down", 3),
    "float": ("INCRBYFLOAT", "float", 1),
    "appended": ("APPEND", "appended", "x"), "ranged": ("SETRANGE", "ranged", 1, "x"),
    "scripted": ("EVAL", "return redis.call('INCR', KEYS[1])", 1, "scripted"),
}


def test_a_writable_replica_does_not_write_into_what_is_over(start):
    """What has expired is gone for its clients, before the primary says so."""
    primary, replica = pair(start, "--replica-read-only", "no")
    stock = start("redis", "--replicaof", "127.0.0.1", primary.port, "--replica-read-only", "no")
    with primary.connect() as client, replica.connect() as ours, stock.connect() as theirs:
        client("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        for name in WRITES_ON_WHAT_IS_OVER:
            client("SET", name, 5, "PX", 1)
        caught_up(primary, replica, stock)
        for name, write in WRITES_ON_WHAT_IS_OVER.items():
            wait_until(lambda: ours("GET", name) is None is theirs("GET", name), "it is over")
            assert ours(*write) == theirs(*write)
            assert ours("GET", name) == theirs("GET", name) is not None
            assert ours("TTL", name) == theirs("TTL", name) == -1
        ours.pipeline([("MULTI",), ("SET", "e", 5, "PX", 1), ("EXEC",)])
        wait_until(lambda: ours("GET", "e") is None, "it is over")
        assert ours.pipeline([("MULTI",), ("INCR", "e"), ("GET", "e"), ("EXEC",)])[-1] == (
            b"*2\r\n:1\r\n$1\r\n1\r\n")


def test_a_writable_replica_deletes_what_its_own_clients_set(start):
    """The primary does not know of these keys. With the active cycle held, they are hidden."""
    primary, replica = pair(start, "--replica-read-only", "no")
    stock = start("redis", "--replicaof", "127.0.0.1", primary.port, "--replica-read-only", "no")
    caught_up(primary, stock)
    for server in (replica, stock):
        with server.connect() as client:
            client("DEBUG", "SET-ACTIVE-EXPIRE", 0)
            client.pipeline([("SET", f"mine{n}", n, "PX", 1) for n in range(100)])
            assert parse_info(client("INFO", "stats"))["slave_expires_tracked_keys"] == "100"
            wait_until(lambda: client("GET", "mine99") is None, "it is over")
            assert client("DBSIZE") == 100 and client("MEMORY", "USAGE", "mine99") > 0
            assert client("DEBUG", "DIGEST-VALUE", "mine99") != ["0" * 40]
            assert client("DEL", "mine99") == 1 and client("UNLINK", "mine98", "none") == 1
            client("DEBUG", "SET-ACTIVE-EXPIRE", 1)
            wait_until(lambda: client("DBSIZE") == 0, "they are gone")
            stats = parse_info(client("INFO", "stats"))
            assert stats["slave_expires_tracked_keys"] == "0" and stats["expired_keys"] == "98"


def test_read_only_may_be_set_at_any_time(start):
    _, replica = pair(start)
    with replica.connect() as client:
        assert client.error("SET", "a", 1).startswith("READONLY ")
        assert client("CONFIG", "SET", "replica-read-only", "no") == "OK"
        assert client("SET", "a", 1) == "OK"
        assert client("CONFIG", "SET", "replica-read-only", "yes") == "OK"
        assert client.error("SET", "a", 1).startswith("READONLY ")


def test_a_silent_primary_is_left_by_the_timeout_of_the_moment(start):
    primary, replica = pair(start, "--repl-timeout", 3600)
    with replica.connect() as client:
        primary.pause()
        assert client("CONFIG", "SET", "repl-timeout", 1) == "OK"
        wait_until(lambda: not replica.link_up(), "the link is given up")
        assert "repl-timeout" in replica.info("replication")["master_link_last_failure"]
        primary.unpause()
        wait_until(replica.link_up, "the link is back")


@pytest.mark.parametrize("words", [("SYNC",), ("PSYNC", "?", -1), ("PSYNC", "a", "b")])
def test_who_has_no_stream_gives_none(start, words):
    """Whatever is asked for."""
    for kind in ("tandem", "redis"):
        server = start(kind, "--replicaof", "127.0.0.1", free_port())
        with server.connect() as client:
            assert client.error(*words) == (
                "NOMASTERLINK Can't SYNC while not connected with my master")


def test_a_link_that_never_was_is_down_for_no_time(start):
    server = start("tandem", "--replicaof", "127.0.0.1", free_port())
    assert server.info("replication")["master_link_down_since_seconds"] == "-1"
    primary = start("tandem")
    with server.connect() as client:
        client("REPLICAOF", "LOCALHOST", primary.port)
        wait_until(server.link_up, "the link is up")
        assert client("REPLICAOF", "localhost", primary.port) == (
            "OK Already connected to specified master")
    primary.stop()
    wait_until(lambda: not server.link_up(), "the link is down")
    assert int(server.info("replication")["master_link_down_since_seconds"]) >= 0


def test_promoted_and_sent_to_another_at_once(start):
    """The stream of the former primary has no say in what follows the promotion."""
    former, replica = pair(start)
    other = start("tandem")
    with other.connect() as client:
        client("SET", "from", "other")
    load = Load(former, "at once")
    for primary in (other, former) * 5:
        load.run(100)
        with replica.connect() as client:
            client.pipeline([("REPLICAOF", "NO", "ONE"), ("SET", "own", 1),
                             ("REPLICAOF", "127.0.0.1", primary.port)])
        load.run(100)
        assert_same(primary, replica)
    load.close()


def test_a_new_replica_ends_its_clients_waits_and_connections(start):
    server, other = start("tandem"), start("tandem")
    with server.connect() as pop, server.connect() as wait, server.connect() as client:
        pop.send(encode("BLPOP", "list", 0))
        wait("SET", "a", 1)
        wait.send(encode("WAIT", 1, 0))
        wait_until(lambda: server.info("clients")["blocked_clients"] == "2", "both wait")
        client("REPLICAOF", "127.0.0.1", other.port)
        for connection in (pop, wait):
            with pytest.raises(ReplyError, match="UNBLOCKED force unblock from blocking operation"):
                connection.read()
            with pytest.raises(EOFError):
                connection.read()


def test_what_is_told_of_the_link_is_of_the_role_of_the_moment(start):
    """REPLICAOF, INFO and ROLE at once: never the former link's state beside the new primary."""
    primary, replica = pair(start)
    dead = free_port()
    with replica.connect() as client:
        for _ in range(30):
            client.send(encode("REPLICAOF", "127.0.0.1", dead) + encode("INFO", "replication")
                        + encode("ROLE"))
            assert client.read() == "OK"
            info, role = parse_info(client.read()), client.read()
            assert info["master_port"] == str(dead) and info["master_link_status"] == "down"
            assert role[2] == dead and role[3] in ("connect", "connecting") and role[4] == -1
            client("REPLICAOF", "127.0.0.1", primary.port)
            wait_until(replica.link_up, "the link is up")


def test_no_stale_data_while_roles_change(start):
    """From REPLICAOF's answer on: an ended link does not open the gate once more."""
    primary, replica = pair(start, "--replica-serve-stale-data", "no")
    dead = [free_port(), free_port()]
    with replica.connect() as chief, replica.connect() as client:
        for _ in range(30):
            for port in dead:
                chief("REPLICAOF", "127.0.0.1", port)
                replies = client.pipeline([("GET", "a")] * 100)
                assert all(reply.startswith(b"-MASTERDOWN") for reply in replies)
            chief("REPLICAOF", "127.0.0.1", primary.port)
            wait_until(replica.link_up, "the link is up")


def test_a_cut_link_is_back_at_once(start, proxy):
    """The log says how long each try waits."""
    primary, replica = start("tandem"), start("tandem")
    link = proxy(primary)
    replica.follow(link.port)
    caught_up(primary, replica)
    link.break_once()
    wait_until(lambda: "; next try in " in replica.log_text(), "it has noticed")
    assert "; next try in 0 ms" in replica.log_text()
    caught_up(primary, replica)
    assert replica.info("replication")["master_link_partial_syncs"] == "1"


def test_a_primary_with_what_is_unknown_here_is_left_alone(start):
    """Each full sync costs it a fork. REPLICAOF asks again."""
    replica = start("tandem")
    library = rdb.file(b"\xf6" + rdb.text(b"lib"))  # as only release candidates of 7.0 wrote it
    with FakePrimary(PSYNC=full_resync(library)) as primary, replica.connect() as ours:
        replica.follow(primary.port)
        wait_until(lambda: replica.info("replication")["master_link_phase"] == "stopped",
                   "it has seen the library")
        info = replica.info("replication")
        assert "a function library as release" in info["master_link_last_failure"]
        assert int(info["master_link_next_try_seconds"]) >= 20
        assert "stops: " in replica.log_text() and "or at REPLICAOF" in replica.log_text()
        assert ours("ROLE")[3] == "connect" and info["master_link_full_syncs"] == "1"
        good = rdb.file(rdb.entry(rdb.STRING, b"a", rdb.text(b"1")))
        primary.answers["PSYNC"] = full_resync(good)
        assert ours("REPLICAOF", "127.0.0.1", primary.port).startswith("OK Already connected")
        wait_until(replica.link_up, "it has asked again")
        assert ours("GET", "a") == "1"


def test_the_link_comes_from_the_configured_address(start):
    primary = start("tandem")
    replica = start("tandem", "--bind-source-addr", "127.0.0.3", "--replicaof", "127.0.0.1",
                    primary.port)
    caught_up(primary, replica)
    assert primary.info("replication")["slave0"].startswith("ip=127.0.0.3,")
    with replica.connect() as client:
        assert client("CONFIG", "GET", "bind-source-addr") == ["bind-source-addr", "127.0.0.3"]
        client("CONFIG", "SET", "bind-source-addr", "192.0.2.1")
        primary.connect()("CLIENT", "KILL", "TYPE", "replica")
        wait_until(lambda: "bind-source-addr 192.0.2.1 cannot be had" in replica.log_text(),
                   "it says so")
    caught_up(primary, replica)
    assert primary.info("replication")["slave0"].startswith("ip=127.0.0.1,")


def test_a_replica_sleeps_through_two_restarts_of_its_primary(start):
    """It asks by a name that is neither of the log's two."""
    primary = start("tandem", "--repl-ping-replica-period", 3600)
    replica = start("tandem", "--replicaof", "127.0.0.1", primary.port)
    caught_up(primary, replica)
    with primary.connect() as client:
        client.pipeline([("SET", n, n) for n in range(300)])
    caught_up(primary, replica)
    replica.pause()
    for _ in range(2):
        with primary.connect() as client:
            client.send(encode("SHUTDOWN", "SAVE", "NOW"))
        primary.wait_exit()
        primary.start()
    replica.unpause()
    assert_same(primary, replica)
    assert primary.info("stats")["sync_full"] == "0"
    assert primary.info("stats")["sync_partial_ok"] == "1"


def test_stale_data(start, proxy):
    primary, replica = start("tandem"), start("tandem")
    with primary.connect() as client:
        client("SET", "a", 1)
    link = proxy(primary)
    replica.follow(link.port)
    caught_up(primary, replica)
    link.cut()
    wait_until(lambda: not replica.link_up(), "the link is down")
    with replica.connect() as client:
        assert client("GET", "a") == "1"
        client("CONFIG", "SET", "replica-serve-stale-data", "no")
        assert client.error("GET", "a").startswith("MASTERDOWN Link with MASTER is down")
        assert "role:slave" in client("INFO")
        link.resume()
        wait_until(replica.link_up, "the link is back")
        assert client("GET", "a") == "1"


def test_passwords(start):
    primary = start("tandem", "--requirepass", "secret", launch=False)
    primary.launch()
    wait_until(lambda: primary.connect()("AUTH", "secret") == "OK", "it answers")
    replica = start("tandem", "--replicaof", "127.0.0.1", primary.port)
    wait_until(lambda: "NOAUTH" in replica.log_text() or "auth" in replica.log_text().lower(),
               "it is refused and says why")
    assert not replica.link_up()
    with replica.connect() as client:
        client("CONFIG", "SET", "masterauth", "wrong")
        wait_until(lambda: "WRONGPASS" in replica.log_text(), "the wrong one is refused, too")
        assert not replica.link_up()
        client("CONFIG", "SET", "masterauth", "secret")
    wait_until(replica.link_up, "the right password links")


def test_promotion_keeps_the_history(start):
    primary, replica = pair(start)
    Load(primary, "history").run(300).close()
    caught_up(primary, replica)
    old, offset = primary.info()["master_replid"], replica.offset()
    replica.promote()
    info = replica.info("replication")
    assert info["role"] == "master" and info["master_replid2"] == old != info["master_replid"]
    assert int(info["second_repl_offset"]) == offset + 1
    with replica.connect() as client:
        assert client("SET", "a", 1) == "OK" and client("ROLE")[0] == "master"


def test_an_old_primary_comes_back_as_replica(start):
    """It continues in part as long as it has nothing that the new one lacks."""
    primary, replica = pair(start)
    Load(primary, "back").run(300).close()
    caught_up(primary, replica)
    with primary.connect() as client:
        client("REPLICAOF", "127.0.0.1", replica.port)
    replica.promote()
    assert_same(replica, primary)


def test_a_new_primary_replaces_all_data(start):
    first, replica = pair(start)
    with first.connect() as client:
        client("SET", "from", "first")
    caught_up(first, replica)
    second = start("tandem")
    with second.connect() as client:
        client("SET", "from", "second")
        client("SELECT", 7)
        client("SET", "more", 1)
    replica.follow(second.port)
    assert_same(second, replica)
    assert replica.connect()("GET", "from") == "second"


def test_blocked_and_watching_clients_of_a_replica(start):
    """What the stream changes wakes and dirties as a client's write does."""
    primary, replica = pair(start)
    with replica.connect() as reader, replica.connect() as watcher, primary.connect() as writer:
        reader.send(encode("XREAD", "BLOCK", 0, "STREAMS", "x", "$"))
        watcher("WATCH", "w")
        wait_until(lambda: replica.info("clients")["blocked_clients"] == "1", "it waits")
        writer("XADD", "x", "1-1", "f", "v")
        writer("SET", "w", 1)
        assert reader.read() == [["x", [["1-1", ["f", "v"]]]]]
        caught_up(primary, replica)
        watcher("MULTI")
        watcher("GET", "w")
        assert watcher("EXEC") is None


def test_chain_of_three_and_its_offsets(start):
    first, second = pair(start)
    third = start("tandem", "--replicaof", "127.0.0.1", second.port)
    caught_up(second, third)
    Load(first, "chain").run(1000).close()
    assert_same(first, second, third)
    assert len({server.offset() for server in (first, second, third)}) == 1
    assert len({server.info()["master_replid"] for server in (first, second, third)}) == 1


def test_a_sub_replica_survives_the_switch_of_its_primary(start):
    """The middle one changes its own primary; the last continues without a full sync."""
    first, second = pair(start)
    third, other = start("tandem"), start("tandem")
    third.follow(second.port)
    other.follow(first.port)
    Load(first, "switch").run(300).close()
    assert_same(first, second, third, other)
    fulls = int(second.info("stats")["sync_full"])
    first.kill()
    other.promote()
    second.follow(other.port)
    wait_until(second.link_up, "linked to the other")
    Load(other, "later").run(300).close()
    assert_same(other, second)
    assert_same(second, third)
    assert int(second.info("stats")["sync_full"]) == fulls


def test_a_replica_cannot_follow_itself_into_harm(start):
    server = start("tandem")
    with server.connect() as client:
        client("SET", "a", 1)
    server.follow(server.port)
    server.promote()
    assert server.connect()("GET", "a") == "1"


def test_info_of_a_replica(start):
    primary, replica = pair(start)
    info = replica.info("replication")
    assert info["master_host"] == "127.0.0.1" and info["master_port"] == str(primary.port)
    assert info["master_link_status"] == "up" and info["slave_read_only"] == "1"
    assert int(info["master_last_io_seconds_ago"]) in range(0, 15)
    assert info["slave_priority"] == "100" and info["master_sync_in_progress"] == "0"
    assert info["slave_read_repl_offset"] == info["slave_repl_offset"]


def test_sync_progress_is_shown(start, proxy):
    primary, replica = start("tandem", "--rdbcompression", "no"), start("tandem")
    with primary.connect() as client:
        client.pipeline([("SET", f"k{n}", "x" * 500) for n in range(20000)])
    link = proxy(primary)
    link.throttle(5_000_000)
    replica.follow(link.port)
    def in_progress():
        info = replica.info("replication")
        read = int(info.get("master_sync_read_bytes", 0))
        return info["master_sync_in_progress"] == "1" and read > 0 and info
    info = wait_until(in_progress, "the sync shows itself")
    assert is_stock("tandem") or info["master_link_phase"] == "receiving_snapshot"
    link.throttle(None)
    assert_same(primary, replica)


@pytest.mark.skipif(is_stock("tandem"), reason="fields of Tandem")
def test_a_failure_is_told_until_the_link_is_back(start, proxy):
    primary, replica = start("tandem"), start("tandem")
    link = proxy(primary)
    link.cut()
    replica.follow(link.port)
    wait_until(lambda: replica.info("replication")["master_link_last_failure"], "it says why")
    link.resume()
    wait_until(replica.link_up, "linked")
    assert replica.info("replication")["master_link_last_failure"] == ""


def test_replicaof_during_a_sync_and_back(start, proxy):
    primary, replica = start("tandem", "--rdbcompression", "no"), start("tandem")
    with primary.connect() as client:
        client.pipeline([("SET", f"k{n}", "x" * 500) for n in range(20000)])
    link = proxy(primary)
    link.throttle(2_000_000)
    for _ in range(3):
        replica.follow(link.port)
        wait_until(lambda: replica.info()["master_sync_in_progress"] == "1", "under way")
        replica.promote()
        assert replica.connect()("PING") == "PONG"
    link.throttle(None)
    replica.follow(link.port)
    assert_same(primary, replica)


@pytest.mark.skipif(is_stock("tandem"), reason="a stock replica serves nothing while it loads")
def test_the_old_data_is_served_until_the_new_arrives(start, proxy):
    primary, replica = start("tandem", "--rdbcompression", "no"), start("tandem")
    with primary.connect() as client:
        client.pipeline([("SET", f"k{n}", "x" * 500) for n in range(5000)])
    with replica.connect() as client:
        client("SET", "old", "data")
        link = proxy(primary)
        link.stall()
        replica.follow(link.port)
        wait_until(lambda: link.connections == 1, "it has connected")
        assert client("GET", "old") == "data"
        link.resume()
        assert_same(primary, replica)
        assert client("GET", "old") is None


def test_wait_counts_replicas(start):
    primary, replica = pair(start)
    with primary.connect() as client:
        client("SET", "a", 1)
        assert client("WAIT", 1, 5000) == 1
        assert client("WAIT", 2, 50) == 1


def test_wait_counts_only_who_is_there(start):
    primary, replica = pair(start)
    with primary.connect() as client:
        client("SET", "a", 1)
        assert client("WAIT", 1, 5000) == 1
        replica.kill()
        wait_until(lambda: primary.info("replication")["connected_slaves"] == "0", "it is gone")
        assert client("WAIT", 1, 50) == 0


def test_wait_after_a_served_wait(start):
    """What a blocked command takes is a write of its client, whoever had it done."""
    primary, replica = pair(start)
    with primary.connect() as waiter, primary.connect() as client:
        waiter.send(encode("BLPOP", "list", 0))
        wait_until(lambda: primary.info("clients")["blocked_clients"] == "1", "it waits")
        replica.pause()
        client("RPUSH", "list", "x")
        assert waiter.read() == ["list", "x"]
        assert waiter("WAIT", 1, 50) == 0
        replica.unpause()
        assert waiter("WAIT", 1, 5000) == 1


def test_acknowledges_while_slow_commands_are_applied(start):
    """However much has come: a primary takes a replica for lost that is silent too long."""
    replica = start("tandem")
    slow = 40 * encode("SORT", "list", "DESC", "STORE", "sorted")
    stream = b"".join([encode("SELECT", "0"), encode("RPUSH", "list", *range(20_000)), slow,
                       encode("REPLCONF", "GETACK", "*"), slow])
    with FakePrimary() as primary:
        replica.follow(primary.port)
        wait_until(replica.link_up, "the link is up")
        primary.send(stream)
        wait_until(lambda: replica.offset() == len(stream), "all is applied", 60)
        said = {int(words[2]) for words in primary.heard if words[1:2] == ["ACK"]}
        assert any(len(stream) - len(slow) <= offset < len(stream) for offset in said), said


def test_a_start_with_data_continues_or_resyncs(start):
    primary, replica = pair(start)
    replica.arguments += ["--replicaof", "127.0.0.1", str(primary.port)]
    Load(primary, "restart").run(300).close()
    caught_up(primary, replica)
    with replica.connect() as client:
        client("SAVE")
    replica.stop()
    replica.start()
    assert_same(primary, replica)
    assert digest(replica) == digest(primary)


def test_a_replica_saves_by_its_save_points(start):
    """What the stream changed counts as what clients change."""
    primary = start("tandem")
    replica = start("tandem", "--save", "1 1000")
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    with primary.connect() as connection:
        connection.pipeline([("SET", n, n) for n in range(500)])
        caught_up(primary, replica)
        wait_until(lambda: replica.info("persistence")["rdb_changes_since_last_save"] == "500",
                   "the writes are counted")  # a batch's commands are, once they are all executed
        connection("RPUSH", "list", *range(500))
    wait_until(lambda: replica.info("persistence")["rdb_saves"] == "1", "the replica saves")
    assert (replica.folder / "dump.rdb").exists()


def test_a_replica_takes_strings_longer_than_its_own_clients_may_build(start):
    primary, replica = pair(start, "--proto-max-bulk-len", "1mb")
    piece = "x" * 700_000
    with primary.connect() as client:
        client("CONFIG", "SET", "proto-max-bulk-len", "10mb")
        for key in ("appended", "scripted", "queued"):
            client("SET", key, piece)
        client("APPEND", "appended", piece)
        client("SETRANGE", "ranged", 2_000_000, piece)
        client("EVAL", "return redis.call('APPEND', KEYS[1], ARGV[1])", 1, "scripted", piece)
        client.pipeline([("MULTI",), ("APPEND", "queued", piece), ("EXEC",)])
        dumped = client.raw("DUMP", "ranged").partition(b"\r\n")[2].removesuffix(b"\r\n")
        client("RESTORE", "restored", 0, dumped)
    caught_up(primary, replica)
    assert_same(primary, replica)
    with replica.connect() as client:
        assert client("STRLEN", "ranged") == 2_700_000
        assert client("STRLEN", "scripted") == 1_400_000
        assert parse_info(client("INFO", "stats"))["unexpected_error_replies"] == "0"


@pytest.mark.parametrize("restarted", ["replica", "primary"])
def test_a_restart_continues_from_the_very_beginning_of_a_history(start, restarted):
    """The primary's data are older than its log, which has not moved since the sync."""
    still = ("--repl-ping-replica-period", "3600")
    primary = start("tandem", *still)
    with primary.connect() as client:
        client("MSET", "a", 1, "b", 2)
    replica = start("tandem", *still, "--replicaof", "127.0.0.1", primary.port)
    caught_up(primary, replica)
    assert primary.offset() == 0
    server = {"primary": primary, "replica": replica}[restarted]
    with server.connect() as client:
        client("SAVE")
    server.kill()
    if restarted == "replica":
        with primary.connect() as client:
            client("SET", "c", 3)
    server.restart()
    wait_until(replica.link_up, "linked again")
    with primary.connect() as client:
        client("SET", "d", 4)
    caught_up(primary, replica)
    assert_same(primary, replica)
    stats = primary.info("stats")
    assert stats["sync_partial_ok"] == "1"
    assert stats["sync_full"] == ("1" if restarted == "replica" else "0")
