"""`audit export`: the log as files."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from audit_exporter import options
from audit_exporter.access import FILES
from audit_exporter.clickhouse import Connection
from audit_exporter.columns import choose, shown
from audit_exporter.completeness import complete_through, shortfall
from audit_exporter.export import Format, Request, Written, bound, write
from audit_exporter.export import Progress as ProgressReport
from audit_exporter.filters import Filter
from audit_exporter.settings import ReaderSettings
from audit_exporter.view_columns import read_columns

_FORMATS: dict[str, tuple[Format, ...]] = {"csv": ("csv",), "xlsx": ("xlsx",), "both": ("csv", "xlsx")}


@click.group()
def export() -> None:
    """The audit log as CSV and as XLSX."""


@export.command("write")
@options.who
@options.which
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="A folder, or a .csv or .xlsx file."
)
@click.option(
    "--format", "form", type=click.Choice(list(_FORMATS)), help="Into a folder: csv, xlsx or both. [both]"
)
@click.option(
    "--columns", help="Names, separated by commas: of the log, or any column of the view audit_log."
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--dry-run", is_flag=True, help="Only say how many rows it would be.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document with paths, rows and checksums.")
def write_files(
    output: Path,
    form: str | None,
    columns: str | None,
    force: bool,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Write the events of a timeframe to files, newest first.

    \b
    Example:  audit export write --account acme --as 7 --since 2026-11-01 --until 2026-12-01 --output .
    """
    settings = ReaderSettings.load()
    asked = options.Asked.read(settings, given)
    formats = _formats(output, form)
    with Connection(settings.clickhouse) as connection:
        reader = asked.authorize(connection, FILES)
        now = datetime.now(UTC)
        wanted = asked.wanted(reader, now, given)
        names = columns.split(",") if columns else []
        if names:
            types = {column.name: column.type for column in read_columns(connection, "audit_log")}
            chosen = choose(map(str.strip, names), types, asked.catalogue)
        else:
            chosen = shown(reader.accounts, asked.catalogue)
        request = Request(wanted, chosen, str(reader.zone))
        if dry_run:
            _say_count(bound(connection, request)[1].rows, as_json=as_json)
            return
        paths = _paths(output, formats, wanted, now)
        # Asked before the rows: all that it promises is there when they are read.
        through = complete_through(connection)
        with _progress() as told:
            files = write(connection, request, paths, force=force, progress=told)
    _say_files(files, through, as_json=as_json)
    if (warning := shortfall(through, wanted.timeframe.until, now)) is not None:
        click.echo(f"warning: {warning}", err=True)


def _formats(output: Path, form: str | None) -> tuple[Format, ...]:
    """What to write, by --format or by the file's name.

    Raises:
        click.UsageError: when the two contradict, or neither says it.
    """
    if output.is_dir():
        return _FORMATS[form or "both"]
    by_name = _FORMATS.get(output.suffix.lower().removeprefix("."))
    if by_name is None:
        raise click.UsageError(
            f"{str(output)!r} is no folder, and no .csv or .xlsx file", click.get_current_context()
        )
    if form and _FORMATS[form] != by_name:
        raise click.UsageError(f"--format {form} does not fit {output.name!r}", click.get_current_context())
    return by_name


def _paths(output: Path, formats: tuple[Format, ...], wanted: Filter, now: datetime) -> dict[Format, Path]:
    if not output.is_dir():
        return {formats[0]: output}
    return {form: output / f"{_file_name(wanted, now)}.{form}" for form in formats}


def _file_name(wanted: Filter, now: datetime) -> str:
    """Account and time, whatever an account may be called."""
    account = wanted.accounts[0] if len(wanted.accounts) == 1 else f"{len(wanted.accounts)}-accounts"
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", account).strip("-")[:60] or "account"
    return f"audit-log_{safe}_{now:%Y%m%dT%H%M%SZ}"


class _Bars:
    """Rows of each file so far, on a terminal's standard error."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[Format, TaskID] = {}
        self._begun: dict[Format, float] = {}

    def __call__(self, form: Format, rows: int, total: int) -> None:
        if form not in self._tasks:
            self._tasks[form] = self._progress.add_task(form, rate="")
            self._begun[form] = time.monotonic()
        rate = rows / max(time.monotonic() - self._begun[form], 0.001)
        self._progress.update(
            self._tasks[form], completed=rows, total=total, rate=f"{rows:,} of {total:,} rows, {rate:,.0f}/s"
        )


@contextmanager
def _progress() -> Iterator[ProgressReport]:
    """Progress on a terminal; silence elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda *_: None
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as bars:
        yield _Bars(bars)


def _say_count(rows: int, *, as_json: bool) -> None:
    click.echo(json.dumps({"rows": rows}) if as_json else f"{rows:,} rows would be written")


def _say_files(files: list[Written], through: datetime | None, *, as_json: bool) -> None:
    if as_json:
        said = through and through.isoformat()
        click.echo(json.dumps({"files": [asdict(file) for file in files], "complete_through": said}))
        return
    for file in files:
        click.echo(f"{file.path}  {file.rows:,} rows, {file.bytes:,} bytes, sha256 {file.sha256}")
