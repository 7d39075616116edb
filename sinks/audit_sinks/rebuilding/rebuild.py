"""ClickHouse's tables from the topics again, into tables beside them, exchanged when nothing is missing.

    read the topics ──▶ snapshot of the tables ──▶ read on ──▶ keep what Kafka has no more ──▶ compare
                                                                                                  │
         done ◀── read on to the end of now ◀── exchange, table by table ◀── nothing is missing ◀─┘

The sink goes on meanwhile. All that a snapshot holds lies in Kafka before the end that is asked for
after it, so that a row which is missing then is missing indeed. What the sink stores in the old tables at
the very moment of the exchange lies before the end that Kafka has afterwards, and is read again into the
tables that are in place then. A reader sees each table whole, but perhaps for a second not the events of
the last second.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from audit_schemas.kill_points import nothing
from audit_schemas.settings import ClickHouse
from audit_sinks.clickhouse import connect, explained
from audit_sinks.errors import Incomplete, Misconfigured
from audit_sinks.rebuilding import memory, preconditions
from audit_sinks.rebuilding.comparing import Comparison, compare
from audit_sinks.rebuilding.horizon import horizon
from audit_sinks.rebuilding.keeping import keep
from audit_sinks.rebuilding.memory import Pair, State
from audit_sinks.rebuilding.preconditions import drop
from audit_sinks.rebuilding.reader import Positions, Reader, lanes
from audit_sinks.rebuilding.tables import BY_TIME, TOPIC_OF, USUAL, Shape, shape, size, snapshot
from audit_sinks.tables import MARKS

_ROUNDS = 3
"""So often it reads on, to be near the log's end."""
_NEAR = 10_000
"""Records that are read in less than a second."""


Watch = Callable[[str, int, int], None]
"""Is told how far a step is: its name, and rows or records of how many."""


@dataclass(slots=True)
class Report:
    """What came of it."""

    records: int = 0
    """Read from Kafka again."""
    kept: dict[str, int] = field(default_factory=dict)
    """By table, the rows that Kafka no longer has."""
    tables: dict[str, Comparison] = field(default_factory=dict)
    exchanged: list[str] = field(default_factory=list)

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
        waits: is told why inserting waits, and None when it goes on.
    """

    kafka: str
    clickhouse: ClickHouse
    tables: Sequence[str] = USUAL
    watch: Watch = nothing
    waits: Callable[[str | None], None] = nothing
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
        with self._connected() as client:
            preconditions.check(client, self.clickhouse.database, self.spare, self.tables)

    def unfinished(self) -> State | None:
        """A rebuild that ended while it exchanged tables: `finish` ends it."""
        with self._connected() as client:
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
        report, live = Report(), self.clickhouse.database
        with self._connected() as client, self._reader(self.tables) as reader:
            shapes = self._new_tables(client)
            lows = reader.lows()
            since = {
                table: horizon(self.kafka, TOPIC_OF[table], lows) for table in BY_TIME.intersection(shapes)
            }
            reader.begin(lows)
            self._catch_up(reader)
            before = {table: snapshot(client, live, table, self.spare) for table in shapes}
            self._fill(reader, self.spare, self.tables)
            for table, known in shapes.items():
                old, new = before[table], f"{self.spare}.{table}"
                told = partial(self.watch, f"keeping {table}")
                report.kept[table] = keep(client, known, old, new, since=since.get(table), watch=told)
                told = partial(self.watch, f"comparing {table}")
                report.tables[table] = compare(client, known, old, new, watch=told)
                with explained():
                    client.execute(f"DROP TABLE {old} SYNC", settings={"max_table_size_to_drop": 0})
            self._catch_up(reader)
            report.records = reader.records
            return report, dict(reader.positions)

    def exchange(self, positions: Positions, report: Report) -> None:
        """Put the new tables in place, and read on until nothing that the old ones got is missing.

        Raises:
            Misconfigured: another rebuild has begun meanwhile, or the server refuses.
            Unreachable, Incomplete: `finish` goes on.
        """
        with self._connected() as client:
            state = memory.read(client, self.spare)
            if state is None or state.run != self.run:
                raise Misconfigured("another rebuild has begun: this one ends, and has changed nothing")
            ids = partial(memory.table_id, client)
            state = State(
                run=self.run,
                phase="exchanging",
                pairs=tuple(
                    Pair(table, ids(self.clickhouse.database, table), ids(self.spare, table))
                    for table in self.tables
                ),
                positions=tuple((*place, offset) for place, offset in positions.items()),
            )
            memory.write(client, self.spare, state)
        self.finish(state, report)

    def finish(self, state: State, report: Report) -> None:
        """Do what is left of an exchange, whatever interrupted it.

        Raises:
            Incomplete: Kafka deleted records that may be in one or the other table only.
            Unreachable, Misconfigured: as above.
        """
        live, names = self.clickhouse.database, [pair.table for pair in state.pairs]
        with self._connected() as client, self._reader(names) as reader:
            try:
                waiting = [pair for pair in state.pairs if not memory.exchanged(client, live, pair)]
                if waiting:
                    reader.begin(state.places())
                    self._fill(reader, self.spare, [pair.table for pair in waiting], "reading on")
                for pair in waiting:
                    memory.exchange(client, live, self.spare, pair)
                    report.exchanged.append(pair.table)
                reader.begin(state.places())
                self._fill(reader, live, names, "reading on")
            except Incomplete as error:
                raise Incomplete(
                    error.message,
                    remedy=f"what the sink stored since then is in {live} or in {self.spare}: "
                    "copy it by hand, then drop the latter",
                ) from error
            memory.write(client, self.spare, State(run=state.run, phase="done", pairs=state.pairs))

    def left(self) -> int:
        """Bytes in the other database."""
        with self._connected() as client:
            return size(client, self.spare)

    def clean(self) -> int:
        """Drop the other database; returns how many bytes it had.

        Raises:
            Misconfigured: an exchange is not finished: what is there may be needed.
        """
        if self.unfinished():
            raise Misconfigured(
                "the last rebuild ended while it exchanged tables",
                remedy="run `audit rebuild` to finish it",
            )
        with self._connected() as client:
            freed = size(client, self.spare)
            drop(client, self.spare)
        return freed

    def _new_tables(self, client: Any) -> dict[str, Shape]:
        """Make the new tables, empty, each as the old one is."""
        live = self.clickhouse.database
        drop(client, self.spare)
        with explained():
            client.execute(f"CREATE DATABASE {self.spare}")
            for table in self.tables:
                client.execute(f"CREATE TABLE {self.spare}.{table} AS {live}.{table}")
        memory.write(client, self.spare, State(run=self.run, phase="building"))
        return {table: shape(client, live, table) for table in self.tables}

    def _catch_up(self, reader: Reader) -> None:
        """Read until hardly anything is left to read."""
        for _ in range(_ROUNDS):
            before = reader.records
            self._fill(reader, self.spare, self.tables)
            if reader.records - before < _NEAR:
                return

    def _fill(
        self, reader: Reader, database: str, tables: Sequence[str], step: str = "reading Kafka"
    ) -> None:
        """Read up to the end of now."""
        ends, already = reader.ends(), reader.records
        total = already + sum(max(0, end - reader.positions.get(place, end)) for place, end in ends.items())
        into = self.clickhouse.model_copy(update={"database": database})

        def tell(records: int) -> None:
            self.watch(step, min(records, total), total)

        tell(already)
        with lanes(into, tables, epoch=f"{self.run}-{database}", report=self.waits) as ways:
            reader.read(ends, ways, tell)
        tell(total)

    def _connected(self) -> Any:
        return connect(self.clickhouse, database="default")

    @contextmanager
    def _reader(self, tables: Sequence[str]) -> Iterator[Reader]:
        topics = sorted({TOPIC_OF[table] for table in tables})
        with closing(Reader(self.kafka, topics, marks=MARKS.table in tables)) as reader:
            yield reader
