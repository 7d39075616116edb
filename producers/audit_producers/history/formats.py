"""The records of a dump: JSON lines, one JSON array, or CSV with a header."""

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal

from audit_schemas.topics import MIB

Format = Literal["jsonl", "json", "csv"]

LONGEST = 16 * MIB
"""The longest record and cell, in bytes: beyond it a quote or a bracket is missing, rather."""
_BOM = b"\xef\xbb\xbf"
_PART = 256 * 1024
_BETWEEN = " \t\r\n,"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a dump, as it stands there."""

    line: int
    """The line on which it begins, from 1."""
    raw: bytes
    cells: Mapping[str, str] | None = None
    """Of CSV: column -> text, empty cells left out; JSON lies in `raw`."""
    fault: str = ""
    """Why it cannot be read; empty where it can."""


def format_of(name: str, stream: io.BufferedReader) -> Format:
    """The format of a dump, by its name, or else by its first letter.

    Args:
        name: the file's name, without what tells of its compression.
        stream: its bytes, decompressed; none of them are taken.
    """
    suffixes: Mapping[str, Format] = {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl"}
    if named := suffixes.get(name.rpartition(".")[2].lower()):
        return named
    head = stream.peek(64)
    by_start: Mapping[bytes, Format] = {b"{": "jsonl", b"[": "json"}
    return by_start.get(head.removeprefix(_BOM).lstrip()[:1], "csv")


def records(
    stream: BinaryIO, form: Format, *, delimiter: str = ",", encoding: str = "utf-8"
) -> Iterator[Record]:
    """The records of a dump, in its order.

    Args:
        stream: its bytes, decompressed.
        form: its format.
        delimiter: what stands between the cells of CSV.
        encoding: that of CSV; JSON is UTF-8.
    """
    if form == "csv":
        return _rows(stream, delimiter, "utf-8-sig" if encoding == "utf-8" else encoding)
    return _elements(stream) if form == "json" else _lines(stream)


def _lines(stream: BinaryIO) -> Iterator[Record]:
    for number, raw in enumerate(stream, 1):
        line = (raw.removeprefix(_BOM) if number == 1 else raw).strip()
        if line:
            yield Record(number, line)


def _rows(stream: BinaryIO, delimiter: str, encoding: str) -> Iterator[Record]:
    """The rows of CSV (RFC 4180); a cell may have several lines."""
    csv.field_size_limit(LONGEST)
    text = io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline="")
    taken: list[str] = []
    reader = csv.reader(_kept(text, taken), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    while True:
        line, fault = reader.line_num + 1, ""
        taken.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            row, fault = [], str(error)
        raw = "".join(taken).rstrip("\r\n").encode(encoding.removesuffix("-sig"), "surrogateescape")
        if columns is None and not fault:
            columns = row
        elif row or fault:
            yield _row(line, raw, columns or [], row, fault or _misfit(columns or [], row, raw))


def _kept(lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _row(line: int, raw: bytes, columns: list[str], row: list[str], fault: str) -> Record:
    cells = {} if fault else {name: cell for name, cell in zip(columns, row, strict=True) if cell}
    return Record(line, raw, cells, fault)


def _misfit(columns: list[str], row: list[str], raw: bytes) -> str:
    if len(columns) != len(row):
        return f"the row has {len(row)} cells, the header {len(columns)}"
    return "" if raw.isascii() else _not_utf8("".join(row))


def _not_utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"is not in the file's encoding: byte 0x{ord(text[error.start]) & 0xFF:02x}"
    return ""


def _elements(stream: BinaryIO) -> Iterator[Record]:
    """The elements of one JSON array, without ever holding more than a part of it."""
    decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
    scan = json.JSONDecoder().raw_decode
    text, line, at, size, is_inside = "", 1, 0, _PART, False
    while True:
        start = _after(text, at, _BETWEEN if is_inside else _BETWEEN + "[")
        is_inside = is_inside or start > at
        line, at = line + text.count("\n", at, start), start
        try:
            end = scan(text, at)[1] if text[at : at + 1] != "]" else None
        except (json.JSONDecodeError, RecursionError) as error:
            more = stream.read(size) if len(text) - at < LONGEST else b""
            if more:  # perhaps it only goes on there
                text, at, size = text[at:] + decode(more), 0, size * 2
                continue
            if text[at:].strip():
                yield Record(
                    line,
                    _bytes(text[at : at + _PART]),
                    fault=f"the array cannot be read on: {getattr(error, 'msg', error)}",
                )
            return
        if end is None:
            return
        yield Record(line, _bytes(text[at:end]))
        line, at, size = line + text.count("\n", at, end), end, _PART


def _after(text: str, at: int, letters: str) -> int:
    while at < len(text) and text[at] in letters:
        at += 1
    return at


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
