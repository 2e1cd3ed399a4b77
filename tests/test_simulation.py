"""The simulation's program: a seed replays its schedule; what is asked for wrongly is refused."""
import subprocess

from harness.servers import ROOT


def simulate(*arguments):
    program = ROOT / "build" / "release" / "bin" / "sim-replication"
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True,
                          timeout=120)


def test_a_seed_replays_its_schedule():
    first, again, other = simulate("--seed", 7), simulate("--seed", 7), simulate("--seed", 8)
    assert first.returncode == other.returncode == 0
    assert first.stdout == again.stdout != other.stdout
    assert first.stdout.splitlines()[-1].startswith("seed 7: trace ")
    assert " ms  start node0" in first.stdout.splitlines()[0]


def test_schedules_are_counted():
    done = simulate("--seed", 5, "--schedules", 3)
    assert done.returncode == 0 and done.stdout.startswith("3 schedules good: ")


def test_what_it_does_not_understand_is_refused():
    for arguments in (("--bogus", 1), ("--seed",), ("--seed", "x"), ("7",)):
        done = simulate(*arguments)
        assert done.returncode == 2 and "Run with --help" in done.stderr, arguments
    assert "--schedules" in simulate("--help").stdout
