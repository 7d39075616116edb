"""Actors from files: the rows of a CSV file or of JSON lines as the fields of directory entries."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from audit_producers.directory import ActorFields
from audit_schemas.errors import Invalid

_COLUMNS = ("id", *ActorFields.__annotations__)
_NOTHING = "none"
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | Invalid]]:
    """The rows of a file with the numbers of their lines; Invalid in place of one that cannot be read.

    Raises:
        Invalid: the file as a whole is not readable: it is not UTF-8, or has other columns.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8: {error}", remedy="save it as CSV UTF-8") from None
    yield from _of_csv(path, text) if path.suffix.lower() == ".csv" else _of_json(text)


def _of_csv(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any] | Invalid]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    unknown = [name for name in reader.fieldnames or [] if name not in _COLUMNS]
    if unknown or "id" not in (reader.fieldnames or []):
        raise Invalid(
            f"{path}: {f'unknown columns {unknown}' if unknown else 'no column id'}",
            remedy=f"the columns are {', '.join(_COLUMNS)}",
        )
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield reader.line_num, Invalid(str(error))
            return
        if row is None:
            return
        yield reader.line_num, _of_cells(row)


def _of_cells(row: dict[Any, Any]) -> dict[str, Any] | Invalid:
    if None in row:
        return Invalid(f"more cells than columns: {row[None]!r}")
    fields: dict[str, Any] = {name: cell.strip() for name, cell in row.items() if cell and cell.strip()}
    if "id" not in fields:
        return Invalid("id: missing")
    if "permissions" in fields:
        fields["permissions"] = _titles(fields["permissions"])
    if "active" in fields:
        if fields["active"].lower() not in _TRUTH:
            return Invalid(f"active: {fields['active']!r} is neither true nor false")
        fields["active"] = _TRUTH[fields["active"].lower()]
    return fields


def _titles(cell: str) -> tuple[str, ...]:
    """The permissions of a cell: an empty cell says nothing, so that a word must say that there are none."""
    return () if cell.lower() == _NOTHING else tuple(title.strip() for title in cell.split(";"))


def _of_json(text: str) -> Iterator[tuple[int, dict[str, Any] | Invalid]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            fields = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError) as error:
            yield number, Invalid(str(error))
            continue
        yield number, fields if "id" in fields else Invalid("id: missing")
