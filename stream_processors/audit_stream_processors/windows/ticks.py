"""Ticks: records without content that give every partition a later stamp soon after each boundary.

Without them the last changes before a quiet night would wait until somebody writes to their partition
again. More of them come in between, since a tick that has reached ClickHouse shows that all before it
has. The ticks' own append times say when the next boundary is: 'now' is the broker's, whatever the
clock of this machine says. Every enriching worker ticks; a tick too many does no harm.
"""

import threading
from collections.abc import Callable
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from audit_schemas import metrics
from audit_schemas.mark import TICK
from audit_schemas.topics import CHANGES
from audit_stream_processors.kafka import client_config
from audit_stream_processors.windows.stamp import window_at

_BEHIND = 0.05
"""Seconds behind the boundary at which a tick is written."""
_AGAIN = 1.0
"""Seconds until the next attempt when a partition did not take its tick."""
_PATIENCE = 10.0
"""Seconds for Kafka to take a tick."""


class Ticker:
    """Ticks in a thread of its own, at once when it is started and after each boundary."""

    def __init__(
        self,
        servers: str,
        partitions: int,
        *,
        length: int,
        every: float,
        report: Callable[[str | None], None],
    ) -> None:
        """Connect in the background.

        Args:
            servers: Kafka's bootstrap servers.
            partitions: of audit.changes.
            length: of a window, seconds.
            every: seconds between two ticks at most.
            report: called with the reason while ticks are not taken, then with nothing.
        """
        self._producer = Producer(
            client_config(servers, **{"acks": "all", "message.timeout.ms": int(_PATIENCE * 1000)})
        )
        self._partitions = range(partitions)
        self._pause = partial(pause_until_next, length=length, every=every)
        self._report = report
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to tick."""
        threading.Thread(target=self._run, name="ticking", daemon=True).start()

    def stop(self) -> None:
        """Tick no more; does not wait."""
        self._stopping.set()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            appended, failure = self._tick()
            self._report(failure and f"ticks are not taken, windows close late: {failure}")
            pause = _AGAIN if failure else self._pause(min(appended))

    def _tick(self) -> tuple[list[float], str | None]:
        """Write a tick to each partition; return their append times, seconds, and why one is missing."""
        appended: list[float] = []
        errors: list[str] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                appended.append(message.timestamp()[1] / 1000)
            else:
                errors.append(error.str())

        try:
            for partition in self._partitions:
                self._producer.produce(
                    CHANGES.name, partition=partition, headers=[(TICK, b"")], on_delivery=delivered
                )
            self._producer.flush()
        except KafkaException as error:
            errors.append(error.args[0].str())
        metrics.TICKS.labels("delivered").inc(len(appended))
        metrics.TICKS.labels("failed").inc(len(self._partitions) - len(appended))
        missing = len(appended) < len(self._partitions)
        return appended, next(iter(errors), "no answer") if missing else None


def pause_until_next(now: float, *, length: int, every: float) -> float:
    """Seconds to wait for the next tick.

    Args:
        now: the earliest append time of the last ticks: the brokers' clocks may differ.
        length: of a window, seconds.
        every: seconds between two ticks at most.
    """
    return min(window_at(now, length).end - now + _BEHIND, every)
