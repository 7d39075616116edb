"""`audit session`: who signed in and out."""

from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from rich.console import Console

from audit_exporter import options
from audit_exporter.access import SESSIONS
from audit_exporter.clickhouse import Connection
from audit_exporter.filters import read_network
from audit_exporter.json_schemas import rows_schema
from audit_exporter.session_table import session_table
from audit_exporter.sessions import STATES, SessionFilter, read_sessions
from audit_exporter.settings import ReaderSettings
from audit_exporter.view_columns import read_columns
from audit_schemas.settings import ClickHouseSettings


@click.group()
def session() -> None:
    """Who signed in and out, from where and for how long: the basic log, which every plan has."""


@session.command("list")
@options.who
@options.when
@click.option("--actor", "actors", multiple=True, help="Who signed in, by id.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="How it stands.")
@click.option("--ip", "network", metavar="CIDR", help="From this address or network.")
@options.how_many
@click.option("--json", "as_json", is_flag=True, help="JSON lines with every column, times in UTC.")
def list_sessions(limit: int, everything: bool, as_json: bool, **given: Any) -> None:
    """List sessions, newest first; failed sign-ins and what has no other half are among them.

    \b
    Example:  audit session list --account acme --as 7 --since 7d --state failed
    """
    settings = ReaderSettings.load()
    asked = options.Asked.read(settings, given)
    with Connection(settings.clickhouse) as connection:
        reader = asked.authorize(connection, SESSIONS)
        wanted = SessionFilter(
            accounts=reader.accounts,
            timeframe=options.timeframe(given, datetime.now(UTC), reader.zone),
            actors=given["actors"],
            states=given["states"],
            network=None if given["network"] is None else read_network(given["network"]),
        )
        console, total = Console(highlight=False), 0
        most = None if everything else limit
        for page in read_sessions(connection, wanted, most):
            total += len(page.rows)
            if as_json:
                for row in page.dicts():
                    click.echo(_line(row))
                continue
            table = session_table(page.dicts(), reader.zone, console.width)
            table.show_header = total == len(page.rows)
            console.print(table)
    if not as_json:
        options.say_count(total, "session", reader.zone, more="--limit, --all" if total == most else "")


@session.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of a line that `audit session list --json` prints.

    \b
    Example:  audit session schema > session.schema.json
    """
    with Connection(ClickHouseSettings.load().clickhouse) as connection:
        options.say_schema(rows_schema("session", read_columns(connection, "login_sessions")))


def _line(row: dict[str, Any]) -> bytes:
    """One session as JSON; the two columns that pages are turned by say nothing new."""
    return msgspec.json.encode({name: row[name] for name in row if name not in ("occurred_at", "event_id")})
