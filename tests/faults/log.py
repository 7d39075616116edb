"""What lies in Kafka from some moment on, and how far a group of workers has come with it."""

import time
from collections.abc import Iterable, Iterator

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from audit_schemas.committed_offsets import CommittedOffsets
from audit_schemas.kafka import client_config

Places = dict[tuple[str, int], int]
"""Topic and partition -> offset."""
_PATIENCE = 60.0
"""Seconds to read a topic."""


class Log:
    """Reads by itself, without a group."""

    def __init__(self, servers: str) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": servers, "group.id": "judge", "enable.auto.commit": False, "log_level": 2}
        )
        self._offsets = CommittedOffsets(client_config(servers))

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
        self._offsets.close()

    def starts(self, topic: str) -> Places:
        """The first record of each partition that Kafka still has."""
        return {place: first for place, (first, _) in self._watermarks([topic]).items()}

    def ends(self, topics: Iterable[str]) -> Places:
        """Where the next record of each partition will be."""
        return {place: end for place, (_, end) in self._watermarks(topics).items()}

    def _watermarks(self, topics: Iterable[str]) -> dict[tuple[str, int], tuple[int, int]]:
        partitions = {
            name: self._consumer.list_topics(name, timeout=10).topics[name].partitions for name in topics
        }
        return {
            (name, number): self._consumer.get_watermark_offsets(TopicPartition(name, number), timeout=10)
            for name, numbers in partitions.items()
            for number in numbers
        }

    def answers(self) -> bool:
        """Whether Kafka can be read again: it answers a little before it leads its partitions."""
        try:
            return bool(self.ends(self._consumer.list_topics(timeout=2).topics))
        except KafkaException:
            return False

    def committed(self, group: str, places: Iterable[tuple[str, int]]) -> Places:
        """How far a group has come; nothing while its coordinator does not say."""
        try:
            found = self._offsets.of(group, [TopicPartition(*place) for place in places])
        except KafkaException:
            return {}
        return {(place.topic, place.partition): place.offset for place in found}

    def since(self, start: Places, topic: str) -> Iterator[Message]:
        """A topic's records from there to what is now its end; those of one partition in their order."""
        unread = {place: end for place, end in self.ends([topic]).items() if end > start[place]}
        self._consumer.assign([TopicPartition(*place, start[place]) for place in unread])
        deadline = time.monotonic() + _PATIENCE
        while unread:
            assert time.monotonic() < deadline, f"Kafka does not send what is left of {unread}"
            for message in self._consumer.consume(10_000, timeout=0.1):
                assert message.error() is None, message.error()
                place = (topic, partition_of(message))
                if offset_of(message) < unread.get(place, 0):
                    yield message
                if offset_of(message) + 1 >= unread.get(place, 0):
                    unread.pop(place, None)
        self._consumer.unassign()


def partition_of(message: Message) -> int:
    """The partition that a record was read from."""
    number = message.partition()
    assert number is not None
    return number


def offset_of(message: Message) -> int:
    """Its offset there."""
    offset = message.offset()
    assert offset is not None
    return offset


def appended_ms(message: Message) -> int:
    """When the broker appended it, milliseconds since the epoch."""
    return int(message.timestamp()[1])
