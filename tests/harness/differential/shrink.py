"""The shortest sequence that still shows a difference, within a time."""
import time
from dataclasses import replace


def shortest(steps, fails, seconds):
    """Leaves out steps, then words, as long as `fails(steps)` holds."""
    deadline = time.monotonic() + seconds
    steps = _without_parts(list(steps), fails, deadline)
    for at, step in enumerate(steps):
        if isinstance(step.words, tuple):

            def still_fails(words, at=at, step=step):
                return bool(words) and fails(
                    steps[:at] + [replace(step, words=tuple(words))] + steps[at + 1:])

            words = _without_parts(list(step.words), still_fails, deadline)
            steps[at] = replace(step, words=tuple(words))
    return steps


def _without_parts(items, fails, deadline):
    """Halves first, single items last; from the end, for the end is what fails."""
    size = max(1, len(items) // 2)
    while True:
        at, left_out = len(items) - size, False
        while at > -size and time.monotonic() < deadline:
            rest = items[:max(0, at)] + items[at + size:]
            if len(rest) < len(items) and fails(rest):
                items, left_out = rest, True
            at -= size
        if time.monotonic() >= deadline or (size == 1 and not left_out):
            return items
        size = max(1, size // 2)
