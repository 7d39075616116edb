"""When the records of a window are delivered: once the log itself shows that the window is over.

The gate looks ahead in one partition and keeps none of what it sees. A record whose window begins
when those before it are over is the proof: whoever enriches keeps the partition and its order, so
nothing new of them comes behind it. Then the gate goes back and delivers what lies before the proof,
in parts. The log is the buffer.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from audit_schemas import kill_points
from audit_stream_processors.windows.stamp import UNKNOWN, Window, is_tick, stamp_of


class Part(NamedTuple):
    """Consecutive records of windows that are over."""

    records: list[Any]
    end: int
    """The offset to go on from."""
    proof: Any
    """The record that showed it."""


class Outcome(NamedTuple):
    """What looking at some records came to."""

    parts: list[Part]
    go_back_to: int | None = None
    """The offset to read again from; what was fetched behind it is of no use."""


class Gate:
    """One partition's. Records are aiokafka's, in the order of their offsets."""

    def __init__(self, part_bytes: int) -> None:
        """Begin at whatever record comes first.

        Args:
            part_bytes: keys and values of one part, at most; a single larger record is a part of its
                own. No part holds more records than were fetched together.
        """
        self._part_bytes = part_bytes
        self._first: int | None = None  # offset of the first record that is not delivered
        self.window = UNKNOWN
        """The first undelivered record's: all windows before it are closed."""
        self.newest = UNKNOWN
        """The latest one seen."""
        self.waiting: Counter[Window] = Counter()
        """Changes that were seen and not delivered, by window; ticks are none."""
        self._until = 0  # the end of the latest window since the first undelivered record
        self._proof: Any = None  # while delivering
        self._proven = kill_points.at("windows.proven", kill_points.nothing)

    def take(self, records: Sequence[Any]) -> Outcome:
        """Look at the next records, or deliver them where their windows are known to be over."""
        parts: list[Part] = []
        if self._proof is not None:
            free = [record for record in records if record.offset < self._proof.offset]
            parts = list(self._parts(free))
            records = records[len(free) :]
            if records:
                self._first = self._proof = None
                self._until = 0
                self.waiting.clear()
        for record in records:
            if self._proves(record):
                self._proof = record
                self._proven()
                return Outcome(parts, self._first)
        return Outcome(parts)

    def _proves(self, record: Any) -> bool:
        window = stamp_of(record.headers, record.timestamp)
        if self._first is None:
            self._first, self.window = record.offset, window
        elif window.start >= self._until:
            return True
        self._until = max(self._until, window.end)
        self.newest = max(self.newest, window)
        if not is_tick(record.value, record.headers):
            self.waiting[window] += 1
        return False

    def _parts(self, records: Sequence[Any]) -> Iterator[Part]:
        part: list[Any] = []
        size = 0
        for record in records:
            added = len(record.key or b"") + len(record.value or b"")
            if part and size + added > self._part_bytes:
                yield Part(part, record.offset, self._proof)
                part, size = [], 0
            part.append(record)
            size += added
        if part:
            yield Part(part, part[-1].offset + 1, self._proof)
