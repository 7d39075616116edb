"""How far processor and sink are behind, asked by consumers that join no group."""

import time
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from audit_producers.history.pace import Look, Place, Stage
from audit_producers.settings import KafkaClient
from audit_schemas.errors import Misconfigured, Unreachable
from audit_schemas.kafka import client_config
from audit_schemas.offset_note import read_note
from audit_schemas.topics import CHANGES, EVENTS, PROCESSOR_GROUP, SINK_GROUP

STAGES = ((CHANGES.name, PROCESSOR_GROUP), (EVENTS.name, SINK_GROUP))
_SECONDS = 5.0
_NOT_YET = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    }
)
"""What a broker says that has just started or taken over."""


class Lag:
    """Looks at both stages. Close it."""

    def __init__(self, kafka: KafkaClient) -> None:
        self._kafka = kafka
        self._consumers: dict[str, Consumer] = {}
        self._partitions: dict[str, list[TopicPartition]] = {}

    def look(self) -> Look:
        """Ask Kafka; takes some milliseconds.

        Raises:
            Unreachable: it does not answer.
            Misconfigured: a topic is not there.
        """
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                stages = tuple(self._stage(topic, group) for topic, group in STAGES)
                return Look(time.monotonic(), stages)
            except KafkaException as error:
                if error.args[0].code() not in _NOT_YET or time.monotonic() > deadline:
                    raise Unreachable(
                        f"Kafka at {self._kafka.kafka} does not answer: {error.args[0].str()}"
                    ) from None
                time.sleep(0.2)

    def close(self) -> None:
        """Disconnect."""
        for consumer in self._consumers.values():
            consumer.close()

    def _stage(self, topic: str, group: str) -> Stage:
        consumer = self._consumer(group)
        partitions = self._partitions.get(topic) or self._found(consumer, topic)
        committed = consumer.committed(
            partitions, timeout=_SECONDS
        )  # before the ends: behind is never negative
        return tuple(self._place(consumer, group, place) for place in committed)

    def _place(self, consumer: Consumer, group: str, place: TopicPartition) -> Place:
        if place.error is not None:
            raise KafkaException(place.error)
        start, end = consumer.get_watermark_offsets(place, timeout=_SECONDS)
        taken = min(end, max(start, place.offset, _in_hand(place) if group == SINK_GROUP else 0))
        return Place(end - taken, taken)

    def _found(self, consumer: Consumer, topic: str) -> list[TopicPartition]:
        found = consumer.list_topics(topic, timeout=_SECONDS).topics[topic]
        if found.error is not None:
            raise Misconfigured(f"the topic {topic} is not there", remedy="make it with: audit topics apply")
        self._partitions[topic] = [TopicPartition(topic, number) for number in found.partitions]
        return self._partitions[topic]

    def _consumer(self, group: str) -> Consumer:
        if group not in self._consumers:
            more: dict[str, Any] = {
                **self._kafka.librdkafka(),
                "group.id": group,
                "enable.auto.commit": False,
            }
            self._consumers[group] = Consumer(client_config(more.pop("bootstrap.servers"), **more))
        return self._consumers[group]


def _in_hand(place: TopicPartition) -> int:
    """The offset behind the block that a sink notes to have in hand; 0 where there is none.

    Only librdkafka's own notes are read: it shows those of others without their end.
    """
    note = read_note(place.metadata or "")
    return 0 if note is None or note.end is None else note.end + 1
