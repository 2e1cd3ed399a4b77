"""The server as a daemon: signals, the background, those who supervise it, its log, its title, its
last words, and what it does when the system has no thread left."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.servers import Server, free_port, is_stock, parse_info, tandem_program
from harness.wait import wait_until
from harness.wire import encode

only_tandem = pytest.mark.skipif(is_stock("tandem"), reason="it is not what Redis does")
with_crash_log = pytest.mark.skipif(os.environ.get("TANDEM_PRESET") in ("asan", "tsan"),
                                    reason="a sanitizer writes its own report")
kinds = pytest.mark.parametrize("kind", ["tandem", "redis"])


def process_state(pid):
    """R, S, T, Z ...; X for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def is_gone(pid):
    return process_state(pid) in "XZ"


# ---- Signals ----

@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1])
def test_signals_that_mean_nothing(start, number):
    for kind in ("tandem", "redis"):
        if number == signal.SIGUSR1 and is_stock(kind):
            continue
        server = start(kind)
        for _ in range(3):
            os.kill(server.process.pid, number)
            with server.connect() as client:
                assert client("PING") == "PONG"


@kinds
@pytest.mark.parametrize("number, directive", [(signal.SIGTERM, "shutdown-on-sigterm"),
                                               (signal.SIGINT, "shutdown-on-sigint")])
@pytest.mark.parametrize("how, saved", [("default", False), ("save", True), ("nosave", False)])
def test_signals_that_end_the_server_as_configured(start, kind, number, directive, how, saved):
    server = start(kind, "--" + directive, how)
    with server.connect() as client:
        client("SET", "a", 1)
        os.kill(server.process.pid, number)
        assert server.wait_exit() == 0
    assert (server.folder / "dump.rdb").exists() == saved


def waiting_for_a_replica(start, kind):
    """A server that was told to end and waits for a replica that acknowledges nothing."""
    server = start(kind, "--shutdown-timeout", 100, "--repl-diskless-sync-delay", 0)
    replica = server.connect()
    replica.send(encode("PSYNC", "?", -1))
    wait_until(lambda: "slave0" in server.info("replication"), "a replica")
    with server.connect() as client:
        client("SET", "a", 1)
    server.process.terminate()
    wait_until(lambda: "Waiting for replicas" in server.log_text(), "it waits")
    return server, replica


def test_a_second_interrupt_ends_the_server_at_once(start):
    server, _ = waiting_for_a_replica(start, "tandem")
    server.process.send_signal(signal.SIGINT)
    assert server.wait_exit() == 1
    assert "You insist" in server.log_text()


# ---- The background ----

@kinds
def test_daemonize(start, kind):
    """The parent ends with 0; the child has its own session, no terminal, files from `dir`."""
    server = start(kind, launch=False)
    (server.folder / "redis.conf").write_text("daemonize yes\npidfile run.pid\nlogfile own.log\n")
    server.launch()
    assert server.wait_exit() == 0
    wait_until(lambda: (server.folder / "run.pid").read_text().endswith("\n"), "its pid file")
    pid = int((server.folder / "run.pid").read_text())
    try:
        with wait_until(server.connect, "it answers") as client:
            assert f"process_id:{pid}\r" in client("INFO", "server")
        assert os.getsid(pid) == pid
        for stream in range(3):
            assert os.readlink(f"/proc/{pid}/fd/{stream}") == "/dev/null"
        assert f"{pid}" in (server.folder / "own.log").read_text()
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: is_gone(pid), "it is gone")
    assert not (server.folder / "run.pid").exists()


@only_tandem
def test_a_log_file_that_cannot_be_opened_stops_the_start(start):
    server = start("tandem", "--logfile", "/dev/null/log", launch=False).launch()
    assert server.wait_exit() == 1
    assert "Can't open the log file: Not a directory" in server.log_text()


@kinds
def test_the_log_may_be_moved_away(start, kind):
    server = start(kind, "--logfile", "own.log", "--loglevel", "notice", "--save", "100 100")
    own, old = server.folder / "own.log", server.folder / "old.log"
    own.rename(old)
    with server.connect() as client:
        client("SAVE")
    assert "DB saved on disk" in own.read_text()
    assert "DB saved on disk" not in old.read_text()


# ---- Supervision ----

def hear(heard, what):
    """Reads messages until one has this line."""
    while True:
        lines = heard.recv(4096).decode().splitlines()
        if what in lines:
            return


@kinds
@pytest.mark.parametrize("mode", ["systemd", "auto"])
@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(start, tmp_path, kind, mode, abstract):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.settimeout(20)
        name = f"@{tmp_path}" if abstract else f"{tmp_path}/notify"
        heard.bind(name.replace("@", "\0"))
        server = start(kind, "--supervised", mode, "--daemonize", "yes", launch=False)
        server.wrapper = ["/usr/bin/env", f"NOTIFY_SOCKET={name}"]
        server.start()
        hear(heard, "READY=1")
        with server.connect() as client:
            assert client("CONFIG", "GET", "supervised") == ["supervised", "systemd"]
            assert parse_info(client("INFO", "server"))["process_supervised"] == "systemd"
        server.process.terminate()
        hear(heard, "STOPPING=1")
        assert server.wait_exit() == 0


@kinds
def test_upstart_is_told(start, kind):
    """By stopping, until it is continued."""
    server = start(kind, "--supervised", "upstart", launch=False)
    server.wrapper = ["/usr/bin/env", "UPSTART_JOB=redis"]
    server.launch()
    wait_until(lambda: process_state(server.process.pid) == "T", "it stops")
    server.unpause()
    wait_until(server.answers, "it answers")
    with server.connect() as client:
        assert parse_info(client("INFO", "server"))["process_supervised"] == "upstart"


@kinds
def test_nobody_supervises(start, kind):
    for mode in ("systemd", "upstart", "auto"):
        server = start(kind, "--supervised", mode, launch=False)
        server.wrapper = ["/usr/bin/env", "-u", "NOTIFY_SOCKET", "-u", "UPSTART_JOB"]
        server.start()
        with server.connect() as client:
            assert parse_info(client("INFO", "server"))["process_supervised"] == "no"


# ---- The title ----

def title(server):
    return Path(f"/proc/{server.process.pid}/cmdline").read_bytes().decode().partition("\0")[0]


@kinds
def test_the_title(start, kind):
    server = start(kind, launch=False)
    (server.folder / "redis.conf").write_text("timeout 0\n")
    program = server.command()[0]
    server.start()
    assert title(server) == f"{program} 127.0.0.1:{server.port}"
    with server.connect() as client:
        client("CONFIG", "SET", "proc-title-template", "  {{ {port}|{config-file}|{server-mode}| ")
        assert title(server) == f"{{ {server.port}|{server.folder}/redis.conf||"
        client("CONFIG", "SET", "proc-title-template", "x" * 100000)
        assert set(title(server)) == {"x"}
        client("CONFIG", "SET", "proc-title-template", "short")
        assert title(server) == "short"


@kinds
def test_a_title_that_is_not_wanted(start, kind):
    server = start(kind, "--set-proc-title", "no")
    shown = Path(f"/proc/{server.process.pid}/cmdline").read_bytes().decode()
    assert shown.split("\0")[:-1] == server.command()


@kinds
def test_the_title_without_a_port(start, tmp_path, kind):
    server = start(kind, launch=False, port=free_port())
    server.arguments = ["--port", "0", "--unixsocket", f"{tmp_path}/{kind}.sock"]
    program = server.command()[0]
    server.launch()
    wait_until(lambda: title(server) == f"{program} unixsocket:{tmp_path}/{kind}.sock", "its title")


# ---- Last words ----

@only_tandem
@with_crash_log
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE,
                                    signal.SIGILL])
def test_a_crash_is_logged(start, number):
    server = start("tandem", "--logfile", "own.log")
    with server.connect() as client:
        client("SET", "secret", "value")
        client("GET", "secret")
        client.raw("CLIENT", "ID")
        os.kill(server.process.pid, number)
        assert server.wait_exit() == -number
    report = (server.folder / "own.log").read_text().partition("CRASH REPORT")[2]
    assert f"signal {signal.Signals(number).name} ({number.value}) in thread" in report
    # What was inlined does not show; main never is.
    assert re.search(r"^0x[0-9a-f]+ main$", report, re.MULTILINE), "the stack"
    trail = re.findall(r"^  worker-\d client \d+ (\w+)$", report, re.MULTILINE)
    assert [name for name in trail if name != "PING"] == ["CLIENT", "GET", "SET"]
    assert "secret" not in report and "CRASH REPORT: end" in report


@only_tandem
@with_crash_log
def test_a_crash_is_logged_only_if_it_is_wanted(start):
    server = start("tandem", "--crash-log-enabled", "no")
    os.kill(server.process.pid, signal.SIGSEGV)
    assert server.wait_exit() == -signal.SIGSEGV
    assert "CRASH REPORT" not in server.log_text()
    server.start()
    with server.connect() as client:
        assert client("CONFIG", "SET", "crash-log-enabled", "yes") == "OK"
    os.kill(server.process.pid, signal.SIGSEGV)
    assert server.wait_exit() == -signal.SIGSEGV
    assert "CRASH REPORT: end" in server.log_text()


# ---- Threads ----

UNUSED_USER = 54017  # has no process: a limit on its threads is one on the server's
AS_UNUSED_USER = ["/usr/bin/setpriv", f"--reuid={UNUSED_USER}", f"--regid={UNUSED_USER}",
                  "--clear-groups"]


@pytest.fixture
def as_user(start):
    """as_user(threads, *arguments): a server, not started, of a user who may have so many threads,
    for root has no such limit."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    folders = []

    def make(threads, *arguments):
        folder = Path(tempfile.mkdtemp(prefix="tandem-threads-"))
        folders.append(folder)
        os.chown(folder, UNUSED_USER, UNUSED_USER)
        server = start("tandem", *arguments, launch=False)
        server.folder = folder
        server.wrapper = ["/usr/bin/prlimit", f"--nproc={threads}", *AS_UNUSED_USER]
        return server

    yield make
    for folder in folders:
        shutil.rmtree(folder)


def allow_threads(server, count):
    subprocess.run([*AS_UNUSED_USER, "/usr/bin/prlimit", f"--nproc={count}", "--pid",
                    str(server.process.pid)], check=True)


@only_tandem
@pytest.mark.parametrize("threads", range(1, 14))
def test_a_start_without_enough_threads(as_user, threads):
    server = as_user(threads).launch()
    assert server.wait_exit() == 1
    assert re.search(r"Fatal.*the thread '[\w-]+' cannot be had: Resource", server.log_text())


@only_tandem
@pytest.mark.parametrize("end", ["SIGTERM", "SHUTDOWN", "SHUTDOWN NOSAVE"])
def test_the_end_needs_no_more_threads(as_user, end):
    server = as_user(100).start()
    allow_threads(server, 1)
    with server.connect() as client:
        client("SET", "a", 1)
        assert client("FLUSHALL", "ASYNC") == "OK"
        if end == "SIGTERM":
            server.process.terminate()
        else:
            client.send(encode(*end.split()))
        assert server.wait_exit() == 0


# ---- The end, while the main thread is waited for ----

@only_tandem
@pytest.mark.parametrize("directive", ["port", "bind"])
def test_two_ends_in_the_middle_of_changes_of_the_address(start, directive):
    """EXEC holds all stripes and waits for the main thread again and again; a shutdown waits for
    the stripes; the main thread waits for neither, however often it is told to end."""
    server = start("tandem")
    ports, addresses = [free_port(), free_port()], ["127.0.0.1", "127.0.0.1 -::1"]
    values = ports if directive == "port" else addresses
    with server.connect() as client:
        client("MULTI")
        client.pipeline([("CONFIG", "SET", directive, values[n % 2]) for n in range(2000)])
        client.send(encode("EXEC"))
        if directive == "port":
            wait_until(lambda: Server("tandem", server.folder, port=ports[0]).connect(),
                       "EXEC has begun")
        for times in (1, 2):
            server.process.terminate()
            wait_until(lambda n=times: server.log_text().count("scheduling shutdown") >= n
                       or server.process.poll() is not None, "it has heard")
        assert server.wait_exit(60) == 0
