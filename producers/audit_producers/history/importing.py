"""The import itself: slices of a dump, each acknowledged and noted as done before the next one goes."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from audit_producers.delivery import Delivery, wait_until_acknowledged
from audit_producers.delivery import Record as KafkaRecord
from audit_producers.history.events import History
from audit_producers.history.formats import Record
from audit_producers.history.pace import SLICE_SECONDS, Look, Throttle
from audit_producers.history.state import State, StateFile
from audit_producers.lifecycle import Publisher, utc_now
from audit_producers.rejected import RejectedLines
from audit_schemas.errors import Invalid, Unreachable

_PAUSE = 0.1


class Pace(Protocol):
    """Says how much may go."""

    def next_slice(self) -> int:
        """Wait until something may go, and say how many records; 0 where it was told to stop."""


class Unhurried:
    """As fast as live events do not wait.

    Args:
        look: asks how far processor and sink are behind.
        limit: records a second that it never exceeds.
        patience: seconds for which neither of them may stand still.
        stopping: ends the wait.
    """

    def __init__(
        self, look: Callable[[], Look], limit: float, patience: float, stopping: threading.Event
    ) -> None:
        self.throttle = Throttle(limit)
        self._look = look
        self._patience = patience
        self._stopping = stopping
        self._due = time.monotonic()

    def next_slice(self) -> int:
        """Wait for the time of the next slice, and for as long as what stands before it does not move."""
        held_since = None
        while True:
            self._stopping.wait(max(0.0, self._due - time.monotonic()))
            if self._stopping.is_set():
                return 0
            self.throttle.see(self._look())
            now = time.monotonic()
            self._due = now + SLICE_SECONDS
            if not self.throttle.is_held:
                return max(1, round(self.throttle.rate * SLICE_SECONDS))
            held_since = held_since or now
            if now - held_since > self._patience:
                raise Unreachable(
                    f"history waits: processor or sink has not moved for {self._patience:g} s",
                    remedy="see `audit status`; --at-once imports without looking at them",
                )


class Steady:
    """At a rate of its own, whoever waits behind it.

    Args:
        limit: records a second.
        stopping: ends the wait.
    """

    def __init__(self, limit: float, stopping: threading.Event) -> None:
        self._limit = limit
        self._stopping = stopping
        self._due = time.monotonic()

    def next_slice(self) -> int:
        """Wait for the time of the next slice."""
        self._stopping.wait(max(0.0, self._due - time.monotonic()))
        self._due = max(self._due, time.monotonic() - SLICE_SECONDS) + SLICE_SECONDS
        most = 5000.0
        return 0 if self._stopping.is_set() else max(1, round(min(most, self._limit * SLICE_SECONDS)))


@dataclass(slots=True)
class Wiring:
    """What an import works with."""

    history: History
    publisher: Publisher
    delivery: Delivery
    undelivered: list[tuple[KafkaRecord, str]]
    """What the delivery gave up, and why."""
    rejected: RejectedLines
    states: StateFile
    pace: Pace
    patience: float
    """Seconds without an acknowledgement."""
    tell: Callable[[int | None, str], object]
    """Told the line and the reason of each rejected record."""
    show: Callable[[State], object]
    """Told after each slice how far it is."""


def import_records(records: Iterable[Record], state: State, wiring: Wiring) -> tuple[State, bool]:
    """Import what is not imported yet.

    Args:
        records: all records of the dump.
        state: how far an earlier run came.
        wiring: what to work with.

    Returns:
        How far it is now, and whether that is the end.

    Raises:
        Unreachable: Kafka, or whoever reads from it, does not go on.
        Invalid: the file is damaged; what comes before is imported.
    """
    room, at = 0, _At(state)
    try:
        for number, record in enumerate(records):
            if number < state.records:
                wiring.history.pass_over(record)
                continue
            if room == 0:
                at.settle(wiring)
                room = wiring.pace.next_slice()
                if room == 0:
                    return at.settled, False
            at.take(record, wiring)
            room -= 1
    except Invalid:
        at.settle(wiring)  # what came before the damage
        raise
    at.settle(wiring)
    return at.settled, True


@dataclass(slots=True)
class _At:
    """What was settled, and the slice in hand."""

    settled: State
    read: int = 0
    published: int = 0
    rejected: int = 0

    def take(self, record: Record, wiring: Wiring) -> None:
        """Publish a record, or reject it."""
        self.read += 1
        try:
            event, body = wiring.history.event_of(record, utc_now())
        except Invalid as error:
            self.rejected += 1
            wiring.rejected.keep(rejected_line(record.line, error.message, record.raw))
            wiring.tell(record.line, error.message)
        else:
            wiring.publisher.publish_event(event, body)
            self.published += 1

    def settle(self, wiring: Wiring) -> None:
        """Wait for the slice's acknowledgements, and note it as done."""
        if not self.read:
            return
        wait_until_acknowledged(wiring.delivery, wiring.patience)
        for given_up, why in wiring.undelivered:
            if given_up.is_event:
                self.published -= 1
                self.rejected += 1
                wiring.rejected.keep(rejected_line(None, f"refused by Kafka: {why}", given_up.value))
                wiring.tell(None, f"refused by Kafka: {why}")
        wiring.undelivered.clear()
        wiring.rejected.flush()
        before = self.settled
        self.settled = State(
            dump=before.dump,
            records=before.records + self.read,
            imported=before.imported + self.published,
            rejected=before.rejected + self.rejected,
            rejected_bytes=wiring.rejected.size,
        )
        self.read = self.published = self.rejected = 0
        wiring.states.write(self.settled)
        wiring.show(self.settled)


def rejected_line(line: int | None, reason: str, raw: bytes) -> bytes:
    """A rejected record as a line of JSON: where it stood, what is wrong with it, and its very bytes."""
    try:
        record = {"record": raw.decode()}
    except UnicodeDecodeError:
        record = {"base64": base64.b64encode(raw).decode()}
    return json.dumps({"line": line, "reason": reason, **record}, ensure_ascii=False).encode()
