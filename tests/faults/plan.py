"""A round's plan, drawn from its seed: who follows whom, who writes, what fails in which order."""
import random
from dataclasses import dataclass

from .steps import FAMILIES

DEPTHS = (1, 1, 4, 16)
FAULTS_A_ROUND = 3

# name -> the members that it may hit: "replica", "link" (of a replica to the one above), "middle"
# (one that follows and is followed), "primary".
FAULTS = {
    "cut": "link",
    "flicker": "link",
    "cut_in_the_stream": "link",
    "stall": "link",
    "throttle": "link",
    "drop_replicas": "primary",
    "drop_clients": "primary",
    "pause_replica": "replica",
    "pause_primary": "primary",
    "kill_replica": "replica",
    "restart_replica": "replica",
    "restart_primary_by_shutdown": "primary",
    "restart_primary_by_signal": "primary",
    "kill_primary_and_restart": "primary",
    "kill_primary_and_promote": "primary",
    "flip_primary": "primary",
    "hand_over": "primary",
    "promote_under_load": "primary",
    "move_replica": "replica",
}
WITH_THREE = {"move_replica"}
# They wait for the second in which a stock server tries again: one a round keeps it short.
LONG = {"restart_primary_by_shutdown", "restart_primary_by_signal", "kill_primary_and_restart",
        "kill_primary_and_promote", "kill_replica", "restart_replica"}


@dataclass(frozen=True)
class Fault:
    name: str
    member: int  # the place of a replica: 1 is the first below the primary
    amount: int  # of what it measures itself by, 1 to 100

    def __str__(self):
        return f"{self.name}({self.member}, {self.amount})"


@dataclass(frozen=True)
class Plan:
    seed: int
    kinds: tuple        # of each member's server; the first is the primary
    upstream: tuple     # whom each follows; None for the primary
    ping_seconds: int   # repl-ping-replica-period
    writers: tuple      # (family, depth)
    queues: tuple       # kinds of queue
    counters: int
    faults: tuple

    def __str__(self):
        members = ", ".join(kind if above is None else f"{kind} after {above}"
                            for kind, above in zip(self.kinds, self.upstream))
        writers = " ".join(f"{family}/{depth}" for family, depth in self.writers)
        return (f"members: {members}; PING every {self.ping_seconds} s; writers: {writers}; "
                f"queues: {' '.join(self.queues)}; counters: {self.counters}; "
                f"faults: {', '.join(map(str, self.faults))}")


def draw(seed):
    chance = random.Random(f"fault round {seed}")
    turn = list(FAULTS)[seed % len(FAULTS)]  # seeds in a row begin with each fault in turn
    count = 3 if turn in WITH_THREE else chance.choice((2, 3, 3, 3))
    kinds = ("redis",) * count
    while "tandem" not in kinds:
        kinds = tuple(chance.choice(("tandem", "tandem", "redis")) for _ in range(count))
    upstream = (None, 0, chance.choice((0, 1)))[:count]
    writers = tuple((family, chance.choice(DEPTHS)) for family in FAMILIES)
    writers += tuple((chance.choice(FAMILIES), 16) for _ in range(2))
    return Plan(seed, kinds, upstream, chance.choice((1, 3600)), writers,
                tuple(chance.sample(("list", "sorted"), chance.choice((1, 2)))),
                chance.choice((0, 2, 2)), tuple(draw_faults(chance, count, turn)))


def draw_faults(chance, count, first):
    allowed = [name for name in FAULTS if count > 2 or name not in WITH_THREE]
    for number in range(FAULTS_A_ROUND):
        name = first if number == 0 else chance.choice(allowed)
        yield Fault(name, chance.randrange(1, count), chance.randrange(1, 101))
        if name in LONG:
            allowed = [other for other in allowed if other not in LONG]
