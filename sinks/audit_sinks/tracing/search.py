"""Searching a topic for an event's record."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from audit_schemas.kafka import client_config
from audit_sinks.kafka import explained
from audit_sinks.records import appended_at, headers

_SECONDS = 10.0


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


def find(kafka: str, topic: str, event_id: UUID, since: datetime, partition: int | None) -> Found | None:
    """The first record of an event that was appended after a time.

    Args:
        kafka: bootstrap servers.
        topic: where to look.
        event_id: the event's.
        since: append time from which on to look.
        partition: the one to look in; all where it is not known.

    Raises:
        Unreachable, Misconfigured: as `audit_sinks.kafka.explained` says.
    """
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
