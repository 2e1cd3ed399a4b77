"""./quickstart without its build: the live view, the README's session, migration there and back."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

from harness.servers import ROOT, free_port, is_stock
from harness.terminal import INTERRUPT, Terminal
from harness.wait import wait_until
from harness.wire import Connection

sys.path.append(str(ROOT / "tools" / "quickstart"))
import group as server_group  # noqa: E402
import live as live_view  # noqa: E402
import tour as tour_story  # noqa: E402

LIBRARY = ("#!lua name=mine\nredis.register_function{function_name='one', flags={'no-writes'}, "
           "callback=function() return 1 end}")
README = (ROOT / "README.md").read_text()
PROGRAM = [sys.executable, ROOT / "tools" / "quickstart"]


class Quickstart:
    """The program that ./quickstart runs once the server is built."""

    def __init__(self, folder, *arguments, up_to=2):
        self.port = free_port(neighbours=2)
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*PROGRAM, "--port", str(self.port), "--data", folder, *arguments],
            stdout=self.output, stderr=subprocess.STDOUT)
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
        connection("FUNCTION", "LOAD", LIBRARY)
    live = quickstart("--from", f"127.0.0.1:{old.port}")
    ports = {7000: live.port, 6379: old.port}
    lines = [line for line in section("From Redis, and back") if line.startswith("redis-cli")]
    wait_until(lambda: Quickstart.linked(live.port), "Tandem follows Redis")
    with old.connect() as there, Connection(live.port) as here, Connection(live.port + 2) as last:
        there("SET", "late", "write")
        wait_until(lambda: last("GET", "late") == "write", "it arrives at the end of the chain")
        assert here("DBSIZE") == there("DBSIZE") == 2001
        assert here("DEBUG", "DIGEST") == there("DEBUG", "DIGEST")
        assert last("FCALL_RO", "one", 0) == 1
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
    old = start("redis", "--rename-command", "SET", "PUT")
    live = quickstart("--from", f"127.0.0.1:{old.port}")
    wait_until(lambda: Quickstart.linked(live.port), "Tandem follows Redis")
    line = next(line for line in section("From Redis, and back") if "unexpected" in line)
    with old.connect() as there:
        there("PUT", "key", "value")
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
    done = subprocess.run([*PROGRAM, *map(str, arguments)],
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


@pytest.mark.parametrize("user", [None, "mover"])
def test_a_source_with_a_password(start, quickstart, user):
    old = start("redis", "--requirepass", "secret")
    words = ["--password", "secret"]
    if user:
        with old.connect() as client:
            client("AUTH", "secret")
            client("ACL", "SETUSER", user, "on", ">key", "~*", "resetchannels", "+@all")
        words = ["--user", user, "--password", "key"]
    live = quickstart("--from", f"127.0.0.1:{old.port}", *words)
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


class LiveTable:
    """./quickstart in a terminal: the rows that stand on its screen, by the server's name."""

    HEADINGS = ["server", "port", "role", "offset", "lag", "link", "sync"]

    def __init__(self, folder, *arguments, columns=80):
        self.port = free_port(neighbours=2)
        self.terminal = Terminal([*PROGRAM, "--port", self.port, "--data", folder, *arguments],
                                 columns)

    def rows(self):
        """Of the only table, for it is drawn over and over in the same place."""
        lines = self.terminal.lines()
        heads = [at for at, line in enumerate(lines) if line.split() == self.HEADINGS]
        if not heads:
            return {}
        assert len(heads) == 1, self.terminal.text()
        columns = [lines[heads[0]].index(heading) for heading in self.HEADINGS] + [None]
        found = {}
        for line in lines[heads[0] + 1:]:
            cells = [line[a:b].strip() for a, b in zip(columns, columns[1:])]
            if cells[0]:
                found[cells[0]] = dict(zip(self.HEADINGS[1:], cells[1:]))
        return found

    def wait_for(self, name, **cells):
        """The row, once each of these cells matches its pattern."""
        def matches():
            row = self.rows().get(name)
            fits = row and all(re.fullmatch(cells[column], row[column]) for column in cells)
            return row if fits else None
        try:
            return wait_until(matches, f"{name} shows {cells}")
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{self.terminal.text()}") from None

    def server_pids(self):
        pids = []
        for port in range(self.port, self.port + 3):
            with Connection(port) as connection:
                pids.append(int(re.search(r"process_id:(\d+)", connection("INFO", "server"))[1]))
        return pids

    def end(self):
        """Ctrl-C, however far it got."""
        if self.terminal.process.poll() is None:
            self.terminal.press(INTERRUPT)
            self.terminal.process.wait(30)
        return self.terminal.process.returncode


@pytest.fixture
def live_table(tmp_path):
    begun = []

    def begin(*arguments, **options):
        begun.append(LiveTable(tmp_path / "data", *arguments, **options))
        return begun[-1]

    yield begin
    for item in begun:
        item.end()


def is_alive(pid):
    """A process that is none of our children."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_table_is_redrawn_in_place(live_table):
    live = live_table()
    for name, number in (("replica 1", 1), ("replica 2", 2)):
        row = live.wait_for(name, link="up", lag="0 B", sync="following")
        assert (row["role"], row["port"]) == ("replica", str(live.port + number))
    before = live.wait_for("primary", role="primary", offset=r"\d+", sync="-")
    assert (before["lag"], before["link"]) == ("-", "-")
    with Connection(live.port) as connection:
        connection("SET", "key", "x" * 1000)
        offset = int(re.search(r"master_repl_offset:(\d+)", connection("INFO"))[1])
    assert offset > int(before["offset"]) + 1000
    def moved():
        return min(int(row["offset"]) for row in live.rows().values()) >= offset
    wait_until(moved, "all rows move")
    with Connection(live.port + 1) as connection:
        connection("REPLICAOF", "NO", "ONE")
    live.wait_for("replica 1", role="primary", lag="-", link="-", sync="-")
    with Connection(live.port + 2) as connection:
        os.kill(int(re.search(r"process_id:(\d+)", connection("INFO"))[1]), signal.SIGKILL)
    live.wait_for("replica 2", role="-", offset="-", lag="-", link="down", sync="does not answer")


def test_ctrl_c_stops_all_and_leaves_the_data(live_table, tmp_path):
    live = live_table()
    live.wait_for("replica 2", link="up")
    pids = live.server_pids()
    assert len(set(pids)) == 3 and all(is_alive(pid) for pid in pids)
    with Connection(live.port) as connection:
        connection("SET", "key", "value")
    assert live.end() == 0
    assert not any(is_alive(pid) for pid in pids)
    assert "stopping" in live.terminal.text() and "Traceback" not in live.terminal.text()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    kept = {str(path.relative_to(tmp_path / "data")) for path in (tmp_path / "data").rglob("*")}
    names = ("primary", "replica-1", "replica-2")
    assert kept == {*names, *(f"{name}/{file}" for name in names for file in ("log", "dump.rdb"))}


@pytest.mark.skipif(is_stock("tandem"), reason="a stock replica does not count the keys it reads")
def test_ctrl_c_in_the_middle_of_a_start_stops_that_server(tmp_path, monkeypatch):
    started = []

    def interrupted(*arguments, **options):
        started.append(popen(*arguments, **options))
        os.kill(os.getpid(), signal.SIGINT)
        return started[0]
    popen = subprocess.Popen
    handlers = {number: signal.getsignal(number) for number in server_group.SIGNALS}
    monkeypatch.setattr(subprocess, "Popen", interrupted)
    try:
        with (pytest.raises(KeyboardInterrupt),
              server_group.Group(tmp_path / "data", free_port()) as group):
            group.start()
        assert len(started) == 1 and started[0].returncode is not None
    finally:
        for process in started:
            process.kill()
        for number, handler in handlers.items():
            signal.signal(number, handler)


def test_a_sync_has_a_bar_that_grows(start, live_table, proxy):
    """Whole, with its figure, in a terminal of the usual width."""
    old = start("redis", "--rdbcompression", "no")
    with old.connect() as connection:
        connection.pipeline([("SET", f"k{n}", "x" * 1000) for n in range(3000)])
    link = proxy(old)
    link.throttle(500_000)
    live = live_table("--from", f"127.0.0.1:{link.port}")

    bars = {}

    def shown():
        sync = live.rows().get("primary", {"sync": ""})["sync"]
        if bar := re.fullmatch(r"receiving \[(#*)(\.*)\] +(\d+) %", sync):
            bars[int(bar[3])] = len(bar[1]), len(bar[1] + bar[2])
        return len(bars) >= 3 or sync == "following"

    wait_until(shown, "the bar has grown twice")
    link.throttle(None)
    assert len(bars) >= 3 and list(bars) == sorted(bars) and max(bars) <= 100
    for share, (full, all_cells) in bars.items():
        assert 0 <= share * all_cells / 100 - full <= 1 and all_cells > 5, bars
    for name in ("primary", "replica 1", "replica 2"):
        live.wait_for(name, link="up", lag="0 B", sync="following")


def test_a_narrow_terminal_cuts_the_lines(live_table):
    """A line that went on in the next one would shift the table at every drawing."""
    live = live_table(columns=52)
    wait_until(lambda: "up" in live.terminal.text(), "the links are up")
    drawings = live.terminal.printed.count("\x1b[4A")
    wait_until(lambda: live.terminal.printed.count("\x1b[4A") > drawings + 1, "it is drawn again")
    assert sum(line.startswith("server ") for line in live.terminal.lines()) == 1
    assert sum(line.startswith("replica 2 ") for line in live.terminal.lines()) == 1


def test_lag_is_counted_from_the_beginning_of_the_chain():
    source = {"role": "master", "master_repl_offset": "50000", "connected_slaves": "1"}
    primary = {"role": "slave", "slave_repl_offset": "49500", "master_port": "1",
               "master_link_status": "up"}
    replica = {"role": "slave", "slave_repl_offset": "9000", "master_port": "2",
               "master_link_status": "down"}
    seen = {"1": source, "2": primary, "3": replica}
    rows = [live_view.row("name", port, info, seen) for port, info in seen.items()]
    assert rows[0] == ("name", "1", "primary", "50000", "-", "-", "-")
    assert rows[1] == ("name", "2", "replica", 49500, "500 B", "up", "following")
    assert rows[2] == ("name", "3", "replica", 9000, "40 KB", "down", "connecting")


def test_what_is_received_or_loaded_has_a_bar():
    receiving = {"role": "slave", "master_sync_in_progress": "1", "master_sync_read_keys": "250"}
    primary = {"db0": "keys=300,expires=0,avg_ttl=0", "db3": "keys=700,expires=1,avg_ttl=5"}
    assert live_view.phase(receiving, primary) == "receiving [##.......]  25 %"
    loading = {"loading": "1", "loading_loaded_bytes": "60", "loading_total_bytes": "100"}
    assert live_view.phase(loading, None) == "loading   [#####....]  60 %"
    sending = {"role": "master", "connected_slaves": "2", "slave0": "ip=a,port=1,state=send_bulk",
               "slave1": "ip=a,port=2,state=online,offset=0,lag=0"}
    assert live_view.phase(sending, None) == "sending a snapshot to 1"


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
