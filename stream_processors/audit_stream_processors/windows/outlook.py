"""What the gates see, for those who watch: what waits, since when, and until when all is closed."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit_schemas import metrics
from audit_schemas.grace import GRACE
from audit_stream_processors.windows.gate import Gate


@dataclass(frozen=True, slots=True)
class Outlook:
    """Over all partitions of a worker."""

    pending: int = 0
    """Changes that wait."""
    overdue: int = 0
    """Those of them whose window has been over for a while: by the watcher's clock, which decides nothing."""
    next_sync: int = 0
    """End of the newest window, seconds since the epoch; 0 while none is known."""
    closed_until: int = 0
    """Windows that ended by then are closed in every partition; 0 while one of them tells nothing."""


def outlook(gates: Iterable[Gate], now: float) -> Outlook:
    """Sum up; the gates may be at work in another thread."""
    gates = list(gates)
    waiting = [(window, count) for gate in gates for window, count in list(gate.waiting.items())]
    return Outlook(
        pending=sum(count for _, count in waiting),
        overdue=sum(count for window, count in waiting if window.end + GRACE.total_seconds() <= now),
        next_sync=max((gate.newest.end for gate in gates), default=0),
        closed_until=min((gate.window.start for gate in gates), default=0),
    )


def show(seen: Outlook) -> None:
    """Set the gauges."""
    metrics.WINDOW_PENDING.set(seen.pending)
    metrics.WINDOW_OVERDUE.set(seen.overdue)
    metrics.WINDOW_NEXT_SYNC.set(seen.next_sync)
    metrics.WINDOW_LAST_CLOSED.set(seen.closed_until)
