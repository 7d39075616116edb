"""Cutting each partition's records into blocks: new ones by size and time, journaled ones as they were."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from audit_schemas.dead_letter import Reason


class Place(NamedTuple):
    """A partition."""

    topic: str
    partition: int


class Row(NamedTuple):
    """One record on its way into a table."""

    offset: int
    payload: bytes
    """The JSON that ClickHouse is to parse."""
    record: Any
    """The record as it was fetched, should ClickHouse refuse it."""


class MarkRow(NamedTuple):
    """A mark: it is stored behind all that its block holds, and so behind all that lies before it."""

    row: Row


class Refusal(NamedTuple):
    """One record that cannot become a row."""

    offset: int
    record: Any
    reason: Reason
    detail: str
    """What is wrong, for a person."""


Outcome = Row | MarkRow | Refusal | None
"""What is to be done with a record; nothing where it only has to be passed."""


@dataclass(slots=True)
class Batch:
    """The records of one partition between two offsets, both included; gaps are allowed."""

    first: int
    last: int
    rows: list[Row] = field(default_factory=list)
    marks: list[Row] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    refused_before: int = 0
    """How many records before it were refused in a row."""
    refused_after: int = 0
    """The same behind its last record, once it is inserted."""

    def add(self, offset: int, outcome: Outcome) -> None:
        """Take the next record."""
        self.last = max(self.last, offset)
        if isinstance(outcome, Row):
            self.rows.append(outcome)
        elif isinstance(outcome, MarkRow):
            self.marks.append(outcome.row)
        elif outcome is not None:
            self.refusals.append(outcome)


@dataclass(frozen=True, slots=True)
class Limits:
    """When what has been collected is inserted."""

    rows: int
    bytes: int
    seconds: float


@dataclass(slots=True)
class _Partition:
    """A replay goes first, and alone."""

    replay: Batch | None = None
    whole: bool = False
    """Whether the replay has been read to its end."""
    fresh: Batch | None = None


class Collector:
    """Collects what is consumed until it is due.

    The limits are of all partitions together, so that memory is bounded by them. Records of
    partitions that are not assigned are passed over: they come from before a rebalance.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._partitions: dict[Place, _Partition] = {}
        self._rows = 0
        self._bytes = 0
        self._oldest: float | None = None

    def assign(self, place: Place, offset: int, replay_until: int | None) -> None:
        """Begin with a partition; where `replay_until` is given, with the block that ends there."""
        replay = None if replay_until is None else Batch(offset, replay_until)
        self._partitions[place] = _Partition(replay)

    def clear(self) -> None:
        """Forget all partitions, and what was collected of them."""
        self._partitions.clear()
        self._restart()

    def owns(self, place: Place) -> bool:
        """Whether records of this partition are wanted."""
        return place in self._partitions

    def add(self, place: Place, offset: int, outcome: Outcome, *, size: int, now: float) -> None:
        """Take a partition's next record.

        Args:
            place: the partition; one that is assigned.
            offset: the record's.
            outcome: what is to be done with it.
            size: bytes of the record.
            now: seconds of a monotonic clock.
        """
        partition = self._partitions[place]
        self._rows += 1
        self._bytes += size
        if self._oldest is None:
            self._oldest = now
        if partition.replay is not None and not partition.whole:
            if offset <= partition.replay.last:
                partition.replay.add(offset, outcome)
                partition.whole = offset == partition.replay.last
                return
            partition.whole = True
        if partition.fresh is None:
            partition.fresh = Batch(offset, offset)
        partition.fresh.add(offset, outcome)

    def end_reached(self, place: Place, end: int) -> None:
        """The partition has no more records for now; its next one will have the offset `end`.

        A replay is whole then: compaction may have taken its last records. Where the log is shorter than
        the journal says, the replay ends with the log, so that nothing is passed that may come there yet.
        """
        if (partition := self._partitions.get(place)) and partition.replay is not None:
            partition.replay.last = min(partition.replay.last, end - 1)
            partition.whole = True

    def due(self, now: float) -> bool:
        """Whether it is time to insert."""
        if any(partition.whole for partition in self._partitions.values()):
            return True
        return self._oldest is not None and (
            self._rows >= self._limits.rows
            or self._bytes >= self._limits.bytes
            or now - self._oldest >= self._limits.seconds
        )

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be inserted."""
        return not any(partition.replay or partition.fresh for partition in self._partitions.values())

    def take(self) -> dict[Place, Batch]:
        """Hand over what is to be inserted next: one block of each partition that has one ready."""
        taken = {place: batch for place, part in self._partitions.items() if (batch := _ready(part))}
        self._restart()
        if not self.empty:
            self._oldest = float("-inf")  # the rest waits behind a replay: it is due as soon as that is done
        return taken

    def _restart(self) -> None:
        self._rows = self._bytes = 0
        self._oldest = None


def _ready(partition: _Partition) -> Batch | None:
    if partition.replay is not None:
        if not partition.whole:
            return None
        batch, partition.replay, partition.whole = partition.replay, None, False
        return batch
    fresh, partition.fresh = partition.fresh, None
    return fresh


def payloads(rows: Iterable[Row]) -> list[bytes]:
    """The block's one column."""
    return [row.payload for row in rows]
