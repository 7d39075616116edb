"""Waits for what the pipeline does by itself: storing what was published, and closing the window."""

import time
from collections.abc import Callable
from typing import TypeVar

from audit_deploy.demo.publishing import Published
from audit_deploy.demo.runner import Runner
from audit_deploy.demo.sync import QUERY, Countdown, Sync, counted
from audit_deploy.steps import Steps

T = TypeVar("T")

WINDOW = "10s"
"""Long enough to watch, short enough to wait for."""
_SECONDS = 120.0

_STORED = """
SELECT (SELECT count() FROM audit_log) AS events, (SELECT count() FROM actors FINAL) AS actors
"""


def wait_until_stored(run: Runner, published: Published) -> int:
    """Wait until the log holds what was published, and the directory whoever may read it.

    Returns:
        How many events the log holds, however many that are when the patience is at its end.
    """

    def look() -> tuple[int, int]:
        row = run.row(_STORED)
        return int(row["events"]), int(row["actors"])

    events, _ = _eventually(look, lambda found: found[0] >= published.events and found[1] >= published.actors)
    return events


def wait_until_synced(run: Runner, steps: Steps) -> Sync:
    """Wait until no change of a contact is pending, counting down for the person meanwhile."""

    def look() -> Sync:
        return Sync.of(run.row(QUERY))

    sync = look()
    if sync.is_done:
        return sync
    countdown = Countdown(sync)
    steps.begin(f"waiting for the window of {counted(sync.changes)} of contacts", live=countdown)

    def look_and_tell() -> Sync:
        countdown.sync = look()
        return countdown.sync

    return _eventually(look_and_tell, lambda found: found.is_done)


def _eventually(ask: Callable[[], T], enough: Callable[[T], bool]) -> T:
    end = time.monotonic() + _SECONDS
    while not enough(answer := ask()) and time.monotonic() < end:
        time.sleep(0.2)
    return answer
