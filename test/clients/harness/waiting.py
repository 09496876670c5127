"""Waiting for a condition, never for time to pass."""

import time

POLL_S = 0.02


def wait_until(condition, deadline_s, what):
    """Returns the first true value of condition(); TimeoutError names `what` when the deadline passes.

    An exception from condition() is not "not yet": it goes to the caller, so that a dead process is reported at once.
    """
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise TimeoutError(f"after {deadline_s:g} s still waiting for {what}")
        time.sleep(POLL_S)
