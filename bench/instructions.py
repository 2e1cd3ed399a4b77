"""./dev bench instructions: instructions that the server executes for one operation, by callgrind.

    ./dev bench instructions                    build/release, printed
    ./dev bench instructions before=PROGRAM [WHAT-IT-IS]
                                                beside another build: docs/performance.md is written

Unlike a time, a count of instructions hardly depends on what else the machine does. Each figure is
the difference between a run of many operations and a run of few, divided by the operations between
the two: what starting and stopping costs falls out.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]
from harness.servers import Server, tandem_program  # noqa: E402
from harness.wait import wait_until  # noqa: E402

FEW, MANY = 4_000, 44_000
PIPELINE = 16
KEYS = 1000
VALUE = "v" * 32
SLOW_SECONDS = 120  # under callgrind everything takes its time

OPERATIONS = {
    "GET": lambda n: ("GET", f"key:{n % KEYS:06}"),
    "SET": lambda n: ("SET", f"key:{n % KEYS:06}", VALUE),
    "LPUSH": lambda n: ("LPUSH", f"list:{n % 100:06}", VALUE),
    "ZADD": lambda n: ("ZADD", f"sorted:{n % 100:06}", n * 7919 % 1009, f"member:{n % 100}"),
}


def send(server, commands):
    with server.connect(seconds=SLOW_SECONDS) as client:
        for first in range(0, len(commands), PIPELINE):
            client.pipeline(commands[first:first + PIPELINE])


class Counter:
    """Runs programs under callgrind, each in a folder of its own below `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.started = 0

    def server(self, program, *arguments, counted=True):
        self.started += 1
        folder = self.folder / str(self.started)
        server = Server("tandem", folder, "--save", "", "--bind", "127.0.0.1", "--worker-threads",
                        "1", "--shutdown-timeout", "0", *arguments, defaults=False)
        if counted:
            server.wrapper = ["valgrind", "--tool=callgrind", "-q",
                              f"--callgrind-out-file={folder / 'callgrind'}"]
        os.environ["TANDEM_SERVER"] = self.bare(program)
        return server.start(SLOW_SECONDS)

    def bare(self, program):
        """A copy without debug information: valgrind may be older than its format."""
        copy = self.folder / ("bare" + str(program).replace("/", "_"))
        if not copy.exists():
            subprocess.run(["strip", "--strip-debug", "-o", copy, program], check=True)
        return str(copy)

    def stop(self, server):
        server.stop()
        out = server.folder / "callgrind"
        if not out.exists():
            return 0
        return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M).group(1))

    def commands(self, program, operation, count):
        server = self.server(program)
        send(server, [("SET", f"key:{n:06}", VALUE) for n in range(KEYS)])
        send(server, [operation(n) for n in range(count)])
        return self.stop(server)

    def applied(self, program, count):
        """By a replica; its primary is not counted."""
        primary = self.server(program, counted=False)
        replica = self.server(program, "--replicaof", "127.0.0.1 %d" % primary.port)
        wait_until(replica.link_up, "the replica follows", SLOW_SECONDS)
        send(primary, [OPERATIONS["SET"](n) for n in range(count)])
        wait_until(lambda: replica.offset() == primary.offset(), "it has everything", SLOW_SECONDS)
        instructions = self.stop(replica)
        self.stop(primary)
        return instructions

    def each(self, program):
        def between(take):
            return (take(MANY) - take(FEW)) / (MANY - FEW)

        figures = {name: between(lambda count, o=operation: self.commands(program, o, count))
                   for name, operation in OPERATIONS.items()}
        figures["SET, applied by a replica"] = between(
            lambda count: self.applied(program, count))
        return figures


PAGE = """# Instructions an operation

What the server executes in user space for one operation, counted by callgrind: one worker, one
client, pipeline {pipeline}, values of 32 bytes, {keys} keys. Each figure is the difference between
{many} and {few} operations, divided. The replica's figure is all that it does for a SET of its
primary: receive, parse, execute, log, acknowledge.
`./dev bench instructions before=PROGRAM` measures again beside another build and rewrites this
page. Before: {what}.

| operation | before | now | ratio |
|---|---|---|---|
{table}
"""


def main():
    parser = argparse.ArgumentParser(prog="./dev bench instructions")
    parser.add_argument("other", nargs="?", help="before=PROGRAM: another build to stand beside")
    parser.add_argument("what", nargs="?", default="another build", help="what that build is")
    options = parser.parse_args()
    for tool in ("valgrind", "strip"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not installed")
    other = options.other.removeprefix("before=") if options.other else None
    folder = Path(tempfile.mkdtemp(prefix="tandem-instructions-"))
    try:
        counter = Counter(folder)
        now = counter.each(tandem_program())
        before = counter.each(other) if other else now
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = "\n".join(f"| {name} | {before[name]:.0f} | {now[name]:.0f} | "
                      f"{now[name] / before[name]:.3f} |" for name in now)
    page = PAGE.format(pipeline=PIPELINE, keys=KEYS, few=FEW, many=MANY, table=table,
                       what=options.what)
    print(page)
    if other:
        (ROOT / "docs" / "performance.md").write_text(page)


main()
