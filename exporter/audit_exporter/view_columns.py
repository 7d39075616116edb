"""The columns of the views, as ClickHouse describes them."""

# ruff: noqa: S608 - only placeholders are put together here; values are bound

from dataclasses import dataclass
from typing import Literal

from audit_exporter.clickhouse import Connection
from audit_exporter.parameters import Binder, Query

View = Literal["audit_log", "contact_activity", "login_sessions"]


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view."""

    name: str
    type: str
    comment: str


def read_columns(connection: Connection, view: View) -> list[ViewColumn]:
    """A view's columns in their order."""
    bind = Binder()
    sql = (
        "SELECT name, type, comment FROM system.columns "
        f"WHERE database = currentDatabase() AND table = {bind.text(view)} ORDER BY position"
    )
    return [ViewColumn(*row) for row in connection.read(Query(sql, bind.parameters)).rows]
