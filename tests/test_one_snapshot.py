"""One snapshot at a time: saves, full syncs, FLUSHALL and shutdown make way for each other."""
import pytest

from harness.servers import parse_info
from harness.wait import wait_until

SAVE_POINT = ("--save", "3600 1000000")
VALUE = "v" * 1000


def fill(server, count):
    with server.connect() as connection:
        connection.pipeline([("SET", f"key:{i}", VALUE) for i in range(count)])


def persistence(server):
    return server.info("persistence")


@pytest.fixture
def stalled(start):
    """(server, replica): a full sync is under way, for a replica that reads nothing."""
    server = start("tandem", *SAVE_POINT, "--rdbcompression", "no")
    fill(server, 40_000)
    replica = server.connect()
    replica.call("REPLCONF", "capa", "eof")
    replica.send(b"PSYNC ? -1\r\n")
    wait_until(lambda: persistence(server)["rdb_bgsave_in_progress"] == "1", "the sync has begun")
    yield server, replica
    replica.close()


@pytest.mark.parametrize("command", [("SAVE",), ("BGSAVE",), ("BGSAVE", "SCHEDULE")])
def test_saves_are_refused_during_a_full_sync(stalled, command):
    server, _ = stalled
    with server.connect() as connection:
        assert connection.error(*command) == "ERR Background save already in progress"


def test_a_scheduled_save_comes_after_the_full_sync(stalled):
    server, replica = stalled
    with server.connect() as connection:
        connection.call("MULTI")
        connection.call("BGSAVE")
        assert connection.call("EXEC")[0].args[0] == "ERR Background save already in progress"
        connection.call("CONFIG", "SET", "save", "1 1")
        replica.close()
        wait_until(lambda: int(persistence(server)["rdb_saves"]) == 1, "the save point is served")
    assert server.log_text().count("Saving...") == 1


def test_bgsave_in_a_transaction_is_scheduled(start):
    server = start("tandem", *SAVE_POINT)
    with server.connect() as connection:
        connection.call("MULTI")
        connection.call("BGSAVE")
        assert connection.call("EXEC") == ["Background saving scheduled"]
        wait_until(lambda: int(persistence(server)["rdb_saves"]) == 1, "it is saved")


@pytest.mark.parametrize("how", ["SIGTERM", "SHUTDOWN"])
def test_shutdown_gives_up_a_full_sync_and_saves(stalled, how):
    server, _ = stalled
    if how == "SIGTERM":
        with server.connect() as connection:
            connection.call("CONFIG", "SET", "shutdown-timeout", "0")
        server.process.terminate()
    else:
        with server.connect() as connection:
            connection.send(b"SHUTDOWN NOW\r\n")
            assert connection.read_until_closed() == b""
    assert server.wait_exit() == 0
    server.start()
    with server.connect() as connection:
        assert connection.call("DBSIZE") == 40_000


def test_flushall_reaches_the_file(start):
    server = start("tandem", *SAVE_POINT)
    fill(server, 1000)
    with server.connect() as connection:
        connection.call("SAVE")
        connection.call("FLUSHALL")
        wait_until(lambda: int(persistence(server)["rdb_saves"]) == 2, "the empty data are saved")
        assert parse_info(connection.call("INFO", "persistence"))[
            "rdb_changes_since_last_save"] == "0"
    server.kill()
    server.start()
    with server.connect() as connection:
        assert connection.call("DBSIZE") == 0


def test_a_replica_that_swaps_in_data_gives_up_its_save(start):
    """The link waits for no save to end, however slow the disk."""
    primary = start("tandem")
    replica = start("tandem")
    fill(primary, 1000)
    fill(replica, 200_000)
    with replica.connect() as connection:
        connection.pipeline([("BGSAVE",), ("REPLICAOF", "127.0.0.1", primary.port)])
    wait_until(replica.link_up, "the replica follows")
    wait_until(lambda: persistence(replica)["rdb_bgsave_in_progress"] == "0", "no save runs")
    with replica.connect() as connection:
        assert connection.call("DBSIZE") == 1000
