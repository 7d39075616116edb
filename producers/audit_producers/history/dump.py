"""A dump that is open: its records, and which file it is."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from audit_producers.history.formats import Record, format_of, records
from audit_producers.history.mapping import Csv, Mapping
from audit_producers.history.sources import CountedBytes, head_of, opened, undamaged
from audit_producers.history.state import HEAD, identity
from audit_schemas.errors import Misconfigured

_COMPRESSED = {".gz", ".zst", ".zstd"}


@dataclass(frozen=True, slots=True)
class Dump:
    """A file that is imported."""

    file: BinaryIO
    path: Path | None
    """Where it is; nothing of standard input."""
    records: Iterator[Record]
    size: int
    """In bytes; 0 where nobody can know."""
    bytes_read: CountedBytes
    head: bytes
    """Its first bytes."""

    def identity(self, *reading: str) -> str:
        """Which file it is, and how it is read."""
        return identity(self.head, self.size, *reading)

    def beside(self, suffix: str, without_path: str | None) -> Path | None:
        """The path of another file beside it, or in the current folder for standard input."""
        if self.path is None:
            return Path(without_path) if without_path else None
        return self.path.with_name(f"{self.path.name}.{suffix}")


def open_dump(file: BinaryIO, mapping: Mapping | None) -> Dump:
    """Look at the beginning of a file, and open it as what it is.

    Raises:
        Misconfigured: it is CSV, and nobody says what its columns mean.
    """
    path = None if file.name == "<stdin>" else Path(file.name)
    head = head_of(file, HEAD)
    stream, counted = opened(file, head)
    form = (mapping and mapping.format) or format_of(_name(path), stream)
    if form == "csv" and mapping is None:
        raise Misconfigured(
            f"{path or 'standard input'} is CSV, and nobody says what its columns mean",
            remedy="add --mapping; audit import --print-mapping shows one",
        )
    csv = mapping.csv if mapping else Csv()
    about = os.fstat(file.fileno())
    return Dump(
        file=file,
        path=path,
        records=undamaged(records(stream, form, delimiter=csv.delimiter, encoding=csv.encoding)),
        size=about.st_size if stat.S_ISREG(about.st_mode) else 0,
        bytes_read=counted,
        head=head,
    )


def _name(path: Path | None) -> str:
    if path is None:
        return ""
    return path.stem if path.suffix.lower() in _COMPRESSED else path.name
