"""Fixtures: `start` gives servers, `proxy` links that can be cut; both are always cleaned up."""
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from harness.proxy import Proxy  # noqa: E402
from harness.servers import Server  # noqa: E402


def pytest_configure(config):
    """A run that is told to end still stops its servers: the fixtures' ends are run. Where it was
    started with signals ignored (under nohup, in a script's background) its programs heed them."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to end", returncode=1))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, "report_" + call.when, outcome.get_result())


@pytest.fixture
def start(request, tmp_path):
    """start(kind, *arguments) -> a running Server; launch=False only builds it."""
    servers = []

    def make(kind="tandem", *arguments, launch=True, **options):
        server = Server(kind, tmp_path / f"{len(servers)}-{kind}", *arguments, **options)
        servers.append(server)
        return server.start() if launch else server

    yield make
    problems = []
    for server in servers:
        try:
            server.stop()
        except AssertionError as problem:
            problems.append(str(problem))
    report = getattr(request.node, "report_call", None)
    if problems or (report is not None and report.failed):
        for server in servers:
            print(f"---- log of {server}\n{server.log_tail(60)}")
    assert not problems, "; ".join(problems)


@pytest.fixture
def proxy():
    """proxy(server) -> a Proxy in front of it."""
    proxies = []

    def make(server):
        proxies.append(Proxy(server.port))
        return proxies[-1]

    yield make
    for item in proxies:
        item.close()


@pytest.fixture
def server(start):
    """One Tandem with the test's defaults."""
    return start("tandem")


@pytest.fixture
def client(server):
    """A RESP2 connection to `server`."""
    with server.connect() as connection:
        yield connection
