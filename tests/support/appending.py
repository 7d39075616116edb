"""Puts records into audit.changes as services do, or by hand, and rows into ClickHouse as the sink does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sinking
from confluent_kafka import Message, Producer
from enriching import enriched

from audit_producers.ids import uuid7
from audit_schemas import event, topics
from audit_schemas.dead_letter import DeadLetter, Refusable
from audit_schemas.mark import TICK
from audit_schemas.settings import ClickHouse
from audit_schemas.wire import encode
from audit_sinks.clickhouse import connect


@dataclass(frozen=True, kw_only=True)
class Appended:
    """A record of audit.changes."""

    partition: int
    offset: int
    received_at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> bytes:
        return json.dumps(self.body).encode()

    @property
    def id(self) -> UUID:
        return UUID(self.body["id"])


class Changes:
    """The topic."""

    def __init__(self, kafka: str) -> None:
        self._producer = Producer({"bootstrap.servers": kafka, "linger.ms": 0})

    def append(self, value: bytes | None, partition: int = 2, **more: Any) -> Appended:
        places: list[Message] = []
        self._producer.produce(
            topics.CHANGES.name,
            value,
            partition=partition,
            on_delivery=lambda _, place: places.append(place),
            **more,
        )
        assert self._producer.flush(30) == 0
        (place,) = places
        assert place.error() is None
        received_at = datetime.fromtimestamp(place.timestamp()[1] / 1000, UTC)
        return Appended(
            partition=place.partition() or 0,
            offset=place.offset() or 0,
            received_at=received_at,
            body=json.loads(value) if value and value[:1] == b"{" else {},
        )

    def tick(self, partition: int = 2) -> Appended:
        return self.append(None, partition, headers=[(TICK, b"")])

    def event(self, partition: int = 2, **given: Any) -> Appended:
        """An event that happened now; `number` of `instance` where these are given."""
        instance, number = given.pop("instance", "i-1"), given.pop("number", 0)
        body = {
            "id": str(uuid7()),
            "account": "a",
            "occurred_at": datetime.now(UTC).isoformat(),
            "action": "update",
            "target": {"type": "role", "id": "1"},
            "producer": {"service": "helpdesk", "instance": instance, "sequence": number},
            **given,
        }
        return self.append(json.dumps(body).encode(), partition)


class Stored:
    """What the sink has put into ClickHouse."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self.clickhouse = clickhouse
        self._offset = 0

    def events(self, *records: Appended, **given: Any) -> None:
        """These records as enriched events."""
        self._insert(topics.EVENTS.name, *(encode(row_of(record, **given)) for record in records))

    def marks(self, *ticks: Appended, partitions: int = 6) -> None:
        rows = [(one.partition, partitions, one.offset, one.received_at) for one in ticks]
        with connect(self.clickhouse) as client:
            client.execute(
                "INSERT INTO partition_marks (partition, partitions, offset, received_at) VALUES", rows
            )

    def producer_records(self, *records: Mapping[str, Any]) -> None:
        self._insert(topics.PRODUCERS.name, *(json.dumps(one, default=str).encode() for one in records))

    def dead_letters(self, *letters: bytes) -> None:
        self._insert(topics.DEAD_LETTERS.name, *letters)

    def _insert(self, topic: str, *payloads: bytes) -> None:
        assert not sinking.insert(self.clickhouse, topic, *payloads, first=self._offset)
        self._offset += len(payloads)


def row_of(record: Appended, **given: Any) -> Any:
    """The enriched event of a record."""
    body, producer = record.body, record.body["producer"]
    fields = {
        "id": record.id,
        "account": body["account"],
        "occurred_at": datetime.fromisoformat(body["occurred_at"]),
        "received_at": record.received_at,
        "module": "roles",
        "target": event.Target(**body["target"]),
        "producer": event.Producer(**producer),
        "source_partition": record.partition,
        "source_offset": record.offset,
        "recorded": body.get("recorded", "live"),
    }
    return enriched(1, **{**fields, **given})


def letter(record: Appended, topic: str, value: bytes, *, offset: int) -> bytes:
    """The dead letter of a record, or of what was made of it in a later topic."""
    refused = Refusable(
        topic=topic,
        partition=record.partition,
        offset=offset,
        key=None,
        value=value,
        headers=(),
        received_at=record.received_at,
    )
    made = DeadLetter.of(refused, stage="s", reason="invalid", detail="d", failed_at=record.received_at)
    return made.model_dump_json().encode()
