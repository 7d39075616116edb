"""Produces what was made of a run, and says when Kafka has all of it."""

import math
import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from audit_schemas.errors import Misconfigured
from audit_schemas.topics import TOPICS
from audit_stream_processors.kafka import client_config

PATIENCE = 5.0
"""Seconds without an answer after which the waiting is reported."""
GRACE = 1.0
"""Seconds for what is in hand when the process is to end."""


class NotDelivered(Misconfigured):
    """Kafka refuses a record: nothing to wait for."""


class Stopped(Exception):
    """The process is to end while Kafka does not answer."""


class Delivery:
    """One idempotent producer; nothing that it was given is dropped while the process lives."""

    def __init__(self, servers: str, *, report: Callable[[str | None], None]) -> None:
        """Connect in the background.

        Args:
            servers: Kafka's bootstrap servers.
            report: called with the reason while Kafka does not take records, then with nothing.
        """
        self._producer = Producer(producer_config(servers))
        self._report = report
        self._error: KafkaError | None = None
        self._give_up = math.inf  # on time.monotonic's scale

    def send(self, topic: str, value: bytes, key: bytes | None, partition: int, headers: list[Any]) -> None:
        """Hand a record to the producer; waits while its queue is full."""
        try:
            self._produce(topic, value, key, partition, headers)
        except BufferError:
            self._wait(lambda: self._accepted(topic, value, key, partition, headers))

    def finish(self) -> None:
        """Wait until Kafka has acknowledged all that was sent.

        Raises:
            NotDelivered: it refuses a record.
            Stopped: `stop` was called while waiting.
        """
        self._wait(lambda: not self._producer.flush(0.5))
        if self._error is not None:
            raise NotDelivered(f"Kafka refuses a record: {self._error.str()}")

    def stop(self) -> None:
        """Wait no longer than GRACE from now: what is not acknowledged by then is made again later."""
        self._give_up = time.monotonic() + GRACE

    def _produce(
        self, topic: str, value: bytes, key: bytes | None, partition: int, headers: list[Any]
    ) -> None:
        self._producer.produce(topic, value, key, partition, self._failed, None, 0, headers)

    def _accepted(self, *record: Any) -> bool:
        self._producer.poll(0.5)
        try:
            self._produce(*record)
        except BufferError:
            return False
        return True

    def _wait(self, done: Callable[[], bool]) -> None:
        """Ask again and again until it is done; report when that takes long."""
        began, reported = time.monotonic(), False
        while not done():
            if time.monotonic() > self._give_up:
                raise Stopped
            if not reported and time.monotonic() - began > PATIENCE:
                self._report(f"Kafka does not take records: {len(self._producer):,} are waiting")
                reported = True
        if reported:
            self._report(None)

    def _failed(self, error: KafkaError | None, _: Message) -> None:
        self._error = self._error or error


def producer_config(servers: str) -> dict[str, Any]:
    """The settings of a producer that keeps order and waits as long as it takes."""
    return client_config(
        servers,
        **{
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2_random",
            "compression.type": "zstd",
            "linger.ms": 5,
            "message.timeout.ms": 0,  # without end: whatever is away comes back
            "message.max.bytes": max(topic.limit for topic in TOPICS.values()),
            "queue.buffering.max.kbytes": 256 * 1024,
            "queue.buffering.max.messages": 200_000,
            "delivery.report.only.error": True,
        },
    )
