"""Delivery to the terminal, one readable line a record, for working on a service without Kafka."""

import sys
import threading
from typing import TextIO

from msgspec import UNSET, Raw, UnsetType

from audit_producers.delivery.base import Record, Stats
from audit_schemas.event import Change, Event
from audit_schemas.wire import decode_event


class ConsoleDelivery:
    """Writes lines.

    Args:
        stream: where to; without it the standard error of the moment.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stats = Stats()
        self._stream = stream
        self._lock = threading.Lock()

    def check(self, timeout: float) -> None:
        """The stream is always there."""

    def offer(self, record: Record) -> None:
        """Write the record's line."""
        with self._lock:
            print(line_of(record), file=self._stream or sys.stderr, flush=True)
            self.stats.accepted += record.is_event
            self.stats.acknowledged += record.is_event

    def wait(self, timeout: float) -> None:
        """There is always room."""

    def flush(self, timeout: float) -> int:  # noqa: ARG002
        """Nothing is ever left."""
        return 0

    def close(self, timeout: float) -> int:  # noqa: ARG002
        """Nothing is ever left; the stream is not ours to close."""
        return 0

    def after_fork(self) -> None:
        """Parent and child write to the same stream."""
        self.stats = Stats()
        self._lock = threading.Lock()


def line_of(record: Record) -> str:
    """A record for a person: an event's parts, any other record's JSON."""
    if not record.is_event:
        return _printable(f"{record.topic} {record.value.decode()}")
    event, _ = decode_event(record.value)
    outcome = "" if event.outcome == "success" else f" failed ({event.outcome_reason or 'no reason given'})"
    head = f"{event.occurred_at:%Y-%m-%d %H:%M:%S%z} {event.account} {_who(event)} {event.action}{outcome}"
    what = f"{event.target.type} {event.target.id}" + (f" ({event.target.name})" if event.target.name else "")
    return _printable(": ".join(filter(None, (f"{head} {what}", ", ".join(map(_shown, event.changes))))))


def _who(event: Event) -> str:
    actor = event.actor
    return " ".join(filter(None, (actor.type, actor.id, f"({actor.name})" if actor.name else "")))


def _shown(change: Change) -> str:
    return f"{change.field} {_value(change.old)} -> {_value(change.new)}"


def _value(value: Raw | UnsetType) -> str:
    if value is UNSET:
        return "absent"
    text = bytes(value).decode()
    return text if len(text) <= 60 else text[:59] + "…"


def _printable(line: str) -> str:
    """One line whatever the values hold; nothing in it steers the terminal."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)
