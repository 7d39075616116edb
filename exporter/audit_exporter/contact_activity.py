"""A contact's activity page by page, and what of it waits for the end of its window."""

# ruff: noqa: S608 - only placeholders and this package's own constants are put together here; values are bound

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from audit_exporter.clickhouse import Connection, Table
from audit_exporter.columns import ACTOR, WHERE
from audit_exporter.filters import Filter
from audit_exporter.parameters import Binder, Query
from audit_exporter.query import NEWEST_FIRST, Cursor, assert_accounts, turn_pages
from audit_schemas.grace import GRACE

_SHOWN = ", ".join(f"{column.sql} AS shown_{column.name}" for column in (ACTOR, WHERE))
_COLUMNS = (
    "event_id, account_id, occurred_at, actor_type, actor_id, actor_name, action_type, outcome, description, "
    "changes, via, batch_id, window_end"
)
# A union goes by position: the log's columns come first, in the order that both views share.
_OWN = "contact_id, synced_at, contact_batch_id"
_ALL = f"* EXCEPT ({_OWN}), {_OWN}, false AS pending"
_SYNCED = f"SELECT {_ALL}"
WHILE_PENDING = ("synced_at", "contact_batch_id")
"""Columns that a change does not have before its window is over."""
_IN_LOG = "SELECT *, target_id AS contact_id, NULL AS synced_at, NULL AS contact_batch_id, true AS pending"
_FEW = "SETTINGS optimize_read_in_order = 0, optimize_move_to_prewhere_if_final = 1"
"""A contact has few changes: by its key and at once they are read sooner than in order."""
_SYNCED_FIRST = f"{NEWEST_FIRST}, pending LIMIT 1 BY event_id"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of a contact's changes, or an account's, is not in the activity yet."""

    changes: int
    overdue: int
    """Those of them whose window is over."""
    next_sync: datetime | None
    """End of the account's current window; nothing where no change has come lately."""


def activity_query(
    wanted: Filter, after: Cursor | None, limit: int, *, everything: bool, pending: bool
) -> Query:
    """A page, newest first.

    Args:
        wanted: which contact, and which of its events.
        after: the last event of the page before.
        limit: rows.
        everything: all that is stored of an event, instead of what a table shows.
        pending: with the events that are only in the log yet. One that is in both is shown as synced,
            so that none is missing or doubled while its window closes.
    """
    bind = Binder()
    conditions = [*wanted.conditions(bind), *(after.conditions(bind) if after else ())]
    where = " AND ".join(conditions)
    if pending:
        chosen = "*" if everything else f"{_COLUMNS}, pending, {_SHOWN}"
        rows = (
            f"{_SYNCED} FROM contact_activity WHERE {where} "
            f"UNION ALL {_IN_LOG} FROM audit_log WHERE {where} AND window_start IS NOT NULL"
        )
        sql = f"SELECT {chosen} FROM ({rows}) {_SYNCED_FIRST} LIMIT {bind.number(limit)}"
    else:
        # Straight from the view: a subselect of all its columns takes as long to plan as a page to read.
        chosen = _ALL if everything else f"{_COLUMNS}, false AS pending, {_SHOWN}"
        newest = f"{NEWEST_FIRST} LIMIT {bind.number(limit)} {_FEW}"
        sql = f"SELECT {chosen} FROM contact_activity WHERE {where} {newest}"
    return Query(sql, bind.parameters)


def read_activity(
    connection: Connection, wanted: Filter, limit: int | None, *, everything: bool, pending: bool
) -> Iterator[Table]:
    """Page after page of a contact's activity, as `turn_pages` reads them."""

    def page(after: Cursor | None, size: int) -> Query:
        return activity_query(wanted, after, size, everything=everything, pending=pending)

    return turn_pages(connection, wanted, page, limit)


def is_known(connection: Connection, contact: Filter) -> bool:
    """Whether anything of the contact is in the activity."""
    bind = Binder()
    where = " AND ".join(contact.conditions(bind))
    return bool(
        connection.read(Query(f"SELECT 1 FROM contact_activity WHERE {where} LIMIT 1", bind.parameters)).rows
    )


def read_waiting(connection: Connection, contact: Filter) -> Waiting:
    """What of a contact's changes is pending: only how many, nothing of what they say."""
    bind = Binder()
    where = " AND ".join(contact.conditions(bind))
    late = f"window_end <= now() - {bind.number(int(GRACE.total_seconds()))}"
    sql = (
        f"SELECT count(), countIf({late}), groupUniqArray(100)(account_id) "
        f"FROM audit_log WHERE {where} AND window_start IS NOT NULL "
        f"AND event_id NOT IN (SELECT event_id FROM contact_activity WHERE {where})"
    )
    ((changes, overdue, accounts),) = connection.read(Query(sql, bind.parameters)).rows
    assert_accounts(contact, accounts)
    return Waiting(changes, overdue, read_next_sync(connection, contact))


def read_next_sync(connection: Connection, scope: Filter) -> datetime | None:
    """When the account's current window ends."""
    bind = Binder()
    sql = f"SELECT account_id, next_sync_at FROM sync_status WHERE account_id IN {bind.texts(scope.accounts)}"
    table = connection.read(Query(sql, bind.parameters))
    assert_accounts(scope, {row["account_id"] for row in table.dicts()})
    return next((row["next_sync_at"] for row in table.dicts()), None)
