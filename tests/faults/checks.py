"""What must be true after a fault: pure functions over what was seen, so that tests can prove that
they fail."""
from .violation import Violation


def explain(base, history, in_doubt, at_least, observed):
    """The state that a server holds of one writer's keys is what the history leads to.

    `history` are the acknowledged steps since the state was `base`, `in_doubt` those that were sent
    but not answered, in order. A server executes a client's steps in order, so it holds the outcome
    of the history up to some step; not before step `at_least`."""
    state = base.copy()
    steps = [*history, *in_doubt]
    lost = None
    for count in range(len(steps) + 1):
        if state == observed:
            if count >= at_least:
                return
            lost = at_least - count
        if count == at_least:
            due = state.copy()
        if count < len(steps):
            for words in steps[count].effects:
                state.apply(words)
    what = f"{lost} steps that must survive are lost" if lost else "no point of the history fits"
    shown = "\n".join([f"  (due | held) {line}" for line in due.differences(observed)])
    around = steps[max(0, at_least - 10):at_least + 10]
    raise Violation(f"{what}: {len(history)} were acknowledged, {at_least} must survive, "
                    f"{len(in_doubt)} are in doubt\n{shown}\n  the steps around: "
                    + "; ".join(str(step.effects) for step in around))


class Delivery:
    """What became of the elements of one queue, numbered in the order in which they were pushed."""

    def __init__(self):
        self.sent = 0          # numbers below it were pushed
        self.acknowledged = set()
        self.refused = set()
        self.taken = []        # by clients, who have read them
        self.lost_below = []   # one for each client that ended while it waited: it may have been
        #                        given an element, pushed before this number

    def check(self, remaining):
        """`remaining` is what the queue still holds. Each element is in one place."""
        places = [*self.taken, *remaining]
        twice = sorted({number for number in places if places.count(number) > 1})
        if twice:
            raise Violation(f"delivered or kept twice: {twice}")
        unknown = [number for number in places
                   if number >= self.sent or number in self.refused]
        if unknown:
            raise Violation(f"delivered or kept, but never accepted: {unknown}")
        missing = sorted(self.acknowledged - set(places), reverse=True)
        excuses = sorted(self.lost_below, reverse=True)
        for number in missing:
            if not excuses or excuses.pop(0) <= number:
                raise Violation(f"acknowledged, delivered to nobody, and gone: {missing}; clients "
                                f"that ended while they waited: {self.lost_below}")


def full_syncs(before, after, allowed):
    """How many were served between two counts by process; more than `allowed` is a violation."""
    count = sum(number - before.get(process, 0) for process, number in after.items())
    if count > allowed:
        raise Violation(f"{count} full syncs, where {allowed} are due")
    return count
