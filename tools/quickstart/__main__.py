"""What ./quickstart does once the server is built: the live view, the tour, the migration."""
import argparse
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests")]
from group import Group, Source  # noqa: E402
from live import show  # noqa: E402
from tour import run_tour  # noqa: E402


HIGHEST_FIRST_PORT = 65533


def first_port(text):
    port = int(text)
    if not 0 < port <= HIGHEST_FIRST_PORT:
        raise ValueError
    return port


def address(text):
    """HOST:PORT, an IPv6 host in brackets, as (host, port)."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not 0 < int(port) < 65536:
        raise ValueError
    return host, int(port)


def arguments():
    parser = argparse.ArgumentParser(prog="./quickstart", description="A primary and two replicas.")
    parser.add_argument("--tour", action="store_true", help="walk through the story and check it")
    parser.add_argument("--from", dest="source", type=address, metavar="HOST:PORT",
                        help="follow this Redis (live migration)")
    parser.add_argument("--user", help="user at the Redis to follow")
    parser.add_argument("--password", help="password at the Redis to follow")
    parser.add_argument("--port", type=first_port, default=7000,
                        help="first of three ports (7000)")
    parser.add_argument("--data", type=Path, default=ROOT / "tandem-data", help="the data folder")
    options = parser.parse_args()
    if options.tour and options.source:
        parser.error("the tour starts empty: either --tour or --from")
    return options


def explain(group, source):
    port = group.primary.port
    if source:
        print(f"Following {source.name}. When the table says that 'primary' is linked and has no "
              f"lag,\nand not that anything failed:\n"
              f"  redis-cli -p {port} REPLICAOF NO ONE     and point your clients at port {port}")
    print(f"Try: redis-cli -p {port} SET hello world ; redis-cli -p {port + 1} GET hello\n"
          f"Data and logs: {group.folder}. Ctrl-C stops all three.\n")


def main():
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    if options.tour:
        sys.exit(run_tour())
    source = Source(*options.source, options.user, options.password) if options.source else None
    with Group(options.data.resolve(), options.port) as group:
        try:
            group.start(source)
            explain(group, source)
            show(group, source)
        except KeyboardInterrupt:
            print("\nstopping", flush=True)


main()
