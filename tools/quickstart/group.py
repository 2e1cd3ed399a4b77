"""A primary and two replicas on this machine, each stopped by its process id."""
import fcntl
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass

from harness.servers import Server
from harness.wait import Waited, wait_until
from harness.wire import Connection, ReplyError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_SECONDS = 2  # before it is told what Ctrl-C waits for


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def ask(port, *command, host="127.0.0.1", user=None, password=None):
    """The reply, an error as text, or None when the server does not answer."""
    try:
        with Connection(port, host=host, seconds=1) as connection:
            if password:
                connection.call("AUTH", *([user] if user else []), password)
            return connection.call(*command)
    except ReplyError as error:
        return str(error)
    except (OSError, EOFError):
        return None


@dataclass
class Source:
    """The Redis to follow."""
    host: str
    port: int
    user: str | None
    password: str | None

    @property
    def name(self):
        return f"{self.host}:{self.port}"

    def directives(self):
        words = ["--replicaof", self.host, str(self.port)]
        if self.user:
            words += ["--masteruser", self.user]
        if self.password:
            words += ["--masterauth", self.password]
        return words

    def ask(self, *command):
        return ask(self.port, *command, host=self.host, user=self.user, password=self.password)


class Group:
    """Use as a context: leaving it stops whatever was started, on every way out."""

    OPTIONS = ["--save", "3600 1 300 100 60 10000", "--bind", "127.0.0.1",
               "--repl-diskless-sync-delay", "0", "--enable-debug-command", "local"]

    def __init__(self, folder, first_port):
        self.folder = folder
        self.servers = []
        self.names = ["primary", "replica 1", "replica 2"]
        self.lock = self.claim_folder()
        for number, name in enumerate(self.names):
            self.servers.append(Server("tandem", self.folder / name.replace(" ", "-"),
                                       *self.OPTIONS, port=first_port + number, defaults=False))

    def claim_folder(self):
        """A descriptor that keeps others from these data as long as it is open."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder, os.O_RDONLY)
        except OSError as error:
            sys.exit(f"no data folder at {self.folder}: {error.strerror}")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"{self.folder} is in use: choose another with --data")
        return descriptor

    @property
    def primary(self):
        return self.servers[0]

    def start(self, source=None):
        """Returns once all answer, if only that they are loading."""
        for server in self.servers:
            if not is_free(server.port):
                sys.exit(f"port {server.port} is taken: choose others with --port")
        if source:
            self.primary.arguments += source.directives()
        for replica in self.servers[1:]:
            replica.arguments += ["--replicaof", "127.0.0.1", str(self.primary.port)]
        for server in self.servers:
            logged_before = len(server.log_text())
            server.launch()
            wait_until(lambda: server.process.poll() is not None or ask(server.port, "PING"),
                       f"{server} answers")
            if server.process.poll() is not None:
                sys.exit(f"{server} did not start:\n{server.log_text()[logged_before:]}")

    def stop(self, name, server):
        """As long as it takes, for the data are being saved; a server that cannot save stays."""
        if server.process is None:
            return
        server.process.terminate()
        try:
            server.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"{name} is still saving its data (its log: {server.log}); Ctrl-C once more ends "
                  "it without", flush=True)
        try:
            for number in SIGNALS:
                signal.signal(number, signal.default_int_handler)
            code = server.process.wait()
        except KeyboardInterrupt:
            server.process.kill()
            code = server.process.wait()
        finally:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
        if code != 0:
            print(f"{name} ended with {code}: see {server.log}", file=sys.stderr)

    def __enter__(self):
        return self

    def __exit__(self, kind, problem, _):
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        for name, server in reversed(list(zip(self.names, self.servers))):
            self.stop(name, server)
        if kind is Waited:
            sys.exit(str(problem))
