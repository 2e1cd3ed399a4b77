"""./dev bench: Tandem beside Debian's redis-server, in turn, and docs/benchmarks.md from the
results.

    ./dev bench                     all, five rounds, written to docs/benchmarks.md
    ./dev bench --only sync         one of: commands, sync, memory (printed, not written)
    ./dev bench --quick             one short round, to see that it works (printed, not written)

Each round measures Tandem and redis-server in turn; the ratio is taken within a round, so that
what the machine does meanwhile falls on both.
"""
import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests")]
import measure  # noqa: E402
from harness.servers import Server  # noqa: E402


KINDS = ("tandem", "redis")


def in_turn(take):
    return lambda: {kind: take(kind) for kind in KINDS}


@dataclass
class Row:
    """One figure: a value of each side a round, and what the ratio or the value must keep."""

    name: str
    unit: str
    ours: list
    theirs: list
    limit: str

    def line(self):
        ratios = [a / b for a, b in zip(self.ours, self.theirs) if b]
        spread = f"{min(ratios):.2f}-{max(ratios):.2f}" if ratios else "-"
        middle = f"{statistics.median(ratios):.2f}" if ratios else "-"
        sides = [f"{statistics.median(side):.4g} {self.unit}" for side in (self.ours, self.theirs)]
        return "| " + " | ".join([self.name, *sides, middle, spread, self.limit]) + " |"


class Bench:
    """Runs the rounds; a server lives in a temporary folder and is stopped by its process id."""

    def __init__(self, options):
        self.rounds = 1 if options.quick else options.rounds
        self.keys = 20_000 if options.quick else 1_000_000
        self.slices = 1 if options.quick else measure.SLICES
        # SETs a second beside a sync, and the share of them that must have been possible.
        self.load = (2_000, 0) if options.quick else (20_000, 0.95)
        self.folder = Path(tempfile.mkdtemp(prefix="tandem-bench-"))
        self.started = 0

    @contextlib.contextmanager
    def server(self, kind, *arguments):
        self.started += 1
        extra = ["--worker-threads", "1"] if kind == "tandem" else []
        server = Server(kind, self.folder / str(self.started), "--save", "", "--bind", "127.0.0.1",
                        *extra, *arguments, defaults=False)
        try:
            yield server.start()
        finally:
            server.stop()

    def rounds_of(self, take):
        """take() -> {kind: {name: value}}; those of all rounds as {name: ([ours], [theirs])}."""
        found = {}
        for number in range(self.rounds):
            taken = take()
            for side, kind in enumerate(KINDS):
                for name, value in taken[kind].items():
                    found.setdefault(name, ([], []))[side].append(value)
                    print(f"round {number + 1} {kind:6} {name}: {value:.4g}", flush=True)
        return found

    def commands(self):
        limits = {1: "<= 1.00", 16: "<= 0.70", 64: "<= 0.55"}

        def take():
            with self.server("tandem") as ours, self.server("redis") as theirs:
                return measure.command_costs({"tandem": ours, "redis": theirs}, self.keys,
                                             self.slices)

        return [Row(f"{name}, CPU time an operation", "us", ours, theirs,
                    limits[int(name.split()[-1])])
                for name, (ours, theirs) in self.rounds_of(take).items()]

    def memory(self):
        def take(kind):
            with self.server(kind) as server:
                return measure.key_cost(server, self.keys)

        return [Row(name, "bytes", ours, theirs, "<= 0.55")
                for name, (ours, theirs) in self.rounds_of(in_turn(take)).items()]

    def sync(self):
        limits = {"full sync until caught up": ("s", "<= 1.00"),
                  "extra memory at the peak, share of the data": ("%", "ours <= 10 %"),
                  "longest wait of a GET during the sync": ("ms", "ours <= 5 ms")}

        def take(kind):
            with (self.server(kind, "--repl-diskless-sync-delay", "0") as primary,
                  self.server(kind) as replica):
                return measure.full_sync(primary, replica, self.keys, *self.load)

        return [Row(name, limits[name][0], ours, theirs, limits[name][1])
                for name, (ours, theirs) in self.rounds_of(in_turn(take)).items()]


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB of memory"


PAGE = """# Benchmarks

Tandem with one worker beside redis-server {peer}, measured in turn on one machine of {machine},
load and servers together over loopback. {rounds} rounds; the columns are medians, the ratio is
Tandem's figure divided by redis-server's in the same round (its median and its spread).
`./dev bench` measures again and rewrites this page.

| figure | Tandem | redis-server | ratio | spread | aim |
|---|---|---|---|---|---|
{table}

CPU time is what the kernel counts for the server's threads, divided by the operations of
redis-benchmark with 50 clients, 32-byte values and a million keys; the number after SET and GET is
the pipeline's depth. In a round each of these figures is the sum of ten slices in which the servers
take turns. The sync is of a million values of 100 bytes while 20,000 SET a second go on,
from REPLICAOF until the replica has what was written before its link came up; memory is that of the
server and its children, shared pages counted once; a GET is sent every millisecond beside it.
Memory a key is the growth of the resident set.
"""


def report(rows, rounds):
    done = subprocess.run(["redis-server", "--version"], capture_output=True, text=True)
    peer = done.stdout.split()[2].removeprefix("v=")
    table = "\n".join(row.line() for row in rows)
    return PAGE.format(peer=peer, machine=machine(), rounds=rounds, table=table)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["commands", "sync", "memory"])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    try:
        rows = []
        for part in ([options.only] if options.only else ["commands", "memory", "sync"]):
            rows += getattr(bench, part)()
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
    text = report(rows, bench.rounds)
    print(text)
    if not options.only and not options.quick:
        page = ROOT / "docs" / "benchmarks.md"
        page.parent.mkdir(exist_ok=True)
        page.write_text(text)


main()
