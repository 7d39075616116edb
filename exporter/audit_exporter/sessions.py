"""The reader of sign-ins: sessions from the view login_sessions, newest first, always of named accounts."""

# ruff: noqa: S608 - only placeholders and this package's own constants are put together here; values are bound

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Literal, get_args

from audit_exporter.clickhouse import Connection, Table
from audit_exporter.filters import Filter, during, of_accounts, within
from audit_exporter.parameters import Binder, Query
from audit_exporter.query import NEWEST_FIRST, Cursor, turn_pages
from audit_exporter.timeframe import Timeframe

State = Literal["open", "ended", "expired", "failed", "unpaired"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """All of it must fit; of several values of one kind any one."""

    accounts: tuple[str, ...]
    timeframe: Timeframe = field(default_factory=Timeframe)
    """Of the beginning; of an end without one, of that."""
    actors: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    network: IPv4Network | IPv6Network | None = None

    def conditions(self, bind: Binder) -> list[str]:
        """The conditions in SQL; every value is handed to `bind`."""
        found = [of_accounts(self.accounts, bind), *during(self.timeframe, bind)]
        if self.actors:
            found.append(f"actor_id IN {bind.texts(self.actors)}")
        if self.states:
            found.append(f"state IN {bind.texts(self.states)}")
        if self.network is not None:
            found.append(within(self.network, bind))
        return [f"({condition})" for condition in found]


def sessions_query(wanted: SessionFilter, after: Cursor | None, limit: int) -> Query:
    """A page, newest first.

    Args:
        wanted: which sessions.
        after: the last session of the page before, by its beginning and its first event.
        limit: rows.
    """
    bind = Binder()
    conditions = wanted.conditions(bind)
    if after is not None:
        conditions += after.conditions(bind)
    sql = (
        "SELECT * FROM (SELECT *, coalesce(started_at, ended_at) AS occurred_at, first_event_id AS event_id "
        f"FROM login_sessions) WHERE {' AND '.join(conditions)} {NEWEST_FIRST} LIMIT {bind.number(limit)}"
    )
    return Query(sql, bind.parameters)


def read_sessions(connection: Connection, wanted: SessionFilter, limit: int | None) -> Iterator[Table]:
    """Page after page, newest first, until `limit` rows or the end.

    Raises:
        QueryFailed: ClickHouse refused the query or broke it off.
    """
    scope = Filter(accounts=wanted.accounts)
    return turn_pages(connection, scope, lambda after, size: sessions_query(wanted, after, size), limit)
