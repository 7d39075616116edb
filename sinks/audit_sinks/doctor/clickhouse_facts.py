"""Reads the facts of ClickHouse from its system tables; it writes nothing."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from audit_schemas.settings import ClickHouse
from audit_sinks import migrations
from audit_sinks.clickhouse import connect, query
from audit_sinks.doctor.facts import ClickHouseFacts, Disk, TableFacts
from audit_sinks.errors import MigrationChanged
from audit_sinks.tables import FEEDS

_SETTINGS = (
    "non_replicated_deduplication_window",
    "replicated_deduplication_window",
    "replicated_deduplication_window_seconds",
    "fsync_after_insert",
    "fsync_part_directory",
)
_TOPIC_OF = {feed.table: topic for topic, feeds in FEEDS.items() for feed in feeds}

_TABLES = """
SELECT
    tables.name AS name, tables.engine AS engine, tables.engine_full AS engine_full,
    tables.partition_key != '' AS is_partitioned, uniqExactIf(parts.partition_id, parts.active) AS partitions,
    countIf(parts.level = 0 AND parts.modification_time > now() - {seconds}) * 60 / {seconds} AS inserts
FROM system.tables AS tables
LEFT JOIN system.parts AS parts ON parts.database = tables.database AND parts.table = tables.name
WHERE tables.database = %(database)s AND tables.name IN %(tables)s
GROUP BY ALL
ORDER BY name
"""

_LATELY = 300
"""Seconds; parts that were merged into others are listed for eight minutes more."""


def read(clickhouse: ClickHouse) -> ClickHouseFacts:
    """Ask the server.

    Raises:
        Unreachable, Misconfigured: it does not answer, or refuses.
    """
    with connect(clickhouse, database="default") as client:
        return read_by(client, clickhouse.database)


def read_by(client: Any, database: str) -> ClickHouseFacts:
    """Ask the server over a connection that is there; errors as of `read`."""
    (server,) = query(client, "SELECT version() AS version, now64(3, 'UTC') AS now")
    ahead = server["now"] - datetime.now(UTC)
    pending, changed = _migrations(client, database)
    return ClickHouseFacts(
        version=server["version"],
        ahead=ahead,
        tables=_tables(client, database),
        disks=_disks(client),
        pending_migrations=pending,
        changed_migration=changed,
    )


def _migrations(client: Any, database: str) -> tuple[tuple[str, ...], str]:
    try:
        left = migrations.pending(migrations.load(), migrations.history(client, database))
    except MigrationChanged as error:
        return (), error.message
    return tuple(migration.name for migration in left), ""


def _tables(client: Any, database: str) -> dict[str, TableFacts]:
    defaults = _defaults(client)
    rows = query(client, _TABLES.format(seconds=_LATELY), {"database": database, "tables": tuple(_TOPIC_OF)})
    return {
        f"{database}.{row['name']}": TableFacts(
            topic=_TOPIC_OF[row["name"]],
            replicated=row["engine"].startswith("Replicated"),
            partitions=row["partitions"] if row["is_partitioned"] else None,
            settings=settings_of(row["engine_full"], defaults),
            inserts_a_minute=row["inserts"],
        )
        for row in rows
    }


def settings_of(engine: str, defaults: Mapping[str, str]) -> dict[str, str]:
    """The settings that a table has, in the words of its engine; the defaults where it says nothing."""
    return {
        name: found[1] if (found := re.search(rf"\b{name} = (\d+|true|false)\b", engine)) else default
        for name, default in defaults.items()
    }


def _defaults(client: Any) -> dict[str, str]:
    rows = query(
        client,
        "SELECT name, value FROM system.merge_tree_settings WHERE name IN %(names)s",
        {"names": _SETTINGS},
    )
    return {row["name"]: row["value"] for row in rows}


def _disks(client: Any) -> tuple[Disk, ...]:
    rows = query(
        client, "SELECT name, free_space AS free, total_space AS total FROM system.disks ORDER BY name"
    )
    return tuple(Disk(**row) for row in rows)
