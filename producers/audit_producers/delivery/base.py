"""The interface of a delivery, and what is handed to it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from audit_schemas.topics import CHANGES

Headers = list[tuple[str, str | bytes | None]]


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a Kafka topic."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers = field(default_factory=list)

    @property
    def is_event(self) -> bool:
        """Whether it is an event, and not a record about the directory or the producer."""
        return self.topic == CHANGES.name


OnUndelivered = Callable[[Record, str], object]
"""Is handed a record that was given up, and why. Called from the delivery's own thread.

Its headers are empty: the client does not keep them, and an event's follow from its value.
"""


@dataclass(slots=True)
class Stats:
    """What became of the events since the process started, or was forked."""

    accepted: int = 0
    """Taken over by the delivery."""
    acknowledged: int = 0
    undelivered: int = 0
    """Given up, and handed to `on_undelivered`."""
    rejected: int = 0
    """Bad ones, handed to `on_rejected`; bad entries of the directory as well."""
    refused: int = 0
    """Not taken over, since the queue was full."""


class Delivery(Protocol):
    """Takes records over and sees to their arrival, in order for each key.

    `offer`, `wait` and `flush` may be called from several threads at once, until `close`.
    """

    stats: Stats

    def check(self, timeout: float) -> None:
        """See that records can be delivered at all; blocks up to `timeout` seconds.

        Raises:
            Unreachable: nobody answers.
            Misconfigured: the topic of the events is not there.
        """

    def offer(self, record: Record) -> None:
        """Take a record over; never blocks.

        Raises:
            QueueFull: there is no room; the record was not taken over.
            Invalid: the record can never be delivered.
        """

    def wait(self, timeout: float) -> None:
        """Block until there may be room again, at most `timeout` seconds."""

    def flush(self, timeout: float) -> int:
        """Block until all is acknowledged, at most `timeout` seconds; returns how many are not."""

    def close(self, timeout: float) -> int:
        """Flush, then give up what is left, each to `on_undelivered`; returns how many that were."""

    def after_fork(self) -> None:
        """Called in the child: begin empty, and leave what belongs to the parent alone."""
