"""Redis's Sentinel over Tandem: it notices a dead primary and replaces it."""
import redis

from harness.load import Load, assert_same, caught_up
from harness.wait import wait_until


def watched(start, primary):
    """A Sentinel of redis-server, alone and so its own quorum."""
    sentinel = start("redis", "--sentinel", launch=False, defaults=False)
    (sentinel.folder / "redis.conf").write_text(
        f"bind 127.0.0.1\nsentinel monitor group 127.0.0.1 {primary.port} 1\n"
        "sentinel down-after-milliseconds group 500\n")
    sentinel.start()
    return redis.Redis(port=sentinel.port, decode_responses=True)


def with_file(start):
    server = start("tandem", launch=False)
    (server.folder / "redis.conf").touch()
    return server.start()


def test_a_dead_primary_is_replaced(start):
    servers = {each.port: each for each in (with_file(start) for _ in range(3))}
    primary, *replicas = servers.values()
    for replica in replicas:
        replica.follow(primary.port)
    caught_up(primary, *replicas)
    sentinel = watched(start, primary)
    wait_until(lambda: sentinel.sentinel_master("group")["num-slaves"] == 2, "it knows both")
    Load(primary, "sentinel").run(500).close()
    caught_up(primary, *replicas)
    primary.kill()

    def successor():
        port = int(sentinel.sentinel_get_master_addr_by_name("group")[1])
        return servers[port] if port != primary.port else None

    promoted = wait_until(successor, "another takes over", 60)
    other = next(each for each in replicas if each is not promoted)
    wait_until(lambda: other.info("replication")["master_port"] == str(promoted.port), "it is told")
    caught_up(promoted, other)
    Load(promoted, "after").run(500).close()
    assert_same(promoted, other)
    stats = promoted.info("stats")
    assert (stats["sync_full"], stats["sync_partial_ok"]) == ("0", "1"), "nothing came twice"
    # Both files were rewritten, so that a restart keeps the roles.
    assert "replicaof" not in (promoted.folder / "redis.conf").read_text()
    assert f"replicaof 127.0.0.1 {promoted.port}" in (other.folder / "redis.conf").read_text()


def test_a_failover_by_hand(start):
    """SENTINEL FAILOVER: the former primary follows the new one."""
    primary, replica = start("tandem"), start("tandem")
    replica.follow(primary.port)
    caught_up(primary, replica)
    sentinel = watched(start, primary)
    wait_until(lambda: sentinel.sentinel_master("group")["num-slaves"] == 1, "it knows the replica")
    Load(primary, "hand").run(200).close()

    def begins():
        """Sentinel refuses as long as it has not heard enough of the replica to choose it."""
        try:
            return sentinel.execute_command("SENTINEL FAILOVER group")
        except redis.ResponseError as error:
            assert "NOGOODSLAVE" in str(error)
            return False

    wait_until(begins, "it begins")
    wait_until(lambda: sentinel.sentinel_get_master_addr_by_name("group")[1] == replica.port,
               "the replica takes over", 60)
    wait_until(lambda: primary.info("replication")["role"] == "slave", "the other follows", 60)
    caught_up(replica, primary)
    assert_same(replica, primary)
