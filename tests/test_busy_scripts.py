"""A script that does not end: who was there before gets BUSY, and anybody can kill it, every time.
"""
import pytest

from harness.wait import wait_until
from harness.wire import encode

BUSY = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
FOREVER = ("EVAL", "while true do end", 0)
CLIENTS = 8  # on both workers
TURNS = 3


@pytest.fixture(params=["tandem", "redis"])
def busy_server(start, request):
    return start(request.param, "--busy-reply-threshold", 50)


def until_busy(*clients):
    """The script runs, and each of them is told so: once it is, every command is refused."""
    for client in clients:
        wait_until(lambda: client.raw("GET", "k").startswith(b"-BUSY"), "it is told")  # noqa: B023


def killed(runner):
    assert "Script killed by user" in str(runner.read_raw())


def test_who_was_there_before_gets_busy(busy_server):
    clients = [busy_server.connect() for _ in range(CLIENTS)]
    for client in clients:
        client("SET", "k", "v")
    runner, *others = clients
    for turn in range(TURNS):
        runner.send(encode(*FOREVER))
        until_busy(*others)
        for other in others:
            assert other.error("GET", "k") == BUSY
            assert other.error("PING") == BUSY
        others[turn % len(others)]("SCRIPT", "KILL")
        killed(runner)
        for other in others:
            assert other("GET", "k") == "v"


@pytest.mark.parametrize("killer", range(3))
def test_who_came_during_a_script_can_do_no_harm_in_the_next(busy_server, killer):
    """Those who came during the first are the first to ask during the second."""
    runners = [busy_server.connect() for _ in range(2)]
    runners[0].send(encode(*FOREVER))
    came = [busy_server.connect() for _ in range(3)]
    until_busy(*came)
    came[0]("SCRIPT", "KILL")
    killed(runners[0])
    assert came[1]("SET", "k", "v") == "OK"
    runners[1].send(encode(*FOREVER))
    for client in came:
        client.send(encode("GET", "k"))
    for client in came:
        client.read_raw()  # the value, from before the script, or BUSY
    until_busy(*came)
    came[killer]("SCRIPT", "KILL")
    killed(runners[1])
    assert [client("GET", "k") for client in came] == ["v"] * 3


def send_save(client):
    client.send(encode("SAVE"))


def ask_for_functions(client):
    assert client("REPLCONF", "rdb-filter-only", "functions") == "OK"
    client.send(encode("SYNC"))


@pytest.mark.parametrize(("ask", "answer"), [(send_save, b"+OK"), (ask_for_functions, b"-BUSY")])
def test_who_needs_all_keys_behind_a_script_holds_nobody_up(start, ask, answer):
    """It asks as the second script begins, on the worker that is to serve who kills that one."""
    server = start("tandem", "--busy-reply-threshold", 1000)
    runners = [server.connect() for _ in range(2)]
    runners[0].send(encode(*FOREVER))
    came = [server.connect() for _ in range(2)]
    until_busy(*came)
    came[1]("SCRIPT", "KILL")
    killed(runners[0])
    runners[1].send(encode(*FOREVER))
    ask(came[0])
    until_busy(came[1], server.connect())
    came[1]("SCRIPT", "KILL")
    killed(runners[1])
    assert came[0].read_raw().startswith(answer)


def test_a_transaction_and_a_blocked_client_wait_out_a_script(busy_server):
    """A blocked client stays blocked; a command of a transaction that was open is not queued."""
    runner, blocked, opened, control = (busy_server.connect() for _ in range(4))
    blocked.send(encode("BLPOP", "list", 0))
    wait_until(lambda: busy_server.info("clients")["blocked_clients"] == "1", "it waits")
    opened("MULTI")
    runner.send(encode(*FOREVER))
    until_busy(control)
    assert opened.error("SET", "k", 1) == BUSY
    control("SCRIPT", "KILL")
    killed(runner)
    assert opened.error("EXEC").startswith("EXECABORT")
    control("RPUSH", "list", "x")
    assert blocked.read() == ["list", "x"]


def test_a_script_that_wrote_is_not_killed(busy_server):
    busy_server.expected_exit = {0, -9}
    runner, other = busy_server.connect(), busy_server.connect()
    runner.send(encode("EVAL", "redis.call('set', 'k', 1) while true do end", 0))
    until_busy(other)
    assert other.error("SCRIPT", "KILL").startswith("UNKILLABLE Sorry the script already executed")
    other.send(encode("SHUTDOWN", "NOSAVE"))
    assert busy_server.wait_exit() == 0
