"""`audit reenrich`: word stored events anew by a newer catalogue."""

import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import click
import msgspec
from msgspec import Raw
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from audit_schemas import own_events
from audit_schemas.catalogue import Catalogue, CatalogueSettings, catalogue
from audit_schemas.event import Event, Target
from audit_schemas.own_events import OperatorSettings
from audit_schemas.wire import encode
from audit_sinks.clickhouse import connect
from audit_sinks.commands.dead_letter_choice import handled_by
from audit_sinks.commands.since import Since
from audit_sinks.reenriching.reenrich import Reenrichment, Summary
from audit_sinks.reenriching.sql import Scope
from audit_sinks.settings import Servers


@click.command()
@click.option("--account", default="", help="Only this account.")
@click.option(
    "--since", type=Since(), help="Only events that happened from then on: 7d, or 2026-03-02T09:00Z."
)
@click.option("--until", type=Since(), help="Only events that happened before then.")
@click.option("--dry-run", is_flag=True, help="Say what would read otherwise, change nothing.")
@handled_by
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def reenrich(  # noqa: PLR0913 - click hands each option over as an argument
    *,
    account: str,
    since: datetime | None,
    until: datetime | None,
    dry_run: bool,
    by: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Decide module and sentence of stored events anew, by this release's catalogue or AUDIT_CATALOGUE.

    Only events of an earlier catalogue are taken, so a run that was interrupted goes on where it was.
    Nothing else of an event changes: a contact's change keeps its window, and stays in the contact's
    activity even where its module is another one now. Run it when all processors have the catalogue,
    and once more when the windows that were open then are over: what they hold comes with the earlier
    wording.

    \b
    Example: audit reenrich --since 90d --dry-run
    """
    servers, newest = Servers.load(), catalogue(CatalogueSettings.load().catalogue)
    scope = Scope(account=account, since=since, until=until)
    with connect(servers.clickhouse) as client:
        run = Reenrichment(client=client, catalogue=newest, scope=scope, dry_run=dry_run)
        waiting = run.waiting()
        if sum(waiting.values()) and not dry_run:
            if not yes:
                click.confirm(
                    f"Word {_rows(waiting)} by the catalogue {newest.version}?", abort=True, err=True
                )
            own_events.record(servers.kafka, _event(by, newest, scope, waiting, servers.clickhouse.database))
        started = time.monotonic()
        summaries = _followed(run, waiting, show=not as_json)
        seconds = time.monotonic() - started
    if as_json:
        click.echo(_document(newest, summaries, dry_run=dry_run, seconds=seconds))
    else:
        _print(newest, summaries, dry_run=dry_run, seconds=seconds)


def _rows(waiting: Mapping[str, int]) -> str:
    return " and ".join(f"{rows:,} rows of {table}" for table, rows in waiting.items())


def _event(by: str, newest: Catalogue, scope: Scope, waiting: Mapping[str, int], database: str) -> Event:
    """What the log says of it: told before the first row changes."""
    given = {"since": scope.since, "until": scope.until}
    details = {
        "catalogue_version": newest.version,
        "rows": waiting,
        **{name: value for name, value in given.items() if value},
    }
    return Event(
        id=uuid4(),
        account=scope.account or OperatorSettings.load().operator_account,
        occurred_at=datetime.now(UTC),
        action="reenrich",
        target=Target(type="database", id=database),
        actor=own_events.operator(by),
        module=own_events.MODULE,
        metadata=Raw(encode(details)),
    )


def _followed(run: Reenrichment, waiting: Mapping[str, int], *, show: bool) -> dict[str, Summary]:
    """Run it and show how far it is."""
    summaries: dict[str, Summary] = {table: Summary() for table in waiting}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not show) as progress:
        tasks = {table: progress.add_task(table, total=rows) for table, rows in waiting.items()}
        for summaries in run.run():
            for table, task in tasks.items():
                progress.update(task, completed=summaries[table].rows)
    return summaries


def _document(newest: Catalogue, summaries: Mapping[str, Summary], *, dry_run: bool, seconds: float) -> bytes:
    return msgspec.json.encode(
        {
            "catalogue_version": newest.version,
            "dry_run": dry_run,
            "seconds": round(seconds, 3),
            "tables": {name: _told(summary) for name, summary in summaries.items()},
        }
    )


def _told(summary: Summary) -> dict[str, Any]:
    return {
        "rows": summary.rows,
        "sentences": summary.sentences,
        "modules": [
            {"was": was, "now": now, "rows": rows} for (was, now), rows in summary.modules.most_common()
        ],
        "examples": [
            {"event_id": example.event_id, "was": example.was._asdict(), "now": example.now._asdict()}
            for example in summary.examples
        ],
    }


def _print(newest: Catalogue, summaries: Mapping[str, Summary], *, dry_run: bool, seconds: float) -> None:
    console = Console()
    total = sum(summary.rows for summary in summaries.values())
    if not total:
        console.print(f"nothing to do: no event there is of a catalogue before {newest.version}")
        return
    for name, summary in summaries.items():
        if summary.rows:
            _print_table(console, newest, name, summary, dry_run=dry_run)
    if not dry_run:
        console.print(f"{total:,} rows in {seconds:.1f} s, {total / max(seconds, 0.001):,.0f} a second")


def _print_table(console: Console, newest: Catalogue, name: str, summary: Summary, *, dry_run: bool) -> None:
    would = "would be" if dry_run else "are"
    console.print(
        f"{name}: {summary.rows:,} rows {would} of the catalogue {newest.version}, "
        f"{summary.sentences:,} with another sentence, {sum(summary.modules.values()):,} in another module"
    )
    if summary.modules:
        moved = Table("Module before", "Module after", "Rows", box=None)
        for (was, now), rows in Counter(summary.modules).most_common():
            moved.add_row(newest.title(was), newest.title(now), f"{rows:,}")
        console.print(moved)
    for example in summary.examples if dry_run else ():
        before, after = example.was, example.now
        console.print(f"[dim]{example.event_id}[/]", soft_wrap=True)
        console.print(
            f"  [red]- {escape(f'{newest.title(before.module)}: {before.description}')}[/]", soft_wrap=True
        )
        console.print(
            f"  [green]+ {escape(f'{newest.title(after.module)}: {after.description}')}[/]", soft_wrap=True
        )
