"""One entry for each request: what somebody did at once, though it is several events.

An entry stands where its newest event stands. All events of it that fit the filter belong to it, also
those that lie on later pages; there they are passed over. Cost: one query more for each page, and a
key in memory for each request shown.
"""

# ruff: noqa: S608 - only placeholders and this package's own constants are put together here; values are bound

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from audit_exporter.clickhouse import Connection
from audit_exporter.columns import Column
from audit_exporter.filters import Filter
from audit_exporter.parameters import Binder, Query
from audit_exporter.query import read_pages

_SENTENCES = 5
_IDS = 1000
_OF_EVENTS = f"""
    SELECT account_id, actor_type, actor_id, request_id, count() AS events, min(occurred_at) AS began_at,
        arraySort(groupArray((occurred_at, event_id, description))) AS told,
        arrayMap(event -> event.3, arraySlice(told, 1, {_SENTENCES})) AS sentences,
        arrayMap(event -> event.2, arraySlice(told, 1, {_IDS})) AS event_ids
    FROM audit_log
"""
_KEY = ("account_id", "actor_type", "actor_id", "request_id")
_Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """The events of one request by one actor."""

    events: int
    began_at: datetime
    sentences: tuple[str, ...]
    """Of the first events, in the order in which they happened."""
    event_ids: tuple[UUID, ...]
    """The same, of the first thousand."""

    def lines(self) -> list[str]:
        """The sentences, and how many more there are."""
        more = self.events - len(self.sentences)
        return [*self.sentences, *([f"and {more:,} more"] if more else [])]


def read_folded(
    connection: Connection, wanted: Filter, columns: tuple[Column, ...] | None, limit: int | None
) -> Iterator[list[dict[str, Any]]]:
    """Pages of entries, newest first, until `limit` entries or the end.

    An entry is the row of its newest event, as `read_pages` gives it, with `folded`: a Folded where
    the request has several events, else None.
    """
    seen: set[_Key] = set()
    left = limit
    for page in read_pages(connection, wanted, columns, None):
        entries = list(_entries(page.dicts(), seen))[:left]
        requests = {entry["request_id"] for entry in entries if entry["request_id"]}
        folded = _read(connection, wanted, requests) if requests else {}
        yield [{**entry, "folded": folded.get(_key(entry))} for entry in entries]
        if left is not None:
            left -= len(entries)
            if left <= 0:
                return


def _entries(events: Iterable[dict[str, Any]], seen: set[_Key]) -> Iterator[dict[str, Any]]:
    for event in events:
        key = _key(event)
        if key in seen:
            continue
        if event["request_id"]:
            seen.add(key)
        yield event


def _key(event: Mapping[str, Any]) -> _Key:
    return tuple(event[name] for name in _KEY)


def fold_query(wanted: Filter, requests: Collection[str]) -> Query:
    """What a filter finds of some requests, one row for each of them and each actor."""
    bind = Binder()
    conditions = [*wanted.conditions(bind), f"request_id IN {bind.texts(tuple(sorted(requests)))}"]
    sql = f"{_OF_EVENTS} WHERE {' AND '.join(conditions)} GROUP BY {', '.join(_KEY)} HAVING events > 1"
    return Query(sql, bind.parameters)


def _read(connection: Connection, wanted: Filter, requests: Collection[str]) -> dict[_Key, Folded]:
    return {
        _key(row): Folded(row["events"], row["began_at"], tuple(row["sentences"]), tuple(row["event_ids"]))
        for row in connection.read(fold_query(wanted, requests)).dicts()
    }
