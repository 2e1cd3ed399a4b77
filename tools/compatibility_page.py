"""Prints docs/compatibility.md: every command of Redis 7.2, from the table of a running server.

    tools/compatibility_page.py     starts the server of the release build for it

What is not in the table stands in ABSENT with the reason. tests/test_compatibility.py holds both
lists to redis-server's own, and the page in docs to what this prints.
"""
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from harness.servers import Server  # noqa: E402

NO_CLUSTER = "there is no cluster mode"
NO_MODULES = "there are no modules"
NO_APPEND_ONLY = "there is no append-only file: the log of replication is the one on disk"
OWN_TESTS = "tests Redis's own code"

# By name; a container's subcommands behind a bar.
ABSENT = {
    **{f"cluster|{name}": NO_CLUSTER for name in (
        "addslots", "addslotsrange", "bumpepoch", "count-failure-reports", "countkeysinslot",
        "delslots", "delslotsrange", "failover", "flushslots", "forget", "getkeysinslot", "links",
        "meet", "myshardid", "replicas", "replicate", "reset", "saveconfig", "set-config-epoch",
        "setslot", "slaves")},
    **{f"module|{name}": NO_MODULES for name in ("load", "loadex", "unload")},
    "restore-asking": NO_CLUSTER,
    "bgrewriteaof": NO_APPEND_ONLY,
    "waitaof": NO_APPEND_ONLY,
    "failover": "not yet; a primary is replaced with REPLICAOF, or by who watches it",
    "pfdebug": OWN_TESTS,
    "pfselftest": OWN_TESTS,
}

# What 7.2 has and 7.0 has not.
NEW_IN_7_2 = {"client|no-touch", "client|setinfo", "cluster|myshardid", "waitaof"}

GROUPS = {
    "generic": "Keys", "string": "Strings", "bitmap": "Bits", "list": "Lists", "set": "Sets",
    "hash": "Hashes", "sorted-set": "Sorted sets", "stream": "Streams",
    "hyperloglog": "HyperLogLogs", "geo": "Places on the Earth", "pubsub": "Messages",
    "transactions": "Transactions", "scripting": "Scripts and functions",
    "connection": "Connections", "server": "The server", "cluster": "Cluster",
    "sentinel": "Sentinel",
}

HEAD = """# Compatibility

Which commands of Redis 7.2 there are here. `./dev docs` makes this page from the server's own
table, the one that COMMAND tells and that calls are executed from. Each behaves, replicates and
answers as in Redis 7.2, errors included, unless the page says otherwise.

What the configuration understands is in [configuration.md](configuration.md).
"""


def flat(docs):
    """(name, its docs) of every command and subcommand."""
    for name, entry in docs.items():
        yield name, entry
        yield from flat(entry.get("subcommands", {}))


def page(docs):
    """`docs`: the answer of COMMAND DOCS in RESP3."""
    groups = {title: [] for title in GROUPS.values()}
    for name, entry in sorted(flat(docs)):
        words = name.replace("|", " ").upper()
        groups[GROUPS[entry["group"]]].append(
            f"| {words} | {entry['since']} | {entry['summary'].removesuffix('.')} |\n")
    text = HEAD
    for title, rows in groups.items():
        if rows:
            text += f"\n## {title}\n\n| command | since | what it does |\n|---|---|---|\n"
            text += "".join(rows)
    text += "\n## What is not there\n\n| command | why |\n|---|---|\n"
    for name, reason in sorted(ABSENT.items()):
        text += f"| {name.replace('|', ' ').upper()} | {reason} |\n"
    return text


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = Server("tandem", folder).start()
        try:
            with server.connect(protocol=3) as client:
                print(page(client("COMMAND", "DOCS")), end="")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
