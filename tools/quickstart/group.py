"""A primary and two replicas on this machine, each stopped by its process id."""
import signal
import socket
import sys
from pathlib import Path

from harness.servers import Server


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


class Group:
    """Use as a context: leaving it stops whatever was started, on every way out."""

    OPTIONS = ["--save", "3600 1 300 100 60 10000", "--bind", "127.0.0.1",
               "--repl-diskless-sync-delay", "0", "--enable-debug-command", "local"]

    def __init__(self, folder, first_port):
        self.folder = Path(folder)
        self.servers = []
        self.names = ["primary", "replica 1", "replica 2"]
        for number, name in enumerate(self.names):
            self.servers.append(Server("tandem", self.folder / name.replace(" ", "-"),
                                       *self.OPTIONS, port=first_port + number, defaults=False))

    @property
    def primary(self):
        return self.servers[0]

    def start(self, source=None, user=None, password=None):
        for server in self.servers:
            if not is_free(server.port):
                sys.exit(f"port {server.port} is taken: choose others with --port")
        if source:
            host, _, port = source.rpartition(":")
            self.primary.arguments += ["--replicaof", host.strip("[]") or "127.0.0.1", port]
            if user:
                self.primary.arguments += ["--masteruser", user]
            if password:
                self.primary.arguments += ["--masterauth", password]
        self.primary.start()
        for replica in self.servers[1:]:
            replica.arguments += ["--replicaof", "127.0.0.1", str(self.primary.port)]
            replica.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for server in reversed(self.servers):
            try:
                server.stop()
            except AssertionError as problem:
                print(problem, file=sys.stderr)
