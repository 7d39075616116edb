"""Rows that ClickHouse rendered become a workbook; when a sheet is full, the next one begins."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from audit_exporter.columns import Column
from audit_exporter.rows import Block
from audit_exporter.workbook_parts import parts, sheet_head, sheet_tail
from audit_exporter.zip_stream import MEMBER_BYTES, ZipStream

ROW_END = b"</row>\n"
"""Ends a row of a sheet: within values `<` is escaped."""
SHEET_ROWS = 1_048_575
"""What Excel takes on one sheet, beside the header."""


def write_workbook(
    file: BinaryIO,
    blocks: Iterable[Block],
    columns: tuple[Column, ...],
    zone: str,
    sheet_rows: int = SHEET_ROWS,
) -> Iterator[int]:
    """Write a workbook, and tell after each step how many rows it holds so far.

    Args:
        file: empty and seekable.
        blocks: rows of sheet XML, as `cells.xlsx_row` renders them.
        columns: what the rows hold.
        zone: the zone of their moments, for the headings.
        sheet_rows: where the next sheet begins.

    Raises:
        Incomplete: the workbook has outgrown its format.
    """
    archive = ZipStream(file)
    sheets: list[int] = []
    size = total = 0

    def begin() -> None:
        nonlocal size
        sheets.append(0)
        archive.begin(f"xl/worksheets/sheet{len(sheets)}.xml")
        archive.write(sheet_head(columns, zone, first=len(sheets) == 1))
        size = 0

    def end() -> None:
        archive.write(sheet_tail(columns, sheets[-1]))
        archive.end()

    begin()
    for block in blocks:
        rest = block
        while rest.rows:
            if sheets[-1] == sheet_rows or size + len(rest.data) > MEMBER_BYTES:
                end()
                begin()
            room = sheet_rows - sheets[-1]
            part, rest = (rest, Block(b"", 0)) if rest.rows <= room else rest.split(room, ROW_END)
            archive.write(part.data)
            sheets[-1] += part.rows
            size += len(part.data)
            total += part.rows
        yield total
    end()
    for name, data in parts(columns, sheets).items():
        archive.add(name, data)
    archive.finish()
