"""./dev differential [--seed N] [--minutes M] [--rounds N] [--coverage]: rounds of the seeds N,
N+1, ... of random commands to Tandem and to redis-server, whose answers and data must be equal.
"""
import argparse
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from harness.differential.coverage import of_table  # noqa: E402
from harness.differential.rounds import Worlds, draw, of_failure  # noqa: E402

DIFFERENCES_MAX = 5  # then the run ends


def run(worlds, options):
    """Plays rounds until the time is over; gives the differences found."""
    table, lacking = worlds.table()
    if lacking:
        print(f"Tandem lacks {len(lacking)} commands of 7.0: {', '.join(lacking)}", flush=True)
    deadline = time.monotonic() + options.minutes * 60
    seed, sent, found = options.seed, 0, {}
    while len(found) < DIFFERENCES_MAX and (
            seed < options.seed + options.rounds if options.rounds else
            time.monotonic() < deadline):
        plan = draw(table, seed)
        difference = worlds.play(plan)
        sent += difference.at if difference else len(plan.steps)
        if difference and difference.what not in found:
            found[difference.what] = of_failure(worlds, plan, difference)
            print(found[difference.what], flush=True)
        seed += 1
    text, reached, nodes = of_table(table, worlds.reached)
    if options.coverage:
        print(text)
    print(f"seeds {options.seed} to {seed - 1}: {sent} commands; answered without an error: "
          f"{reached} of {nodes} commands and options; {len(found)} differences")
    return found


def main():
    parser = argparse.ArgumentParser(prog="./dev differential", description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--rounds", type=int, help="so many, however long they take")
    parser.add_argument("--coverage", action="store_true", help="what was reached of the table")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("told to end"))
    worlds = Worlds()
    try:
        found = run(worlds, options)
    finally:
        problems = worlds.close()
    print("\n".join(problems), end="")
    sys.exit(1 if found or problems else 0)


if __name__ == "__main__":
    main()
