"""The log as a table on a terminal of any width."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.table import Table
from rich.text import Text

from audit_exporter.clickhouse import Table as Counts
from audit_exporter.columns import ACTION, WHEN, Column
from audit_exporter.visible import visible

_NARROW = 150
"""Below so many columns two values share a cell, one above the other."""
_WIDE = 170
"""From so many columns on there is room for the event's id."""
_FAILURE = "red"
_CELLS = (("account",), ("when", "where"), ("actor",), ("action_type", "target"), ("action",))


def log_table(
    events: Iterable[Mapping[str, Any]], columns: Sequence[Column], zone: ZoneInfo, width: int
) -> Table:
    """The events as a table that fits the width.

    Args:
        events: rows of `query.page_query` for these columns.
        columns: the log's columns, with or without the account.
        zone: in which moments are shown.
        width: of the terminal, in columns.
    """
    cells = _stacked(columns) if width < _NARROW else [(column,) for column in columns]
    with_id = width >= _WIDE
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False, header_style="bold", expand=True)
    for cell in cells:
        _add_column(table, cell, width)
    if with_id:
        table.add_column("ID", no_wrap=True, style="dim", width=36)
    for event in events:
        texts = [_cell(event, cell, zone) for cell in cells]
        own = [Text(str(event["event_id"]))] if with_id else []
        table.add_row(*texts, *own, style=_FAILURE if event["outcome"] == "failure" else None)
    return table


def moment(value: datetime, zone: ZoneInfo) -> str:
    """A moment in a zone to the second; in an hour that occurs twice with its offset."""
    local = value.astimezone(zone)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return local.strftime("%Y-%m-%d %H:%M:%S%z" if twice else "%Y-%m-%d %H:%M:%S")


def _stacked(columns: Sequence[Column]) -> list[tuple[Column, ...]]:
    cells = [tuple(column for column in columns if column.name in names) for names in _CELLS]
    return [cell for cell in cells if cell]


def _add_column(table: Table, cell: tuple[Column, ...], width: int) -> None:
    heading = "\n".join(column.heading for column in cell)
    if cell[0] is WHEN:
        table.add_column(heading, width=19, overflow="fold")
    elif cell[0] is ACTION:
        table.add_column(heading, ratio=1, min_width=20, overflow="fold")
    else:
        # The sentence gets what the others leave.
        table.add_column(heading, max_width=max(width // 8, 12), overflow="fold")


def count_table(counts: Counts) -> Table:
    """Counts by facets, the numbers to the right."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False, header_style="bold")
    *keys, events = counts.names
    for name in keys:
        table.add_column(name.replace("-", " ").capitalize(), overflow="fold")
    table.add_column(events.capitalize(), justify="right", no_wrap=True)
    for *values, count in counts.rows:
        table.add_row(*(Text(visible(text_of(value))) for value in values), f"{count:,}")
    return table


def _cell(event: Mapping[str, Any], cell: tuple[Column, ...], zone: ZoneInfo) -> Text:
    if cell == (ACTION,) and (folded := event.get("folded")):
        return Text("\n").join(Text(visible(text_of(line))) for line in folded.lines())
    return Text("\n").join(Text(_shown(event, column, zone)) for column in cell)


def _shown(event: Mapping[str, Any], column: Column, zone: ZoneInfo) -> str:
    value = event[f"shown_{column.name}"]
    return moment(value, zone) if column.kind == "moment" else visible(text_of(value))


def text_of(value: object) -> str:
    """A value of a String column; bytes where it holds no valid UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
