"""Ends a sink whose loop stands still: neither its group nor its supervisor would notice.

A call into Kafka's client may never return, as a commit that was sent while the group's coordinator moved:
the client goes on with its heartbeats in threads of its own, or is out of its group and does not say so.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import NoReturn

import structlog

from audit_schemas.health import Health

_log = structlog.get_logger(__name__)

EVERY = 5.0
"""Seconds between two looks."""
LOOKS = 12
"""So often in a row it must stand still: what was only suspended has an old heartbeat too, for a moment."""


def leave(reason: str) -> NoReturn:
    """End the process at once: what is not acknowledged is inserted again, to the same effect."""
    _log.critical("leaves: it comes again after the next start", reason=reason)
    logging.shutdown()
    os._exit(1)


def watch(health: Health, *, every: float = EVERY, leave: Callable[[str], object] = leave) -> None:
    """Look at a worker's heartbeat from a thread of its own until the process ends.

    Args:
        health: the worker's.
        every: seconds between two looks.
        leave: called with the reason, once.
    """
    threading.Thread(target=_look, args=(health, every, leave), name="watchdog", daemon=True).start()


def _look(health: Health, every: float, leave: Callable[[str], object]) -> None:
    still = 0
    while still < LOOKS:
        time.sleep(every)
        still = still + 1 if health.alive() else 0
    leave(health.alive() or "the loop has not turned")
