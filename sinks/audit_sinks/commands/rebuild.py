"""`audit rebuild`: make ClickHouse's tables again from the topics."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import Any
from uuid import UUID

import click
import msgspec
from msgspec import Raw
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from audit_schemas.event import Event, Target
from audit_schemas.wire import encode
from audit_sinks import own_events
from audit_sinks.commands.dead_letter_choice import handled_by
from audit_sinks.errors import Incomplete
from audit_sinks.own_events import OperatorSettings
from audit_sinks.rebuilding.preconditions import human
from audit_sinks.rebuilding.rebuild import Rebuild, Report
from audit_sinks.rebuilding.tables import TOPIC_OF, USUAL
from audit_sinks.settings import Servers


class Tables(click.ParamType):
    """Names of tables, with commas between them."""

    name = "tables"

    def convert(
        self, value: str | tuple[str, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Read what was typed."""
        if isinstance(value, tuple):
            return value
        names = {name.strip() for name in value.split(",")}
        if unknown := sorted(names - TOPIC_OF.keys()):
            self.fail(f"{', '.join(unknown)}: the tables are {', '.join(TOPIC_OF)}", param, ctx)
        return tuple(table for table in TOPIC_OF if table in names)


@click.command()
@click.option("--tables", type=Tables(), default=USUAL, help="Only these: audit_events,contact_events.")
@click.option("--dry-run", is_flag=True, help="Build and compare, exchange nothing, and clean up.")
@click.option("--drop-old", is_flag=True, help="Drop the tables of before at once.")
@click.option("--clean", is_flag=True, help="Only drop what the last rebuild has left.")
@handled_by
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def rebuild(  # noqa: PLR0913 - click hands each option over as an argument
    *, tables: tuple[str, ...], dry_run: bool, drop_old: bool, clean: bool, by: str, yes: bool, as_json: bool
) -> None:
    """Make ClickHouse's tables again from the topics, and put them in place if no row would be missing.

    New tables are filled beside the old ones: with the rows that Kafka no longer has, then with all
    that it has. Sink and readers go on meanwhile. If a row of the old table is missing in the new one,
    nothing is exchanged, both stay, and the exit code is 3. Rows that differ are as Kafka has them;
    wording that `audit reenrich` made is kept. The old tables stay in the database beside, until
    --drop-old or --clean. Run it again if it was interrupted. Not at the same time as `audit reenrich`.

    \b
    Example: audit rebuild --dry-run --tables audit_events,contact_events
    """
    servers = Servers.load()
    with _watched(show=not as_json) as watch:
        job = Rebuild(kafka=servers.kafka, clickhouse=servers.clickhouse, tables=tables, watch=watch)
        if clean:
            _say({"freed_bytes": job.clean()}, "{freed_bytes} freed", as_json=as_json)
            return
        report = Report()
        if (unfinished := job.unfinished()) is not None:
            click.echo("finishing the exchange of the last rebuild, which was interrupted", err=True)
            job.finish(unfinished, report)
        else:
            job.prepare()
            if not yes and not dry_run:
                click.confirm(
                    f"Rebuild {', '.join(tables)} of {servers.clickhouse.database}?", abort=True, err=True
                )
            report = _rebuilt(job, servers, by, dry_run=dry_run)
    freed = job.clean() if drop_old and report.exchanged else 0
    _print(report, job, dry_run=dry_run, freed=freed, as_json=as_json)
    if report.missing:
        raise Incomplete(
            f"{report.missing:,} rows are in the tables and not in what was rebuilt: nothing is exchanged",
            remedy=f"look at both, {servers.clickhouse.database} and {job.spare}; --clean drops the new",
        )


def _rebuilt(job: Rebuild, servers: Servers, by: str, *, dry_run: bool) -> Report:
    exchanging = False
    try:
        with _terminable():
            report, positions = job.build()
            if dry_run:
                job.clean()
            elif report.missing:
                job.refuse()
            else:
                # Told before it is done: nothing is done that the log does not hold.
                own_events.record(servers.kafka, _event(job, report, by))
                exchanging = True
                job.exchange(positions, report)
    except BaseException:
        click.echo(
            "run `audit rebuild` again to finish the exchange"
            if exchanging
            else "the tables are as they were; `audit rebuild --clean` drops what was built",
            err=True,
        )
        raise
    return report


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the work as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _event(job: Rebuild, report: Report, by: str) -> Event:
    """What the log says of it; the same one for the same rebuild."""
    details = {"records": report.records, "tables": report.tables, "old_tables_in": job.spare}
    return Event(
        id=UUID(job.run),
        account=OperatorSettings.load().operator_account,
        occurred_at=datetime.now(UTC),
        action="rebuild",
        target=Target(type="database", id=job.clickhouse.database),
        actor=own_events.operator(by),
        module=own_events.MODULE,
        metadata=Raw(encode(details)),
    )


@contextmanager
def _watched(*, show: bool) -> Iterator[Any]:
    """Shows each step with what is done of it, its rate and the time that is left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), disable=not show) as progress:

        def watch(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total, rate="")
            speed = progress.tasks[tasks[step]].speed
            rate = f"{speed:,.0f}/s" if speed else ""
            progress.update(tasks[step], completed=done, total=total, rate=rate)

        yield watch


def _say(values: dict[str, int], text: str, *, as_json: bool) -> None:
    shown = {name: human(value) for name, value in values.items()}
    click.echo(msgspec.json.encode(values) if as_json else text.format(**shown))


def _print(report: Report, job: Rebuild, *, dry_run: bool, freed: int, as_json: bool) -> None:
    if as_json:
        click.echo(
            msgspec.json.encode(
                {
                    "dry_run": dry_run,
                    "records": report.records,
                    "copied": report.copied,
                    "tables": report.tables,
                    "missing": report.missing,
                    "exchanged": report.exchanged,
                    "kept_in": job.spare if report.exchanged and not freed else None,
                    "kept_bytes": report.kept_bytes - freed if not freed else 0,
                }
            )
        )
        return
    console = Console()
    table = Table("Table", "Before", "Rebuilt", "Copied", "Missing", "New", "Differing", box=None)
    for name, found in report.tables.items():
        missing = f"[red]{found.missing:,}[/]" if found.missing else "0"
        numbers = [f"{n:,}" for n in (found.before, found.after, report.copied.get(name, 0))]
        table.add_row(name, *numbers, missing, f"{found.additional:,}", f"{found.differing:,}")
    console.print(table)
    for name, found in report.tables.items():
        for kind, keys in (("missing", found.missing_keys), ("differing", found.differing_keys)):
            for key in keys:
                console.print(f"[dim]{name}, {kind}:[/] {escape(key)}", soft_wrap=True)
    if report.exchanged:
        old = f"dropped, {human(freed)} freed" if freed else f"in {job.spare}, {human(report.kept_bytes)}"
        console.print(
            f"{', '.join(report.exchanged)} are exchanged; the old tables are {old}", soft_wrap=True
        )
    elif dry_run:
        console.print("nothing is exchanged, and what was built is dropped")
