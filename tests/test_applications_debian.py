"""Applications of Debian, each on Tandem and on redis-server: it must see the same on both."""
import http.cookies
import json
import os
import re
import threading
import urllib.request

import pytest
import redis

from harness.applications import PROGRAMS, program, run, running
from harness.load import caught_up
from harness.servers import ROOT, free_port
from harness.wait import wait_until

PYTHON = "/usr/bin/python3"
WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@pytest.fixture(params=["tandem", "redis"])
def server(request, start):
    return start(request.param)


def environment(**more):
    """For Python programs: what they import beside themselves, and no files left by that."""
    paths = f"{ROOT / 'tests'}:{PROGRAMS}"
    return {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", **more}


def python(name, folder, *arguments, seconds=90, **more):
    """What a program of tests/applications printed."""
    command = [PYTHON, PROGRAMS / f"{name}.py", *arguments]
    return json.loads(run(command, folder, seconds, env=environment(**more)))


def test_redis_py(server, tmp_path):
    assert python("redis_py", tmp_path, server.port) == {
        "pipelines": {"replies": ["True", WRONG_TYPE, "2"], "attempts": [2, 12], "doubled": "24",
                      "aborted": "ResponseError: Command # 2 (NOSUCH) of pipeline caused error: "
                                 "unknown command 'NOSUCH', with args beginning with: ",
                      "b": None},
        "locks": {"taken": [True, False], "extended": True, "got": [True],
                  "refused": "LockNotOwnedError: Cannot release a lock that's no longer owned"},
        "scripts": {"first": ["n", "x", 1], "piped": [["n", "y", 2]],
                    "unknown": "NoScriptError: No matching script. Please use EVAL."},
        "messages": {"before": [None, None], "receivers": 2, "heard": ["hello"], "handler": None,
                     "pattern": ["pmessage", "news", "hello"]},
        "streams": {"got": [{"n": "2"}, {"n": "3"}], "length": 3, "claimed": 1, "acked": 2,
                    "pending": [[2, "a", 1], [3, "a", 1]], "lag": 1},
        "collections": {"hash": {"name": "Ada", "born": "1815"}, "distance": 166274.1516,
                        "range": [["b", 2.5], ["c", 3.0]], "count": True, "bits": [0, 44],
                        "scanned": 500, "wrong": f"ResponseError: {WRONG_TYPE}",
                        "config": {"maxmemory-policy": "noeviction"},
                        "cluster": 'RedisClusterException: ERROR sending "cluster slots" command '
                                   f"to redis server 127.0.0.1:{server.port}. error: Cluster mode "
                                   "is not enabled on this node"},
    }


def test_rq(server, tmp_path):
    url = f"redis://127.0.0.1:{server.port}"
    command = [program("rq"), "worker", "--with-scheduler", "--url", url, "work"]
    with running(command, tmp_path, env=environment()) as worker:
        seen = python("rq_jobs", tmp_path, server.port)
        assert worker.stop() == 0, worker.said()
    assert seen == {
        "results": ["finished", [0.5, 1.5], 2.0, True],
        "failures": {"ends": ["failed", "finished", "failed"],
                     "cause": "ZeroDivisionError: division by zero", "attempts": 3,
                     "result": "at last", "listed": True, "dependent": "deferred", "left": True},
        "later": {"before": ["scheduled", "scheduled", 2], "ended": "finished", "result": 4.0,
                  "waited": True, "cancelled": "canceled", "left": 0},
        "stopped": ["stopped", "finished", ["work"]],
    }
    with redis.Redis(port=server.port) as client:
        assert client.smembers("rq:workers") == set(), "a worker that ends takes itself off"


def test_celery(server, tmp_path):
    url = f"redis://127.0.0.1:{server.port}"
    command = [PYTHON, "-m", "celery", "-A", "celery_tasks", "worker", "--concurrency", 2]
    with running(command, tmp_path, env=environment(SERVER_URL=url)) as worker:
        seen = python("celery_tasks", tmp_path, SERVER_URL=url)
        assert worker.stop() == 0, worker.said()
    assert seen == {
        "results": [5, True, 0],
        "workflows": {"chain": 10, "group": [2 * n for n in range(20)], "chord": 45},
        "failures": {"cause": "division by zero", "state": "FAILURE", "retries": 2},
        "later": {"pongs": [[{"ok": "pong"}]], "soon": 8, "revoked": "REVOKED",
                  "expired": "REVOKED"},
        "queues": [5, 5, 0, 0],
    }
    with redis.Redis(port=server.port) as client:
        back = client.llen("celery"), client.hlen("unacked")
        assert back == (1, 0), "what was for later waits again"


class Metrics:
    """What prometheus-redis-exporter tells: families is {(name, label names): {labels: value}}."""

    SAMPLE = re.compile(r"^(redis_\w+)(?:\{(.*)\})? (\S+)$", re.M)

    def __init__(self, server, folder):
        port = free_port()
        command = [program("prometheus-redis-exporter"),
                   "-redis.addr", f"redis://127.0.0.1:{server.port}",
                   "-web.listen-address", f"127.0.0.1:{port}", "-include-system-metrics",
                   "-include-config-metrics", "-export-client-list",
                   "-check-single-keys", "db0=word,db0=queue", "-check-single-streams", "db0=log",
                   "-check-keys", "word*", "-count-keys", "db0=*", "-check-key-groups", "^(.)"]
        folder.mkdir()
        with running(command, folder) as exporter:
            exporter.wait_for(lambda: self.ask(port, "health"), "the exporter answers")
            text = self.ask(port, "metrics")
            self.said = exporter.said()
        self.types = dict(re.findall(r"^# TYPE (redis_\S+) (\S+)", text, re.M))
        self.families = {}
        for name, labels, value in self.SAMPLE.findall(text):
            pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)
            family = self.families.setdefault((name, tuple(label for label, _ in pairs)), {})
            family[tuple(value for _, value in pairs)] = float(value)

    @staticmethod
    def ask(port, page):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=20) as answer:
            return answer.read().decode()

    def values(self, name):
        """By the labels' values; of a family without labels, the value."""
        (found,) = [family for (each, _), family in self.families.items() if each == name]
        return found.get((), found)


def monitored(start, kind, folder):
    """Metrics of a primary with all that the exporter looks at, and of its replica."""
    primary = start(kind, "--slowlog-log-slower-than", "0", "--latency-monitor-threshold", "5")
    replica = start(kind)
    replica.follow(primary.port)
    caught_up(primary, replica)
    with redis.Redis(port=primary.port) as client, redis.Redis(port=primary.port) as watcher:
        client.client_setname("shop")
        watcher.ping()
        client.set("word", 17, ex=1000)
        client.rpush("queue", "a", "b", "c")
        client.xadd("log", {"a": "b"}, id="1-1")
        client.xgroup_create("log", "readers", "0")
        client.xreadgroup("readers", "ann", {"log": ">"})
        client.config_resetstat()
        for _ in range(3):
            client.get("word")
        for command in ("LPUSH word 1", "GET"):
            with pytest.raises(redis.ResponseError):
                client.execute_command(command)
        client.eval("for i = 1, 5000000 do end", 0)  # no computer does that in 5 ms
        caught_up(primary, replica)
        return (Metrics(primary, folder / f"{kind}-primary"),
                Metrics(replica, folder / f"{kind}-replica"))


def test_prometheus_redis_exporter(start, tmp_path):
    """Every family that it finds on redis-server, with the same labels and of the same type."""
    stock = monitored(start, "redis", tmp_path)
    tandem = monitored(start, "tandem", tmp_path)
    for ours, theirs, role in zip(tandem, stock, ("master", "slave")):
        assert len(theirs.families) > 130
        assert sorted(theirs.families.keys() - ours.families.keys()) == []
        assert {name: ours.types.get(name) for name in theirs.types} == theirs.types
        for metrics in (ours, theirs):
            assert metrics.values("redis_up") == 1
            assert metrics.values("redis_exporter_last_scrape_error") == {("",): 0}, metrics.said
            assert "level=error" not in metrics.said, metrics.said
            assert any(role in labels for labels in metrics.values("redis_instance_info"))
        known, own = ({labels[0] for labels in metrics.values("redis_config_key_value")}
                      for metrics in (theirs, ours))
        assert known - own <= {"aof-disable-auto-gc"}, "which Redis shows no longer since 7.2"


def test_what_the_exporter_tells_is_so(start, tmp_path, server):
    primary, replica = monitored(start, server.kind, tmp_path)
    expected = {
        "redis_connected_slaves": 1, "redis_errors_total": {("ERR",): 1, ("WRONGTYPE",): 1},
        "redis_stream_length": {("db0", "log"): 1},
        "redis_stream_group_messages_pending": {("db0", "readers", "log"): 1},
        "redis_keys_count": {("db0", "*"): 3},
    }
    assert {name: primary.values(name) for name in expected} == expected
    assert primary.values("redis_slowlog_length") >= 5
    assert primary.values("redis_latency_spike_last")[("command",)] >= 0.005
    assert primary.values("redis_key_size")[("db0", "queue")] == 3
    assert primary.values("redis_key_value")[("db0", "word")] == 17
    assert primary.values("redis_db_keys")[("db0",)] == 3
    assert primary.values("redis_db_keys_expiring")[("db0",)] == 1
    assert primary.values("redis_commands_total")[("get",)] == 3
    assert primary.values("redis_commands_failed_calls_total")[("lpush",)] == 1
    assert primary.values("redis_commands_rejected_calls_total")[("get",)] == 1
    assert primary.values("redis_keyspace_hits_total") >= 3
    assert primary.values("redis_memory_used_bytes") > 100000
    assert replica.values("redis_connected_slaves") == 0
    assert list(replica.values("redis_master_link_up").values()) == [1]


class Visitor:
    """A browser with a cookie."""

    def __init__(self, address):
        self.address = address
        self.cookie = None

    def ask(self, do="visit", more=""):
        request = urllib.request.Request(f"{self.address}/?do={do}{more}")
        if self.cookie:
            request.add_header("Cookie", f"PHPSESSID={self.cookie}")
        with urllib.request.urlopen(request, timeout=40) as answer:
            for header in answer.headers.get_all("Set-Cookie", []):
                self.cookie = http.cookies.SimpleCookie(header)["PHPSESSID"].value
            return json.loads(answer.read())

    def visits(self):
        seen = self.ask()
        assert seen["started"] and seen["written"] and seen["warnings"] == [], seen
        return seen["visits"]


@pytest.fixture
def shop(server, tmp_path):
    """The address of sessions.php, served by three processes."""
    port = free_port()
    settings = {"session.save_handler": "redis", "session.gc_maxlifetime": 500,
                "session.save_path": f"tcp://127.0.0.1:{server.port}?prefix=shop:&database=2",
                "redis.session.locking_enabled": 1, "redis.session.lock_retries": 200,
                "redis.session.lock_wait_time": 20000, "redis.session.lock_expire": 60}
    options = [word for name, value in settings.items() for word in ("-d", f'{name}="{value}"')]
    command = [program("php"), *options, "-S", f"127.0.0.1:{port}", PROGRAMS / "sessions.php"]
    workers = {"PHP_CLI_SERVER_WORKERS": "3", "SERVER_PORT": str(server.port)}
    with running(command, tmp_path, env={**os.environ, **workers}) as php:
        address = f"http://127.0.0.1:{port}"
        php.wait_for(lambda: Visitor(address).ask(more="&read=1"), "PHP answers")
        yield address


def test_php_sessions(server, shop):
    ann, bob = Visitor(shop), Visitor(shop)
    assert [ann.visits(), ann.visits(), ann.visits(), bob.visits()] == [1, 2, 3, 1]
    with redis.Redis(port=server.port, db=2, decode_responses=True) as client:
        key = f"shop:{ann.cookie}"
        assert 490 < client.ttl(key) <= 500 and "visits|i:3;" in client.get(key)
        assert not client.exists(f"{key}_LOCK"), "a lock is let go with its session"
        former = ann.cookie
        assert ann.ask("renew")["renewed"] and ann.cookie != former
        assert not client.exists(key) and ann.visits() == 4
        client.expire(f"shop:{ann.cookie}", 0)
        assert ann.visits() == 1, "a session whose time is over is a new one"
        ann.ask("leave")
        assert not client.exists(f"shop:{ann.cookie}") and bob.visits() == 2


def test_php_sessions_are_locked(server, shop):
    """Of two requests in one session the second sees what the first wrote."""
    ann = Visitor(shop)
    ann.visits()
    answers = {}
    holding = threading.Thread(target=lambda: answers.update(first=ann.ask("hold")))
    waiting = threading.Thread(target=lambda: answers.update(second=ann.ask()))
    with redis.Redis(port=server.port, decode_responses=True) as client:
        def attempts():
            return client.info("commandstats")["cmdstat_set"]["calls"]

        holding.start()
        assert client.blpop("held", 20) == ("held", ann.cookie)
        before = attempts()
        waiting.start()
        wait_until(lambda: attempts() >= before + 2, "the second tries to lock, again and again")
        assert "second" not in answers
        client.rpush("go on", 1)
        holding.join(40)
        waiting.join(40)
    assert (answers["first"]["visits"], answers["second"]["visits"]) == (100, 101), answers


def test_php_tells_when_its_server_refuses(server, shop):
    """A session that could not be written is no success."""
    ann = Visitor(shop)
    ann.visits()
    with redis.Redis(port=server.port) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        seen = ann.ask(more="&unlocked=1")
        client.execute_command("REPLICAOF", "NO", "ONE")
    assert seen["refused"] == "READONLY You can't write against a read only replica."
    assert "written" not in seen and ann.visits() == 2
