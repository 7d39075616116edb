"""Following the log: events as they are stored, each once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit_exporter.clickhouse import Connection
from audit_exporter.columns import Column
from audit_exporter.filters import Filter
from audit_exporter.parameters import Query
from audit_exporter.query import assert_accounts, stored_query

_OVERLAP = timedelta(seconds=15)
"""A row is seen later than the time it carries: its insert takes a while. So this much is read again."""
_PAGE_ROWS = 1000


class Follower:
    """Remembers how far the log was read. `stored_at` decides: what is received late is still new."""

    def __init__(self, connection: Connection, wanted: Filter, columns: tuple[Column, ...] | None) -> None:
        self._connection = connection
        self._wanted = wanted
        self._columns = columns
        self._seen: dict[UUID, datetime] = {}
        self._since: datetime | None = None

    def begin(self) -> None:
        """What is stored until now, by ClickHouse's clock, is not new."""
        ((self._since,),) = self._connection.read(Query("SELECT now64(3, 'UTC')")).rows
        for _ in self.poll():
            pass

    def poll(self) -> Iterator[dict[str, Any]]:
        """What is new, in the order in which it was stored."""
        if self._since is None:
            raise RuntimeError("begin comes first")
        after: tuple[datetime, UUID] = (self._since - _OVERLAP, UUID(int=0))
        while True:
            page = self._connection.read(stored_query(self._wanted, self._columns, after, _PAGE_ROWS))
            events = list(page.dicts())
            assert_accounts(self._wanted, {event["account_id"] for event in events})
            for event in events:
                if event["event_id"] not in self._seen:
                    self._seen[event["event_id"]] = event["stored_at"]
                    yield event
            if events:
                after = (events[-1]["stored_at"], events[-1]["event_id"])
                self._since = max(self._since, after[0])
            if len(events) < _PAGE_ROWS:
                break
        horizon = self._since - 2 * _OVERLAP
        self._seen = {event_id: at for event_id, at in self._seen.items() if at >= horizon}
