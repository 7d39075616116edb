"""ClickHouse's tables and views as numbered migrations, applied once each and never changed.

A migration is a template. Its placeholders are the only difference between a single server and a
cluster: the database, ON CLUSTER, the engine's replication and its deduplication. The checksum is
the template's, so that every rendering has the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import Any

from audit_sinks.clickhouse import explained
from audit_sinks.errors import MigrationChanged

Client = Any  # clickhouse-driver ships no types

DEDUPLICATION_WINDOW = 12 * 8 * 300
"""Insert tokens that each table remembers: Kafka partitions x table partitions in one insert (years of
history) x inserts during the longest reassignment (5 minutes at one a second). A token counts once for
each part that its insert made."""

SINGLE_SERVER: Mapping[str, str] = {
    "on_cluster": "",
    "replicated": "",
    "replica": "",
    "deduplication": f"non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}",
}
"""What the placeholders become where one server holds everything."""

_HISTORY = """
CREATE TABLE IF NOT EXISTS ${database}.schema_migrations ${on_cluster}
(
    number UInt32 COMMENT 'The order in which migrations are applied',
    name String COMMENT 'The file''s name',
    checksum FixedString(64) COMMENT 'SHA-256 of the template',
    applied_at DateTime64(3, 'UTC') COMMENT 'When it was applied'
)
ENGINE = ${replicated}ReplacingMergeTree(${replica}applied_at)
ORDER BY number
COMMENT 'Applied migrations; read with FINAL'
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    number: int
    name: str
    template: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the template, in hexadecimal."""
        return sha256(self.template.encode()).hexdigest()

    def statements(self, rendering: Mapping[str, str]) -> list[str]:
        """The SQL statements with the placeholders filled in."""
        sql = Template(self.template).substitute(rendering)
        return [statement for part in sql.split(";\n") if (statement := part.strip())]


@dataclass(frozen=True, slots=True)
class Applied:
    """What the database remembers of a migration."""

    checksum: str
    at: datetime


def load() -> list[Migration]:
    """All migrations, in order."""
    folder = files("audit_sinks") / "migrations"
    return sorted(
        (
            Migration(int(file.name[:4]), file.name.removesuffix(".sql"), file.read_text())
            for file in folder.iterdir()
            if file.name.endswith(".sql")
        ),
        key=lambda migration: migration.number,
    )


def pending(migrations: Iterable[Migration], applied: Mapping[int, Applied]) -> list[Migration]:
    """The migrations that are still to be applied.

    Raises:
        MigrationChanged: an applied one has another checksum.
    """
    left = []
    for migration in migrations:
        known = applied.get(migration.number)
        if known is None:
            left.append(migration)
        elif known.checksum != migration.checksum:
            raise MigrationChanged(
                f"{migration.name} was applied at {known.at:%Y-%m-%d %H:%M} with the checksum "
                f"{known.checksum[:12]}, and is {migration.checksum[:12]} now",
                remedy="restore the file; a change of the tables is a migration of its own",
            )
    return left


def history(client: Client, database: str) -> dict[int, Applied]:
    """What has been applied; nothing where the database does not exist yet.

    Raises:
        Unreachable, Misconfigured: ClickHouse cannot be asked.
    """
    with explained():
        if not client.execute(
            "SELECT 1 FROM system.tables WHERE database = %(database)s AND name = 'schema_migrations'",
            {"database": database},
        ):
            return {}
        rows = client.execute(
            f"SELECT number, toString(checksum), applied_at FROM {database}.schema_migrations FINAL"  # noqa: S608 - a checked name
        )
    return {number: Applied(checksum, at) for number, checksum, at in rows}


def apply(
    client: Client, database: str, *, rendering: Mapping[str, str] = SINGLE_SERVER
) -> Iterator[Migration]:
    """Apply what is pending, yielding each migration once it is done.

    Every statement can be repeated, so an interrupted migration is simply applied again.

    Raises:
        MigrationChanged: before anything is applied.
        Unreachable, Misconfigured: ClickHouse refuses or does not answer.
    """
    names = {"database": database, **rendering}
    left = pending(load(), history(client, database))
    if not left:
        return
    _execute(client, Template("CREATE DATABASE IF NOT EXISTS ${database} ${on_cluster}").substitute(names))
    _execute(client, Template(_HISTORY).substitute(names))
    for migration in left:
        for statement in migration.statements(names):
            _execute(client, statement)
        _record(client, database, migration)
        yield migration


def _record(client: Client, database: str, migration: Migration) -> None:
    _execute(
        client,
        f"INSERT INTO {database}.schema_migrations SELECT "
        "%(number)s, %(name)s, %(checksum)s, now64(3, 'UTC')",
        {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
    )


def _execute(client: Client, statement: str, parameters: Mapping[str, object] | None = None) -> None:
    with explained():
        client.execute(statement, parameters)
