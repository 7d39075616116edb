"""Why a long-running worker is not ready, gathered from its parts, for /healthz and /readyz.

It logs, and so belongs to the extra `worker`.
"""

import threading
import time
from collections.abc import Callable, Mapping

import structlog

_log = structlog.get_logger(__name__)

STILL = 60.0
"""Seconds without a heartbeat after which a worker counts as dead."""


class Health:
    """The reasons to wait, by the part that waits; written and read by any thread."""

    def __init__(self, reasons: Mapping[str, str], *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with what is not there yet.

        Args:
            reasons: by part; not logged, since every start has them.
            clock: seconds that never go back.
        """
        self._lock = threading.Lock()
        self._reasons = dict(reasons)
        self._clock = clock
        self._beat = clock()

    def report(self, part: str, reason: str | None) -> None:
        """A part waits for a reason, or no longer; each change is logged once."""
        with self._lock:
            was = self._reasons.get(part)
            if reason is None:
                self._reasons.pop(part, None)
            else:
                self._reasons[part] = reason
        if reason == was:
            return
        if reason is None:
            _log.info("goes on", part=part)
        else:
            _log.warning("waits", part=part, reason=reason)

    def waits(self, part: str) -> bool:
        """Whether a part waits."""
        with self._lock:
            return part in self._reasons

    def beat(self) -> None:
        """The worker's loop turns."""
        self._beat = self._clock()

    def ready(self) -> str | None:
        """What the worker waits for; nothing when it is ready."""
        with self._lock:
            return "; ".join(self._reasons.values()) or None

    def alive(self) -> str | None:
        """That its loop stands still; nothing while it turns. Waiting for a server is no reason."""
        still = self._clock() - self._beat
        return f"the loop has not turned for {still:.0f} s" if still > STILL else None
