"""The one way in which tests wait: for a condition, with a deadline.

And how a load keeps its pace."""
import time

PAUSE_SECONDS = 0.01


class Waited(AssertionError):
    """The condition did not become true in time."""


def wait_until(condition, what, seconds=20):
    """Returns the condition's first true value; `what` says in the failure what was waited for."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
            last = value
        except (OSError, EOFError) as error:
            last = error
        time.sleep(PAUSE_SECONDS)
    raise Waited(f"after {seconds} s still not: {what} (last: {last!r})")


def keep_pace(due):
    """For a load of so much a second: goes on at that moment of time.monotonic(), or at once."""
    time.sleep(max(0, due - time.monotonic()))
