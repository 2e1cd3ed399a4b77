"""DEBUG: what tests of other projects call, beside redis-server where the answer is the same."""
import signal

import pytest

from harness.load import assert_same, caught_up
from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import encode

KINDS = ("tandem", "redis")
PROTOCOL = ["string", "integer", "double", "null", "array", "set", "map", "attrib", "push",
            "verbatim", "true", "false", "bignum", "STRING", "nosuch", ""]
AS_REDIS = [
    *(["PROTOCOL", kind] for kind in PROTOCOL), ["PROTOCOL"], ["PROTOCOL", "string", "x"],
    ["OBJECT", "nosuch"], ["OBJECT"], ["OBJECT", "number", "fast"],
    ["LISTPACK", "hash"], ["LISTPACK", "zset"], ["LISTPACK", "number"], ["LISTPACK", "nosuch"],
    ["LISTPACK"], ["QUICKLIST", "number"], ["QUICKLIST", "long"], ["QUICKLIST", "long", 1],
    ["QUICKLIST", "nosuch"], ["SDSLEN", "number"], ["SDSLEN", "hash"], ["SDSLEN", "nosuch"],
    ["QUICKLIST-PACKED-THRESHOLD", "10b"], ["QUICKLIST-PACKED-THRESHOLD", "1"],
    ["QUICKLIST-PACKED-THRESHOLD", "x"], ["QUICKLIST-PACKED-THRESHOLD", "5gb"],
    ["QUICKLIST-PACKED-THRESHOLD", 0], ["REPLYBUFFER", "PEAK-RESET-TIME", "never"],
    ["REPLYBUFFER", "peak-reset-time", 100], ["REPLYBUFFER", "peak-reset-time", "reset"],
    ["REPLYBUFFER", "peak-reset-time", "x"], ["REPLYBUFFER", "RESIZING", 0],
    ["REPLYBUFFER", "RESIZING", "x"], ["REPLYBUFFER", "x", "y"], ["REPLYBUFFER", "x"],
    ["PAUSE-CRON", 1], ["PAUSE-CRON", "x"], ["PAUSE-CRON", 0], ["PAUSE-CRON"],
    ["SET-DISABLE-DENY-SCRIPTS", 0], ["SET-DISABLE-DENY-SCRIPTS"],
    ["HTSTATS", "x"], ["HTSTATS", -1], ["HTSTATS", 16], ["HTSTATS", 0, "x"],
    ["LOG", "hello"], ["LOG", "a", "b"], ["LEAK"], ["CHANGE-REPL-ID", "x"], ["REPLICATE"],
    ["RELOAD", "nosuch"], ["POPULATE", "x"], ["POPULATE", 3, "pre", 4], ["POPULATE", 2],
    ["ERROR", "MY error"], ["NOSUCH"], ["HELP", "x"],
]


def fill(client):
    client("SET", "number", 12)
    client("HSET", "hash", "f", "v")
    client("ZADD", "zset", 1, "m")
    client("RPUSH", "long", *("x" * 100 for _ in range(200)))


@pytest.mark.parametrize("protocol", [2, 3])
def test_answers_are_those_of_redis(start, protocol):
    clients = [start(kind).connect(protocol=protocol) for kind in KINDS]
    for client in clients:
        fill(client)
    for words in AS_REDIS:
        replies = []
        for client in clients:
            client.send(encode("DEBUG", *words))
            replies.append(client.read_raw())
            if replies[-1].startswith(b">"):  # what it stands before
                replies[-1] += client.read_raw()
        assert replies[0] == replies[1], words
    for key in ("pre:0", "pre:2", "pre:3", "key:1", "key:2"):
        values = [client("GET", key) for client in clients]
        assert values[0] == values[1], key


def test_object_tells_how_a_value_lies(client):
    fill(client)
    for key in ("number", "hash", "zset", "long"):
        line = client("DEBUG", "OBJECT", key)
        fields = dict(field.split(":", 1) for field in line.removeprefix("Value ").split())
        assert fields["encoding"] == client("OBJECT", "ENCODING", key)
        assert fields["refcount"] == "1" or is_stock("tandem")
        assert 0 < int(fields["serializedlength"]) < len(client.raw("DUMP", key))
    assert int(fields["ql_nodes"]) > 1 and fields["ql_listpack_max"] == "-2"


def test_table_statistics_count_every_key(client):
    for n in range(1000):
        client("SET", n, n, "EX", 1000) if n % 10 == 0 else client("SET", n, n)
    text = client("DEBUG", "HTSTATS", 0)
    assert " number of elements: 1000\n" in text.split("[Expires HT]")[0]
    assert " number of elements: 100\n" in text.split("[Expires HT]")[1]
    assert "No stats available for empty dictionaries" in client("DEBUG", "HTSTATS", 9)


def test_scripts_may_call_what_they_may_not(client):
    script = "return redis.pcall('DEBUG', 'PROTOCOL', 'integer')"
    assert "not allowed from script" in client.error("EVAL", script, 0)
    client("DEBUG", "SET-DISABLE-DENY-SCRIPTS", 1)
    assert client("EVAL", script, 0) == 12345
    client("DEBUG", "SET-DISABLE-DENY-SCRIPTS", 0)
    assert "not allowed from script" in client.error("EVAL", script, 0)


def test_without_cron_nothing_expires_by_itself(client):
    client("DEBUG", "PAUSE-CRON", 1)
    client("SET", "soon", 1, "PX", 1)
    client("SET", "later", 1, "PX", 60)
    client("DEBUG", "SLEEP", "0.3")  # ticks pass by
    assert client("DBSIZE") == 2
    client("DEBUG", "PAUSE-CRON", 0)
    wait_until(lambda: client("DBSIZE") == 0, "expired keys go by themselves again")


def test_another_replication_id_costs_a_full_sync(start):
    primary, replica = start("tandem"), start("tandem")
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    with primary.connect() as client:
        client("SET", "a", 1)
        caught_up(primary, replica)
        before = primary.info("replication")["master_replid"]
        assert client("DEBUG", "CHANGE-REPL-ID") == "OK"
        after = primary.info("replication")
        assert after["master_replid"] != before and after["master_replid2"] == "0" * 40
        client("SET", "b", 2)
        wait_until(lambda: replica.info("replication")["master_replid"] == after["master_replid"],
                   "the replica knows the new id")
        assert_same(primary, replica)
    with replica.connect() as client:
        if not is_stock("tandem"):
            assert client.error("DEBUG", "CHANGE-REPL-ID").startswith("ERR")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_replicated_is_executed_by_replicas_only(start, kind):
    primary, replica = start("tandem"), start(kind)
    replica.follow(primary.port)
    wait_until(replica.link_up, "linked")
    with primary.connect() as client, replica.connect() as reader:
        assert client("DEBUG", "REPLICATE", "SET", "a", "there") == "OK"
        caught_up(primary, replica)
        assert client("GET", "a") is None and reader("GET", "a") == "there"
        client("DEBUG", "POPULATE", 100)
        client("SET", "a", "as here")
        caught_up(primary, replica)
        if kind == "tandem" and not is_stock("tandem"):
            assert_same(primary, replica)
            assert reader.error("DEBUG", "REPLICATE", "SET", "a", "b").startswith("ERR")


def test_all_of_the_configuration_is_written(start):
    without = start("tandem")
    with without.connect() as client:
        assert "CONFIG-REWRITE-FORCE-ALL failed" in client.error("DEBUG",
                                                                 "CONFIG-REWRITE-FORCE-ALL")
    server = start("tandem", launch=False)
    file = server.folder / "redis.conf"
    file.write_text("# mine\n")
    server.start()
    with server.connect() as client:
        client("CONFIG", "REWRITE")
        assert "maxclients" not in file.read_text()
        assert client("DEBUG", "CONFIG-REWRITE-FORCE-ALL") == "OK"
        text = file.read_text()
        assert "# mine\n" in text and "\nmaxclients 10000\n" in text
    server.stop()
    server.start()  # it understands what it has written


@pytest.mark.parametrize("word,number", [("PANIC", signal.SIGABRT), ("SEGFAULT", signal.SIGSEGV)])
def test_it_ends_as_it_is_asked_to(start, word, number):
    server = start("tandem")
    client = server.connect()
    client.send(encode("DEBUG", word))
    assert server.wait_exit(60) == -number
    assert "DEBUG PANIC" in server.log_text() or "crashed by signal" in server.log_text()
