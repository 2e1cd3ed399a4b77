"""./dev bench works, whatever it measures: figures of a test machine prove nothing."""
import os
import re
import subprocess
import sys

import pytest

from harness.servers import ROOT, is_stock

FIGURES = {
    **{f"{name} at pipeline {depth}, CPU time an operation": "us"
       for name in ("SET", "GET") for depth in (1, 16, 64)},
    **{f"{name} at pipeline 16, CPU time an operation": "us" for name in (
        "PING", "LPUSH", "RPOP", "SADD", "HSET", "ZADD", "ZPOPMIN", "LRANGE of 100 elements",
        "MSET of ten keys", "XADD", "EVAL of a small script", "ZADD to a million members",
        "ZRANK among a million members")},
    "memory a key (16 B key, 8 B value)": "bytes",
    **{f"memory, a million {name}": "bytes" for name in (
        "small hashes of five fields", "members of a sorted set", "members of a set",
        "entries of a stream")},
    **{f"{policy}, {what}: reads that find their key": "%"
       for what in ("room for a tenth of the keys", "the same memory")
       for policy in ("allkeys-lru", "allkeys-lfu")},
    **{f"{stream}: {name}": unit
       for stream in ("SET of 32 bytes", "a mix of all types", "MULTI of ten SET", "SET of one key")
       for name, unit in (("applied a second", "/s"), ("CPU time a command", "us"),
                          ("applied a second, two threads beside one", "/s"))},
    **{f"a primary at pipeline 64 with its replica: {name}": unit
       for name, unit in (("SET a second", "/s"), ("lag, median", "MB"), ("lag, longest", "MB"))},
    "full sync until caught up": "s",
    "extra memory at the peak, share of the data": "%",
    "longest wait of a GET during the sync": "ms",
    "longest wait of a GET at an idle server beside it": "ms",
    **{f"texts, rdbcompression {compression}: {name}": unit
       for compression in ("yes", "no") for name, unit in (
           ("full sync until caught up", "s"),
           ("extra memory at the peak, share of the data", "%"),
           ("longest wait of a GET during the sync", "ms"),
           ("longest wait of a GET at an idle server beside it", "ms"),
           ("writes lost beside the sync, share of the load", "%"),
           ("the primary's CPU time for the sync", "s"))},
    **{f"small collections: {name}": "s" for name in (
        "full sync until caught up", "the primary's CPU time for the sync")},
}


@pytest.mark.skipif(is_stock("tandem"), reason="it measures Tandem beside a stock server")
def test_a_quick_round_gives_every_figure_and_writes_no_page(tmp_path):
    page = ROOT / "docs" / "benchmarks.md"
    before = page.read_bytes(), page.stat().st_mtime_ns
    done = subprocess.run([sys.executable, ROOT / "bench" / "run.py", "--quick"], text=True,
                          env={**os.environ, "TMPDIR": str(tmp_path)}, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]]
            for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    assert [row[0] for row in rows] == list(FIGURES)
    for name, ours, theirs, *_ in rows:
        for figure in (ours, theirs):
            assert re.fullmatch(rf"[0-9.e+-]+ {FIGURES[name]}", figure), (name, figure)
            assert float(figure.split()[0]) > 0 or FIGURES[name] in ("%", "MB"), (name, figure)
    assert (page.read_bytes(), page.stat().st_mtime_ns) == before
    assert list(tmp_path.iterdir()) == [], "its servers' folders are gone"
