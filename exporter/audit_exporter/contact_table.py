"""Contacts, and one contact's activity, as tables on a terminal of any width."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.table import Table
from rich.text import Text

from audit_exporter.change_lines import change_lines
from audit_exporter.contacts import Contact, Match
from audit_exporter.sync_words import mark
from audit_exporter.table import moment, text_of
from audit_exporter.visible import visible

_NARROW = 170
"""Below so many columns several values share a cell, one above the other."""
_MATCHES = 3
"""So many of a contact's matches are shown."""
_MACHINES = {"integration", "system"}


@dataclass(frozen=True, slots=True)
class View:
    """How the reader looks at the activity."""

    zone: ZoneInfo
    now: datetime
    width: int
    """Of the terminal, in columns."""
    fields: Collection[str] = ()
    """Show only the changes of these."""


def contact_table(contacts: Iterable[Contact], zone: ZoneInfo) -> Table:
    """Contacts, with what of them was looked for."""
    table = _table()
    for heading in ("ID", "Name", "Email", "Phone", "Last change", "Matched"):
        table.add_column(heading, overflow="fold")
    for contact in contacts:
        gone = "\n(deleted)" if contact.deleted else ""
        table.add_row(
            _text(contact.contact_id),
            _text(contact.name),
            _lines(contact.emails),
            _lines(contact.phones),
            Text(moment(contact.last_change_at, zone) + gone),
            _lines(_matches(contact.matched)),
        )
    return table


def _matches(matches: Sequence[Match]) -> list[str]:
    shown = [f"{match.field}: {match.value}{' (former)' * match.former}" for match in matches[:_MATCHES]]
    more = len(matches) - len(shown)
    return [*shown, *([f"and {more:,} more"] if more else [])]


def activity_table(events: Iterable[Mapping[str, Any]], view: View) -> Table:
    """A page of a contact's activity.

    Args:
        events: rows of `contact_activity.activity_query`.
        view: how the reader looks at them.
    """
    narrow = view.width < _NARROW
    table = _table()
    table.expand = True
    for heading in ("When\nSource\nBatch", "Author\nWhere") if narrow else ("When", "Author", "Where"):
        table.add_column(heading, max_width=max(view.width // (5 if narrow else 6), 19), overflow="fold")
    table.add_column("What changed", ratio=1, min_width=20, overflow="fold")
    for heading in () if narrow else ("Source", "Batch"):
        table.add_column(heading, max_width=max(view.width // 11, 12), overflow="fold")
    for event in events:
        table.add_row(*_cells(event, view, narrow=narrow), style=_style(event))
    return table


def _cells(event: Mapping[str, Any], view: View, *, narrow: bool) -> list[Text]:
    when = [moment(event["occurred_at"], view.zone), mark(event, view.zone, view.now)]
    author, where = text_of(event["shown_actor"]), text_of(event["shown_where"])
    changed = _lines(change_lines(event, view.fields))
    source, batch = source_of(event), text_of(event["batch_id"])
    if narrow:
        return [_lines([*when, source, batch]), _lines([author, where]), changed]
    return [_lines(when), _text(author), _text(where), changed, _text(source), _text(batch)]


def _style(event: Mapping[str, Any]) -> str | None:
    if event["outcome"] == "failure":
        return "red"
    return "yellow" if event["pending"] else None


def source_of(event: Mapping[str, Any]) -> str:
    """Which way a change came in, in words."""
    via, type_ = text_of(event["via"]), text_of(event["actor_type"])
    if via == "import":
        return "Bulk import"
    if via == "sync":
        who = text_of(event["actor_name"] or event["actor_id"]) if type_ in _MACHINES else ""
        return who if who.casefold().endswith("sync") else f"{who} sync".strip()
    return via or (type_ if type_ in _MACHINES else "")


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False, header_style="bold")


def _text(text: str) -> Text:
    return Text(visible(text))


def _lines(texts: Iterable[str]) -> Text:
    """Each text on a line of its own; those that are empty take none."""
    return Text("\n").join(_text(text) for text in texts if text)
