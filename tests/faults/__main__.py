"""./dev faults [--rounds N] [--seed S] [--plan]: rounds of the seeds S, S+1, ...

A seed always draws the same plan; how the processes' steps fall into each other it cannot decide,
so a rare failure may need the seed again and again: --again N.
"""
import argparse
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from faults.plan import draw  # noqa: E402
from faults.report import of_failure  # noqa: E402
from faults.round import Round  # noqa: E402


def play(plan):
    """Whether the round kept every promise."""
    started = time.monotonic()
    this_round = Round(plan)
    problem = None
    try:
        this_round.run()
    except Exception as found:  # noqa: BLE001
        problem = found
    finally:
        ends = this_round.cluster.close()
    if ends and problem is None:
        problem = AssertionError("; ".join(ends))
    if problem is not None:
        print(of_failure(this_round, f"{type(problem).__name__}: {problem}"), flush=True)
        return False
    shutil.rmtree(this_round.cluster.folder)
    counts = ", ".join(f"{count} {name}" for name, count in this_round.counts.items())
    print(f"seed {plan.seed}: {'<'.join(plan.kinds)}; {', '.join(f.name for f in plan.faults)}; "
          f"{this_round.acknowledged()} writes, {counts}, all of them due; "
          f"{time.monotonic() - started:.1f} s", flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--again", type=int, default=1, help="how often each seed is played")
    parser.add_argument("--plan", action="store_true", help="show the plans, start nothing")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("told to end"))
    plans = [draw(seed) for seed in range(options.seed, options.seed + options.rounds)]
    if options.plan:
        print("\n".join(f"seed {plan.seed}: {plan}" for plan in plans))
        return
    failed = [plan.seed for plan in plans for _ in range(options.again) if not play(plan)]
    total = options.rounds * options.again
    print(f"{total - len(failed)} of {total} rounds good" + (f"; failed: {failed}" if failed else
                                                              ""))
    sys.exit(1 if failed else 0)


main()
