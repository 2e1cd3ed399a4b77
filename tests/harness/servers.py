"""Servers under test: each on a free loopback port, in its own folder, stopped by its process id.

Two kinds: `tandem` is the program of this repository, `redis` is Debian's redis-server. Both take
the same arguments, so a test can put either on either side. TANDEM_PRESET chooses the build;
TANDEM_SERVER names a program to stand in for Tandem (a stock redis-server proves the tests).
"""
import os
import random
import re
import signal
import socket
import subprocess
from pathlib import Path

from .signals import signals_held_back
from .wait import wait_until
from .wire import Connection, ReplyError

ROOT = Path(__file__).resolve().parents[2]
REDIS = "/usr/bin/redis-server"
DEFAULTS = ["--save", "", "--appendonly", "no", "--enable-debug-command", "yes",
            "--repl-diskless-sync-delay", "0", "--hz", "100",
            # Replicas made by hand do not acknowledge: no server is to wait for them at its end.
            "--shutdown-timeout", "0"]
SANITIZER = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:|CHECK failed")


def tandem_program():
    preset = os.environ.get("TANDEM_PRESET", "release")
    return os.environ.get("TANDEM_SERVER", str(ROOT / "build" / preset / "bin" / "tandem-server"))


def is_stock(kind):
    return kind == "redis" or tandem_program().endswith("redis-server")


def can_bind(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(neighbours=0):
    """A free port, and as many free ones right above it. They lie below the range that the kernel
    takes for the near ends of connections, so that none of those is there before the server. The
    halves of a run (`./dev integration`) keep out of each other's way."""
    half = os.environ.get("TANDEM_TEST_HALF")
    first, last = (11000, 32000) if half is None else ((11000, 21000), (21500, 31500))[int(half)]
    for _ in range(1000):
        port = random.randrange(first, last)
        if all(can_bind(number) for number in range(port, port + neighbours + 1)):
            return port
    raise OSError("no free port")


class Server:
    """One process. start() returns once it answers PING."""

    def __init__(self, kind, folder, *arguments, port=None, defaults=True):
        self.kind = kind
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.arguments = [str(argument) for argument in arguments]
        self.defaults = defaults
        self.wrapper = []  # a program, with its arguments, that starts the server's
        self.log = self.folder / "log"
        self.process = None
        self.expected_exit = {0}

    def command(self):
        program = REDIS if self.kind == "redis" else tandem_program()
        common = ["--port", str(self.port), "--dir", str(self.folder)]
        if self.defaults:
            common += DEFAULTS
            if not is_stock(self.kind):
                common += ["--worker-threads", os.environ.get("TANDEM_WORKERS", "2")]
        if self.defaults and "--bind" not in self.arguments:
            common += ["--bind", "127.0.0.1"]
        return [*self.wrapper, program, *self.arguments_before(), *common, *self.arguments]

    def arguments_before(self):
        """A configuration file stands first, before every option."""
        file = self.folder / "redis.conf"
        return [str(file)] if file.exists() else []

    def launch(self, stdin=subprocess.DEVNULL):
        """Starts the process, out of Ctrl-C's reach, without waiting for it to answer."""
        # Between the process and its name here a signal would leave a server that nobody stops.
        with self.log.open("ab") as log, signals_held_back():
            self.process = subprocess.Popen(self.command(), stdin=stdin, stdout=log, stderr=log,
                                            cwd=self.folder, start_new_session=True)
        return self

    def start(self, seconds=30):
        self.launch()
        wait_until(self.answers, f"{self} answers", seconds)
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self} ended with {self.process.returncode}:\n{self.log_tail()}")
        try:
            with Connection(self.port) as connection:
                connection.call("PING")
        except ReplyError as error:
            return not str(error).startswith("LOADING")
        return True

    def connect(self, **options):
        return Connection(self.port, **options)

    def stop(self):
        """Ends it politely, then by force; a crash or a sanitizer's report is a failure."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"{self} did not stop on SIGTERM") from None
        code, self.process = self.process.returncode, None
        assert code in self.expected_exit, f"{self} ended with {code}"
        assert not SANITIZER.search(self.log_text()), f"{self} has a sanitizer's report in its log"

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self):
        return self.start()

    def pause(self):
        """Stopped when this returns: the signal alone reaches its threads a little later."""
        self.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: all(state == "T" for state in self._thread_states()), "it stands still")

    def _thread_states(self):
        for stat in Path(f"/proc/{self.process.pid}/task").glob("*/stat"):
            yield stat.read_text().rpartition(")")[2].split()[0]

    def unpause(self):
        self.process.send_signal(signal.SIGCONT)

    def wait_exit(self, seconds=20):
        """The exit status of a process that ends by itself."""
        code = self.process.wait(seconds)
        self.process = None
        return code

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self, lines=40):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def info(self, section="everything"):
        """INFO as a dictionary of text."""
        with Connection(self.port) as connection:
            return parse_info(connection.call("INFO", section))

    def offset(self):
        info = self.info("replication")
        own = info["role"] == "master"
        return int(info["master_repl_offset"] if own else info["slave_repl_offset"])

    def follow(self, primary_port, host="127.0.0.1"):
        with Connection(self.port) as connection:
            connection.call("REPLICAOF", host, primary_port)

    def promote(self):
        with Connection(self.port) as connection:
            connection.call("REPLICAOF", "NO", "ONE")

    def link_up(self):
        return self.info("replication").get("master_link_status") == "up"

    def __str__(self):
        return f"{self.kind}:{self.port}"


def parse_info(text):
    pairs = (line.partition(":") for line in text.splitlines() if line and line[0] != "#")
    return {name: value for name, _, value in pairs}
