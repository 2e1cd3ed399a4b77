"""What the log tells who runs the server, and the other files that a start leaves."""
import re
import signal

import pytest

from harness.servers import is_stock
from harness.wait import wait_until
from harness.wire import ReplyError, encode

pytestmark = pytest.mark.skipif(is_stock("tandem"), reason="the words are Tandem's own")


def log_has(server, pattern):
    return re.search(pattern, server.log_text(), re.M)


def test_each_line_names_the_role(start):
    primary, replica = start("tandem"), start("tandem")
    replica.follow(primary.port)
    wait_until(replica.link_up, "the link is up")
    with replica.connect() as client:
        client("REPLICAOF", "NO", "ONE")
        client("SAVE")
    assert log_has(primary, r"^\d+:M \d\d \w+ \d{4} [\d:.]+ \* Ready to accept connections tcp$")
    assert log_has(replica, r"^\d+:S ")
    assert log_has(replica, r"^\d+:M .* DB saved on disk")
    assert not log_has(primary, r"^\d+:S ")


def test_clients_come_and_go_in_a_verbose_log(start):
    server = start("tandem", "--loglevel", "verbose")
    with server.connect() as client:
        number = client("CLIENT", "ID")
    wait_until(lambda: log_has(server, rf"Client closed connection id={number} addr=127"),
               "it has left")
    assert log_has(server, r"- Accepted 127\.0\.0\.1:\d+$")
    with server.connect() as client:
        client("CONFIG", "SET", "loglevel", "notice")
        count = server.log_text().count("Accepted")
        with server.connect() as other:
            other("PING")
        assert server.log_text().count("Accepted") == count


def test_requests_of_http_are_told_once_in_a_while(start):
    server = start("tandem", "--worker-threads", "1")
    for _ in range(3):
        with server.connect() as browser:
            browser.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert browser.read_until_closed() == b""
    assert server.log_text().count("Possible SECURITY ATTACK") == 1


@pytest.mark.parametrize("function", [False, True])
def test_a_slow_script_is_named_and_so_is_its_end(start, function):
    server = start("tandem", "--busy-reply-threshold", 20)
    runner, other = server.connect(), server.connect()
    if function:
        name = "spin"
        other("FUNCTION", "LOAD", "#!lua name=mine\nredis.register_function("
              "{function_name='spin', flags={'no-writes'}, callback=function() while true do end "
              "end})")
        runner.send(encode("FCALL", "spin", 0))
    else:
        name = other("SCRIPT", "LOAD", "while true do end")
        runner.send(encode("EVALSHA", name, 0))
    wait_until(lambda: log_has(server, "Slow script detected"), "it is told of")
    assert log_has(server, rf"Slow script .*\b{name}\b")
    other("FUNCTION" if function else "SCRIPT", "KILL")
    assert "killed by user" in str(runner.read_raw())
    assert log_has(server, rf"ended the script .*\b{name}\b")


def test_a_unix_socket_is_told_of(start, tmp_path):
    assert log_has(start("tandem", "--unixsocket", tmp_path / "s"),
                   "Ready to accept connections unix$")
    server = start("tandem", "--unixsocket", tmp_path / "none" / "s", launch=False).launch()
    assert server.wait_exit() == 1
    assert log_has(server, rf"Failed opening Unix socket {tmp_path}/none/s: .*No such file")


def test_a_failed_check_is_in_the_log_file(start):
    server = start("tandem", "--logfile", "own.log", "--crash-log-enabled", "no")
    server.expected_exit = [-signal.SIGABRT]
    with server.connect() as client:
        client.send(encode("DEBUG", "PANIC"))
        assert client.read_until_closed() == b""
    assert server.wait_exit(60) == -signal.SIGABRT
    assert re.search(r"^\S+\.cc:\d+: check failed: .*DEBUG PANIC",
                     (server.folder / "own.log").read_text(), re.M)


def test_a_pid_file_that_is_there_is_written_to(start):
    """Its folder may belong to somebody else."""
    server = start("tandem", "--pidfile", "run.pid", launch=False)
    file = server.folder / "run.pid"
    file.write_text("somebody else's, and longer than a number")
    before = file.stat().st_ino
    server.start()
    assert file.stat().st_ino == before
    assert file.read_text() == f"{server.process.pid}\n"


def test_a_shutdown_beside_another_ends_as_it_does(start):
    primary, replica = start("tandem", "--shutdown-timeout", 600), start("tandem")
    replica.follow(primary.port)
    wait_until(replica.link_up, "the link is up")
    replica.process.send_signal(signal.SIGSTOP)
    askers, other = [primary.connect() for _ in range(3)], primary.connect()
    other("SET", "a", 1)
    for asker in askers:
        asker.send(encode("SHUTDOWN", "NOSAVE"))
    wait_until(lambda: other("CLIENT", "LIST").count("cmd=shutdown") == 3, "they wait")
    wait_until(lambda: "Waiting for replicas" in primary.log_text(), "it is told of")
    assert other("SHUTDOWN", "ABORT") == "OK"
    for asker in askers:
        with pytest.raises(ReplyError, match="Errors trying to SHUTDOWN"):
            asker.read()
    assert log_has(primary, "A client aborted the shutdown")
    other("CONFIG", "SET", "shutdown-timeout", 1)
    askers[0].send(encode("SHUTDOWN", "NOSAVE"))
    assert primary.wait_exit(30) == 0
    assert log_has(primary, r"The replica 127\.0\.0\.1:\d+ has not caught up in time: it lacks \d+")
