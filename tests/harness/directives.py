"""What redis-server says of each directive's odd values, for src/config/directive_answers_test.cc:

    python3 tests/harness/directives.py >tests/data/directives.txt

One case a line, of columns with a tab between: `file` and the line, or `set`, the name and the
value; then `refused` and the reason, or `shown` and what CONFIG GET shows afterwards. Texts are as
JSON writes them, but {long} is 300 times x, and what all errors of CONFIG SET begin with is left
out.
"""
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from harness.servers import REDIS, Server  # noqa: E402
from harness.wire import ReplyError  # noqa: E402

LARGE = "9" * 20
LONG = "x" * 300
IN_FILES = {
    "missing": lambda value: "",
    "empty": lambda value: '""',
    "quoted": lambda value: json.dumps(value),
    "in single quotes": lambda value: "'" + value.replace("'", "\\'") + "'",
    "not closed": lambda value: '"' + value,
    "a blank": lambda value: '" "',
    "two empty ones": lambda value: '"" ""',
    "too large": lambda value: LARGE,
    "long": lambda value: LONG,
    "below zero": lambda value: "-" + LARGE,
}
IN_COMMANDS = ["", " ", "a  b", '"a"', LARGE, LONG, "-" + LARGE]
# What the answers would depend on the machine for, or what ends the asking.
NOT_ASKED = {"dir", "server_cpulist", "bio_cpulist", "aof_rewrite_cpulist", "bgsave_cpulist",
             "oom-score-adj", "maxclients", "bind-source-addr"}
NOT_IN_FILES = NOT_ASKED | {"port", "bind", "unixsocket", "requirepass", "logfile", "pidfile",
                            "daemonize", "supervised", "replicaof", "slaveof", "dbfilename",
                            "aclfile", "cluster-enabled"}
NOT_SET = NOT_ASKED | {"port", "bind"}
REASON = re.compile(r">>> '(.*)'\n(.*)")


def refusal(folder, line):
    """The reason to refuse this line; None: it is taken. The line behind it is refused anyway."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf", dir=folder) as file:
        file.write(f"{line}\nnosuchdirective\n")
        file.flush()
        done = subprocess.run([REDIS, file.name], capture_output=True, text=True, timeout=60,
                              cwd=folder)
    found = REASON.search(done.stdout + done.stderr)
    return None if found.group(1) == "nosuchdirective" else found.group(2)


def server_with(folder, lines):
    server = Server("redis", folder, "--bind", "127.0.0.1", defaults=False)
    (Path(folder) / "redis.conf").write_text("\n".join(lines) + "\n")
    return server.start()


def write(*columns):
    texts = (json.dumps(text.replace(LONG, "{long}")) for text in columns[1:])
    print("\t".join([columns[0], *texts]))


def shown(server, names):
    with server.connect() as connection:
        return {name: connection("CONFIG", "GET", name)[1] for name in names}


def ask_files(folder, defaults):
    for case, value_of in IN_FILES.items():
        lines = {name: f"{name} {value_of(value)}".rstrip() for name, value in defaults.items()
                 if name not in NOT_ASKED}
        with ThreadPoolExecutor(3) as pool:
            reasons = pool.map(lambda line: refusal(folder, line), lines.values())
            refused = dict(zip(lines, reasons))
        taken = [name for name in lines if refused[name] is None and name not in NOT_IN_FILES]
        server = server_with(Path(folder) / case, [lines[name] for name in taken])
        values = shown(server, taken)
        server.stop()
        for name, line in lines.items():
            if refused[name] is not None:
                write("file", line, "refused", refused[name])
            elif name in values:
                write("file", line, "shown", values[name])


def ask_commands(folder, defaults):
    server = server_with(Path(folder) / "commands", [])
    with server.connect() as connection:
        for value in IN_COMMANDS:
            for name, usual in defaults.items():
                if name in NOT_SET:
                    continue
                try:
                    connection("CONFIG", "SET", name, value)
                except ReplyError as error:
                    write("set", name, value, "refused", str(error).partition(" - ")[2])
                    continue
                write("set", name, value, "shown", connection("CONFIG", "GET", name)[1])
                connection("CONFIG", "SET", name, usual)
    server.stop()


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = server_with(Path(folder) / "defaults", [])
        with server.connect() as connection:
            got = connection("CONFIG", "GET", "*")
        server.stop()
        defaults = dict(zip(got[::2], got[1::2]))
        ask_files(folder, defaults)
        ask_commands(folder, defaults)


if __name__ == "__main__":
    main()
