"""The way of an export: count, render, write, compare; whole files or none."""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from io import BufferedRandom
from pathlib import Path
from typing import Literal

from audit_exporter import cells, workbook
from audit_exporter.clickhouse import Connection
from audit_exporter.columns import Column
from audit_exporter.csv_file import write_csv
from audit_exporter.errors import FileExists, RowsMissing
from audit_exporter.filters import Filter
from audit_exporter.new_file import new_file
from audit_exporter.query import Count, count, render_query
from audit_exporter.rows import ahead, whole_rows
from audit_exporter.workbook import write_workbook

Format = Literal["csv", "xlsx"]
Progress = Callable[[Format, int, int], None]
"""Told after each block: the format, rows written, rows in all."""

_ROW_ENDS: dict[Format, bytes] = {"csv": cells.ROW_END, "xlsx": workbook.ROW_END}
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be exported."""

    wanted: Filter
    columns: tuple[Column, ...]
    zone: str


@dataclass(frozen=True, slots=True)
class Written:
    """A file that holds what was counted."""

    path: str
    format: Format
    rows: int
    bytes: int
    sha256: str


def bound(connection: Connection, request: Request) -> tuple[Request, Count]:
    """Count what fits, and bind the request to what was received until then."""
    counted = count(connection, request.wanted)
    return replace(request, wanted=replace(request.wanted, received_until=counted.watermark)), counted


def write(
    connection: Connection,
    request: Request,
    paths: dict[Format, Path],
    *,
    force: bool = False,
    progress: Progress = lambda *_: None,
) -> list[Written]:
    """Write one file for each format, all up to the same watermark; none appears before all are whole.

    An event that was received before the watermark can reach ClickHouse after the count, since the
    partitions of a topic do not move in step. Then the files are begun anew, a few times.

    Args:
        connection: reads the view audit_log.
        request: what to write.
        paths: where to.
        force: whether files of these names may be replaced.
        progress: told how it goes.

    Raises:
        RowsMissing: what came is not what was counted, again and again.
        FileExists: a file is there and `force` is not given.
        QueryFailed: ClickHouse refused the query or broke it off.
        AuditError: a file cannot be written.
    """
    for path in paths.values():
        if path.exists() and not force:
            raise FileExists(
                f"{path} exists already", remedy="choose another name, or replace it with --force"
            )
    for attempt in range(1, _ATTEMPTS + 1):
        fixed, counted = bound(connection, request)
        try:
            return _write_all(connection, fixed, paths, counted.rows, force=force, progress=progress)
        except RowsMissing:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _write_all(
    connection: Connection,
    request: Request,
    paths: dict[Format, Path],
    counted: int,
    *,
    force: bool,
    progress: Progress,
) -> list[Written]:
    with ExitStack() as files:
        open_files = {
            form: files.enter_context(new_file(path, replace=force)) for form, path in paths.items()
        }
        for form, file in open_files.items():
            _render(connection, request, form, file, counted, progress)
        return [_describe(paths[form], form, counted, file) for form, file in open_files.items()]


def _render(
    connection: Connection,
    request: Request,
    form: Format,
    file: BufferedRandom,
    counted: int,
    progress: Progress,
) -> None:
    query = render_query(request.wanted, request.columns, request.zone, form)
    write_rows = write_csv if form == "csv" else write_workbook
    rows = 0
    with (
        connection.stream(query) as pieces,
        closing(ahead(whole_rows(pieces, _ROW_ENDS[form]))) as blocks,
    ):
        for rows in write_rows(file, blocks, request.columns, request.zone):
            progress(form, rows, counted)
    if rows != counted:
        raise RowsMissing(
            f"{counted:,} rows were counted and {rows:,} came; no file was written",
            counted=counted,
            read=rows,
            remedy="events that were received earlier are still arriving; try again in a moment",
        )


def _describe(path: Path, form: Format, rows: int, file: BufferedRandom) -> Written:
    file.flush()
    size = file.seek(0, 2)
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(str(path), form, rows, size, digest)
