"""Delivery into a list, for the tests of services."""

import threading

from audit_producers.delivery.base import Record, Stats
from audit_producers.errors import QueueFull
from audit_schemas.event import Event
from audit_schemas.wire import decode_event


class MemoryDelivery:
    """Keeps every record.

    Args:
        limit: how many records it has room for; without it as many as come.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.records: list[Record] = []
        self.stats = Stats()
        self._limit = limit
        self._lock = threading.Lock()

    @property
    def events(self) -> list[Event]:
        """The events among the records, read as a consumer reads them."""
        return [decode_event(record.value)[0] for record in self.records if record.is_event]

    def check(self, timeout: float) -> None:
        """Memory is always there."""

    def offer(self, record: Record) -> None:
        """Append the record."""
        with self._lock:
            if self._limit is not None and len(self.records) >= self._limit:
                raise QueueFull(f"{self._limit:,} records are kept already", remedy="clear() the records")
            self.records.append(record)
            self.stats.accepted += record.is_event
            self.stats.acknowledged += record.is_event

    def clear(self) -> None:
        """Forget the records."""
        self.records.clear()

    def wait(self, timeout: float) -> None:
        """Give other threads the time to clear."""
        threading.Event().wait(timeout)

    def flush(self, timeout: float) -> int:  # noqa: ARG002
        """Nothing is ever left."""
        return 0

    def close(self, timeout: float) -> int:  # noqa: ARG002
        """Nothing is ever left; the records stay readable."""
        return 0

    def after_fork(self) -> None:
        """The child's list begins empty."""
        self.records = []
        self.stats = Stats()
        self._lock = threading.Lock()
