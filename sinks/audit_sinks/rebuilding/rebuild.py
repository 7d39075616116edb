"""ClickHouse's tables from the topics again, into tables beside them, exchanged when nothing is missing.

    copy what Kafka no longer has ──▶ read the topics again ──▶ keep equal rows as they were ──▶ compare
                                                                                                    │
         done ◀── read on to the end of now ◀── exchange, table by table ◀── nothing is missing ◀───┘

The sink goes on meanwhile. What it stores before the exchange is read by us as well; what it stores in
the old tables at the very moment of it lies before the end that Kafka has afterwards, and is read again
into the tables that are in place then. A reader sees each table whole, but perhaps for a second not the
events of the last second.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

from audit_schemas.settings import ClickHouse
from audit_sinks import migrations
from audit_sinks.clickhouse import connect, explained, query
from audit_sinks.errors import Misconfigured
from audit_sinks.rebuilding import comparing, memory, preconditions
from audit_sinks.rebuilding.comparing import Comparison
from audit_sinks.rebuilding.horizon import horizon
from audit_sinks.rebuilding.memory import Pair, State
from audit_sinks.rebuilding.preconditions import drop, now
from audit_sinks.rebuilding.reader import Positions, Reader, lanes
from audit_sinks.rebuilding.tables import BY_TIME, TOPIC_OF, USUAL, Shape, partitions, shape, size
from audit_sinks.tables import MARKS

_ROUNDS = 3
"""So often what is missing is looked for again, since the sink may have stored it just now."""


class Watch(Protocol):
    """Is told how far it is."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """One step: its name, and rows or records of how many."""


def unwatched(step: str, done: int, total: int) -> None:
    """Nobody looks."""


@dataclass(slots=True)
class Report:
    """What came of it."""

    copied: dict[str, int] = field(default_factory=dict)
    """By table, the rows that Kafka no longer has."""
    records: int = 0
    """Read from Kafka again."""
    tables: dict[str, Comparison] = field(default_factory=dict)
    exchanged: list[str] = field(default_factory=list)
    kept_bytes: int = 0
    """Of the tables as they were before, which stay beside the new ones."""

    @property
    def missing(self) -> int:
        """Rows that would be lost."""
        return sum(comparison.missing for comparison in self.tables.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """One rebuild.

    Attributes:
        kafka: bootstrap servers.
        clickhouse: with the database that is rebuilt.
        tables: which of its tables.
        watch: is told how far it is.
    """

    kafka: str
    clickhouse: ClickHouse
    tables: Sequence[str] = USUAL
    watch: Watch = unwatched
    run: str = field(default_factory=lambda: str(uuid4()))

    @property
    def spare(self) -> str:
        """The other database: of the rebuilt tables first, of the old ones after the exchange."""
        return f"{self.clickhouse.database}_rebuild"

    def prepare(self) -> None:
        """Look whether it can be done, before anything is.

        Raises:
            Misconfigured: the disk is too small, tables of an earlier rebuild are there, or the database
                cannot exchange tables.
            Unreachable: a server does not answer.
        """
        with connect(self.clickhouse, database="default") as client:
            preconditions.check(client, self.clickhouse.database, self.spare, self.tables)

    def unfinished(self) -> State | None:
        """A rebuild that ended while it exchanged tables: `finish` ends it."""
        with connect(self.clickhouse, database="default") as client:
            state = memory.read(client, self.spare)
        return state if state and state.phase == "exchanging" else None

    def build(self) -> tuple[Report, Positions]:
        """Make the new tables and compare them; the old ones stay as they are.

        Returns:
            What was found, and how far the topics are read.

        Raises:
            Incomplete: Kafka deleted records before they were read.
            Unreachable, Misconfigured: a server does not answer, or refuses.
        """
        report = Report()
        live = self.clickhouse.database
        with connect(self.clickhouse, database="default") as client, self._reader() as reader:
            shapes = self._spare_tables(client)
            low = {place: first for place, (first, _) in reader.bounds().items()}
            for table in shapes:
                since = horizon(reader, TOPIC_OF[table.name]) if table.name in BY_TIME else None
                report.copied[table.name] = self._copy(client, table, since)
            reader.begin(low)
            for _ in range(_ROUNDS):
                bound = now(client)
                self._catch_up(reader)
                for table in shapes:
                    if table.worded:
                        comparing.keep(client, table, live, self.spare)
                    report.tables[table.name] = self._compare(client, table, bound)
                if not report.missing:
                    break
            self._catch_up(reader)
            report.records = reader.records
            return report, dict(reader.positions)

    def refuse(self) -> None:
        """Remember that the new tables are not to be exchanged; they stay to be looked at."""
        with connect(self.clickhouse, database="default") as client:
            memory.write(client, self.spare, State(run=self.run, phase="refused"))

    def exchange(self, positions: Positions, report: Report) -> None:
        """Put the new tables in place, and read on until nothing that the old ones got is missing.

        Raises:
            Misconfigured: another rebuild has begun meanwhile, or the server refuses.
            Unreachable, Incomplete: `finish` goes on.
        """
        live = self.clickhouse.database
        with connect(self.clickhouse, database="default") as client:
            state = memory.read(client, self.spare)
            if state is None or state.run != self.run:
                raise Misconfigured("another rebuild has begun: this one ends, and has changed nothing")
            pairs = tuple(
                Pair(
                    table,
                    memory.table_id(client, live, table),
                    memory.table_id(client, self.spare, table),
                )
                for table in TOPIC_OF
                if table in self.tables
            )
            state = State(
                run=self.run,
                phase="exchanging",
                pairs=pairs,
                positions=tuple(
                    (place.topic, place.partition, offset) for place, offset in positions.items()
                ),
            )
            memory.write(client, self.spare, state)
        self.finish(state, report)

    def finish(self, state: State, report: Report) -> None:
        """Do what is left of an exchange, whatever interrupted it.

        Raises:
            Unreachable, Incomplete, Misconfigured: as above.
        """
        live, names = self.clickhouse.database, [pair.table for pair in state.pairs]
        with connect(self.clickhouse, database="default") as client, self._reader(names) as reader:
            waiting = [pair for pair in state.pairs if memory.table_id(client, live, pair.table) == pair.old]
            if waiting:
                reader.begin(state.places())
                self._fill(reader, self.spare, [pair.table for pair in waiting])
            for pair in waiting:
                if memory.exchange(client, live, self.spare, pair):
                    report.exchanged.append(pair.table)
            reader.begin(state.places())
            self._fill(reader, live, names)
            memory.write(client, self.spare, State(run=state.run, phase="done", pairs=state.pairs))
            report.kept_bytes = size(client, self.spare, names)

    def clean(self) -> int:
        """Drop the other database; returns how many bytes it had.

        Raises:
            Misconfigured: an exchange is not finished: what is there may be needed.
        """
        with connect(self.clickhouse, database="default") as client:
            state = memory.read(client, self.spare)
            if state and state.phase == "exchanging":
                raise Misconfigured(
                    "the last rebuild ended while it exchanged tables",
                    remedy="run `audit rebuild` to finish it",
                )
            freed = size(client, self.spare, list(TOPIC_OF))
            drop(client, self.spare)
        return freed

    def _spare_tables(self, client: Any) -> list[Shape]:
        """The new tables, empty, by the same migrations."""
        drop(client, self.spare)
        for _ in migrations.apply(client, self.spare):
            pass
        memory.write(client, self.spare, State(run=self.run, phase="building"))
        return [shape(client, self.spare, table) for table in TOPIC_OF if table in self.tables]

    def _copy(self, client: Any, table: Shape, before: datetime | None) -> int:
        """Copy the rows that were received before a time, or all; returns how many were there."""
        live = self.clickhouse.database
        micros = None if before is None else int(before.timestamp() * 1_000_000)
        older = (
            "true" if micros is None else f"received_at < fromUnixTimestamp64Micro(toInt64({micros}), 'UTC')"
        )
        columns = ", ".join(table.copied)
        found = partitions(client, (live,), table.name)
        done, total = 0, sum(found.values())
        for partition, rows in found.items():
            self.watch(f"copying {table.name}", done, total)
            with explained():
                client.execute(
                    f"INSERT INTO {self.spare}.{table.name} ({columns}) SELECT {columns} "  # noqa: S608 - checked names
                    f"FROM {live}.{table.name} FINAL WHERE _partition_id = %(partition)s AND {older}",
                    {"partition": partition},
                    settings={
                        "insert_allow_materialized_columns": 1,
                        "insert_deduplicate": 0,
                        "do_not_merge_across_partitions_select_final": 1,
                    },
                )
            done += rows
        self.watch(f"copying {table.name}", total, total)
        (copied,) = query(client, f"SELECT count() AS rows FROM {self.spare}.{table.name} FINAL")  # noqa: S608 - as above
        return int(copied["rows"])

    def _catch_up(self, reader: Reader) -> None:
        """Read until hardly anything is left to read."""
        for _ in range(_ROUNDS):
            before = reader.records
            self._fill(reader, self.spare, self.tables)
            if reader.records - before < 10_000:
                return

    def _fill(self, reader: Reader, database: str, tables: Sequence[str]) -> None:
        ends = reader.ends()
        total = reader.records + sum(
            max(0, end - reader.positions.get(place, end)) for place, end in ends.items()
        )
        into = self.clickhouse.model_copy(update={"database": database})
        self.watch("reading Kafka", reader.records, total)
        with lanes(into, tables, epoch=f"{self.run}-{database}") as ways:
            reader.read(ends, ways, lambda records: self.watch("reading Kafka", min(records, total), total))
        self.watch("reading Kafka", total, total)

    def _compare(self, client: Any, table: Shape, bound: str) -> Comparison:
        live = self.clickhouse.database
        found = partitions(client, (live, self.spare), table.name)
        done, total, comparison = 0, sum(found.values()), Comparison()
        for partition, comparison in comparing.compare(client, table, live, self.spare, bound=bound):  # noqa: B007 - the last one is whole
            done += found.get(partition, 0)
            self.watch(f"comparing {table.name}", min(done, total), total)
        return comparison

    @contextmanager
    def _reader(self, tables: Sequence[str] | None = None) -> Iterator[Reader]:
        names = self.tables if tables is None else tables
        topics = sorted({TOPIC_OF[table] for table in names})
        with closing(Reader(self.kafka, topics, marks=MARKS.table in names)) as reader:
            yield reader
