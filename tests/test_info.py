"""INFO, its statistics and LATENCY."""
import mmap
import re
import signal

import pytest

from harness.servers import is_stock, parse_info
from harness.wait import wait_until
from harness.wire import ReplyError

# Fields of a stock INFO that Tandem has no counterpart for, with the reason.
NOT_OURS = re.compile("|".join([
    r"gcc_version|monotonic_clock|executable",  # how redis-server was built and started
    r"module_fork|latest_fork|current_cow|current_fork|rdb_last_cow|total_forks|mem_aof",  # no fork
    r"allocator_|rss_overhead|.*_defrag|mem_fragmentation",  # inside redis's allocator
    r"cmdstat_|errorstat_|latency_percentiles_|db\d",  # what has happened so far
    r"io_threads",  # its threads are others
]))


def test_info_has_the_fields_of_redis(start):
    ours, theirs = start("tandem").info(), start("redis").info()
    missing = {name for name in theirs if name not in ours and not NOT_OURS.match(name)}
    assert not missing


# What 7.2 tells beyond 7.0, each behind the field that it follows there.
FIELDS_OF_7_2 = {
    "eventloop_cycles": "reply_buffer_expands",
    "eventloop_duration_sum": "eventloop_cycles",
    "eventloop_duration_cmd_sum": "eventloop_duration_sum",
    "instantaneous_eventloop_cycles_per_sec": "eventloop_duration_cmd_sum",
    "instantaneous_eventloop_duration_usec": "instantaneous_eventloop_cycles_per_sec",
    "acl_access_denied_auth": "instantaneous_eventloop_duration_usec",
}


def field_names(client, *sections):
    return [line.split(":")[0] for line in client("INFO", *sections).split("\r\n") if ":" in line]


def test_info_has_the_fields_of_7_2(client):
    names = field_names(client, "stats")
    assert len(names) == len(set(names))
    for name, before in FIELDS_OF_7_2.items():
        assert names.index(name) == names.index(before) + 1, name


def test_info_has_the_order_of_redis(start):
    """Section by section; what only one of the two has is left out."""
    orders = []
    for kind in ("tandem", "redis"):
        with start(kind).connect() as client:
            orders.append({section: field_names(client, section) for section in (
                "server", "clients", "memory", "persistence", "stats", "replication", "cpu",
                "cluster")})
    for section, ours in orders[0].items():
        theirs = orders[1][section]
        assert [n for n in ours if n in theirs] == [n for n in theirs if n in ours], section


def test_info_of_the_event_loops(client):
    def figures():
        info = parse_info(client("INFO", "stats"))
        return [int(info[f"eventloop_{name}"]) for name in ("cycles", "duration_sum")]

    before = figures()
    client("EVAL", "local n = 0 for i = 1, 1000000 do n = n + i end return 1", 0)
    cycles, duration_us = (b - a for a, b in zip(before, figures()))
    spent = parse_info(client("INFO", "commandstats"))["cmdstat_eval"]
    script_us = int(re.search(r"usec=(\d+)", spent).group(1))
    assert cycles >= 1 and duration_us >= script_us > 0

    def rates():
        info = parse_info(client("INFO", "stats"))
        return [int(info[f"instantaneous_eventloop_{name}"]) for name in
                ("cycles_per_sec", "duration_usec")]
    wait_until(lambda: min(rates()) > 0, "the rates are sampled")
    client("CONFIG", "RESETSTAT")
    assert figures()[0] < before[0] + cycles


def test_event_loops_count_a_command_inside_another_once(client):
    client("CONFIG", "RESETSTAT")
    busy = "local n = 0 for i = 1, 3000000 do n = n + i end return 1"
    client.pipeline([("MULTI",), ("EVAL", busy, 0), ("EXEC",)])
    info = parse_info(client("INFO", "everything"))
    script_us = int(re.search(r"usec=(\d+)", info["cmdstat_eval"]).group(1))
    exec_us = int(re.search(r"usec=(\d+)", info["cmdstat_exec"]).group(1))
    counted_us = int(info["eventloop_duration_cmd_sum"])
    assert exec_us <= counted_us < exec_us + script_us


def test_info_tells_how_long_a_shutdown_waits(start):
    """And that its client is blocked."""
    for kind in ("tandem", "redis"):
        primary = start(kind, "--shutdown-timeout", 100)
        replica = start("redis")
        replica.follow(primary.port)
        wait_until(replica.link_up, "linked")
        assert "shutdown_in_milliseconds" not in primary.info("server")
        replica.process.send_signal(signal.SIGSTOP)
        with primary.connect() as asking, primary.connect() as client:
            client("SET", "a", 1)
            asking.send(b"SHUTDOWN\r\n")

            def left_ms():
                return int(primary.info("server").get("shutdown_in_milliseconds", 0))
            wait_until(lambda: 0 < left_ms() <= 100_000, "it waits")
            assert primary.info("clients")["blocked_clients"] == "1"
            client("SHUTDOWN", "ABORT")
            with pytest.raises(ReplyError, match="Errors trying to SHUTDOWN"):
                asking.read()
            assert "shutdown_in_milliseconds" not in primary.info("server")
            assert primary.info("clients")["blocked_clients"] == "0"
        replica.process.send_signal(signal.SIGCONT)


def test_resetstat_resets_what_redis_resets(start):
    """Whatever a stock server has set back to zero must not go on here."""
    seen = []
    for kind in ("tandem", "redis"):
        primary, replica = start(kind), start(kind)
        replica.follow(primary.port)
        wait_until(replica.link_up, "linked")
        with primary.connect() as client:
            client("SET", "a", 1, "PX", 1)
            wait_until(lambda: client("EXISTS", "a") == 0, "it expires")
            client("SET", "a", "x" * 1000)
            client("GET", "a")
            client("GET", "none")
            client.error("LPUSH", "a", 1)
            client.error("AUTH", "user", "wrong")
            wait_until(lambda: primary.info("persistence")["rdb_bgsave_in_progress"] == "0",
                       "the replica's snapshot is over")
            client("SAVE")
        wait_until(lambda: replica.offset() == primary.offset(), "followed")
        both = []
        for server in (primary, replica):
            with server.connect() as client:
                before = parse_info(client("INFO", "everything"))
                client("CONFIG", "RESETSTAT")
                after = parse_info(client("INFO", "everything"))
            # Less than before: it was reset, though it may have begun to grow again.
            figures = {name: int(value) for name, value in before.items() if value.isdigit()}
            both.append(({name for name, value in figures.items() if int(after[name]) < value},
                         {name for name, value in figures.items() if value > 0}))
        seen.append(both)
    for (ours, counted_here), (theirs, _) in zip(*seen):
        # What goes down by itself is no sign of a reset.
        counted = {name for name in theirs if not re.match(
            "instantaneous|used_|mem_|allocator_|rss_|.*(fork|cow)|lru_|client|connected_|expire_",
            name)}
        assert len(counted & counted_here) > 5 and (counted & counted_here) - ours == set()


def test_memory_stats_of_databases(start):
    """The entries of MEMORY STATS, in a stock server's order, those of the databases with them."""
    seen = []
    for kind in ("tandem", "redis"):
        with start(kind).connect() as client:
            client("SET", "a", 1)
            client("SELECT", 3)
            client.pipeline([("SET", f"k{n}", n, "EX", 1000) for n in range(1000)])
            entries = client("MEMORY", "STATS")
            stats = dict(zip(entries[::2], entries[1::2]))
            assert stats["keys.count"] == 1001
            tables = [dict(zip(stats[name][::2], stats[name][1::2])) for name in ("db.0", "db.3")]
            seen.append((entries[::2], [list(table) for table in tables]))
            assert tables[1]["overhead.hashtable.main"] > 1000 * 8
            overhead = sum(sum(table.values()) for table in tables)
            assert stats["overhead.total"] >= stats["startup.allocated"] + overhead
            # Under the locks of a transaction and of a script, too.
            client("MULTI")
            client("MEMORY", "STATS")
            assert len(client("EXEC")[0]) == len(entries)
    assert seen[0] == seen[1]


def test_info_tells_the_main_threads_time(server):
    def seconds(whose):
        info = server.info("cpu")
        return float(info[f"used_cpu_sys{whose}"]) + float(info[f"used_cpu_user{whose}"])
    main_thread = wait_until(lambda: seconds("_main_thread"), "it is measured")
    assert 0 < main_thread <= seconds("")


def test_info_lists_its_listeners(server, client):
    assert server.info("server")["listener0"] == f"name=tcp,bind=127.0.0.1,port={server.port}"


def test_info_counts_what_is_freed_on_a_thread_of_its_own(server, client):
    for at in range(0, 100_000, 1000):
        client("HSET", "large", *[word for n in range(at, at + 1000) for word in (n, "v")])
    client("UNLINK", "large")
    wait_until(lambda: int(server.info("memory")["lazyfreed_objects"]) == 1, "it is freed")
    assert server.info("memory")["lazyfree_pending_objects"] == "0"
    client("CONFIG", "RESETSTAT")
    assert server.info("memory")["lazyfreed_objects"] == "0"


def test_info_of_commands_inside_others(start):
    """Parts of transactions and scripts count as commands, with their errors, as in Redis."""
    seen = []
    for kind in ("tandem", "redis"):
        server = start(kind)
        with server.connect() as client:
            client("SET", "text", 1)
            client("CONFIG", "RESETSTAT")
            client("MULTI")
            client("SET", "a", 1)
            client("LPUSH", "text", 1)
            client("EXEC")
            client("EVAL", "redis.call('get', 'a') redis.pcall('lpush', 'text', 1) return 1", 0)
            info = parse_info(client("INFO", "everything"))
        calls = {name: re.sub(r"usec=.*?,usec_per_call=.*?,", "", info[f"cmdstat_{name}"])
                 for name in ("multi", "exec", "eval", "set", "get", "lpush")}
        seen.append((calls, info["errorstat_WRONGTYPE"], info["total_error_replies"],
                     info["total_commands_processed"]))
    assert seen[0] == seen[1]


ERRORS_OF_SCRIPTS = [
    "return redis.call('lpush', 'text', 'a')",
    "return redis.pcall('lpush', 'text', 'a')",
    "redis.pcall('lpush', 'text', 'a') return 1",
    "local e = redis.pcall('lpush', 'text', 'a') error(e)",
    "return redis.call('nosuch')",
    "redis.pcall('nosuch') return 1",
    "redis.pcall('get') return 1",
    "redis.pcall('watch', 'a') return 1",
    "return redis.error_reply('MY error')",
    "return {err = 'ABC x'}",
    "error('foo')",
    "this is no script",
    "#!lua flags=no-writes\nreturn redis.call('set', 'a', 'b')",
]


def test_info_of_errors_in_scripts(start):
    """An error counts once, where it arose: not again where the script passes it on."""
    def counts(server, script, in_transaction):
        with server.connect() as client:
            client("SET", "text", 1)
            client("CONFIG", "RESETSTAT")
            if in_transaction:
                client.pipeline([("MULTI",), ("EVAL", script, 0), ("EXEC",)])
            else:
                client.pipeline([("EVAL", script, 0)])
            info = parse_info(client("INFO", "everything"))
        return {name: re.sub(r"usec=.*?,usec_per_call=.*?,", "", value)
                for name, value in info.items()
                if name.startswith(("errorstat_", "cmdstat_", "total_error"))}

    tandem, redis = start("tandem"), start("redis")
    for script in ERRORS_OF_SCRIPTS:
        for in_transaction in (False, True):
            seen = counts(tandem, script, in_transaction)
            assert seen == counts(redis, script, in_transaction), script


def test_info_of_blocked_clients(server, client):
    """A command that waits counts once, when it ends."""
    def clients(name):
        return int(server.info("clients")[name])

    def blpop():
        return re.sub(r"usec.*?,usec_per_call=.*?,", "", parse_info(
            client("INFO", "commandstats"))["cmdstat_blpop"])

    with server.connect() as waiting:
        identity = waiting("CLIENT", "ID")
        waiting.send(b"BLPOP a b 100\r\n")
        wait_until(lambda: clients("blocked_clients") == 1, "it waits")
        assert clients("clients_in_timeout_table") == 1 and clients("total_blocking_keys") == 2
        assert "cmdstat_blpop" not in server.info("commandstats")
        client("RPUSH", "b", 1)
        assert waiting.read() == ["b", "1"]
        wait_until(lambda: clients("total_blocking_keys") == 0, "nothing is waited for")
        assert clients("clients_in_timeout_table") == 0
        assert blpop() == "calls=1,rejected_calls=0,failed_calls=0"
        waiting("BLPOP", "a", "0.01")
        assert blpop() == "calls=2,rejected_calls=0,failed_calls=0"
        waiting.send(b"BLPOP a 0\r\n")
        wait_until(lambda: client("CLIENT", "UNBLOCK", identity, "ERROR"), "it waits again")
        with pytest.raises(ReplyError, match="UNBLOCKED"):
            waiting.read()
    assert blpop() == "calls=3,rejected_calls=0,failed_calls=1"
    assert server.info("errorstats")["errorstat_UNBLOCKED"] == "count=1"


def test_info_average_ttl(server, client):
    for number in range(100):
        client("SET", f"k{number}", 1, "EX", 1000 if number % 2 else 3000)
    client("SET", "stays", 1)

    def average():
        return int(server.info("keyspace")["db0"].rpartition("=")[2])
    wait_until(lambda: 1_900_000 < average() <= 2_000_000, "the expirer has been round")


def test_info_replication_traffic(start):
    primary, replica = start("tandem"), start("tandem")
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    before = int(primary.info("stats")["total_net_repl_output_bytes"])
    assert before > 0
    with primary.connect() as client:
        client("SET", "a", "x" * 100_000)
    wait_until(lambda: replica.offset() == primary.offset(), "followed")
    sent = int(primary.info("stats")["total_net_repl_output_bytes"]) - before
    received = int(replica.info("stats")["total_net_repl_input_bytes"])
    assert 100_000 < sent < 110_000 and received >= 100_000


def test_info_denied_authentications(client):
    client.error("AUTH", "user", "wrong")
    client.error("HELLO", 3, "AUTH", "user", "wrong")
    assert parse_info(client("INFO", "stats"))["acl_access_denied_auth"] == "2"


PERCENTILES = re.compile(r"p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}")


def test_latency_percentiles(client):
    client("CLIENT", "ID")
    client.error("LPUSH", "a")
    info = parse_info(client("INFO", "latencystats"))
    assert PERCENTILES.fullmatch(info["latency_percentiles_usec_client|id"])
    assert "latency_percentiles_usec_lpush" not in info
    client("CONFIG", "SET", "latency-tracking-info-percentiles", "0 12.5 100")
    info = parse_info(client("INFO", "latencystats"))
    shares = info["latency_percentiles_usec_client|id"]
    low, middle, high = map(float, re.fullmatch("p0=(.*),p12.5=(.*),p100=(.*)", shares).groups())
    assert 0 <= low <= middle <= high
    client("CONFIG", "SET", "latency-tracking-info-percentiles", "")
    assert parse_info(client("INFO", "latencystats"))["latency_percentiles_usec_client|id"] == ""
    client("CONFIG", "SET", "latency-tracking", "no")
    assert parse_info(client("INFO", "latencystats")) == {}
    client("TIME")
    client("CONFIG", "SET", "latency-tracking", "yes")
    info = parse_info(client("INFO", "latencystats"))
    assert "latency_percentiles_usec_time" not in info
    client("CONFIG", "RESETSTAT")
    assert set(parse_info(client("INFO", "latencystats"))) == {
        "latency_percentiles_usec_config|resetstat"}


def test_latency_histogram(server):
    with server.connect(protocol=3) as client:
        for _ in range(10):
            client("SET", "a", 1)
        client("CLIENT", "ID")
        some = client("LATENCY", "HISTOGRAM", "client", "SET", "nosuch")
        assert set(some) == {"client|id", "set"}
        histogram = client("LATENCY", "HISTOGRAM", "set")["set"]
        assert histogram["calls"] == 10
        marks, counts = zip(*histogram["histogram_usec"].items())
        assert list(marks) == sorted(marks) and list(counts) == sorted(set(counts))
        assert counts[-1] == 10
        assert set(marks) <= {(1024 * 2**n + 8 * 2**n - 1) // 1000 for n in range(22)}
        assert {"set", "client|id", "latency|histogram"} <= set(client("LATENCY", "HISTOGRAM"))


def test_latency_spikes(client):
    busy = "local n = 0 for i = 1, 30000000 do n = n + i end return 1"
    client("EVAL", busy, 0)
    assert client("LATENCY", "LATEST") == [] and "threshold" in client("LATENCY", "DOCTOR")
    client("CONFIG", "SET", "latency-monitor-threshold", 20, "slowlog-log-slower-than", -1)
    client("SLOWLOG", "RESET")
    client("EVAL", busy, 0)
    [[event, when, last, worst]] = client("LATENCY", "LATEST")
    assert event == "command" and 20 <= last <= worst and client("SLOWLOG", "LEN") == 0
    assert client("LATENCY", "HISTORY", "command") == [[when, last]]
    assert client("LATENCY", "DOCTOR").startswith(f"command: 1 spikes, {last} ms")
    assert client("LATENCY", "RESET", "COMMAND", "nosuch") == 1
    client("EVAL", busy, 0)
    assert client("LATENCY", "RESET") == 1 and client("LATENCY", "LATEST") == []


@pytest.mark.parametrize("section", ["server", "clients", "memory", "persistence", "stats",
                                     "replication", "cpu", "errorstats", "cluster", "keyspace"])
def test_info_sections(client, section):
    client("SET", "a", 1)
    client.error("LPUSH", "a", 1)
    text = client("INFO", section)
    assert text.startswith(f"# {section.capitalize() if section != 'cpu' else 'CPU'}\r\n")
    assert text.count("# ") == 1
    assert parse_info(text)


def test_info_several_sections_and_default(client):
    assert client("INFO", "server", "keyspace").count("# ") == 2
    assert "# Commandstats" in client("INFO", "all") and "# Commandstats" not in client("INFO")
    assert client("INFO", "nosuch") == ""


def test_info_counts(client):
    client("SET", "a", 1, "EX", 1000)
    client("GET", "a")
    client("GET", "none")
    client.error("LPUSH", "a", 1)
    info = parse_info(client("INFO", "everything"))
    assert info["keyspace_hits"] == "1" and info["keyspace_misses"] == "1"
    assert info["db0"].startswith("keys=1,expires=1,avg_ttl=")
    assert info["cmdstat_get"].startswith("calls=2,")
    assert "rejected_calls=0,failed_calls=1" in info["cmdstat_lpush"]
    assert info["errorstat_WRONGTYPE"] == "count=1"
    assert int(info["used_memory"]) > 100_000 and int(info["total_commands_processed"]) >= 4


def test_used_memory_follows_the_data(client):
    before = int(parse_info(client("INFO", "memory"))["used_memory"])
    client.pipeline([("SET", f"k{n}", "x" * 1000) for n in range(10000)])
    after = int(parse_info(client("INFO", "memory"))["used_memory"])
    assert 10_000_000 < after - before < 16_000_000
    client("FLUSHALL")
    def is_freed():
        return int(parse_info(client("INFO", "memory"))["used_memory"]) < before + 2_000_000
    wait_until(is_freed, "the memory is given back")


def test_used_memory_of_unread_replies_is_that_of_their_clients(server, client):
    """used_memory counts what the allocator gave. Room for replies grows by doubling, the allocator
    rounds it up by a quarter at most, and what nobody has written into is not resident: more than
    used_memory_rss is no fault. But all of the room must be shown as the clients'."""
    count, megabyte = 60, 2**20
    client("SET", "large", "x" * megabyte)

    def figures():
        info = server.info("memory")
        return int(info["used_memory"]), int(info["mem_clients_normal"])
    used_before, clients_before = figures()
    slow = [server.connect() for _ in range(3)]
    try:
        for connection in slow:
            connection.send(b"GET large\r\n" * count)

        def all_wait():
            executed = server.info("commandstats").get("cmdstat_get", "")
            return executed.startswith(f"calls={len(slow) * count},")
        wait_until(all_wait, "the replies wait")
        used, clients = figures()
        assert clients - clients_before > len(slow) * (count - 10) * megabyte
        assert 0.99 < (used - used_before) / (clients - clients_before) < 1.3
    finally:
        for connection in slow:
            connection.close()
    wait_until(lambda: figures()[1] < clients_before + megabyte, "the clients are gone")


def test_resetstat_resets_syncs_and_saves(start):
    primary, replica = start("tandem"), start("tandem")
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    with primary.connect() as connection:
        connection("SAVE")

        def counts():
            info = parse_info(connection("INFO", "everything"))
            return [info[name] for name in ("sync_full", "sync_partial_ok", "rdb_saves")]

        assert counts() == ["1", "0", "1"]
        connection("CONFIG", "RESETSTAT")
        assert counts() == ["0", "0", "0"]


def test_used_memory_is_what_is_allocated(client):
    """Not what the system has mapped, which comes in pages."""
    seen = []
    for n in range(50):
        client("SET", f"k{n}", "x" * 300)
        info = parse_info(client("INFO", "memory"))
        seen.append(int(info["used_memory"]))
        assert info["used_memory"] != info["used_memory_rss"]
        if not is_stock("tandem"):
            assert info["used_memory"] == info["allocator_allocated"]
    assert any(bytes_used % mmap.PAGESIZE for bytes_used in seen)
