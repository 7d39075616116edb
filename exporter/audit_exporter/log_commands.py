"""`audit log`: the audit log on the terminal."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import msgspec
from rich.console import Console

from audit_exporter import options
from audit_exporter.access import LOG, Reader
from audit_exporter.clickhouse import Connection
from audit_exporter.columns import Column, shown
from audit_exporter.details import event_details
from audit_exporter.facets import FACETS, read_facets
from audit_exporter.filters import Filter
from audit_exporter.folding import read_folded
from audit_exporter.json_lines import event_json
from audit_exporter.json_schemas import count_schema, folded_schema, rows_schema, type_schema
from audit_exporter.query import read_event, read_pages
from audit_exporter.settings import ReaderSettings
from audit_exporter.table import count_table, log_table
from audit_exporter.tail import Follower
from audit_exporter.undo import Undo, undo_all
from audit_exporter.undo_query import read_undone, undo_query
from audit_exporter.view_columns import read_columns
from audit_schemas.errors import AuditError, Incomplete
from audit_schemas.settings import ClickHouseSettings

_POLL_SECONDS = 1.0


@click.group()
def log() -> None:
    """The audit log on the terminal."""


@log.command("list")
@options.who
@options.which
@options.how_many
@click.option("--fold", is_flag=True, help="One entry for each request: what somebody did at once.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines with every column, times in UTC.")
def list_events(limit: int, everything: bool, fold: bool, as_json: bool, **given: Any) -> None:
    """List events, newest first.

    \b
    Example:  audit log list --account acme --as 7 --since 7d --module Contacts
    """
    settings = ReaderSettings.load()
    asked = options.Asked.read(settings, given)
    with Connection(settings.clickhouse) as connection:
        reader = asked.authorize(connection, LOG)
        wanted = asked.wanted(reader, datetime.now(UTC), given)
        columns = None if as_json else shown(reader.accounts, asked.catalogue)
        most = None if everything else limit
        pages = (
            read_folded(connection, wanted, columns, most)
            if fold
            else (list(page.dicts()) for page in read_pages(connection, wanted, columns, most))
        )
        total = 0
        for page in pages:
            _print(page, reader.zone, columns, header=total == 0)
            total += len(page)
    if not as_json:
        more = "--limit, --all" if total == most else ""
        options.say_count(total, "entry" if fold else "event", reader.zone, more=more)


@log.command("count")
@options.who
@options.which
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(list(FACETS)),
    help="For each of its values; repeat it for combinations.",
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many rows.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
def count_events(by: tuple[str, ...], limit: int, as_json: bool, **given: Any) -> None:
    """Count events, in all or by module, action, actor and so on, the most frequent first.

    \b
    Example:  audit log count --account acme --as 7 --since 90d --by module --by action
    """
    settings = ReaderSettings.load()
    asked = options.Asked.read(settings, given)
    with Connection(settings.clickhouse) as connection:
        reader = asked.authorize(connection, LOG)
        wanted = asked.wanted(reader, datetime.now(UTC), given)
        counts = read_facets(connection, wanted, tuple(dict.fromkeys(by)), str(reader.zone), limit)
    if as_json:
        for row in counts.dicts():
            click.echo(msgspec.json.encode(row))
        return
    Console(highlight=False).print(count_table(counts))
    options.say_count(
        len(counts.rows), "row", reader.zone, more="--limit" if len(counts.rows) == limit else ""
    )


@log.command()
@options.who
@click.argument("event_id", metavar="[ID]", type=click.UUID, required=False)
@click.option("--undo", is_flag=True, help="The former values, as a JSON Patch for each target.")
@click.option("--batch", help="With --undo: all that this run of a sync or an import did.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, times in UTC.")
def view(event_id: UUID | None, undo: bool, batch: str | None, as_json: bool, **given: Any) -> None:
    """Show everything of one event, or the way back from it.

    --undo prints JSON lines, one for each target, with a patch (RFC 6902) to its former values; it
    tests that nobody has changed them since. Nothing is changed here. Exit code 3 where the log does
    not have a former value.

    \b
    Examples:  audit log view 019ab3c4-7d5e-7f00-8000-0123456789ab --account acme --as 7
               audit log view --batch import-17 --undo --account acme --as 7 > undo.jsonl
    """
    if (event_id is None) == (batch is None):
        raise click.UsageError("give the id of an event, or --batch with --undo")
    if batch is not None and not undo:
        raise click.UsageError("--batch goes with --undo; `audit log list --batch` lists a run's events")
    settings = ReaderSettings.load()
    asked = options.Asked.read(settings, given)
    with Connection(settings.clickhouse) as connection:
        reader = asked.authorize(connection, LOG)
        event = None if event_id is None else read_event(connection, reader.accounts, event_id)
        if event_id is not None and event is None:
            raise AuditError(
                f"no event {event_id} in {', '.join(map(repr, reader.accounts))}",
                remedy=f"`audit trace {event_id}` says how far it came",
            )
        if undo:
            _undo(connection, reader, batch, event_id)
        elif event is not None and as_json:
            click.echo(event_json(event))
        elif event is not None:
            Console(highlight=False).print(event_details(event, reader.zone))


def _undo(connection: Connection, reader: Reader, batch: str | None, event_id: UUID | None) -> None:
    wanted = Filter(accounts=reader.accounts, batches=(batch,) if batch else ())
    query = undo_query(wanted, event_id)
    targets = lost = since = 0
    for way in undo_all(read_undone(connection, query)):
        click.echo(msgspec.json.encode(way))
        targets += 1
        lost += len(way.not_recorded)
        since += len(way.changed_since)
    if not targets:
        raise AuditError(
            "there is nothing to undo: the event failed, or the batch has none",
            remedy="`audit log list --batch` shows what a run did",
        )
    click.echo(f"{targets:,} target{'s' * (targets != 1)}; fields changed again since: {since:,}", err=True)
    if lost:
        raise Incomplete(f"the log does not have the former value of {lost:,} field{'s' * (lost != 1)}")


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
        wanted = asked.wanted(reader, datetime.now(UTC), given)
        columns = None if as_json else shown(reader.accounts, asked.catalogue)
        try:
            _follow(Follower(connection, wanted, columns), reader.zone, columns)
        except KeyboardInterrupt:
            return


@log.command("schema")
@click.argument("what", type=click.Choice(["list", "count", "undo"]), default="list")
def print_schema(what: str) -> None:
    """Print the JSON Schema of a line that --json prints: of the list, of counts, or of --undo.

    \b
    Example:  audit log schema list > log.schema.json
    """
    if what == "count":
        options.say_schema(count_schema(tuple(FACETS)))
    elif what == "undo":
        options.say_schema(type_schema("undo", Undo))
    else:
        with Connection(ClickHouseSettings.load().clickhouse) as connection:
            columns = read_columns(connection, "audit_log")
        options.say_schema(rows_schema("log", columns, folded=folded_schema()))


def _follow(follower: Follower, zone: ZoneInfo, columns: tuple[Column, ...] | None) -> None:
    follower.begin()
    if columns is not None:
        click.echo(f"waiting for events, times in {zone}; Ctrl-C ends", err=True)
    header = True
    while True:
        events = list(follower.poll())
        if events:
            _print(events, zone, columns, header=header)
            header = False
        time.sleep(_POLL_SECONDS)


def _print(
    events: Iterable[Mapping[str, Any]],
    zone: ZoneInfo,
    columns: tuple[Column, ...] | None,
    *,
    header: bool,
) -> None:
    """A table of these columns; JSON lines without."""
    if columns is None:
        for event in events:
            click.echo(event_json(event))
        return
    console = Console(highlight=False)
    table = log_table(events, columns, zone, console.width)
    table.show_header = header
    console.print(table)
