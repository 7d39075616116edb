"""How far processor and sink are behind, asked by consumers that join no group."""

import time
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # not in __all__

from audit_producers.history.pace import Look, Place, Stage
from audit_producers.settings import KafkaClient
from audit_schemas.committed_offsets import SECONDS, CommittedOffsets
from audit_schemas.errors import Misconfigured, Unreachable
from audit_schemas.kafka import client_config
from audit_schemas.topics import CHANGES, EVENTS, PROCESSOR_GROUP, SINK_GROUP

STAGES = ((CHANGES.name, PROCESSOR_GROUP), (EVENTS.name, SINK_GROUP))
_ENDS: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Lag:
    """Looks at both stages. Close it."""

    def __init__(self, kafka: KafkaClient) -> None:
        self._servers = kafka.kafka
        config = {**client_config(kafka.kafka), **kafka.librdkafka()}
        self._admin = AdminClient(config)
        self._committed = CommittedOffsets(config)
        self._partitions: dict[str, list[TopicPartition]] = {}

    def look(self) -> Look:
        """Ask Kafka; takes some milliseconds.

        Raises:
            Unreachable: it does not answer.
            Misconfigured: a topic is not there.
        """
        try:
            stages = tuple(self._stage(topic, group) for topic, group in STAGES)
        except KafkaException as error:
            raise Unreachable(f"Kafka at {self._servers} does not answer: {error.args[0].str()}") from None
        return Look(time.monotonic(), stages)

    def close(self) -> None:
        """Disconnect."""
        self._committed.close()

    def _stage(self, topic: str, group: str) -> Stage:
        partitions = self._partitions.get(topic) or self._found(topic)
        # Committed before the ends: so nobody is ahead of them.
        committed = self._committed.of(group, partitions)
        ends = self._admin.list_offsets(dict.fromkeys(partitions, _ENDS), request_timeout=SECONDS)
        return tuple(
            Place(ends[place].result().offset, max(0, at.offset))
            for place, at in zip(partitions, committed, strict=True)
        )

    def _found(self, topic: str) -> list[TopicPartition]:
        found = self._admin.list_topics(topic, timeout=SECONDS).topics[topic]
        if found.error is not None:
            raise Misconfigured(f"the topic {topic} is not there", remedy="make it with: audit topics apply")
        self._partitions[topic] = [TopicPartition(topic, number) for number in found.partitions]
        return self._partitions[topic]
