"""The one reader of the log: pages, counts, one event, and the rows of a file, always of named accounts.

A page is read in two steps. Which events are the newest ones is asked of the table as it lies, in its order
and by all its indexes: FINAL would put together the copies of many more events than are shown. Then these few
are read by their keys from the view, with FINAL, by the same filter: what a copy said that another one has
replaced falls out here. No event is missed, since the copy that counts is in the table as well.
"""

# ruff: noqa: S608 - only placeholders and this package's own constants are put together here; values are bound

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from audit_exporter.cells import csv_row, xlsx_row
from audit_exporter.clickhouse import Connection, Table
from audit_exporter.columns import Column, values
from audit_exporter.filters import Filter
from audit_exporter.parameters import Binder, Query, microseconds
from audit_schemas.errors import Refused

NEWEST_FIRST = "ORDER BY occurred_at DESC, event_id DESC"
_PAGE_ROWS = 1000
_FEW = "SETTINGS optimize_read_in_order = 0"
"""Few rows are sooner sorted than read in order, which one thread does alone."""
_KEYS = "event_id, occurred_at, account_id, outcome, stored_at, actor_type, actor_id, request_id"
"""What the reader itself needs of a row, whatever is shown of it."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event of a page: the next one begins behind it."""

    occurred_at: datetime
    event_id: UUID

    def conditions(self, bind: Binder) -> list[str]:
        """Older than this event. The first is implied by the second, and lets the table's order be used."""
        at = bind.moment(self.occurred_at)
        return [f"occurred_at <= {at}", f"(occurred_at, event_id) < ({at}, {bind.uuid(self.event_id)})"]


PageQuery = Callable[[Cursor | None, int], Query]
"""Makes the query of the page behind a row, or of the first one, of so many rows."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many events a filter fits, and when the newest of them was received."""

    rows: int
    watermark: datetime


def keys_query(wanted: Filter, after: Cursor | None, limit: int) -> Query:
    """The newest keys that may fit, newest first. A key may come twice, and one may not fit any more.

    Args:
        wanted: which events.
        after: the last key of the page before.
        limit: rows.
    """
    bind = Binder()
    conditions = [*wanted.candidates(bind), *(after.conditions(bind) if after else ())]
    sql = (
        f"SELECT occurred_at, event_id FROM audit_events WHERE {' AND '.join(conditions)} "
        f"{NEWEST_FIRST} LIMIT {bind.number(limit)}"
    )
    return Query(sql, bind.parameters)


def rows_query(wanted: Filter, columns: tuple[Column, ...] | None, keys: Sequence[Cursor]) -> Query:
    """Those of these keys that fit, newest first.

    Args:
        wanted: which events.
        columns: what to render of them; None is everything that is stored.
        keys: at least one.
    """
    bind = Binder()
    conditions = [*wanted.conditions(bind), among(keys, bind)]
    chosen = "*" if columns is None else _keyed(columns)
    sql = f"SELECT {chosen} FROM audit_log WHERE {' AND '.join(conditions)} {NEWEST_FIRST} {_FEW}"
    return Query(sql, {**bind.parameters, **values(columns or ())})


def among(keys: Sequence[Cursor], bind: Binder) -> str:
    """One of these events. As a subselect, since only such a set is looked up in the table's order."""
    times = bind.texts(tuple(str(microseconds(key.occurred_at)) for key in keys))
    ids = bind.texts(tuple(str(key.event_id) for key in keys))
    return (
        "(occurred_at, event_id) IN (SELECT fromUnixTimestamp64Micro(toInt64(key.1), 'UTC'), toUUID(key.2) "
        f"FROM (SELECT arrayJoin(arrayZip({times}, {ids})) AS key))"
    )


def _keyed(columns: tuple[Column, ...]) -> str:
    """The columns by their names, and the keys."""
    own = ", ".join(f"{column.sql} AS shown_{column.name}" for column in columns)
    return f"{own}, {_KEYS}"


def stored_query(
    wanted: Filter, columns: tuple[Column, ...] | None, after: tuple[datetime, UUID], limit: int
) -> Query:
    """Events in the order in which they were stored, behind a time and an id."""
    bind = Binder()
    conditions = wanted.conditions(bind)
    at, event_id = bind.moment(after[0]), bind.uuid(after[1])
    conditions += [f"stored_at >= {at}", f"(stored_at, event_id) > ({at}, {event_id})"]
    chosen = "*" if columns is None else _keyed(columns)
    sql = (
        f"SELECT {chosen} FROM audit_log WHERE {' AND '.join(conditions)} "
        f"ORDER BY stored_at, event_id LIMIT {bind.number(limit)}"
    )
    return Query(sql, {**bind.parameters, **values(columns or ())})


def count_query(wanted: Filter) -> Query:
    """How many events fit, the newest time of receipt, and whose they are."""
    bind = Binder()
    conditions = " AND ".join([*wanted.conditions(bind), *wanted.found_words(bind)])
    return Query(
        "SELECT count() AS rows, max(received_at) AS watermark, groupUniqArray(100)(account_id) AS accounts "
        f"FROM audit_log WHERE {conditions}",
        bind.parameters,
    )


def render_query(wanted: Filter, columns: tuple[Column, ...], zone: str, form: str) -> Query:
    """The rows of a file, newest first, each rendered by ClickHouse.

    Args:
        wanted: which events, up to a watermark.
        columns: the file's columns.
        zone: in which moments are shown.
        form: csv or xlsx.
    """
    bind = Binder()
    place = bind.text(zone)
    row = csv_row(columns, place) if form == "csv" else xlsx_row(columns, place)
    conditions = " AND ".join(wanted.conditions(bind))
    return Query(
        f"SELECT {row} FROM audit_log WHERE {conditions} {NEWEST_FIRST} FORMAT LineAsString",
        {**bind.parameters, **values(columns)},
    )


def read_pages(
    connection: Connection, wanted: Filter, columns: tuple[Column, ...] | None, limit: int | None
) -> Iterator[Table]:
    """Page after page of the log, newest first, until `limit` rows or the end. A page may be short.

    An event that is there when the first page is read comes exactly once, whatever arrives meanwhile.
    """
    after, left = None, limit
    while left is None or left > 0:
        size = _PAGE_ROWS if left is None else min(left, _PAGE_ROWS)
        page, after = read_page(connection, wanted, columns, after, size)
        if page is not None:
            yield page
            left = None if left is None else left - len(page.rows)
        if after is None:
            return


def read_page(
    connection: Connection,
    wanted: Filter,
    columns: tuple[Column, ...] | None,
    after: Cursor | None,
    size: int,
) -> tuple[Table | None, Cursor | None]:
    """The page behind an event, or the first one, and where the next one begins: nowhere after the last.

    It is short, or nothing, where copies were found that others have replaced.
    """
    keys = [Cursor(*row) for row in connection.read(keys_query(wanted, after, size)).rows]
    following = keys[-1] if len(keys) == size else None
    if not keys:
        return None, following
    page = connection.read(rows_query(wanted, columns, keys))
    assert_accounts(wanted, {row["account_id"] for row in page.dicts()})
    return page if page.rows else None, following


def turn_pages(
    connection: Connection, wanted: Filter, query: PageQuery, limit: int | None
) -> Iterator[Table]:
    """Page after page of what one query reads, newest first, until `limit` rows or the end.

    What is there when the first page is read comes exactly once, whatever arrives meanwhile.
    """
    after, left = None, limit
    while left is None or left > 0:
        size = _PAGE_ROWS if left is None else min(left, _PAGE_ROWS)
        page = connection.read(query(after, size))
        assert_accounts(wanted, {row["account_id"] for row in page.dicts()})
        if page.rows:
            yield page
            last = dict(zip(page.names, page.rows[-1], strict=True))
            after = Cursor(last["occurred_at"], last["event_id"])
        if len(page.rows) < size:
            return
        left = None if left is None else left - size


def read_event(connection: Connection, accounts: tuple[str, ...], event_id: UUID) -> dict[str, Any] | None:
    """One event with everything that is stored of it, if these accounts have it."""
    bind = Binder()
    sql = (
        f"SELECT * FROM audit_log WHERE account_id IN {bind.texts(accounts)} "
        f"AND event_id = {bind.uuid(event_id)} LIMIT 1"
    )
    return next(connection.read(Query(sql, bind.parameters)).dicts(), None)


def count(connection: Connection, wanted: Filter) -> Count:
    """Count what fits now."""
    ((rows, watermark, accounts),) = connection.read(count_query(wanted)).rows
    assert_accounts(wanted, accounts)
    return Count(rows, watermark)


def assert_accounts(wanted: Filter, found: Iterable[str]) -> None:
    """The last guard: nothing of another account leaves this module.

    Raises:
        Refused: when a row is of an account that was not asked for.
    """
    if not set(found) <= set(wanted.accounts):
        raise Refused(
            "the answer holds another account's rows; nothing of it is shown",
            remedy="report this: it must not happen",
        )
