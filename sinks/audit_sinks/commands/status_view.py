"""How `audit status` is shown: to a person, and as JSON."""

from datetime import datetime

import msgspec
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from audit_sinks.doctor.finding import duration
from audit_sinks.status import Status
from audit_sinks.sync import sentence

_UNKNOWN = "[red]not known[/]"
_LATE, _FINE = "yellow", "green"


def drawn(found: Status) -> Group:
    """Three tables: what it comes to, the stages, the tables."""
    return Group(_summary(found), "", _stages(found), "", _tables(found))


def document(found: Status) -> bytes:
    """One JSON document; what could not be read is null or missing."""
    limit, stored, at = found.safe_for, found.look.stored, found.look.at
    return msgspec.json.encode(
        {
            "at": at,
            "behind": bool(found.behind),
            "reasons": found.behind,
            "complete_through": stored and stored.completeness.complete_through,
            "safe_for_seconds": int(limit.left.total_seconds()) if limit else None,
            "safe_for": limit.what if limit else None,
            "lags": [
                {
                    "group": lag.group,
                    "topic": lag.topic,
                    "records": lag.records,
                    "oldest_seconds": lag.age(at).total_seconds(),
                }
                for lag in found.lags
            ],
            "sync": found.sync,
            "dead_letters": stored and stored.dead_letters,
            "rows": stored.rows if stored else {},
            "pending_migrations": found.pending_migrations,
        }
    )


def _summary(found: Status) -> Table:
    stored, limit, at = found.look.stored, found.safe_for, found.look.at
    table = Table.grid(padding=(0, 2))
    table.add_row("Complete through", _complete(found))
    table.add_row("Contacts' activity", escape(sentence(found.sync, at)) if found.sync else _UNKNOWN)
    table.add_row("Dead letters", f"{stored.dead_letters:,} open" if stored else _UNKNOWN)
    table.add_row("Safe for", f"{duration(limit.left)}: {limit.what} runs out first" if limit else _UNKNOWN)
    if complaints := found.complaints:
        table.add_row("Settings", f"{complaints}: see `audit doctor`")
    return table


def _complete(found: Status) -> str:
    through = found.completeness and found.completeness.complete_through
    if not through:
        return _UNKNOWN
    style = _LATE if found.is_old else _FINE
    return f"[{style}]{through:%F %T} UTC[/], {_ago(through, found.look.at)}"


def _stages(found: Status) -> Table:
    table = Table("Group", "Topic", box=None, pad_edge=False)
    for heading in ("Waiting", "Oldest"):
        table.add_column(heading, justify="right")
    for lag in found.lags:
        style = _LATE if found.is_late(lag) else _FINE
        age = f"[{style}]{duration(lag.age(found.look.at))}[/]" if lag.records else "-"
        table.add_row(lag.group, lag.topic, f"{lag.records:,}", age)
    return table


def _tables(found: Status) -> Table:
    table = Table("Table", box=None, pad_edge=False)
    table.add_column("Rows", justify="right")
    for name, rows in (found.look.stored.rows if found.look.stored else {}).items():
        table.add_row(name, f"{rows:,}")
    return table


def _ago(moment: datetime, now: datetime) -> str:
    return f"{duration(now - moment)} ago"
