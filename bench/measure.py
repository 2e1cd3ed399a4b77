"""What is measured, and how: CPU time an operation, memory a key. (A full sync: sync.py.)"""
import subprocess
import sys
import threading
from pathlib import Path

from harness.wire import Connection, encode

PIPELINES = (1, 16, 64)
SLICES = 10


def cpu_seconds(pid):
    """Time on a processor of all threads that live now, user and system, to the nanosecond."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def resident(pid):
    """Bytes of memory of the process and its children; pages they share count once."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    if not children:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    return sum(proportional(number) for number in [pid, *children])


def proportional(pid):
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ProcessLookupError):
        pass
    return 0


def benchmark_command(server, name, pipeline, operations, keys):
    return ["redis-benchmark", "-p", str(server.port), "-c", "50", "-P", str(pipeline), "-n",
            str(operations), "-d", "32", "-r", str(keys), "-t", name, "-q"]


def run_benchmark(server, name, pipeline, operations, keys):
    subprocess.run(benchmark_command(server, name, pipeline, operations, keys), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def command_costs(servers, keys, slices=SLICES):
    """Microseconds of each server's CPU time for an operation: {kind: {name: value}}. What a
    system call costs here differs by a quarter from one second to the next, so the servers take
    turns in short slices, and a figure is the sum of its slices."""
    found = {kind: {} for kind in servers}
    for server in servers.values():  # the keys are there, the buffers warm
        run_benchmark(server, "set", 64, keys * 2, keys)
    for name in ("set", "get"):
        for pipeline in PIPELINES:
            operations = (keys // 2 if pipeline == 1 else keys * 2) // slices
            spent = dict.fromkeys(servers, 0)
            for kind, server in [*servers.items()] * slices:
                before = cpu_seconds(server.process.pid)
                run_benchmark(server, name, pipeline, operations, keys)
                spent[kind] += cpu_seconds(server.process.pid) - before
            for kind, seconds in spent.items():
                microseconds = seconds / (operations * slices) * 1e6
                found[kind][f"{name.upper()} at pipeline {pipeline}"] = microseconds
    return found


def fill(server, count, key_format, value):
    """`count` keys, in pipelines of a thousand."""
    with Connection(server.port) as connection:
        for at in range(0, count, 1000):
            names = range(at, min(at + 1000, count))
            connection.send(b"".join(encode("SET", key_format % n, value) for n in names))
            for _ in names:
                assert connection.read_raw() == b"+OK\r\n"


def key_cost(server, count):
    """Bytes a key of 16 bytes with a value of 8."""
    before = resident(server.process.pid)
    fill(server, count, "key:%012d", "12345678")
    with Connection(server.port) as connection:
        assert connection("DBSIZE") == count
    return {" a key (16 B key, 8 B value)": (resident(server.process.pid) - before) / count}


def warm_memory(size):
    """Takes so many bytes for a moment. In a virtual machine the first use of memory that lay idle
    costs many times as much as later ones, and would fall on whoever is measured first."""
    code = "import sys; bytearray(b'x') * int(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(size)], check=False)


class Peak:
    """Samples the memory of a process until stopped."""

    def __init__(self, pid):
        self.pid = pid
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()

    def _sample(self):
        while not self._stop.wait(0.02):
            self.bytes = max(self.bytes, resident(self.pid))

    def stop(self):
        self._stop.set()
        self._thread.join()
        return self.bytes
