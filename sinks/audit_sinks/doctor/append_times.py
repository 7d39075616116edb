"""When single records were appended, read from their partitions by a consumer that joins no group."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaError, TopicPartition

from audit_schemas.committed_offsets import SECONDS
from audit_schemas.kafka import client_config
from audit_sinks.doctor.positions import Partition
from audit_sinks.errors import Unreachable
from audit_sinks.kafka import explained


class AppendTimes:
    """Connects when it is asked for the first time. Close it: it is a context for `closing`."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self._consumer: Consumer | None = None

    def of(self, offsets: Mapping[Partition, int]) -> dict[Partition, datetime]:
        """The append time of the first record at or behind an offset; nothing where there is none.

        Raises:
            Unreachable: a partition hands out neither a record nor its end in time.
            Misconfigured: Kafka refuses.
        """
        if not offsets:
            return {}
        consumer = self._connected()
        partitions = [TopicPartition(*place, offset) for place, offset in offsets.items()]
        consumer.assign(partitions)
        try:
            return _first_times(consumer, set(offsets))
        finally:
            # A partition that is assigned again would still be paused.
            consumer.resume(partitions)
            consumer.unassign()

    def close(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close()

    def _connected(self) -> Consumer:
        if self._consumer is None:
            more: dict[str, object] = {
                "group.id": "audit-doctor",  # required, and never used: nothing is committed
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                # One record of each partition is all that is wanted.
                "fetch.message.max.bytes": 1024,
                "queued.min.messages": 1,
                "fetch.wait.max.ms": 100,
            }
            self._consumer = Consumer(client_config(self._servers, **more))
        return self._consumer


def moment(milliseconds: int) -> datetime:
    """A time as Kafka tells it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _first_times(consumer: Consumer, unread: set[Partition]) -> dict[Partition, datetime]:
    times: dict[Partition, datetime] = {}
    deadline = time.monotonic() + SECONDS
    while unread:
        if time.monotonic() > deadline:
            names = ", ".join(sorted({topic for topic, _ in unread}))
            raise Unreachable(f"Kafka does not hand out records of {names}", remedy="check its brokers")
        message = consumer.poll(0.2)
        if message is None or _passing(message.error()):
            continue
        place = (str(message.topic()), int(message.partition() or 0))
        if message.error() is None:
            times.setdefault(place, moment(message.timestamp()[1]))
        consumer.pause([TopicPartition(*place)])
        unread.discard(place)
    return times


def _passing(error: KafkaError | None) -> bool:
    """Whether librdkafka helps itself; an end is no error, and any other one is raised."""
    if error is None or error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own codes are named so
        return False
    if error.retriable() or error.code() in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):  # noqa: SLF001
        return True
    raise explained(error)
