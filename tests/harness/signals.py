"""What a signal must not come between."""
import signal
import threading
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def signals_held_back():
    """One that would end this process takes effect when the block is left. Only the main thread is
    interrupted by any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []
    former = {number: signal.signal(number, lambda which, _: came.append(which))
              for number in ENDING}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)
