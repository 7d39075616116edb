"""How far processor and sink are behind, asked by consumers that join no group."""

import time
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # not in __all__

from audit_producers.history.pace import Look, Place, Stage
from audit_producers.settings import KafkaClient
from audit_schemas.errors import Misconfigured, Unreachable
from audit_schemas.kafka import client_config
from audit_schemas.topics import CHANGES, EVENTS, PROCESSOR_GROUP, SINK_GROUP

STAGES = ((CHANGES.name, PROCESSOR_GROUP), (EVENTS.name, SINK_GROUP))
_SECONDS = 5.0
_ENDS: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]
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
        self._config = {**client_config(kafka.kafka), **kafka.librdkafka()}
        self._admin = AdminClient(self._config)
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
        # Committed before the ends: so nobody is ahead of them.
        committed = consumer.committed(partitions, timeout=_SECONDS)
        ends = self._admin.list_offsets(dict.fromkeys(partitions, _ENDS), request_timeout=_SECONDS)
        return tuple(
            Place(ends[place].result().offset, _offset(at))
            for place, at in zip(partitions, committed, strict=True)
        )

    def _found(self, consumer: Consumer, topic: str) -> list[TopicPartition]:
        found = consumer.list_topics(topic, timeout=_SECONDS).topics[topic]
        if found.error is not None:
            raise Misconfigured(f"the topic {topic} is not there", remedy="make it with: audit topics apply")
        self._partitions[topic] = [TopicPartition(topic, number) for number in found.partitions]
        return self._partitions[topic]

    def _consumer(self, group: str) -> Consumer:
        if group not in self._consumers:
            more: dict[str, Any] = {"group.id": group, "enable.auto.commit": False}
            self._consumers[group] = Consumer({**self._config, **more})
        return self._consumers[group]


def _offset(place: TopicPartition) -> int:
    if place.error is not None:
        raise KafkaException(place.error)
    return max(0, place.offset)
