"""`audit migrate`: create and change ClickHouse's tables and views."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from audit_schemas.settings import ClickHouseSettings
from audit_sinks import migrations
from audit_sinks.clickhouse import connect
from audit_sinks.errors import Incomplete


@click.group()
def migrate() -> None:
    """Create and change ClickHouse's tables and views."""


@migrate.command()
@click.option("--dry-run", is_flag=True, help="Print the SQL of what is pending, apply nothing.")
def up(dry_run: bool) -> None:
    """Apply every pending migration; harmless when there is none.

    \b
    Example: audit migrate up --dry-run
    """
    if dry_run:
        _show_pending()
    else:
        _upgrade()


@migrate.command()
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of a table.")
def status(as_json: bool) -> None:
    """Show which migrations are applied; exit code 3 when one is pending.

    \b
    Example: audit migrate status --json
    """
    every = migrations.load()
    with _connected() as (client, database):
        applied = migrations.history(client, database)
    left = migrations.pending(every, applied)
    _show([(migration.name, applied.get(migration.number)) for migration in every], as_json=as_json)
    if left:
        raise Incomplete(f"{len(left)} migrations are pending", remedy="run `audit migrate up`")


def _show(rows: list[tuple[str, migrations.Applied | None]], *, as_json: bool) -> None:
    if as_json:
        for name, known in rows:
            click.echo(msgspec.json.encode({"migration": name, "applied_at": known.at if known else None}))
        return
    table = Table("Migration", "Applied at (UTC)", box=None)
    for name, known in rows:
        table.add_row(name, f"{known.at:%Y-%m-%d %H:%M:%S}" if known else "[yellow]pending[/]")
    Console().print(table)


def _upgrade() -> None:
    done = 0
    with _connected() as (client, database):
        for migration in migrations.apply(client, database):
            click.echo(f"applied {migration.name}")
            done += 1
    if not done:
        click.echo(f"{database}: nothing to apply")


def _show_pending() -> None:
    with _connected() as (client, database):
        left = migrations.pending(migrations.load(), migrations.history(client, database))
    names = {"database": database, **migrations.SINGLE_SERVER}
    for migration in left:
        for statement in migration.statements(names):
            click.echo(f"{statement};\n")


@contextmanager
def _connected() -> Iterator[tuple[Any, str]]:
    clickhouse = ClickHouseSettings.load().clickhouse
    # The database may not exist yet: every name in a migration is a full one.
    with connect(clickhouse, database="default") as client:
        yield client, clickhouse.database
