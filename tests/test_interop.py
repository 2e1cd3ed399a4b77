"""Tandem and Debian's redis-server replicate from each other: loads, cuts, crashes, promotions."""
import pytest

from harness.load import Load, assert_same, caught_up
from harness.wait import wait_until

PAIRS = [("tandem", "tandem"), ("tandem", "redis"), ("redis", "tandem")]
CHAINS = [("redis", "tandem", "redis"), ("tandem", "redis", "tandem"),
          ("redis", "tandem", "tandem"), ("tandem", "tandem", "redis")]
pairs = pytest.mark.parametrize("kinds", PAIRS, ids="<".join)
chains = pytest.mark.parametrize("kinds", CHAINS, ids="<".join)


def chain(start, kinds):
    """Servers that each follow the one before, linked and in sync."""
    servers = [start(kinds[0])]
    for kind in kinds[1:]:
        servers.append(start(kind, "--replicaof", "127.0.0.1", servers[-1].port))
        wait_until(servers[-1].link_up, f"{servers[-1]} is linked", 30)
    return servers


def partial_syncs(server):
    return int(server.info("stats")["sync_partial_ok"])


def full_syncs(server):
    return int(server.info("stats")["sync_full"])


@pairs
@pytest.mark.parametrize("seed", range(3))
def test_load_before_and_after_full_sync(start, kinds, seed):
    primary, replica = start(kinds[0]), start(kinds[1])
    load = Load(primary, f"full {seed}").run(3000)
    replica.follow(primary.port)
    load.run(1000)  # while the snapshot is taken, sent and loaded
    assert_same(primary, replica)
    load.run(3000)
    assert_same(primary, replica)


@pairs
def test_partial_sync_after_a_cut(start, proxy, kinds):
    primary, replica = start(kinds[0]), start(kinds[1])
    link = proxy(primary)
    load = Load(primary, "cut").run(1000)
    replica.follow(link.port)
    assert_same(primary, replica)
    fulls, partials = full_syncs(primary), partial_syncs(primary)
    for turn in range(1, 4):
        link.cut()
        wait_until(lambda: not replica.link_up(), "the replica sees the cut")
        load.run(500)
        link.resume()
        assert_same(primary, replica)
        assert partial_syncs(primary) >= partials + turn
    assert full_syncs(primary) == fulls


@pairs
def test_full_sync_when_the_backlog_is_too_short(start, proxy, kinds):
    primary = start(kinds[0], "--repl-backlog-size", "16kb")
    replica = start(kinds[1])
    link = proxy(primary)
    replica.follow(link.port)
    caught_up(primary, replica)
    fulls = full_syncs(primary)
    link.cut()
    wait_until(lambda: int(primary.info("replication")["connected_slaves"]) == 0, "the cut is seen")
    with primary.connect() as connection:
        for number in range(40):
            connection("SET", f"big:{number}", "x" * 5000)
    link.resume()
    assert_same(primary, replica)
    assert full_syncs(primary) > fulls


@chains
def test_mixed_chain(start, proxy, kinds):
    first, second, third = chain(start, kinds)
    load = Load(first, "chain").run(3000)
    assert_same(first, second)
    assert_same(second, third)
    assert_same(first, third)
    assert first.info()["master_replid"] == third.info()["master_replid"]
    load.close()


@chains
def test_cut_in_the_middle_of_a_chain(start, proxy, kinds):
    first, second, third = chain(start, kinds)
    load = Load(first, "middle").run(500)
    link = proxy(second)
    third.follow(link.port)
    assert_same(first, second, third)
    fulls = full_syncs(second)
    link.cut()
    load.run(300)
    link.resume()
    assert_same(first, second, third)
    assert full_syncs(second) == fulls


@pytest.mark.parametrize("kinds", [("tandem", "tandem", "redis"), ("tandem", "redis", "tandem"),
                                   ("redis", "tandem", "redis"), ("redis", "tandem", "tandem")],
                         ids="<".join)
def test_promotion_after_kill(start, kinds):
    """kill -9 of the primary; one replica is promoted and the other continues from it in part."""
    primary, heir, other = start(kinds[0]), start(kinds[1]), start(kinds[2])
    for replica in (heir, other):
        replica.follow(primary.port)
        wait_until(replica.link_up, f"{replica} is linked", 30)
    Load(primary, "promotion").run(1500).close()
    assert_same(primary, heir, other)
    old_id = primary.info()["master_replid"]
    primary.kill()
    heir.promote()
    other.follow(heir.port)
    wait_until(other.link_up, "the other replica follows the heir", 30)
    assert heir.info()["master_replid2"] == old_id
    assert heir.info()["master_replid"] != old_id
    assert partial_syncs(heir) == 1 and full_syncs(heir) == 0
    Load(heir, "after").run(1000).close()
    assert_same(heir, other)


def test_a_stock_primary_hands_over_with_failover(start):
    primary, replica = chain(start, ("redis", "tandem"))
    load = Load(primary, "failover").run(500)
    load.close()
    with primary.connect() as old, replica.connect() as new:
        assert new.error("PSYNC", "0" * 40, 1, "FAILOVER") == \
            "ERR PSYNC FAILOVER replid must match my replid."
        assert old.error("PSYNC", "0" * 40, 1, "FAILOVER") == \
            "ERR PSYNC FAILOVER can't be sent to a master."
        assert old("FAILOVER", "TO", "127.0.0.1", replica.port) == "OK"
        wait_until(lambda: replica.info("replication")["role"] == "master", "it took over")
        assert new.error("PSYNC", "0" * 40, 1, "FAILOVER") == \
            "ERR PSYNC FAILOVER can't be sent to a master."
        new("SET", "after", "failover")
    wait_until(primary.link_up, "the former primary follows")
    assert_same(replica, primary)
    assert partial_syncs(replica) == 1 and full_syncs(replica) == 0
    with primary.connect() as connection:
        assert connection("GET", "after") == "failover"


@pairs
def test_replica_killed_and_started_again(start, kinds):
    primary, replica = start(kinds[0]), start(kinds[1])
    replica.arguments += ["--replicaof", "127.0.0.1", str(primary.port)]
    load = Load(primary, "restart").run(500)
    replica.follow(primary.port)
    assert_same(primary, replica)
    replica.kill()
    load.run(500)
    replica.restart()
    assert_same(primary, replica)


@pairs
def test_primary_killed_and_started_again(start, kinds):
    """A primary that comes back from its snapshot: the replica takes what it now has."""
    primary, replica = start(kinds[0]), start(kinds[1])
    Load(primary, "crash").run(500).close()
    replica.follow(primary.port)
    assert_same(primary, replica)
    wait_until(lambda: primary.info()["rdb_bgsave_in_progress"] == "0", "its full sync is over")
    with primary.connect() as connection:
        connection("SAVE")
    primary.kill()
    wait_until(lambda: not replica.link_up(), "the replica sees the crash")
    primary.restart()
    assert_same(primary, replica)


@pairs
def test_expiry_reaches_the_replica(start, kinds):
    primary, replica = start(kinds[0]), start(kinds[1])
    replica.follow(primary.port)
    caught_up(primary, replica)
    with primary.connect() as connection, replica.connect() as reader:
        for number in range(300):
            connection("SET", f"short:{number}", number, "PX", 50 + number)
            connection("SET", f"long:{number}", number, "EX", 1000)
        wait_until(lambda: connection("DBSIZE") == 300, "the short ones are gone at the primary")
        wait_until(lambda: reader("DBSIZE") == 300, "and deleted at the replica")
        times = [c("PEXPIRETIME", "long:7") for c in (connection, reader)]
        assert times[0] == times[1]
    assert_same(primary, replica)


@pairs
def test_cut_during_the_snapshot(start, proxy, kinds):
    primary, replica = start(kinds[0], "--repl-timeout", "5"), start(kinds[1])
    with primary.connect() as connection:
        connection.pipeline([("SET", f"key:{n}", f"{n}" * 100) for n in range(20000)])
    link = proxy(primary)
    link.cut_after(300_000)
    replica.follow(link.port)
    wait_until(lambda: link.backward_bytes >= 300_000, "the snapshot is under way")
    wait_until(lambda: not replica.link_up(), "the cut is seen")
    link.resume()
    assert_same(primary, replica)


@pytest.mark.parametrize("kind", ["tandem", "redis"])
def test_several_replicas_share_a_snapshot(start, kind):
    primary = start("tandem", "--repl-diskless-sync-delay", "1")
    with primary.connect() as connection:
        connection.pipeline([("SET", f"key:{n}", "v" * 50) for n in range(5000)])
    replicas = [start(kind) for _ in range(3)]
    for replica in replicas:
        replica.follow(primary.port)
    assert_same(primary, *replicas)
    assert full_syncs(primary) == 3
