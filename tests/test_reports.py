"""What people read: LATENCY's picture and events, MEMORY's reports, LOLWUT."""
import re

import pytest

from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import encode

GRAPH = re.compile(r"command - high (\d+) ms, low (\d+) ms \(all time high (\d+) ms\)\n-{80}\n"
                   r" \n \n \n_\n \n\d\ns\n")


@pytest.fixture(params=["tandem", "redis"])
def client(start, request):
    with start(request.param).connect() as connection:
        yield connection


def test_latency_graph(client):
    client("CONFIG", "SET", "latency-monitor-threshold", 10)
    assert client.error("LATENCY", "GRAPH", "command") == (
        "ERR No samples available for event 'command'")
    client("DEBUG", "SLEEP", 0.02)
    picture = GRAPH.fullmatch(client("LATENCY", "GRAPH", "command"))
    assert picture and 20 <= int(picture[1]) == int(picture[2]) == int(picture[3])
    assert "No samples" in client.error("LATENCY", "GRAPH", "COMMAND")
    client("HELLO", 3)
    assert client.raw("LATENCY", "GRAPH", "command").startswith(b"=")


def test_the_work_of_expiry_is_an_event(client):
    client("CONFIG", "SET", "latency-monitor-threshold", 1)
    client("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    for first in range(0, 60_000, 1000):
        client.send(b"".join(encode("SET", f"key:{number}", "x", "PX", 1)
                             for number in range(first, first + 1000)))
        for _ in range(1000):
            client.read_raw()
    client("DEBUG", "SET-ACTIVE-EXPIRE", 1)
    wait_until(lambda: any(event[0] == "expire-cycle" for event in client("LATENCY", "LATEST")),
               "it took long enough to be told")
    assert client("LATENCY", "HISTORY", "expire-cycle")


def test_memory_reports(client):
    assert client("MEMORY", "DOCTOR").endswith("\n") and client("MEMORY", "PURGE") == "OK"
    assert client("MEMORY", "MALLOC-STATS")
    client("SET", "k", "v")
    usage = client("MEMORY", "USAGE", "k")
    assert usage > 0
    for samples in (0, 5, 1_000_000):
        assert client("MEMORY", "USAGE", "k", "SAMPLES", samples) == usage
    assert client("MEMORY", "USAGE", "none") is None
    client("HELLO", 3)
    for report in ("DOCTOR", "MALLOC-STATS"):
        assert client.raw("MEMORY", report)[:1] in b"=$"


ERRORS = ["MEMORY USAGE", "MEMORY USAGE k SAMPLES", "MEMORY USAGE k SAMPLES x",
          "MEMORY USAGE k SAMPLES -1", "MEMORY USAGE k NOSUCH 1", "MEMORY DOCTOR x",
          "MEMORY MALLOC-STATS x", "MEMORY PURGE x", "MEMORY NOSUCH", "LATENCY GRAPH",
          "LATENCY GRAPH a b", "LOLWUT VERSION x", "LOLWUT VERSION 5 x", "LOLWUT VERSION 6 10 x",
          "LOLWUT VERSION 5 10 1 x"]


def test_errors_are_those_of_redis(start):
    ours, theirs = (start(kind).connect() for kind in ("tandem", "redis"))
    for client in (ours, theirs):
        client("SET", "k", "v")
    for line in ERRORS:
        assert ours.error(*line.split()) == theirs.error(*line.split()), line


def test_help_lists_the_same_as_in_redis(start):
    """But for HELP's own line, which 7.2 words otherwise."""
    helps = []
    for kind in ("tandem", "redis"):
        with start(kind).connect() as client:
            helps.append({name: client(name, "HELP")[:-1]
                          for name in ("LATENCY", "MEMORY", "PUBSUB", "COMMAND", "SLOWLOG")})
    assert helps[0] == helps[1]


def test_lolwut(client):
    for words in ([], ["VERSION", 5], ["VERSION", 6, 20, 5], ["VERSION", 99], ["x"], ["VERSION"]):
        text = client("LOLWUT", *words)
        assert re.search(r"Redis ver\. \d+\.\d+\.\d+\n$", text), words
    client("HELLO", 3)
    assert client.raw("LOLWUT").startswith(b"=")


@pytest.mark.skipif(is_stock("tandem"), reason="Tandem's own picture")
def test_lolwut_has_the_size_that_is_asked_for(server):
    with server.connect() as connection:
        picture = connection("LOLWUT", "VERSION", 6, 30, 7).splitlines()
        assert [len(line) for line in picture[:7]] == [30] * 7 and picture[7] == ""
        assert "o" in "".join(picture[:7])
        assert len(connection("LOLWUT", "VERSION", 5, 10**9).splitlines()[0]) == 1000
        assert len(connection("LOLWUT", "VERSION", 5, -5).splitlines()[0]) == 1
