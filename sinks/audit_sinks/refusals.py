"""Keeping refused records: acknowledged in audit.dead-letters, or, where they come from there, in the log."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from confluent_kafka import KafkaError, Message, Producer

from audit_schemas import metrics, topics
from audit_schemas.dead_letter import DeadLetter
from audit_schemas.kafka import client_config
from audit_sinks.batches import Refusal
from audit_sinks.errors import Unreachable
from audit_sinks.records import refusable

_log = structlog.get_logger(__name__)
_DELIVERY_SECONDS = 30


class DeadLetterOffice:
    """Publishes dead letters and waits for Kafka's word."""

    def __init__(self, servers: str) -> None:
        self._producer = Producer(
            client_config(
                servers,
                **{
                    "client.id": "audit-sink",
                    "enable.idempotence": True,
                    "compression.type": "zstd",
                    "message.max.bytes": topics.DEAD_LETTERS.limit,
                    "message.timeout.ms": _DELIVERY_SECONDS * 1000,
                },
            )
        )

    def keep(self, refusals: Sequence[Refusal]) -> None:
        """Keep what was refused; returns once it is acknowledged.

        Raises:
            Unreachable: not all was acknowledged; repeat it, a dead letter's id is derived from its place.
        """
        failures: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failures.append(error)

        now = datetime.fromtimestamp(time.time(), UTC)
        for refusal in refusals:
            if (letter := _letter(refusal, now)) is not None:
                self._publish(*letter, delivered)
        if self._producer.flush(_DELIVERY_SECONDS + 5) or failures:
            raise Unreachable(
                f"dead letters are not acknowledged: {failures[0].str() if failures else 'no answer'}"
            )
        for refusal in refusals:
            metrics.DEAD_LETTERS.labels("sink", refusal.reason).inc()

    def _publish(self, key: bytes, value: bytes, delivered: Any) -> None:
        while True:
            try:
                self._producer.produce(topics.DEAD_LETTERS.name, value, key, on_delivery=delivered)
                return
            except BufferError:
                self._producer.poll(1)


def _letter(refusal: Refusal, now: datetime) -> tuple[bytes, bytes] | None:
    record = refusable(refusal.record)
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    _log.warning("a record is refused", **place, reason=refusal.reason, detail=refusal.detail)
    if record.topic == topics.DEAD_LETTERS.name:
        return None  # it would come back to us for ever
    return DeadLetter.fitting(
        record, stage="sink", reason=refusal.reason, detail=refusal.detail, failed_at=now
    )
