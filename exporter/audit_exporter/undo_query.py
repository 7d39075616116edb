"""Reads what is to be undone: a target's events together, newest first, and what changed its fields since."""

# ruff: noqa: S608 - only placeholders and this package's own constants are put together here; values are bound

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from audit_exporter.clickhouse import Connection
from audit_exporter.filters import Filter, of_accounts
from audit_exporter.parameters import Binder, Query
from audit_exporter.rows import whole_rows

_TARGET = "account_id, target_type, target_id"
_MOMENT = "formatDateTime({at}, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC')"


def undo_query(wanted: Filter, event_id: UUID | None = None) -> Query:
    """What succeeded of the events that a filter finds, as JSON lines; those of one target stand together.

    Args:
        wanted: which events.
        event_id: only this one.
    """
    bind = Binder()
    conditions = [*wanted.conditions(bind), "outcome = 'success'"]
    if event_id is not None:
        conditions.append(f"event_id = {bind.uuid(event_id)}")
    where = " AND ".join(conditions)
    own = of_accounts(wanted.accounts, bind)
    return Query(
        f"""
        WITH undone AS (SELECT * FROM audit_log WHERE {where}),
        later AS (
            SELECT {_TARGET}, groupArray((field, at, event)) AS later FROM (
                SELECT {_TARGET}, field, {_MOMENT.format(at="max(occurred_at)")} AS at,
                    toString(argMax(event_id, occurred_at)) AS event
                FROM audit_changes
                WHERE {own} AND outcome = 'success'
                    AND ({_TARGET}) IN (SELECT {_TARGET} FROM undone)
                    AND event_id NOT IN (SELECT event_id FROM undone)
                    AND occurred_at >= (SELECT min(occurred_at) FROM undone)
                GROUP BY {_TARGET}, field
            ) GROUP BY {_TARGET}
        )
        SELECT {_TARGET}, target_name, toString(undone.event_id) AS event_id, action_type,
            {_MOMENT.format(at="occurred_at")} AS occurred_at,
            arrayMap(change -> (change.field, change.old, change.new), changes) AS changed,
            later.later AS later
        FROM undone LEFT JOIN later USING ({_TARGET})
        ORDER BY {_TARGET}, undone.occurred_at DESC, undone.event_id DESC
        FORMAT JSONEachRow""",
        bind.parameters,
    )


def read_undone(connection: Connection, query: Query) -> Iterator[dict[str, Any]]:
    """The rows of `undo_query`, one after the other; memory stays flat."""
    with connection.stream(query, output_format_json_validate_utf8=1) as pieces:
        for block in whole_rows(pieces, b"\n"):
            yield from map(msgspec.json.decode, block.data.splitlines())
