"""Following one event through every stage, from the record that was published to the row that is read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from audit_schemas.topics import CHANGES, EVENTS
from audit_sinks import dead_letters
from audit_sinks.clickhouse import query
from audit_sinks.errors import Invalid
from audit_sinks.kafka import client_config, explained
from audit_sinks.records import appended_at, headers

_SECONDS = 10.0
_MARGIN = timedelta(minutes=1)
"""How far a producer's clock may run ahead of the broker's for its event to be found by its id's time."""


class _Published(msgspec.Struct):
    service: str = ""
    instance: str = ""
    sequence: int = 0


class _Body(msgspec.Struct):
    producer: _Published | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record of the event."""

    partition: int
    offset: int
    appended_at: datetime
    producer: str = ""
    """The process that published it: service/instance."""
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of the way."""

    name: str
    found: bool
    about: str
    """Where and when, or why not."""
    details: dict[str, Any] = field(default_factory=dict)


def time_of(event_id: UUID) -> datetime | None:
    """When an id was minted; nothing where the id does not tell."""
    if event_id.version != 7:
        return None
    return datetime.fromtimestamp((event_id.int >> 80) / 1000, UTC)


def trace(event_id: UUID, *, kafka: str, client: Any, since: datetime | None) -> Iterator[Stage]:
    """Look for an event at each stage, in order.

    Args:
        event_id: the event's.
        kafka: bootstrap servers.
        client: of ClickHouse.
        since: from when on to search Kafka; by default the event's own time.

    Raises:
        Invalid: the id tells no time, the event is not stored, and `since` is not given.
    """
    rows = query(client, _ROWS, {"id": event_id})
    start = rows[0]["received_at"] if rows else since or time_of(event_id)
    if start is None:
        raise Invalid(
            f"{event_id} is not stored, and it is no UUIDv7 that tells its time",
            remedy="say from when on to search Kafka: --since 2h",
        )
    start = start if rows else start - _MARGIN
    partition = rows[0]["source_partition"] if rows else None
    changes = _find(kafka, CHANGES.name, event_id, start, partition)
    yield _kafka_stage(CHANGES.name, changes, "never published, or it has left Kafka by retention")
    events = _find(kafka, EVENTS.name, event_id, start, changes.partition if changes else partition)
    yield _kafka_stage(EVENTS.name, events, "the processors have not passed it on")
    places = [(CHANGES.name, changes), (EVENTS.name, events)]
    for topic, record in places:
        for letter in dead_letters.at(client, topic, record.partition, record.offset) if record else ():
            about = f"{letter.reason} by the {letter.stage}: {letter.detail}"
            yield Stage(name="dead letter", found=True, about=about, details=dead_letters.summary(letter))
    yield _stored_stage(rows)
    (visible,) = query(
        client, "SELECT count() AS rows FROM audit_log WHERE event_id = %(id)s", {"id": event_id}
    )
    seen = visible["rows"] == 1
    yield Stage(
        name="audit_log", found=seen, about="visible once" if seen else f"visible {visible['rows']} times"
    )


_ROWS = """
SELECT account_id, occurred_at, received_at, stored_at, catalogue_version, source_partition, source_offset
FROM audit_events WHERE event_id = %(id)s ORDER BY version DESC
"""


def _kafka_stage(topic: str, record: Found | None, missing: str) -> Stage:
    if record is None:
        return Stage(name=topic, found=False, about=missing)
    return Stage(
        name=topic,
        found=True,
        about=f"partition {record.partition}, offset {record.offset}, "
        f"appended at {record.appended_at:%F %T.%f} UTC",
        details=msgspec.to_builtins(record),
    )


def _stored_stage(rows: list[dict[str, Any]]) -> Stage:
    if not rows:
        return Stage(name="audit_events", found=False, about="the sink has not stored it")
    copies = f", {len(rows)} copies" if len(rows) > 1 else ""
    about = f"account {rows[0]['account_id']}, stored at {rows[0]['stored_at']:%F %T.%f} UTC{copies}"
    return Stage(name="audit_events", found=True, about=about, details={"rows": rows})


def _find(kafka: str, topic: str, event_id: UUID, since: datetime, partition: int | None) -> Found | None:
    """The first record of an event that was appended after a time."""
    consumer = Consumer(
        client_config(
            kafka,
            **{
                "group.id": "audit-trace",  # needed by the library, never joined
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
            },
        )
    )
    try:
        return _scan(consumer, _starts(consumer, topic, since, partition), event_id)
    except KafkaException as error:
        raise explained(error.args[0], topic=topic) from error
    finally:
        consumer.close()


def _starts(consumer: Consumer, topic: str, since: datetime, partition: int | None) -> list[TopicPartition]:
    known = consumer.list_topics(topic, timeout=_SECONDS).topics[topic]
    if known.error is not None:
        raise explained(known.error, topic=topic)
    milliseconds = int(since.timestamp() * 1000)
    numbers = known.partitions if partition is None else [partition]
    wanted = [TopicPartition(topic, number, milliseconds) for number in numbers]
    return [
        found
        for found in consumer.offsets_for_times(wanted, timeout=_SECONDS)
        if found.offset not in (-1, OFFSET_END)
    ]


def _scan(consumer: Consumer, starts: list[TopicPartition], event_id: UUID) -> Found | None:
    """Read each partition as far as it reached when the search began."""
    ends = {start.partition: consumer.get_watermark_offsets(start, timeout=_SECONDS)[1] for start in starts}
    left = {start.partition for start in starts if start.offset < ends[start.partition]}
    consumer.assign([start for start in starts if start.partition in left])
    wanted = str(event_id).encode()
    while left:
        for message in consumer.consume(5_000, 0.2):
            number, error = message.partition() or 0, message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - named so
                raise explained(error, topic=message.topic() or "")
            if error is None and _is_of(message, wanted):
                return _found(message)
            if error is not None or (message.offset() or 0) + 1 >= ends[number]:
                left.discard(number)
    return None


def _is_of(message: Message, wanted: bytes) -> bool:
    """By the CloudEvents header; where there is none, by the bytes."""
    for name, value in headers(message):
        if name == "ce_id":
            return value == wanted
    return b'"id":"' + wanted in (message.value() or b"")


def _found(message: Message) -> Found:
    try:
        producer = msgspec.json.decode(message.value() or b"", type=_Body).producer or _Published()
    except msgspec.DecodeError:
        producer = _Published()
    return Found(
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        appended_at=appended_at(message),
        producer=f"{producer.service}/{producer.instance}".strip("/"),
        sequence=producer.sequence,
    )
