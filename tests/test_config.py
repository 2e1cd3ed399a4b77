"""redis.conf, arguments, CONFIG: accepted, refused with its line, changed, written back."""
import re
import subprocess

import pytest

from harness.servers import Server, free_port, is_stock
from harness.wait import wait_until
from harness.wire import encode

only_tandem = pytest.mark.skipif(is_stock("tandem"), reason="a stock server has no warning here")


def with_file(start, text, *arguments, **options):
    """A server, not started, with this redis.conf."""
    server = start("tandem", *arguments, launch=False, **options)
    (server.folder / "redis.conf").write_text(text)
    return server


def ask(server, name):
    with server.connect() as connection:
        return connection("CONFIG", "GET", name)[1]


def test_file_and_arguments(start):
    server = with_file(start, "# a comment\n\nrepl-backlog-size 100mb\nTIMEOUT 7\n"
                              "tcp-keepalive 11\nrequirepass \"a \\x41 b\"\n", "--timeout", "9")
    server.start()
    with server.connect() as connection:
        connection("AUTH", "a A b")
        got = connection("CONFIG", "GET", "*")
        values = dict(zip(got[::2], got[1::2]))
    assert values["repl-backlog-size"] == "104857600"
    assert values["timeout"] == "9", "an argument wins over the file"
    assert values["tcp-keepalive"] == "11"


def test_include(start, tmp_path):
    more = tmp_path / "more.conf"
    more.write_text("timeout 21\n")
    assert ask(with_file(start, f"timeout 1\ninclude {more}\n").start(), "timeout") == "21"


# Lines of a redis.conf beside one.conf, ten.conf and two.conf, which set timeouts of 1, 10 and 2,
# and a hz of 100, 110 and 200; and the timeout and hz that come of them.
INCLUDES = {
    "in the order of their names": ("include {}/*.conf", "2", "200"),
    "one letter": ("include {}/?ne.conf", "1", "100"),
    "several letters": ("include {}/t[ew][no].conf", "2", "200"),
    "later lines win": ("include {}/*.conf\ntimeout 77", "77", "200"),
    "earlier lines lose": ("timeout 77\ninclude {}/t*.conf", "2", "200"),
    "one after the other": ("include {}/two.conf\ninclude {}/one.conf", "1", "100"),
    "nothing matches": ("hz 50\ninclude {}/none*.conf\ntimeout 78", "78", "50"),
    "no such folder": ("hz 50\ninclude {}/none/*\ntimeout 78", "78", "50"),
    "files that match include others": ("include {}/*.more\n", "10", "110"),
}


@pytest.mark.parametrize("case", INCLUDES)
def test_include_of_a_pattern(start, tmp_path, case):
    for name, text in {"two.conf": "timeout 2\nhz 200", "one.conf": "timeout 1\nhz 100",
                       "ten.conf": "timeout 10\nhz 110",
                       "x.more": f"include {tmp_path}/te*.conf\n"}.items():
        (tmp_path / name).write_text(text + "\n")
    text, timeout, hz = INCLUDES[case]
    for kind in ("tandem", "redis"):
        server = start(kind, launch=False, defaults=False)
        (server.folder / "redis.conf").write_text(text.replace("{}", str(tmp_path)) + "\n")
        server.arguments = ["--bind", "127.0.0.1", "--save", ""]
        server.start()
        assert ask(server, "timeout") == timeout and ask(server, "hz") == hz, kind


def test_standard_input(start):
    server = start("tandem", launch=False)
    server.arguments_before = lambda: ["-"]
    server.launch(stdin=subprocess.PIPE)
    server.process.stdin.write(b"timeout 33\n")
    server.process.stdin.close()
    wait_until(server.answers, "it answers")
    assert ask(server, "timeout") == "33"


@pytest.mark.parametrize("line", [
    "nosuchdirective 1", "timeout abc", "timeout", "port 99999", "maxclients 0",
    "appendonly perhaps",
    "save 1", "repl-backlog-size -1", "client-output-buffer-limit normal 1",
    'requirepass "open', "loglevel loud", "replicaof 127.0.0.1", "databases 0",
    "unixsocketperm 999", "repl-timeout -1", "repl-backlog-size 99999999999999999999",
    "proto-max-bulk-len 99999999999999999999gb", 'proc-title-template "{nosuch}"',
    "rename-command nosuch other", "rename-command get SET", "rename-command ping",
])
def test_a_bad_line_stops_the_start_and_is_named(start, line):
    server = with_file(start, f"timeout 5\n{line}\n")
    server.launch()
    assert server.wait_exit() != 0
    log = server.log_text()
    assert "FATAL CONFIG FILE ERROR" in log and "line 2" in log and f">>> '{line}'" in log


def test_renamed_commands(start):
    """By other names for clients and scripts, each as the lines before left it."""
    for kind in ("tandem", "redis"):
        server = start(kind, launch=False)
        (server.folder / "redis.conf").write_text(
            'rename-command CONFIG hidden\nrename-command get ""\nrename-command mget Get\n'
            "rename-command echo ECHO\n")
        with server.start().connect() as client:
            assert client("HIDDEN", "GET", "timeout") == ["timeout", "0"]
            assert client.error("CONFIG", "GET", "a").startswith("ERR unknown command 'CONFIG")
            client("SET", "a", 1)
            assert client("GET", "a", "b") == ["1", None]
            assert client("EVAL", "return redis.call('get', 'a', 'b')", 0) == ["1", None]
            assert "unknown command" in client.error("MGET", "a").lower()
            assert client("ECHO", "a") == "a"
            assert client("COMMAND", "COUNT") == len(client("COMMAND"))
            assert client("COMMAND", "INFO", "hidden")[0][0] == "config"
            assert "get" not in client("COMMAND", "LIST") and "mget" in client("COMMAND", "LIST")
            assert "cmdstat_mget:calls=2" in client("INFO", "commandstats")


def test_a_renamed_exec_still_ends_transactions(start):
    server = with_file(start, "rename-command exec commit\n").start()
    with server.connect() as client:
        replies = client.pipeline([("MULTI",), ("SET", "a", 1), ("COMMIT",), ("GET", "a")])
    assert replies == [b"+OK\r\n", b"+QUEUED\r\n", b"*1\r\n+OK\r\n", b"$1\r\n1\r\n"]


def test_a_bad_argument_stops_the_start(start):
    server = start("tandem", "--nosuchdirective", "1", launch=False)
    server.launch()
    assert server.wait_exit() != 0
    assert "nosuchdirective" in server.log_text()


def test_a_missing_file_or_include_stops_the_start(start, tmp_path):
    for words in (["/nonexistent/redis.conf"], []):
        server = with_file(start, "include /nonexistent/more.conf\n")
        if words:
            server.arguments_before = lambda: words  # noqa: B023
        server.launch()
        assert server.wait_exit() != 0
        assert "/nonexistent/" in server.log_text()


@only_tandem
def test_a_directive_without_effect_is_accepted_with_a_warning(start):
    server = with_file(start, "cluster-node-timeout 20000\nio-threads 2\n").start()
    log = server.log_text()
    assert "'cluster-node-timeout' has no effect: there is no cluster" in log
    assert "'io-threads' has no effect" in log


@only_tandem
def test_config_set_of_a_directive_without_effect_warns(server, client):
    client("CONFIG", "SET", "timeout", 5, "cluster-node-timeout", 20000)
    assert "'cluster-node-timeout' has no effect" in server.log_text()
    assert "'timeout'" not in server.log_text()


# What would promise safety or a limit that is not there.
PROMISES = ["appendonly yes", "tls-port 6380", "tls-cert-file a.crt", "tls-replication yes",
            "loadmodule a.so", "cluster-enabled yes"]


@only_tandem
@pytest.mark.parametrize("line", PROMISES)
def test_a_promise_that_cannot_be_kept_stops_the_start(start, line):
    name, _, value = line.partition(" ")
    server = with_file(start, f"timeout 5\n{line}\n").launch()
    assert server.wait_exit() == 1
    log = server.log_text()
    assert f"at line 2\n>>> '{line}'\n'{name}' can" in log
    server = start("tandem", launch=False)
    server.arguments = [f"--{name}", *value.split()]
    server.launch()
    assert server.wait_exit() == 1


@only_tandem
@pytest.mark.parametrize("line", PROMISES)
def test_a_promise_that_cannot_be_kept_is_not_set(client, line):
    name, _, value = line.partition(" ")
    before = client("CONFIG", "GET", name)
    error = client.error("CONFIG", "SET", "timeout", 7, name, value)
    if before:
        assert re.search(rf"'{name}'\) - ('{name}' can only be '|can't set immutable)", error)
    assert client("CONFIG", "GET", name) == before
    assert client("CONFIG", "GET", "timeout") == ["timeout", "0"]


def test_the_defaults_of_what_cannot_be_had(start):
    """As CONFIG REWRITE of Redis may have left them."""
    server = with_file(start, "user default on nopass sanitize-payload ~* &* +@all\nappendonly no\n"
                              "maxmemory 0\ntls-port 0\ncluster-enabled no\n"
                              'aclfile ""\nnotify-keyspace-events ""\n')
    server.start()


def test_a_value_may_look_like_an_option(start):
    server = start("tandem", "--requirepass", "--secret", "--timeout", 7, launch=False)
    server.launch()
    def let_in():
        with server.connect() as connection:
            return connection("AUTH", "--secret")
    assert wait_until(let_in, "the password is taken") == "OK"


def test_several_values_and_quotes_as_arguments(start):
    server = start("tandem", "--save", "3600 1 60 100", "--client-output-buffer-limit",
                   "replica 10mb 5mb 60", "--repl-backlog-size", "2mb")
    assert ask(server, "save") == "3600 1 60 100"
    assert "slave 10485760 5242880 60" in ask(server, "client-output-buffer-limit")
    assert ask(server, "repl-backlog-size") == "2097152"


def test_config_set_and_get(client):
    assert client("CONFIG", "SET", "timeout", "100", "repl-backlog-size", "3mb") == "OK"
    got = client("CONFIG", "GET", "timeout", "repl-backlog-*")
    expected = {"timeout": "100", "repl-backlog-ttl": "3600", "repl-backlog-size": "3145728"}
    assert expected.items() <= dict(zip(got[::2], got[1::2])).items()


def test_config_set_is_all_or_nothing(client):
    before = client("CONFIG", "GET", "timeout")
    assert "argument" in client.error("CONFIG", "SET", "timeout", "55", "maxclients", "abc")
    assert client("CONFIG", "GET", "timeout") == before


@pytest.mark.parametrize("name, value, error", [
    ("timeout", "abc", "argument couldn't be parsed into an integer"),
    ("timeout", "-1", "argument must be between 0 and 2147483647 inclusive"),
    ("appendonly", "maybe", "argument must be 'yes' or 'no'"),
    ("maxmemory", "1tt", "argument must be a memory value"),
    ("loglevel", "loud", "argument(s) must be one of the following"),
    ("port", "70000", "argument must be between 0 and 65535 inclusive"),
])
def test_config_set_errors(client, name, value, error):
    got = client.error("CONFIG", "SET", name, value)
    assert got.startswith(f"ERR CONFIG SET failed (possibly related to argument '{name}') - ")
    assert error in got


MEMORY_VALUES = ["99999999999999999999", "99999999999999999999gb", "9223372036854775808",
                 "9223372036854775807", "-1", "1tb", "", "mb"]
MEMORY_DIRECTIVES = ["client-query-buffer-limit", "proto-max-bulk-len", "auto-aof-rewrite-min-size",
                     "repl-backlog-size", "cluster-link-sendbuf-limit", "hash-max-listpack-value",
                     "zset-max-listpack-value", "hll-sparse-max-bytes", "stream-node-max-bytes",
                     "active-defrag-ignore-bytes",
                     "loading-process-events-interval-bytes"]


def test_memory_values_beyond_the_largest_number(start):
    """Refused where Redis refuses them; where it takes them the largest is taken."""
    ours, theirs = (start(kind).connect() for kind in ("tandem", "redis"))
    for name in MEMORY_DIRECTIVES:
        for value in MEMORY_VALUES:
            if (name, value) == ("repl-backlog-size", "9223372036854775807"):
                continue  # a stock server would want to have that memory
            words = "CONFIG", "SET", name, value
            assert ours.raw(*words) == theirs.raw(*words), words
    ours("CONFIG", "SET", "cluster-link-sendbuf-limit", "99999999999999999999")
    assert ours("CONFIG", "GET", "cluster-link-sendbuf-limit")[1] == "18446744073709551615"


@pytest.mark.parametrize("template", [
    "{title} {listen-addr} {server-mode}", "{title}", "", " ", "{port}", "{tls-port}", "plain",
    "{{", "{", "a{", "{title", "{nosuch} a", "{}", "}", "{Port}", "{unixsocket}", "{config-file}"])
def test_a_title_template_is_checked(start, template):
    words = "CONFIG", "SET", "proc-title-template", template
    ours, theirs = (start(kind).connect().raw(*words) for kind in ("tandem", "redis"))
    assert ours == theirs


def test_config_set_of_an_immutable_directive(client):
    assert "can't set immutable config" in client.error("CONFIG", "SET", "databases", "3")


def test_config_rewrite(start):
    server = with_file(start, "# keep this comment\ntimeout 5\n").start()
    with server.connect() as connection:
        connection("CONFIG", "SET", "timeout", "77", "repl-backlog-size", "5mb")
        assert connection("CONFIG", "REWRITE") == "OK"
    text = (server.folder / "redis.conf").read_text()
    assert "# keep this comment" in text and "repl-backlog-size 5mb" in text
    assert text.splitlines().count("timeout 77") == 1
    server.stop()
    server.start()
    assert ask(server, "timeout") == "77"


def test_config_rewrite_keeps_the_role(start):
    primary = start("tandem")
    server = with_file(start, "timeout 5\n").start()
    server.follow(primary.port)
    with server.connect() as connection:
        connection("CONFIG", "REWRITE")
    assert f"replicaof 127.0.0.1 {primary.port}" in (server.folder / "redis.conf").read_text()


def test_config_rewrite_without_a_file(client):
    assert client.error("CONFIG", "REWRITE") == "ERR The server is running without a config file"


def test_config_resetstat(client):
    client("GET", "a")
    client("CONFIG", "RESETSTAT")
    assert "keyspace_misses:0\r" in client("INFO", "stats")


def test_maxclients_and_port_at_run_time(start):
    server = start("tandem")
    fresh = Server("tandem", server.folder).port
    with server.connect() as connection:
        assert connection("CONFIG", "SET", "maxclients", "1") == "OK"
        with server.connect() as second:
            assert b"max number of clients" in second.read_until_closed()
        connection("CONFIG", "SET", "maxclients", "100")
        assert connection("CONFIG", "SET", "port", fresh) == "OK"
    server.port = fresh
    with server.connect() as connection:
        assert connection("PING") == "PONG"


def refused_bind(connection):
    error = connection.error("CONFIG", "SET", "bind", "192.0.2.77")
    return error == ("ERR CONFIG SET failed (possibly related to argument 'bind') - "
                     "Failed to bind to specified addresses.")


def test_bind_at_run_time(start):
    server = start("tandem")
    with server.connect() as admin:
        for value in ("127.0.0.1 -::1", "127.0.0.1"):
            assert admin("CONFIG", "SET", "bind", value) == "OK"
            with server.connect() as connection:
                assert connection("PING") == "PONG"
        for nothing in ("", "-192.0.2.77"):
            assert admin("CONFIG", "SET", "bind", nothing) == "OK"
            assert admin("CONFIG", "GET", "bind") == ["bind", nothing]
            with pytest.raises(ConnectionRefusedError):
                server.connect()
        assert admin("CONFIG", "SET", "bind", "127.0.0.1") == "OK"
        assert refused_bind(admin)
        assert admin("CONFIG", "GET", "bind") == ["bind", "127.0.0.1"]
    with server.connect() as connection:
        assert connection("PING") == "PONG"


def test_a_port_that_is_taken_changes_nothing(start):
    server, other = start("tandem"), start("tandem")
    with server.connect() as admin:
        assert "Unable to listen on this port" in admin.error("CONFIG", "SET", "port", other.port)
        assert admin("CONFIG", "GET", "port") == ["port", str(server.port)]
    with server.connect() as connection:
        assert connection("PING") == "PONG"


def test_listening_nowhere_stops_the_start(start):
    server = start("tandem", "--bind", "-192.0.2.77", launch=False).launch()
    assert server.wait_exit() == 1


def test_version_and_help(start):
    program = start("tandem", launch=False).command()[0]
    for option in ("--version", "--help"):
        done = subprocess.run([program, option], capture_output=True, text=True, timeout=10)
        assert done.stdout + done.stderr


def test_the_server_ends_in_the_middle_of_changes_of_its_port(start):
    """Listening anew is the main thread's work, which has left its loop by then."""
    server = start("tandem")
    ports = free_port(), free_port()
    with server.connect() as client:
        client.send(b"".join(encode("CONFIG", "SET", "port", ports[n % 2]) for n in range(2000)))
        assert client.read() == "OK"
        server.process.terminate()
        assert server.wait_exit() == 0
