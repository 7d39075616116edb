"""One database of places or of networks' owners: an mmdb file as DB-IP and MaxMind publish it."""

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from maxminddb import MODE_MMAP_EXT, InvalidDatabaseError

# The C extension by name: the package would fall back to pure Python, twenty times slower, without a word.
from maxminddb.extension import Reader

from audit_stream_processors.enrichment.network import Find, Found
from audit_stream_processors.enrichment.shown import shown

_PLACES = ("City", "Country")
_OWNERS = ("ASN",)
_LONGEST = 90
"""Characters of a name."""
_SAMPLE = [f"{first}.0.0.1" for first in range(1, 224)]

Stamp = tuple[int, int, int]
"""Inode, size, and when it was modified (ns): another one is another content."""


class Unusable(Exception):
    """The file is no database that can be used; the next one may be."""


@dataclass(frozen=True, slots=True)
class Database:
    """An open database."""

    type: str
    """As it names itself: GeoLite2-City, DBIP-ASN-Lite (compat=GeoLite2-ASN) ..."""
    built: datetime
    reader: Reader

    def names(self, kinds: Iterable[str]) -> bool:
        """Whether its type is one of these."""
        return any(kind in self.type for kind in kinds)


def stamp_of(path: Path) -> Stamp:
    """What tells one content of a file from another.

    Raises:
        OSError: there is no such file.
    """
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def open_database(path: Path, stamp: Stamp) -> Database:
    """Open a copy of a file: whoever overwrites the file shall not change the memory that we read.

    Raises:
        Unusable: it is broken, of another type, being written, or not to be read.
    """
    try:
        with tempfile.NamedTemporaryFile(prefix="audit-places-", suffix=".mmdb") as own:
            shutil.copyfile(path, own.name)
            if stamp_of(path) != stamp:
                raise Unusable("it is being written")
            reader = Reader(own.name, MODE_MMAP_EXT)  # the memory stays mapped when the copy's name is gone
        _look_around(reader)
        about = reader.metadata()
        database = Database(about.database_type, datetime.fromtimestamp(about.build_epoch, UTC), reader)
    except (OSError, ValueError, OverflowError, InvalidDatabaseError) as error:
        raise Unusable(str(error)) from error
    if not database.names(_PLACES + _OWNERS):
        raise Unusable(f"its type is {database.type!r}, which is none of {', '.join(_PLACES + _OWNERS)}")
    return database


def _look_around(reader: Reader) -> None:
    """A file may open and still be damaged in its middle.

    Raises:
        InvalidDatabaseError: it is.
    """
    for ip in _SAMPLE:
        reader.get(ip)


def finder(databases: Iterable[Database]) -> Find:
    """Make the function that asks the best of the databases: one with cities, then the newest one."""
    ranked = sorted(databases, key=lambda database: (database.names(["City"]), database.built), reverse=True)
    places = next((database.reader for database in ranked if database.names(_PLACES)), None)
    owners = next((database.reader for database in ranked if database.names(_OWNERS)), None)

    def find(ip: str) -> Found:
        place, owner = _record(places, ip), _record(owners, ip)
        return Found(
            country=_code(_text(place, "country", "iso_code")),
            country_name=_text(place, "country", "names", "en"),
            city=_text(place, "city", "names", "en"),
            owner=_text(owner, "autonomous_system_organization"),
        )

    return find


def _record(reader: Reader | None, ip: str) -> object:
    try:
        return reader and reader.get(ip)
    except (ValueError, InvalidDatabaseError):  # an IPv6 address in a database of IPv4; a damaged record
        return None


def _text(record: object, *path: str) -> str | None:
    """A text within a record; nothing where it is missing or of another type."""
    for name in path:
        if not isinstance(record, dict):
            return None
        record = cast("dict[str, Any]", record).get(name)
    return shown(record, _LONGEST) if isinstance(record, str) else None


def _code(text: str | None) -> str | None:
    """An ISO 3166-1 code; DB-IP writes ZZ for unknown."""
    known = text is not None and len(text) == 2 and text.isascii() and text.isupper() and text != "ZZ"
    return text if known else None
