"""What must be true before tables are rebuilt, asked before anything is done."""

from collections.abc import Sequence
from typing import Any

from audit_sinks import migrations
from audit_sinks.clickhouse import explained, query
from audit_sinks.errors import Misconfigured
from audit_sinks.rebuilding import memory
from audit_sinks.rebuilding.tables import size

_SPACE = 2
"""Times the tables' size that must be free on the disk: a copy, and its merges."""


def check(client: Any, live: str, spare: str, tables: Sequence[str]) -> None:
    """Look whether a rebuild can be done.

    Args:
        client: of ClickHouse.
        live: the database of the tables.
        spare: the database beside it.
        tables: which of them.

    Raises:
        Misconfigured: what an operator has to do first.
        Unreachable: the server does not answer.
    """
    _check_exchange(client, live)
    if migrations.pending(migrations.load(), migrations.history(client, live)):
        raise Misconfigured(f"{live} has pending migrations", remedy="run `audit migrate up`")
    state = memory.read(client, spare)
    if state and state.phase == "done":
        raise Misconfigured(
            f"{spare} still has the tables of before the last rebuild, {human(size(client, spare))}",
            remedy="once the new ones are as they should be: audit rebuild --clean",
        )
    _check_disk(client, live, tables)


def _check_exchange(client: Any, database: str) -> None:
    rows = query(client, "SELECT engine FROM system.databases WHERE name = %(name)s", {"name": database})
    if not rows:
        raise Misconfigured(f"there is no database {database}", remedy="run `audit migrate up`")
    if rows[0]["engine"] not in ("Atomic", "Replicated", "Shared"):
        raise Misconfigured(
            f"{database} has the engine {rows[0]['engine']}, which cannot exchange tables",
            remedy="move it to a database of the engine Atomic",
        )


def _check_disk(client: Any, database: str, tables: Sequence[str]) -> None:
    (disks,) = query(client, "SELECT sum(free_space) AS free FROM system.disks")
    needed = _SPACE * size(client, database, tables)
    if disks["free"] < needed:
        raise Misconfigured(
            f"the disk has {human(disks['free'])} left; twice the tables' size is needed, {human(needed)}",
            remedy="make room, or rebuild one table after the other with --tables",
        )


def drop(client: Any, database: str) -> None:
    """Drop a database at once; the server would keep dropped tables and their space for eight minutes."""
    with explained():
        client.execute(f"DROP DATABASE IF EXISTS {database} SYNC", settings={"max_table_size_to_drop": 0})


def human(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
