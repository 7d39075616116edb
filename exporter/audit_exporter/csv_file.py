"""Rows that ClickHouse rendered become a CSV file: RFC 4180, UTF-8.

The file begins with a byte order mark. Without one Excel reads UTF-8 as the machine's old code page
and every name beyond ASCII is spoilt; readers that matter skip it (Python's `utf-8-sig`, pyarrow,
pandas, ClickHouse).
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from audit_exporter.cells import ROW_END
from audit_exporter.columns import Column
from audit_exporter.rows import Block

_LINE_END = b"\r\n"


def write_csv(
    file: BinaryIO, blocks: Iterable[Block], columns: tuple[Column, ...], zone: str
) -> Iterator[int]:
    """Write a CSV file, and tell after each step how many rows it holds so far.

    Args:
        file: empty.
        blocks: rows as `cells.csv_row` renders them.
        columns: what the rows hold.
        zone: the zone of their moments, for the headings.
    """
    headings = ",".join('"' + column.title(zone).replace('"', '""') + '"' for column in columns)
    file.write(headings.encode("utf-8-sig") + _LINE_END)
    total = 0
    for block in blocks:
        file.write(block.data.replace(ROW_END, _LINE_END))
        total += block.rows
        yield total
