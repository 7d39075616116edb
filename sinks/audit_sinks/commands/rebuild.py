"""`audit rebuild`: make ClickHouse's tables again from the topics."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from uuid import UUID

import click
import msgspec
from msgspec import Raw
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from audit_schemas import own_events
from audit_schemas.event import Event, Target
from audit_schemas.own_events import OperatorSettings
from audit_schemas.wire import encode
from audit_sinks.commands.dead_letter_choice import handled_by
from audit_sinks.commands.rebuild_progress import watched
from audit_sinks.errors import Incomplete, Misconfigured
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

    New tables are filled beside the old ones: with all that Kafka has, and with the rows that it no
    longer has. Sink and readers go on meanwhile. If a row of the old table is missing in the new one,
    nothing is exchanged, both stay, and the exit code is 3. Rows that differ are as Kafka has them;
    wording that `audit reenrich` made is kept. The old tables stay in the database beside, until
    --drop-old or --clean. Run it again if it was interrupted. Not at the same time as `audit reenrich`.

    \b
    Example: audit rebuild --dry-run --tables audit_events,contact_events
    """
    servers = Servers.load()
    job = Rebuild(kafka=servers.kafka, clickhouse=servers.clickhouse, tables=tables)
    if clean:
        freed = job.clean()
        click.echo(msgspec.json.encode({"freed_bytes": freed}) if as_json else f"{human(freed)} freed")
        return
    report = _finished(job, dry_run=dry_run, show=not as_json)
    if report is None:
        job.prepare()
        if not yes and not dry_run:
            click.confirm(
                f"Rebuild {', '.join(tables)} of {servers.clickhouse.database}?", abort=True, err=True
            )
        report = _rebuilt(job, by, dry_run=dry_run, show=not as_json)
    kept = job.left() if report.exchanged else 0
    freed = job.clean() if drop_old and report.exchanged else 0
    (_print_document if as_json else _print)(report, job.spare, kept=kept, freed=freed, dry_run=dry_run)
    if report.missing:
        raise Incomplete(
            f"rows of the tables that are missing in what was rebuilt: {report.missing:,}; "
            "nothing is exchanged",
            remedy=""
            if dry_run
            else f"look at both, {servers.clickhouse.database} and {job.spare}; --clean drops the new",
        )


def _finished(job: Rebuild, *, dry_run: bool, show: bool) -> Report | None:
    """What came of a rebuild that was interrupted while it exchanged tables; nothing where there is none."""
    if (unfinished := job.unfinished()) is None:
        return None
    if dry_run:
        raise Misconfigured(
            "the last rebuild ended while it exchanged tables", remedy="run `audit rebuild` to finish it"
        )
    click.echo("finishing the exchange of the last rebuild, which was interrupted", err=True)
    report = Report()
    with _terminable(), watched(job, show=show) as followed:
        followed.finish(unfinished, report)
    return report


def _rebuilt(job: Rebuild, by: str, *, dry_run: bool, show: bool) -> Report:
    outlook = "the tables are as they were; `audit rebuild --clean` drops what was built"
    try:
        with _terminable(), watched(job, show=show) as followed:
            report, positions = followed.build()
            if dry_run:
                followed.clean()
            elif not report.missing:
                # Told before it is done: nothing is done that the log does not hold.
                own_events.record(job.kafka, _event(job, report, by))
                outlook = "run `audit rebuild` again to finish the exchange"
                followed.exchange(positions, report)
    except BaseException:
        click.echo(outlook, err=True)
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


def _print_document(report: Report, spare: str, *, kept: int, freed: int, dry_run: bool) -> None:
    click.echo(
        msgspec.json.encode(
            {
                "dry_run": dry_run,
                "records": report.records,
                "kept": report.kept,
                "tables": report.tables,
                "missing": report.missing,
                "exchanged": report.exchanged,
                "old_tables_in": spare if kept and not freed else None,
                "old_bytes": kept,
            }
        )
    )


def _print(report: Report, spare: str, *, kept: int, freed: int, dry_run: bool) -> None:
    console = Console()
    table = Table("Table", "Before", "Rebuilt", "Kept", "Missing", "New", "Differing", box=None)
    for name, found in report.tables.items():
        missing = f"[red]{found.missing:,}[/]" if found.missing else "0"
        numbers = [f"{n:,}" for n in (found.before, found.after, report.kept[name])]
        table.add_row(name, *numbers, missing, f"{found.additional:,}", f"{found.differing:,}")
    if report.tables:
        console.print(table)
    for name, found in report.tables.items():
        for kind, keys in (("missing", found.missing_keys), ("differing", found.differing_keys)):
            for key in keys:
                console.print(f"[dim]{name}, {kind}:[/] {escape(key)}", soft_wrap=True)
    if report.exchanged:
        old = f"dropped, {human(freed)} freed" if freed else f"in {spare}, {human(kept)}"
        console.print(f"exchanged: {', '.join(report.exchanged)}; the old tables are {old}", soft_wrap=True)
    elif dry_run:
        console.print("nothing is exchanged, and what was built is dropped")
