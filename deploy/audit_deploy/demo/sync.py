"""How far the contacts' activity is behind the log, as ClickHouse knows it and as a person is told."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

QUERY = """
SELECT
    countIf(window_start IS NOT NULL) AS live,
    countIf(module = 'contacts' AND target_type = 'contact' AND recorded = 'backfill') AS backfill,
    (SELECT count() FROM contact_activity) AS synced,
    (SELECT sum(pending_changes) FROM sync_status) AS pending,
    countIf(window_end <= now() AND event_id NOT IN (SELECT event_id FROM contact_activity)) AS due,
    (SELECT toUnixTimestamp(max(next_sync_at)) FROM sync_status) AS next_sync_at
FROM audit_log
"""
"""Answers one row, which `Sync.of` reads."""


@dataclass(frozen=True)
class Sync:
    """How far the contacts' activity is."""

    changes: int
    """In the log: the live ones and those of a backfill."""
    synced: int
    """In the activity."""
    pending: int
    due: int
    """Of what is pending: what is in a window that is over."""
    next_sync_at: float | None
    """Seconds since the epoch."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Sync":
        """Read what ClickHouse answers."""
        moment = row["next_sync_at"]
        return cls(
            changes=int(row["live"]) + int(row["backfill"]),
            synced=int(row["synced"]),
            pending=int(row["pending"]),
            due=int(row["due"]),
            next_sync_at=None if moment is None else float(moment),
        )

    @property
    def is_done(self) -> bool:
        """Whether nothing is pending, and what waits for no window is there too."""
        return self.pending == 0 and self.synced >= self.changes

    def told(self, now: float) -> str:
        """One sentence for a person.

        Args:
            now: seconds since the epoch.
        """
        if self.is_done:
            return "nothing is pending"
        if not self.pending:
            return f"{counted(self.changes - self.synced)} on the way"
        seconds = math.ceil((self.next_sync_at or now) - now)
        if self.pending == self.due or seconds <= 0:
            return f"the window is over, {counted(self.pending)} on the way"
        return f"next sync in {seconds} s, {counted(self.pending)} pending"


class Countdown:
    """The sentence of the newest `Sync`, told anew whenever it is drawn."""

    def __init__(self, sync: Sync, clock: Callable[[], float] = time.time) -> None:
        self.sync = sync
        self._clock = clock

    def __rich__(self) -> str:
        """Let rich draw it."""
        return self.sync.told(self._clock())


def counted(changes: int) -> str:
    """A number of changes in words."""
    return f"{changes:,} change{'s' * (changes != 1)}"
