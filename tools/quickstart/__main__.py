"""What ./quickstart does once the server is built: the live view, the tour, the migration."""
import argparse
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests")]
from group import Group  # noqa: E402
from live import show  # noqa: E402
from tour import run_tour  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="./quickstart", description="A primary and two replicas.")
    parser.add_argument("--tour", action="store_true", help="walk through the story and check it")
    parser.add_argument("--from", dest="source", metavar="HOST:PORT",
                        help="follow this Redis (live migration)")
    parser.add_argument("--user", help="user at the Redis to follow")
    parser.add_argument("--password", help="password at the Redis to follow")
    parser.add_argument("--port", type=int, default=7000, help="first of three ports (7000)")
    parser.add_argument("--data", type=Path, default=ROOT / "tandem-data", help="the data folder")
    return parser.parse_args()


def explain(group, source):
    port = group.primary.port
    if source:
        print(f"Following {source}. When the table says that 'primary' is linked and has no lag:\n"
              f"  redis-cli -p {port} REPLICAOF NO ONE     and point your clients at port {port}")
    print(f"Try: redis-cli -p {port} SET hello world ; redis-cli -p {port + 1} GET hello\n"
          f"Data and logs: {group.folder}. Ctrl-C stops all three.\n")


def main():
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    if options.tour:
        sys.exit(run_tour())
    with Group(options.data, options.port) as group:
        try:
            group.start(options.source, options.user, options.password)
            explain(group, options.source)
            show(group, options.source)
        except KeyboardInterrupt:
            print("\nstopping")


main()
