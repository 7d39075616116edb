"""`audit log`: the audit log on the terminal."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import click
from rich.console import Console

from audit_exporter import options
from audit_exporter.access import LOG, Reader
from audit_exporter.clickhouse import Connection
from audit_exporter.columns import shown
from audit_exporter.details import event_details
from audit_exporter.filters import Filter
from audit_exporter.json_lines import event_json
from audit_exporter.query import read_event, read_pages
from audit_exporter.settings import ReaderSettings
from audit_exporter.table import log_table
from audit_exporter.tail import Follower
from audit_schemas.errors import AuditError

_POLL_SECONDS = 1.0


@click.group()
def log() -> None:
    """The audit log on the terminal."""


@log.command("list")
@options.who
@options.which
@options.how_many
@click.option("--json", "as_json", is_flag=True, help="JSON lines with every column, times in UTC.")
def list_events(limit: int, everything: bool, as_json: bool, **given: Any) -> None:
    """List events, newest first.

    \b
    Example:  audit log list --account acme --as 7 --since 7d --module Contacts
    """
    settings = ReaderSettings.load()
    asked = options.Asked.read(settings, given)
    with Connection(settings.clickhouse) as connection:
        reader = asked.authorize(connection, LOG)
        wanted = options.wanted(reader, datetime.now(UTC), given)
        _list(connection, reader, wanted, None if everything else limit, as_json=as_json)


def _list(
    connection: Connection, reader: Reader, wanted: Filter, limit: int | None, *, as_json: bool
) -> None:
    columns = None if as_json else shown(reader.accounts)
    total = 0
    for page in read_pages(connection, wanted, columns, limit):
        total += len(page.rows)
        _print(page.dicts(), reader, as_json=as_json, header=total == len(page.rows))
    if not as_json:
        options.say_count(total, "event", reader.zone, more="--limit, --all" if total == limit else "")


@log.command()
@options.who
@click.argument("event_id", metavar="ID", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, times in UTC.")
def view(event_id: UUID, as_json: bool, **given: Any) -> None:
    """Show everything of one event.

    \b
    Example:  audit log view 019ab3c4-7d5e-7f00-8000-0123456789ab --account acme --as 7
    """
    settings = ReaderSettings.load()
    asked = options.Asked.read(settings, given)
    with Connection(settings.clickhouse) as connection:
        reader = asked.authorize(connection, LOG)
        event = read_event(connection, reader.accounts, event_id)
    if event is None:
        raise AuditError(
            f"no event {event_id} in {', '.join(map(repr, reader.accounts))}",
            remedy=f"`audit trace {event_id}` says how far it came",
        )
    if as_json:
        click.echo(event_json(event))
    else:
        Console(highlight=False).print(event_details(event, reader.zone))


@log.command()
@options.who
@options.which
@click.option("--json", "as_json", is_flag=True, help="JSON lines with every column, times in UTC.")
def tail(as_json: bool, **given: Any) -> None:
    """Show events as they are stored, until Ctrl-C.

    \b
    Example:  audit log tail --account acme --as 7 --action login
    """
    settings = ReaderSettings.load()
    asked = options.Asked.read(settings, given)
    with Connection(settings.clickhouse) as connection:
        reader = asked.authorize(connection, LOG)
        wanted = options.wanted(reader, datetime.now(UTC), given)
        follower = Follower(connection, wanted, None if as_json else shown(reader.accounts))
        try:
            _follow(follower, reader, as_json=as_json)
        except KeyboardInterrupt:
            return


def _follow(follower: Follower, reader: Reader, *, as_json: bool) -> None:
    follower.begin()
    if not as_json:
        click.echo(f"waiting for events, times in {reader.zone}; Ctrl-C ends", err=True)
    header = True
    while True:
        events = list(follower.poll())
        if events:
            _print(events, reader, as_json=as_json, header=header)
            header = False
        time.sleep(_POLL_SECONDS)


def _print(events: Iterable[Mapping[str, Any]], reader: Reader, *, as_json: bool, header: bool) -> None:
    if as_json:
        for event in events:
            click.echo(event_json(event))
        return
    console = Console(highlight=False)
    table = log_table(events, shown(reader.accounts), reader.zone, console.width)
    table.show_header = header
    console.print(table)
