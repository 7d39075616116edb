"""One event in full, for a person: everything that is stored of it, and its changes old → new."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from audit_exporter.table import moment, text_of
from audit_exporter.visible import visible

_APART = ("changes", "related", "notes")


def event_details(event: Mapping[str, Any], zone: ZoneInfo) -> RenderableType:
    """An event's columns that hold something, then its notes, related targets and changes."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in event.items():
        if name not in _APART and (shown := _value(value, zone)):
            grid.add_row(name, Text(shown))
    return Group(grid, *_notes(event), *_related(event), *_changes(event))


def _value(value: object, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{moment(value, zone)}  ({value.isoformat().replace('+00:00', 'Z')})"
    return visible(text_of(value))


def _notes(event: Mapping[str, Any]) -> Iterator[RenderableType]:
    for note in event["notes"]:
        yield Text(f"note: {visible(text_of(note))}", style="yellow")


def _related(event: Mapping[str, Any]) -> Iterator[RenderableType]:
    for kind, key, name, _ in event["related"]:
        yield Text(visible(f"related: {kind}/{key} {name}".rstrip()))


def _changes(event: Mapping[str, Any]) -> Iterator[RenderableType]:
    if not event["changes"]:
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
    for heading in ("Field", "Old", "New"):
        table.add_column(heading, overflow="fold")
    for field, label, old, new in event["changes"]:
        name = f"{label} ({field})" if label else field
        table.add_row(*(Text(visible(text) or "(absent)") for text in (name, old, new)))
    yield Text("")
    yield table
