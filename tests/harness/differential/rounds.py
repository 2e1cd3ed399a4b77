"""Rounds: a seed draws which commands go to which servers, and when replicas lose their link."""
import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from .generator import Generator, Step
from .shrink import shortest
from .side import CUT_FULL, CUT_PARTIAL, PROTOCOLS, SUBSCRIBERS, WAITERS, WRITERS
from .world import Difference, World, shown

STEPS = 3000
WORKERS = (1, 4)
SHRINK_SECONDS = 40
SHOWN_MAX = 40  # steps of a failure
# In a round of connections that have nothing in common: these look at keys that they do not name,
# or at scripts and functions, which everybody shares.
SHARING = {"sort", "sort_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro"}


@dataclass(frozen=True)
class Plan:
    seed: int
    workers: int
    together: bool  # connections do not wait for each other
    steps: tuple


def draw(table, seed, count=STEPS):
    """The plan of a seed: always the same for the same table."""
    chance = random.Random(f"round {seed}")
    workers = WORKERS[seed % len(WORKERS)]
    together = workers > 1 and chance.random() < .4
    steps = lanes(table, chance, count) if together else one_by_one(table, chance, count)
    cut = chance.choice([None, CUT_PARTIAL, CUT_FULL])
    if cut:
        steps.insert(chance.randrange(len(steps)), Step(None, cut))
    return Plan(seed, workers, together, tuple(steps))


def one_by_one(table, chance, count):
    """All commands, or those of one group: alone it reaches deeper states of its keys."""
    groups = sorted({command.group for command in table.values() if command.has_keys} -
                    {"generic", "scripting", "transactions"})
    wanted = None if chance.random() < .6 else (chance.choice(groups), "generic")
    waiters = chance.choice([WAITERS, ()])
    return Generator(table, chance.random(), WRITERS, waiters, SUBSCRIBERS, wanted).steps(count)


def lanes(table, chance, count):
    """Each connection has keys of its own, so their commands are executed at once, and the answers
    are the same."""
    own = {name: row for name, row in table.items() if row.has_keys and name not in SHARING}
    waiting = []
    for lane in WRITERS:
        generator = Generator(own, chance.random(), (lane,), mistakes=0, suffix=f"/{lane}")
        waiting.append(generator.steps(count // len(WRITERS)))
    order = [lane for lane, steps in enumerate(waiting) for _ in steps]
    chance.shuffle(order)
    sources = [iter(steps) for steps in waiting]
    return [next(sources[lane]) for lane in order]


class Worlds:
    """A world for each number of workers, made when it is needed, and anew when a server ended."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="differential-"))
        self.made = {}
        self.reached = Counter()

    def close(self):
        """Stops everything; gives what was wrong with an end."""
        problems = []
        for workers in list(self.made):
            problems += self._end(workers)
        if not problems:
            shutil.rmtree(self.folder)
        return problems

    def get(self, workers):
        if workers not in self.made:
            folder = self.folder / f"{workers}-workers-{len(list(self.folder.iterdir()))}"
            folder.mkdir()
            # Known before it starts: whoever is told to end meanwhile stops its servers.
            self.made[workers] = World(folder, workers, self.reached)
            self.made[workers].start()
        return self.made[workers]

    def table(self):
        """What both servers know, and the names of what Tandem lacks."""
        ours, theirs = self.get(WORKERS[0]).tables
        both = {name: row for name, row in theirs.items() if name in ours}
        return both, sorted(theirs.keys() - both.keys())

    def play(self, plan, replicas=True):
        """The first difference, or None. A server that ends or does not answer is one, too."""
        try:
            return self.get(plan.workers).play(plan.steps, plan.together, replicas)
        except (OSError, EOFError, AssertionError) as problem:
            logs = self.made[plan.workers].log_tails() if plan.workers in self.made else []
            ends = self._end(plan.workers)
            return Difference(len(plan.steps), type(problem).__name__,
                              "\n".join([str(problem), *logs, *ends]))

    def _end(self, workers):
        return self.made.pop(workers).close() if workers in self.made else []


def of_failure(worlds, plan, found, seconds=SHRINK_SECONDS):
    """The shortest sequence that shows the same, as text."""
    plan = replace(plan, steps=plan.steps[:found.at])
    if same_again(worlds, replace(plan, together=False), found):
        plan = replace(plan, together=False)
    steps = shortest(plan.steps, lambda steps: same_again(
        worlds, replace(plan, steps=tuple(steps)), found), seconds)
    again = same_again(worlds, replace(plan, steps=tuple(steps)), found)
    head = f"seed {plan.seed}, {plan.workers} workers: {found.what}"
    if again is None:
        return f"{head}, once and not again when the same was sent\n{found.text}"
    first = max(0, len(steps) - SHOWN_MAX)
    return "\n".join([f"{head}, after", *([f"  {first} others"] if first else []),
                      *map(line, steps[first:]), again.text])


def same_again(worlds, plan, found):
    """The same difference where this plan shows it, else None."""
    again = worlds.play(plan, replicas=found.of_replicas)
    return again if again is not None and again.what == found.what else None


def line(step):
    if step.connection is None:
        return f"  -- {step.words}"
    commands = "; ".join(map(shown, step.commands()))
    return f"  {step.connection} (RESP{PROTOCOLS[step.connection]}): {commands}"
