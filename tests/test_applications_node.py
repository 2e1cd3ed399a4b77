"""Applications of npm. Each runs on Tandem and on redis-server, and must see the same on both."""
import json
import re
import urllib.parse
import urllib.request

import pytest
import redis

from harness.applications import PROGRAMS, node, node_modules, program, running
from harness.servers import free_port, is_stock

INTEGER = "ERR value is not an integer or out of range"
WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
BUSY_GROUP = "BUSYGROUP Consumer Group name already exists"
NO_CLUSTER = "ERR This instance has cluster support disabled"


@pytest.fixture(params=["tandem", "redis"])
def server(request, start):
    return start(request.param)


def test_what_is_installed_is_exact():
    """The same versions everywhere, from whichever registry a machine knows."""
    named, lock = ((PROGRAMS / name).read_text() for name in ("package.json", "package-lock.json"))
    versions = json.loads(named)["dependencies"]
    assert all(re.fullmatch(r"[\d.]+", version) for version in versions.values())
    packages = json.loads(lock)["packages"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in versions} == versions
    assert not any("resolved" in package for package in packages.values())
    assert all("integrity" in package for path, package in packages.items() if path)


def test_ioredis_pipelines_transactions_and_scripts(server):
    assert node("ioredis_commands", server.port) == {
        "pipelines": {"mixed": ["OK", INTEGER, 2, ["2", "1"]], "last": [None, 12497500],
                      "errors": 0, "together": 100, "counted": True, "keys": 100},
        "transactions": {
            "done": [[None, "OK"], [None, 7], [None, "7"]], "conflict": None,
            "alone": [[None, 101]], "balance": "101", "failing": ["OK", WRONG_TYPE, "OK"],
            "after": "1",
            "aborted": "EXECABORT Transaction discarded because of previous errors."},
        "scripts": {
            "first": [4, -1, '{"v":4}'], "again": [8, -1, '{"v":8}'], "capped": "CAPPED at 10",
            "unknown": "NOSCRIPT No matching script. Please use EVAL.", "value": "10", "twice": 52,
            "readonly": "ERR Write commands are not allowed from read-only scripts. script"},
    }


def test_ioredis_messages_and_consumer_groups(server):
    assert node("ioredis_messages", server.port) == {
        "channels": {
            "counts": [2, 3], "receivers": [2, 1, 1, 0],
            "heard": [["news", "one"], ["n*", "news", "one"], ["sport", "two"],
                      ["n*", "nobody's", "three"]],
            "known": ["news", 1, "elsewhere", 0], "after": None,
            "refused": "Connection in subscriber mode, only subscriber commands may be used"},
        "groups": {
            "again": BUSY_GROUP, "got": ["milk", "tea"], "acknowledged": 1, "pending": [1, ["1"]],
            "claimed": ["0-0", 1, []], "nothing": [["orders", []]],
            "group": ["name", "shop", "consumers", 3, "pending", 1, "last-delivered-id", 1,
                      "entries-read", 2, "lag", 1]},
    }


def test_node_redis(server):
    """Over RESP3, so that maps, doubles and booleans come as such."""
    entry = '{"id":"ID","message":{"item":"tea"}}'
    assert node("node_redis", server.port) == {
        "pipelines": {"last": 1999000, "mixed": ["OK", INTEGER, "a"], "hash": {"a": "1", "b": "2"},
                      "board": [{"value": "x", "score": 1.5}, {"value": "y", "score": 2}],
                      "score": 1.5, "absent": None, "scanned": ["board"]},
        "transactions": {"done": ["OK", 7, "7"], "conflict": True, "balance": "100",
                         "failing": ["OK", WRONG_TYPE, "OK"], "after": "1"},
        "scripts": {"first": 8, "again": 16, "known": [1], "types": '[3,3.25,{"a":1},true,{}]'},
        "messages": {"receivers": 2, "asked": "a", "channels": ["news"], "fewer": 1,
                     "heard": [["news", "one"], ["n?ws", "news", "one"]]},
        "groups": {
            "again": BUSY_GROUP, "got": '{"orders":[["ID",["item","tea"]]]}', "acknowledged": 1,
            "pending": '{"pending":1,"firstId":"ID","lastId":"ID",'
                       '"consumers":[{"name":"a","deliveriesCounter":1}]}',
            "claimed": f'{{"nextId":"0-0","messages":[{entry}],"deletedMessages":[]}}',
            "group": '{"name":"shop","consumers":2,"pending":0,"last-delivered-id":"ID",'
                     '"entries-read":1,"lag":0}'},
    }


def test_node_redis_client_side_cache(server):
    """A value that another client changed is never read from the cache again."""
    assert node("node_redis_cache", server.port) == {
        "first": ["1", "1", "1"], "cached": {"hits": 1, "misses": 2, "size": 2}, "known": [1, 2],
        # How it changed: the key that was told, what is read then, whether that is cached anew.
        "seen": {"written": ["price", "12", True], "transaction": ["price", "3", True],
                 "script": ["price", "2", True], "renamed": ["price", None, True],
                 "expired": ["price", None, True], "flushed": [None, None, True]},
        "ownKey": "price", "last": ["9", "9"], "hits": 2,
    }


def counts(**some):
    names = ["active", "completed", "delayed", "failed", "paused", "prioritized", "waiting",
             "waiting-children"]
    return {**dict.fromkeys(names, 0), **some}


def test_bullmq(server):
    seen = node("bullmq_jobs", server.port)
    assert seen["states"] == {
        "before": counts(delayed=3, prioritized=2, waiting=1),
        "named": ["delayed", "prioritized", "waiting"], "same": True,
        "result": {"took": "delayed"}, "first": ["plain", "high", "low"],
        "rest": ["delayed", "far"], "waited": True,
        "finished": ["completed", {"took": "plain"}, 50, {"text": "hé"}], "logs": ["did plain"],
        "paused": counts(completed=5, delayed=1, paused=1),
        "after": counts(completed=5, paused=1), "cleaned": 5, "obliterated": [],
    }
    assert seen["failures"] == {
        "outcomes": [{"succeeded": "ok"}, "always", "no use"], "retried": "waiting",
        "attempts": ["failing 0", "failing 1", "flaky 0", "flaky 1", "flaky 2", "hopeless 0"],
        "failed": [["failing", "always", 2], ["hopeless", "no use", 1]], "traced": True,
    }
    assert seen["repeats"] == {
        "ran": [["tick", 7]] * 3, "yearly": [["yearly", "0 0 1 1 *"]], "delayed": 1,
        "removed": [True, False], "left": 0,
    }
    assert seen["flows"] == {"waiting": "waiting-children", "sum": 60}
    assert seen["stalls"] == {"active": "active", "stalled": True, "result": "rescued"}
    assert seen["orphans"] == {"states": "unknown", "removed": 3, "there": [1, 0, 0, 0], "again": 0}


def test_moleculer_channels(server):
    """One group's members share what comes, and what one of them left undone is not lost."""
    every = list(range(1, 21))
    assert node("moleculer_channels", server.port) == {
        "once": every, "all": every, "attempts": [99, 99], "dead": [99], "deadStream": 1,
        "after": ["one", 21], "taken": 1, "claimed": [22],
        "groups": [["audit", 0], ["billing", 0]],
    }


@pytest.mark.parametrize("client", ["redis", "ioredis"])
def test_socketio_with_the_sharded_adapter(server, client):
    assert node("socketio_sharded", server.port, client) == {
        "broadcast": ["from first", {"n": 1}], "binary": [0, 255], "room": ["inside"],
        "channels": ["socket.io#/#lobby#"], "notSharded": [], "answers": [42],
        "acknowledged": ["here", "yes"], "sockets": [2, True], "far": ["far"],
        "gone": "io server disconnect", "left": 1,
    }


class Commander:
    """redis-commander, by the calls that its pages make."""

    def __init__(self, server, address):
        self.address = address
        self.connection = f"R:127.0.0.1:{server.port}:0"

    def ask(self, path, **form):
        """The answer's text; a form is sent as by a browser."""
        body = urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(f"{self.address}/{path}", body, timeout=20) as answer:
            return answer.read().decode()

    def api(self, call, path="", **form):
        text = self.ask(f"apiv2/{call}/{self.connection}{path}", **form)
        return json.loads(text) if text.startswith("{") else text

    def tree(self, prefix=""):
        return [(node["text"], node.get("rel")) for node in self.api("keystree", prefix)["data"]]

    def typed(self, line):
        """What its command line shows."""
        return self.api("exec", cmd=line)["data"]

    def connected(self):
        return self.ask("apiv2/connection") == "true"


@pytest.fixture
def commander(server, tmp_path):
    port = free_port()
    path = node_modules() / "node_modules" / "redis-commander" / "bin" / "redis-commander.js"
    command = [program("node"), path, "--redis-host", "127.0.0.1", "--redis-port", server.port,
               "--address", "127.0.0.1", "--port", port, "--noload", "--nosave"]
    with running(command, tmp_path) as process:
        commander = Commander(server, f"http://127.0.0.1:{port}")
        process.wait_for(commander.connected, "redis-commander is connected")
        yield commander


def test_redis_commander(server, commander):
    with redis.Redis(port=server.port, decode_responses=True) as client:
        for i in range(5):
            client.set(f"shop:item:{i}", f"value {i}", ex=1000)
        client.hset("shop:cart", mapping={"tea": 1})
        client.rpush("shop:queue", "a", "b", "c")
        client.zadd("shop:ranks", {"x": 1.5})
        client.sadd("shop:tags", "new")
        client.xadd("shop:log", {"a": "b"}, id="1-1")
        info = {row["key"]: row["value"] for row in json.loads(
            commander.ask("apiv2/server/info"))["data"][0]["info"]}
        assert info["Redis mode"] == "standalone" and info["Role"] == "master"
        assert int(info["Connected clients"]) >= 1 and info["Db0"].startswith("keys=10,expires=5,")
        assert commander.tree() == [("shop:* (10)", None)]
        assert commander.tree("/shop:") == [
            ("cart", "hash"), ("item:* (5)", None), ("log (1)", "stream"), ("queue (3)", "list"),
            ("ranks (1)", "zset"), ("tags (1)", "set")]
        shown = commander.api("key", "/shop:item:3")
        assert shown["value"] == "value 3" and 900 < shown["ttl"] <= 1000
        assert commander.api("key", "/shop:cart")["data"] == {"tea": "1"}
        assert commander.api("key", "/shop:log")["items"][0]["timestamp"] == "1-1"
        queue = commander.api("key", "/shop:queue")["items"]
        assert [item["value"] for item in queue] == ["a", "b", "c"]

        commander.api("key", "/shop:cart", keyType="hash", fieldName="milk", stringValue="2")
        commander.api("key", "/shop:tags?action=delete", sent="1")
        assert client.hgetall("shop:cart") == {"tea": "1", "milk": "2"}
        assert not client.exists("shop:tags")
        assert commander.typed("INCRBY sum 5") == 5 and client.get("sum") == "5"
        assert commander.typed("LPUSH sum 1") == WRONG_TYPE
        assert commander.typed("XINFO STREAM shop:log")["length"] == 1
        assert commander.typed("JSON.GET sum") == (
            "ERR unknown command 'json.get', with args beginning with: 'sum' ")
        assert commander.typed("CLUSTER NODES") == NO_CLUSTER


def names_of(server):
    with redis.Redis(port=server.port, decode_responses=True) as client:
        return set(client.execute_command("COMMAND LIST"))


def test_what_is_not_there_is_shown_as_an_error(start):
    """Every command that redis-server has and Tandem has not, some of modules, and cluster
    clients."""
    tandem, stock = start("tandem"), start("redis")
    absent = sorted(names_of(stock) - names_of(tandem))
    calls = [name.split("|") for name in absent]
    calls += [call.split() for call in [
        "JSON.SET a $ 1", "FT.SEARCH index *", "BF.ADD filter a", "TS.ADD series * 1", "HELLO 4"]]
    if not is_stock("tandem"):
        calls += [["CONFIG", "SET", "appendonly", "yes"], ["CONFIG", "SET", "tls-port", "1"]]
    shown = node("unsupported", tandem.port, json.dumps(calls))
    for call in shown["seen"]:
        assert call["after"] == [call["words"][0]] * 2, call
        assert all(isinstance(text, str) and text for text in call["shown"]), call
        assert call["shown"][0] == call["shown"][1], call
    assert shown["told"] == [NO_CLUSTER] * 2
    assert shown["clusters"] == ["None of startup nodes is available",
                                 "All the root nodes are unavailable"]
    beside = node("unsupported", stock.port, "[]")
    assert (beside["told"], beside["clusters"]) == (shown["told"], shown["clusters"])
