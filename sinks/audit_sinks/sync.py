"""How far the contacts' activity is, over all accounts: what `audit status` says of the windows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit_sinks.clickhouse import query


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """The totals of the view sync_status."""

    next_sync_at: datetime | None = None
    """End of the current window; nothing where no contact was changed lately."""
    pending: int = 0
    """Changes that are not in their contact's activity yet, the overdue ones among them."""
    overdue: int = 0
    """Those of them whose window has been over for a while."""
    complete_until: datetime | None = None
    """Start of the earliest window that is overdue; nothing where none is."""


def ask(client: Any, database: str) -> Sync:
    """Ask ClickHouse.

    Raises:
        Unreachable, Misconfigured: it cannot be asked.
    """
    (totals,) = query(
        client,
        "SELECT min(sync_status.next_sync_at) AS next_sync_at, sum(pending_changes) AS pending, "  # noqa: S608 - a checked name
        "sum(overdue_changes) AS overdue, minIf(last_closed_at, overdue_changes > 0) AS complete_until "
        f"FROM {database}.sync_status",
    )
    return Sync(**totals)


def sentence(sync: Sync, now: datetime) -> str:
    """The same for a person."""
    if sync.next_sync_at is None:
        return "no contact was changed in the last seven days"
    pending = f"{sync.pending} change{'' if sync.pending == 1 else 's'} pending"
    late = (
        f"{sync.overdue} of them overdue: complete until {clock(sync.complete_until, now)} only; "
        "is `audit windows run` up, and has the sink read audit.contact-batches?"
        if sync.complete_until
        else "nothing overdue"
    )
    return f"next sync {clock(sync.next_sync_at, now)}, {pending}, {late}"


def clock(moment: datetime, now: datetime) -> str:
    """A window's boundary as short as it can be: the day if it is another one, the seconds if it has some."""
    day = "" if moment.date() == now.date() else f"{moment:%F} "
    return f"{day}{moment:%T} UTC" if moment.second else f"{day}{moment:%H:%M} UTC"
