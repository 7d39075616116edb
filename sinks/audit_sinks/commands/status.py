"""`audit status`: is everything stored, and if not, where does it wait?"""

from datetime import UTC, datetime

import click
import msgspec
from rich.console import Console
from rich.table import Table

from audit_sinks.errors import Incomplete
from audit_sinks.settings import Servers
from audit_sinks.status import Status, look
from audit_sinks.sync import sentence


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def status(as_json: bool) -> None:
    """Show what waits and what is stored; exit code 3 while anything is behind.

    \b
    Example: until audit status --json > status.json; do sleep 1; done
    """
    settings = Servers.load()
    found = look(settings.kafka, settings.clickhouse)
    if as_json:
        click.echo(msgspec.json.encode({**msgspec.to_builtins(found), "behind": found.behind}))
    else:
        _print(found)
    if found.behind:
        raise Incomplete("; ".join(_reasons(found)))


def _reasons(found: Status) -> list[str]:
    waiting = sum(lag.records for lag in found.lags)
    pending = len(found.pending_migrations)
    return [
        *found.problems,
        *([f"{waiting} records wait"] if waiting else []),
        *([f"contacts' activity: {_activity(found)}"] if found.sync.overdue else []),
        *([f"{pending} migrations are pending: run `audit migrate up`"] if pending else []),
    ]


def _activity(found: Status) -> str:
    return sentence(found.sync, datetime.now(UTC))


def _print(found: Status) -> None:
    console = Console()
    lags = Table("Group", "Topic", "Waiting", box=None)
    for lag in found.lags:
        lags.add_row(lag.group, lag.topic, f"[yellow]{lag.records}[/]" if lag.records else "0")
    tables = Table("Table", "Rows", box=None)
    for table, rows in found.rows.items():
        tables.add_row(table, str(rows))
    newest = found.newest_received_at
    console.print(lags, tables, sep="\n")
    console.print(f"Newest event stored: {f'{newest:%Y-%m-%d %H:%M:%S.%f} UTC' if newest else 'none'}")
    console.print(f"Dead letters: {found.dead_letters} open")
    console.print(f"Contacts' activity: {_activity(found)}")
