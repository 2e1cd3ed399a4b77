"""./dev bench: Tandem beside Debian's redis-server, in turn, and docs/benchmarks.md from the
results.

    ./dev bench                     all, five rounds, written to docs/benchmarks.md
    ./dev bench apply               one of: commands, types, memory, hits, apply, lag, sync,
                                    snapshots
                                    (printed, not written)
    ./dev bench --plots             measures what the plots show, and draws them into docs/plots
    ./dev bench --scale 0.1         a tenth of the keys in the syncs of snapshots
    ./dev bench --quick             one short round, to see that it works (printed, not written)

Each round measures Tandem and redis-server in turn; the ratio is taken within a round, so that
what the machine does meanwhile falls on both. What each GET waited beside a sync lies in
build/bench-waits afterwards, a file a sync: [[second, milliseconds], ...].
"""
import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests")]
import hits  # noqa: E402
import measure  # noqa: E402
import plots  # noqa: E402
import replica  # noqa: E402
import sync  # noqa: E402
import types_of_values  # noqa: E402
from harness.servers import Server  # noqa: E402


KINDS = ("tandem", "redis")
WAITS = ROOT / "build" / "bench-waits"
PLOTS = ROOT / "docs" / "plots"
PARTS = ("commands", "types", "memory", "hits", "apply", "lag", "sync", "snapshots")
PLOTTED_DEPTHS = (1, 4, 16, 64)
SNAPSHOT_ROUNDS_MAX = 3  # they take long, and differ little


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
        quick = options.quick
        self.rounds = 1 if quick else options.rounds
        self.keys = 20_000 if quick else 1_000_000
        self.slices = 1 if quick else measure.SLICES
        self.load = sync.Load(2_000) if quick else sync.Load(20_000, least=0.95)
        # The syncs of snapshots: what writers lose is a figure there.
        self.stream = 20_000 if quick else 2_000_000
        self.writes = 20_000 if quick else 4_000_000
        self.texts = 20_000 if quick else int(2_000_000 * options.scale)
        self.collections = 10_000 if quick else int(100_000 * options.scale)
        self.free_load = sync.Load(self.load.rate)
        # Of so many keys, so many, so many a second.
        self.reads = (200_000, 20_000, 10**9) if quick else (200_000, 1_000_000, 100_000)
        self.waits = None if quick else WAITS
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

    @contextlib.contextmanager
    def pair(self, kind, *arguments):
        """A primary and a replica that does not follow it yet."""
        with (self.server(kind, "--repl-diskless-sync-delay", "0", *arguments) as primary,
              self.server(kind, *arguments) as replica):
            yield primary, replica

    @contextlib.contextmanager
    def trio(self, kind, *arguments):
        """The same, and a server that has nothing to do with them."""
        with self.pair(kind, *arguments) as (primary, replica), self.server(kind) as bystander:
            yield primary, replica, bystander

    def keep(self, waits, *names):
        """Of one sync, for whoever wants to see them drawn."""
        if self.waits is None:
            return
        self.waits.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^a-z0-9]+", "-", " ".join(map(str, names)).lower())
        (self.waits / f"{name}.json").write_text(json.dumps(waits))

    def rounds_of(self, take, rounds=None):
        """take() -> {kind: {name: value}}; those of all rounds as {name: ([ours], [theirs])}."""
        found = {}
        for number in range(rounds or self.rounds):
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

    def types(self):
        limits = {"EVAL of a small script": "<= 1.00", "PING": ""}

        def take():
            with self.server("tandem") as ours, self.server("redis") as theirs:
                return types_of_values.command_costs({"tandem": ours, "redis": theirs}, self.keys,
                                                     self.keys // 20, self.slices)

        return [Row(f"{name} at pipeline {types_of_values.DEPTH}, CPU time an operation", "us",
                    ours, theirs, limits.get(name, "<= 0.70"))
                for name, (ours, theirs) in self.rounds_of(take).items()]

    def memory(self):
        def take(kind):
            with self.server(kind) as server:
                return measure.key_cost(server, self.keys)

        def take_collections(kind):
            costs = {}  # in servers of their own: none takes what another has given back
            for name in types_of_values.COLLECTIONS:
                with self.server(kind) as server:
                    costs[name] = types_of_values.memory_cost(server, name, self.keys)
            return costs

        return [Row(f"memory{what}{name}", "bytes", ours, theirs, limit)
                for taken, what, limit in ((take, "", "<= 0.55"),
                                           (take_collections, ", a million ", "<= 0.80"))
                for name, (ours, theirs) in self.rounds_of(in_turn(taken)).items()]

    def hits(self):
        reads, share = hits.Reads(*self.reads), 0.1
        room = int(reads.keys * share * 200)

        def take(kind):
            with self.server(kind) as server:
                return {**hits.hit_rates(server, reads, share),
                        **hits.hit_rates(server, reads, share, room)}

        return [Row(name, "%", ours, theirs, ">= 1.00")
                for name, (ours, theirs) in self.rounds_of(in_turn(take),
                                                           SNAPSHOT_ROUNDS_MAX).items()]

    def apply(self):
        """Three servers in turn: ours with one thread and with two, and the stock one."""
        streams = replica.Streams(self.stream, self.keys)
        servers = {"one": ("tandem", "--replica-apply-threads", "1"),
                   "two": ("tandem", "--replica-apply-threads", "2"), "redis": ("redis",)}
        found = {}
        for number in range(self.rounds):
            for name, arguments in servers.items():
                with self.server(*arguments) as server:
                    for stream, figures in replica.apply_rates(server, streams).items():
                        for figure, value in zip(("rate", "cpu"), figures):
                            found.setdefault((stream, figure, name), []).append(value)
                            print(f"round {number + 1} {name:6} {stream}, {figure}: {value:.4g}",
                                  flush=True)
        aims = {"SET of 32 bytes": (">= 2.50", "<= 0.35", ">= 1.60"),
                "a mix of all types": (">= 1.50", "", ""), "MULTI of ten SET": ("", "", ""),
                "SET of one key": ("", "", ">= 1.00")}
        rows = []
        for stream, (rate, cpu, threads) in aims.items():
            rows += [Row(f"{stream}: {name}", unit, found[stream, figure, ours],
                         found[stream, figure, theirs], aim)
                     for name, unit, figure, ours, theirs, aim in (
                         ("applied a second", "/s", "rate", "one", "redis", rate),
                         ("CPU time a command", "us", "cpu", "one", "redis", cpu),
                         ("applied a second, two threads beside one", "/s", "rate", "two", "one",
                          threads))]
        return rows

    def lag(self):
        limits = {"SET a second": ("/s", ""), "lag, median": ("MB", "ours < 0.5 MB"),
                  "lag, longest": ("MB", "")}

        def take(kind):
            with self.pair(kind) as (primary, follower):
                return replica.lag_figures(replica.lag(primary, follower, 64, self.writes,
                                                       self.keys))

        return [Row(f"a primary at pipeline 64 with its replica: {name}", limits[name][0], ours,
                    theirs, limits[name][1])
                for name, (ours, theirs) in self.rounds_of(in_turn(take)).items()]

    def plots(self):
        """Lag against the rate of writes, and the slowest GETs beside a sync."""
        lags = {kind: [] for kind in KINDS}
        waits = {}
        for kind in KINDS:
            for depth in PLOTTED_DEPTHS:
                with self.pair(kind) as (primary, follower):
                    found = replica.lag(primary, follower, depth, self.writes // (64 // depth),
                                        self.keys)
                lags[kind].append((found["rate"], max(1e-3, statistics.median(found["lag"]) / 1e3)))
            with self.trio(kind) as servers:
                _, waited = sync.full_sync(*servers, sync.texts(self.texts), self.texts,
                                           self.free_load)
            waits[kind] = plots.shares([milliseconds for _, milliseconds in waited])
        names = {"tandem": "Tandem", "redis": "redis-server"}
        return {"lag": plots.plot("How far a replica is behind its primary", "SET a second",
                                  "kilobytes, half of the time", {names[k]: lags[k] for k in KINDS},
                                  powers_y=True),
                "sync-waits": plots.plot("The slowest GETs while a replica syncs in full",
                                         "the slowest, the second slowest, ...", "milliseconds",
                                         {names[k]: waits[k] for k in KINDS}, powers_x=True,
                                         powers_y=True)}

    def sync(self):
        limits = {sync.CAUGHT_UP: ("s", "<= 1.00"), sync.MEMORY: ("%", "ours <= 10 %"),
                  sync.WAIT: ("ms", "ours <= 5 ms"), sync.IDLE_WAIT: ("ms", "")}

        def take(kind):
            with self.trio(kind) as servers:
                found, waits = sync.full_sync(*servers, sync.short_values(self.keys), self.keys,
                                              self.load)
                self.keep(waits, "sync", kind, self.started)
                return {name: found[name] for name in limits}

        return [Row(name, limits[name][0], ours, theirs, limits[name][1])
                for name, (ours, theirs) in self.rounds_of(in_turn(take)).items()]

    def snapshots(self):
        limits = {sync.CAUGHT_UP: ("s", "<= 0.35"), sync.MEMORY: ("%", "ours <= 5 %"),
                  sync.WAIT: ("ms", "ours <= 5 ms"), sync.IDLE_WAIT: ("ms", ""),
                  sync.LOSS: ("%", "ours <= 1 %"), sync.CPU: ("s", "<= 0.50")}
        rows = []
        for compression in ("yes", "no"):
            def take(kind):
                measure.warm_memory(3 * 1024 * self.texts)
                with self.trio(kind, "--rdbcompression", compression) as servers:
                    found, waits = sync.full_sync(*servers, sync.texts(self.texts), self.texts,
                                                  self.free_load)
                    self.keep(waits, "texts rdbcompression", compression, kind, self.started)
                    return found

            rows += self.rows_of(take, f"texts, rdbcompression {compression}", limits)

        def quiet(kind):
            with self.pair(kind) as (primary, replica):
                return sync.quiet_sync(primary, replica, sync.collections(self.collections))

        limits[sync.CAUGHT_UP] = ("s", "<= 0.50")
        return rows + self.rows_of(quiet, "small collections", limits)

    def rows_of(self, take, data, limits):
        found = self.rounds_of(in_turn(take), min(self.rounds, SNAPSHOT_ROUNDS_MAX))
        return [Row(f"{data}: {name}", limits[name][0], ours, theirs, limits[name][1])
                for name, (ours, theirs) in found.items()]


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
server and its children, shared pages counted once; a GET is sent every millisecond beside it, by
a process that has its processor at once, and as often another to an idle server of the same kind:
what that one waits at the longest is the machine's part, for all of them share its processors.
Memory is the growth of the resident set, divided by what was put there. PING does nothing: it is
what requests and replies cost by themselves, most of it in the kernel and alike on both sides. Of a
command that does little more (LPUSH, RPOP) the ratio is for the most part that of PING.

The reads go to {read_keys} keys with a Zipf distribution of exponent 0.99; one that finds nothing
writes the key, with a value of 100 bytes. {reads} reads, {read_rate} a second, of which the second
half counts. There is memory for a tenth of the keys, or the same memory on both sides, where a key
costs a stock server more.

A stream of {stream} commands over a million keys is applied as fast as the server takes it, three
times in a round, from a fake primary that costs next to nothing; Tandem applies with one thread
there, but where two are named: these stand beside its one. The lag is what the replica has yet to
apply while redis-benchmark writes {writes} times, with the primary, the replica and the load on
these processors.

![How far a replica is behind its primary](plots/lag.svg)

![The slowest GETs while a replica syncs in full](plots/sync-waits.svg)

The texts are {texts} values of 1 KB that do not compress, under the same load; what writers lose is
the part of it that was not possible. The small collections are {collections} hashes, sorted sets
and lists each, of 8 to 16 elements, and nothing goes on beside their sync. CPU time of a sync is
that of the primary and its children. These are the medians of three rounds.
"""


def report(rows, bench):
    done = subprocess.run(["redis-server", "--version"], capture_output=True, text=True)
    peer = done.stdout.split()[2].removeprefix("v=")
    table = "\n".join(row.line() for row in rows)
    return PAGE.format(peer=peer, machine=machine(), rounds=bench.rounds, table=table,
                       read_keys=f"{bench.reads[0]:,}", reads=f"{bench.reads[1]:,}",
                       read_rate=f"{bench.reads[2]:,}",
                       stream=f"{bench.stream:,}", writes=f"{bench.writes:,}",
                       texts=f"{bench.texts:,}", collections=f"{bench.collections:,}")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("only", nargs="?", choices=PARTS)
    parser.add_argument("--plots", action="store_true")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    try:
        if options.plots:
            PLOTS.mkdir(parents=True, exist_ok=True)
            for name, drawn in bench.plots().items():
                (PLOTS / f"{name}.svg").write_text(drawn)
            return
        rows = []
        for part in ([options.only] if options.only else PARTS):
            rows += getattr(bench, part)()
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
    text = report(rows, bench)
    print(text)
    if not options.only and not options.quick and options.scale == 1:
        page = ROOT / "docs" / "benchmarks.md"
        page.parent.mkdir(exist_ok=True)
        page.write_text(text)


main()
