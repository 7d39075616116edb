"""Wording stored events anew by a newer catalogue: a copy of each row wins by its higher catalogue_version.

    read some rows by the key ──▶ module and sentence ──▶ the server copies these rows with them
          ▲                                                   │
          └───────────────────────────────────────────────────┘

What is done has the newer version and is not read again: whatever ends a run, the next one goes on.
A contact's membership in the activity, and its window, stay as they were decided when the change came.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from audit_schemas.catalogue import Catalogue
from audit_sinks.clickhouse import explained
from audit_sinks.reenriching import sql
from audit_sinks.reenriching.rewording import Reword, Stored, Wording, rewording
from audit_sinks.reenriching.sql import TABLES, Scope, Table, keys

CHUNK = 20_000
"""Rows in memory at once, by key and wording: some megabytes, however large the events are."""
_EXAMPLES = 5

_stored = msgspec.json.Decoder(Stored)


@dataclass(frozen=True, slots=True)
class Example:
    """One event whose wording changes."""

    event_id: str
    was: Wording
    now: Wording


@dataclass(slots=True)
class Summary:
    """What became of one table's rows."""

    rows: int = 0
    """Worded by the newer catalogue now."""
    sentences: int = 0
    """Of them those that read otherwise than before."""
    modules: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Those in another module than before, by both."""
    examples: list[Example] = field(default_factory=list)

    def add(self, event_id: str, was: Wording, now: Wording) -> None:
        """Count one row."""
        self.rows += 1
        self.sentences += was.description != now.description
        if was.module != now.module:
            self.modules[was.module, now.module] += 1
        new_kind = was.module != now.module and self.modules[was.module, now.module] == 1
        if was != now and (
            len(self.examples) < _EXAMPLES or (new_kind and len(self.examples) < 2 * _EXAMPLES)
        ):
            self.examples.append(Example(event_id, was, now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reenrichment:
    """One run.

    Attributes:
        client: of ClickHouse, in the tables' database.
        catalogue: the one to word by; rows of an earlier one are taken.
        scope: which rows.
        dry_run: read and word only.
        chunk: rows at once.
    """

    client: Any
    catalogue: Catalogue
    scope: Scope = field(default_factory=Scope)
    dry_run: bool = False
    chunk: int = CHUNK

    def waiting(self) -> dict[str, int]:
        """How many rows each table has to word.

        Raises:
            Unreachable, Misconfigured: ClickHouse cannot be asked.
        """
        parameters = self.scope.parameters(self.catalogue.version)
        with explained():
            return {
                table.name: self.client.execute(sql.count(table, self.scope), parameters)[0][0]
                for table in TABLES
            }

    def run(self) -> Iterator[dict[str, Summary]]:
        """Word all of it, yielding the summaries by table, which grow, after each chunk.

        Raises:
            Unreachable: ClickHouse does not answer; what is done stays done.
            Misconfigured: it refuses.
        """
        reword = rewording(self.catalogue)
        summaries = {table.name: Summary() for table in TABLES}
        for table in TABLES:
            columns = self._columns(table)
            last: tuple[Any, ...] | None = None
            while block := self._worded(table, reword, last, summaries[table.name]):
                last = block[-1][: len(table.key)]
                if not self.dry_run:
                    self._copy(table, columns, block)
                yield summaries

    def _worded(
        self, table: Table, reword: Reword, last: tuple[Any, ...] | None, summary: Summary
    ) -> list[tuple[Any, ...]]:
        """The next rows' keys with their new wording."""
        parameters = {
            **self.scope.parameters(self.catalogue.version),
            **keys("after", _sent(table, last or ())),
            "limit": self.chunk,
        }
        width = len(table.key)
        block = []
        with explained():
            for row in self.client.execute_iter(sql.read(table, self.scope, first=last is None), parameters):
                stored = _stored.decode(row[-1])
                wording, named = reword(stored)
                summary.add(str(row[width - 1]), stored.was, wording)
                block.append((*row[:-1], *wording, named))
        return block

    def _copy(self, table: Table, columns: list[str], block: list[tuple[Any, ...]]) -> None:
        width = len(table.key)
        structure = sql.reworded(table)
        names = [name for name, _ in structure]
        data = [dict(zip(names, row, strict=True)) for row in block]
        parameters = {
            "newest": self.catalogue.version,
            **keys("from", _sent(table, block[0][:width])),
            **keys("to", _sent(table, block[-1][:width])),
        }
        with explained():
            self.client.execute(
                sql.copy(table, columns),
                parameters,
                external_tables=[{"name": "reworded", "structure": structure, "data": data}],
            )

    def _columns(self, table: Table) -> list[str]:
        with explained():
            rows = self.client.execute(
                "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = %(table)s "
                "AND name != 'version' AND default_kind != 'ALIAS' ORDER BY position",
                {"table": table.name},
            )
        return [name for (name,) in rows]


def _sent(table: Table, key: tuple[Any, ...]) -> list[Any]:
    """A key as a parameter can carry it."""
    return [
        str(value) if column == "event_id" else value for column, value in zip(table.key, key, strict=False)
    ]
