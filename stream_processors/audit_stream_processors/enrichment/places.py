"""The places of addresses by the mmdb files in a folder, which is watched while events pass.

No database is part of Auditlane: an operator mounts what his licence allows. Without one, a place is
unknown, and that is all.
"""

import threading
from pathlib import Path

import structlog

from audit_stream_processors.enrichment.network import Locate, Network, locator, network_of
from audit_stream_processors.enrichment.place_databases import (
    Database,
    Stamp,
    Unusable,
    finder,
    open_database,
    stamp_of,
)

_log = structlog.get_logger(__name__)

_EVERY = 10.0
"""Seconds between two looks at the folder."""


class Places:
    """Locates addresses by the newest databases; used by any thread."""

    def __init__(self, folder: Path | None, *, every: float = _EVERY) -> None:
        """Know nothing yet.

        Args:
            folder: what is called `*.mmdb` in it is read; it may come later. Nothing for no databases.
            every: seconds between two looks at it.
        """
        self._folder = folder
        self._every = every
        self._locate: Locate = network_of
        self._seen: dict[Path, Stamp] | None = None
        self._databases: dict[Path, Database] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="places", daemon=True)

    def locate(self, address: str) -> Network:
        """What is known of an address; never waits for the folder."""
        return self._locate(address)

    def start(self) -> None:
        """Read what is there, and then follow the folder in a thread of its own."""
        if self._folder is not None:
            self.look()
            self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stopping.set()

    def _watch(self) -> None:
        while not self._stopping.wait(self._every):
            self.look()

    def look(self) -> None:
        """Read the files that have changed.

        A file that cannot be used leaves what was read of it before in force, and is not tried again
        until it changes. A file that is gone is no longer used.
        """
        seen = self._stamps()
        if seen == self._seen:
            return
        before, self._seen = self._seen or {}, seen
        changed = {path: stamp for path, stamp in seen.items() if before.get(path) != stamp}
        databases = {path: database for path, database in self._databases.items() if path in seen}
        databases |= {path: read for path, stamp in changed.items() if (read := self._read(path, stamp))}
        if databases != self._databases:
            self._databases = databases
            # One assignment: what a thread finds in the old memory cannot come into the new one.
            self._locate = locator(finder(databases.values()))
        if not databases:
            _log.warning(
                "no database of places: countries and networks are unknown", folder=str(self._folder)
            )

    def _stamps(self) -> dict[Path, Stamp]:
        stamps = {}
        for path in sorted(self._folder.glob("*.mmdb") if self._folder else ()):
            try:
                stamps[path] = stamp_of(path)
            except OSError:  # it has just gone
                continue
        return stamps

    def _read(self, path: Path, stamp: Stamp) -> Database | None:
        try:
            database = open_database(path, stamp)
        except Unusable as error:
            kept = self._databases.get(path)
            _log.warning(
                "database of places not usable",
                path=str(path),
                reason=str(error),
                kept=kept and kept.built.date().isoformat(),
            )
            return None
        _log.info(
            "database of places read",
            path=str(path),
            type=database.type,
            built=database.built.date().isoformat(),
        )
        return database
