"""./quickstart without its build: the live view, the README's session, migration there and back."""
import os
import re
import signal
import subprocess
import sys

import pytest

from harness.servers import ROOT, free_port
from harness.wait import wait_until
from harness.wire import Connection

README = (ROOT / "README.md").read_text()


class Quickstart:
    """The program that ./quickstart runs once the server is built."""

    def __init__(self, folder, *arguments):
        self.port = free_port(neighbours=2)
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tools" / "quickstart", "--port", str(self.port), "--data",
             folder,
             *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        wait_until(lambda: self.linked(self.port + 2), "both replicas follow", 40)

    @staticmethod
    def linked(port):
        with Connection(port) as connection:
            return "master_link_status:up" in connection("INFO", "replication")

    def stop(self):
        """What it printed; afterwards nobody listens."""
        self.process.send_signal(signal.SIGINT)
        text, _ = self.process.communicate(timeout=30)
        for port in range(self.port, self.port + 3):
            with pytest.raises(OSError):
                Connection(port, seconds=1)
        return text


@pytest.fixture
def quickstart(tmp_path):
    begun = []

    def begin(*arguments):
        begun.append(Quickstart(tmp_path / "data", *arguments))
        return begun[-1]

    yield begin
    for item in begun:
        if item.process.poll() is None:
            item.process.send_signal(signal.SIGTERM)
            item.process.communicate(timeout=30)


def section(title):
    """The commands of one section of the README."""
    body = README.split(f"## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"^    (\S.*)$", body, re.M)


def run(line, ports):
    """One line of the README, with the ports of this test."""
    for old, new in ports.items():
        line = line.replace(str(old), str(new))
    done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=30)
    return (done.stdout + done.stderr).strip()


def test_the_session_of_the_readme(quickstart, tmp_path):
    live = quickstart()
    ports = {7000: live.port, 7001: live.port + 1}
    lines = [line for line in section("A first session") if line.startswith("redis-cli")]
    answers = [run(lines[0], ports)]
    wait_until(lambda: run(lines[1], ports) == "world", "the replica answers")
    answers += [run(line, ports) for line in lines[1:]]
    assert answers[0] == "OK" and answers[1] == "world" and answers[2].startswith("READONLY")
    assert "connected_slaves:2" in answers[3] and re.fullmatch("[0-9a-f]{40}", answers[4])
    text = live.stop()
    assert "primary" in text and "replica 2" in text and "following" in text and "up" in text
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_data_survives_a_restart(quickstart):
    first = quickstart()
    with Connection(first.port) as connection:
        connection("SET", "kept", "yes")
    first.stop()
    second = quickstart()
    with Connection(second.port) as connection:
        assert connection("GET", "kept") == "yes"
    second.stop()


def test_migration_there_and_back(start, quickstart):
    """The README's section, with a stock Redis that has data."""
    old = start("redis")
    with old.connect() as connection:
        connection.pipeline([("SET", f"k{n}", n) for n in range(2000)])
    live = quickstart("--from", f"127.0.0.1:{old.port}")
    ports = {7000: live.port, 6379: old.port}
    lines = [line for line in section("From Redis, and back") if line.startswith("redis-cli")]
    wait_until(lambda: Quickstart.linked(live.port), "Tandem follows Redis")
    with old.connect() as there, Connection(live.port) as here, Connection(live.port + 2) as last:
        there("SET", "late", "write")
        wait_until(lambda: last("GET", "late") == "write", "it arrives at the end of the chain")
        assert here("DBSIZE") == there("DBSIZE") == 2001
        assert here("DEBUG", "DIGEST") == there("DEBUG", "DIGEST")
        assert run(lines[0], ports) == "OK"
        here("SET", "new", "home")
        assert run(lines[1], ports) == "OK"
        wait_until(lambda: there("GET", "new") == "home", "Redis follows Tandem")
        assert run(lines[2], ports) == "OK"
        assert there("SET", "back", "again") == "OK" and there("DBSIZE") == 2003
    assert "source" in live.stop()


def test_the_servers_of_the_readme(tmp_path):
    """The two commands that start servers by hand, on other ports and in another folder."""
    lines = [line for line in section("A first session") if "tandem-server" in line]
    one, two = free_port(), free_port()
    program = os.environ.get("TANDEM_SERVER", "")
    processes = []
    try:
        for line in lines:
            line = line.replace("7100", str(one)).replace("7101", str(two))
            line = line.replace("--dir /tmp", f"--dir {tmp_path}")
            if program:
                line = line.replace("build/release/bin/tandem-server", program)
            processes.append(subprocess.Popen(f"exec {line}", shell=True, cwd=ROOT,
                                              stdout=subprocess.DEVNULL))
        wait_until(lambda: Quickstart.linked(two), "the second follows the first")
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)


def test_a_taken_port_is_told(start, tmp_path):
    server = start("tandem")
    done = subprocess.run([sys.executable, ROOT / "tools" / "quickstart", "--port",
                           str(server.port),
                           "--data", tmp_path], capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and f"port {server.port} is taken" in done.stderr
