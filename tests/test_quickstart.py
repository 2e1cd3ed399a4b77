"""./quickstart without its build: the live view, the README's session, migration there and back."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

from harness.servers import ROOT, free_port
from harness.wait import wait_until
from harness.wire import Connection

sys.path.append(str(ROOT / "tools" / "quickstart"))
import live as live_view  # noqa: E402
import tour as tour_story  # noqa: E402

README = (ROOT / "README.md").read_text()


class Quickstart:
    """The program that ./quickstart runs once the server is built."""

    def __init__(self, folder, *arguments, up_to=2):
        self.port = free_port(neighbours=2)
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tools" / "quickstart", "--port", str(self.port), "--data",
             folder, *arguments], stdout=self.output, stderr=subprocess.STDOUT)
        wait_until(lambda: up_to == 0 or self.linked(self.port + up_to), "all follow", 40)

    @staticmethod
    def linked(port):
        with Connection(port) as connection:
            return "master_link_status:up" in connection("INFO", "replication")

    def printed(self):
        self.output.seek(0)
        return self.output.read()

    def stop(self):
        """What it printed; afterwards nobody listens."""
        wait_until(lambda: "replica 2" in self.printed(), "the table is shown")
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(30) == 0
        text = self.printed()
        for port in range(self.port, self.port + 3):
            with pytest.raises(OSError):
                Connection(port, seconds=1)
        return text


@pytest.fixture
def quickstart(tmp_path):
    begun = []

    def begin(*arguments, **options):
        begun.append(Quickstart(tmp_path / "data", *arguments, **options))
        return begun[-1]

    yield begin
    for item in begun:
        if item.process.poll() is None:
            item.process.send_signal(signal.SIGTERM)
            item.process.wait(30)


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
        assert "unexpected_error_replies:0" in run(lines.pop(0), ports)
        assert run(lines[0], ports) == "OK"
        here("SET", "new", "home")
        assert run(lines[1], ports) == "OK"
        wait_until(lambda: there("GET", "new") == "home", "Redis follows Tandem")
        assert run(lines[2], ports) == "OK"
        assert there("SET", "back", "again") == "OK" and there("DBSIZE") == 2003
    assert "source" in live.stop()


def test_what_a_migration_cannot_take_over_is_told(start, quickstart):
    """Commands that are unknown here show in the figure that the README names, and in the table."""
    old = start("redis")
    live = quickstart("--from", f"127.0.0.1:{old.port}")
    wait_until(lambda: Quickstart.linked(live.port), "Tandem follows Redis")
    line = next(line for line in section("From Redis, and back") if "unexpected" in line)
    with old.connect() as there:
        there("SETBIT", "bits", 7, 1)
    wait_until(lambda: run(line, {7000: live.port}) == "unexpected_error_replies:1", "told")
    wait_until(lambda: "following, but 1 failed here" in live.printed(), "the table shows it")
    live.stop()


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


def refusal(*arguments, cwd=None):
    """What it says before it starts anything."""
    done = subprocess.run([sys.executable, ROOT / "tools" / "quickstart", *map(str, arguments)],
                          capture_output=True, text=True, timeout=30, cwd=cwd)
    assert done.returncode != 0 and "Traceback" not in done.stderr, done.stderr
    return done.stderr


def test_a_taken_port_is_told(start, tmp_path):
    server = start("tandem")
    told = refusal("--port", server.port, "--data", tmp_path)
    assert f"port {server.port} is taken" in told


@pytest.mark.parametrize("arguments", [
    ("--from", "nonsense"), ("--from", "host:port"), ("--from", ":1"), ("--from", "h:70000"),
    ("--port", 0), ("--port", 65534), ("--port", -1), ("--tour", "--from", "127.0.0.1:1")])
def test_wrong_arguments_are_told(arguments):
    assert "error: " in refusal(*arguments)


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").touch()
    assert "no data folder" in refusal("--data", tmp_path / "file")


def test_one_data_folder_is_for_one(quickstart, tmp_path):
    live = quickstart()
    assert "is in use" in refusal("--data", tmp_path / "data", "--port", free_port(neighbours=2))
    live.stop()


def test_a_relative_folder_is_the_callers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    live = Quickstart("here")
    live.stop()
    assert (tmp_path / "here" / "primary").is_dir()


def test_a_server_that_cannot_save_ends_at_the_second_signal(quickstart, tmp_path):
    live = quickstart()
    (tmp_path / "data" / "primary" / "dump.rdb").mkdir()
    wait_until(lambda: "replica 2" in live.printed(), "the table is shown")
    live.process.send_signal(signal.SIGINT)
    wait_until(lambda: "primary is still saving" in live.printed(), "it is told")
    live.process.send_signal(signal.SIGINT)
    assert live.process.wait(30) == 0
    with pytest.raises(OSError):
        Connection(live.port, seconds=1)


def test_a_source_with_a_password(start, quickstart):
    old = start("redis", "--requirepass", "secret")
    live = quickstart("--from", f"127.0.0.1:{old.port}", "--password", "secret")
    wait_until(lambda: Quickstart.linked(live.port), "Tandem follows Redis")
    wait_until(lambda: re.search(rf"^source +{old.port} +primary ", live.printed(), re.M),
               "the table has the source")
    live.stop()


def test_a_link_that_fails_says_why(start, quickstart):
    old = start("redis", "--requirepass", "secret")
    live = quickstart("--from", f"127.0.0.1:{old.port}", "--password", "wrong", up_to=0)

    def tells():
        with Connection(live.port) as connection:
            return "WRONGPASS" in connection("INFO", "replication")

    wait_until(tells, "the primary knows why")
    wait_until(lambda: "WRONGPASS" in live.printed(), "and the table says it")
    live.stop()


def test_what_is_received_or_loaded_has_a_bar():
    receiving = {"role": "slave", "master_sync_in_progress": "1", "master_sync_read_keys": "250"}
    primary = {"db0": "keys=300,expires=0,avg_ttl=0", "db3": "keys=700,expires=1,avg_ttl=5"}
    assert live_view.phase(receiving, primary) == f"receiving [{'#' * 6}{'.' * 18}]  25 %"
    loading = {"loading": "1", "loading_loaded_bytes": "50", "loading_total_bytes": "100"}
    assert live_view.phase(loading, None) == f"loading   [{'#' * 12}{'.' * 12}]  50 %"


def test_a_tour_with_an_untrue_step_fails_and_says_which(monkeypatch, capsys):
    def untrue(tour):
        tour_story.must(False, "what is not so")

    def never(tour):
        raise NotImplementedError

    monkeypatch.setattr(tour_story.Tour, "STORY", [("a step that fails", untrue), ("more", never)])
    assert tour_story.run_tour() == 1
    told = capsys.readouterr().out
    assert "  ok  three servers start" in told and "FAIL  a step that fails" in told
    assert "what is not so" in told and "every step is true" not in told
    shutil.rmtree(re.search("logs: (.*)", told)[1])


def test_the_tour_tells_the_whole_story():
    """Each of these is a promise of the README."""
    story = " ".join(title for title, _ in tour_story.Tour.STORY)
    for words in ("read from both replicas", "a write to a replica is refused", "is cut",
                  "catches up by partial sync", "kill -9", "promoted", "read back"):
        assert words in story
    steps = [step for _, step in tour_story.Tour.STORY]
    assert len(set(steps)) == len(steps)
