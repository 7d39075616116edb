"""Reads the facts of Kafka; it produces nothing and joins no group."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # not in __all__
    AdminClient,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from audit_schemas.topics import (
    CHANGES,
    CONTACT_CHANGES,
    PROCESSOR_GROUP,
    SINK_GROUP,
    TOPICS,
    WINDOWS_GROUP,
)
from audit_sinks.doctor.facts import KafkaFacts, Position, TopicFacts
from audit_sinks.errors import Unreachable
from audit_sinks.kafka import client_config, explained
from audit_sinks.tables import FEEDS

_SECONDS = 5.0
_READS: Mapping[str, tuple[str, ...]] = {
    PROCESSOR_GROUP: (CHANGES.name,),
    WINDOWS_GROUP: (CONTACT_CHANGES.name,),
    SINK_GROUP: tuple(FEEDS),
}
"""What each group reads: no topic is read by two."""
_EARLIEST: Any = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_NEWEST: Any = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]

_LOADING = (
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
)

Place = tuple[str, int]


def read(servers: str) -> KafkaFacts:
    """Ask the brokers.

    Raises:
        Unreachable, Misconfigured: Kafka does not answer, or refuses.
    """
    admin = AdminClient(client_config(servers))
    try:
        metadata = admin.list_topics(timeout=_SECONDS)
        known = {name: topic for name, topic in metadata.topics.items() if name in TOPICS}
        topics = {name: _topic(admin, name, topic) for name, topic in known.items()}
        positions = [
            position
            for group, names in _READS.items()
            for position in _positions(admin, group, _partitions(topics, names))
        ]
        waiting = [at for at in positions if at.next < at.end and topics[at.topic].retention is not None]
        since = _append_times(servers, waiting)
        return KafkaFacts(
            brokers={
                str(broker): _config(admin, ResourceType.BROKER, str(broker)) for broker in metadata.brokers
            },
            topics=topics,
            positions=tuple(replace(at, waits_since=since.get((at.topic, at.partition))) for at in positions),
            newest_append=_newest(admin, _partitions(topics, (CHANGES.name,))),
        )
    except KafkaException as error:
        raise explained(error.args[0]) from error


def _topic(admin: AdminClient, name: str, metadata: Any) -> TopicFacts:
    return TopicFacts(
        partitions=len(metadata.partitions),
        replication=min(len(partition.replicas) for partition in metadata.partitions.values()),
        config=_config(admin, ResourceType.TOPIC, name),
    )


def _config(admin: AdminClient, kind: Any, name: str) -> dict[str, str]:
    """One resource a request: librdkafka takes one broker at a time. Secrets come without a value."""
    (described,) = admin.describe_configs([ConfigResource(kind, name)], request_timeout=_SECONDS).values()
    return {entry.name: entry.value for entry in described.result().values() if entry.value is not None}


def _partitions(topics: Mapping[str, TopicFacts], names: Iterable[str]) -> list[TopicPartition]:
    return [
        TopicPartition(name, number)
        for name in names
        if name in topics
        for number in range(topics[name].partitions)
    ]


def _positions(admin: AdminClient, group: str, partitions: list[TopicPartition]) -> Iterator[Position]:
    """The committed offsets first: a group that works meanwhile is not taken to be beyond the end."""
    if not partitions:
        return
    committed = _committed(admin, group, partitions)
    starts, ends = _offsets(admin, partitions, _EARLIEST), _offsets(admin, partitions, _LATEST)
    for found in committed:
        place = (found.topic, found.partition)
        yield Position(
            group=group,
            topic=found.topic,
            partition=found.partition,
            committed=found.offset if found.offset >= 0 else None,
            start=starts[place].offset,
            end=ends[place].offset,
        )


def _committed(admin: AdminClient, group: str, partitions: list[TopicPartition]) -> list[TopicPartition]:
    """A broker that has not been asked for a group yet needs a moment to load it."""
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            request = [ConsumerGroupTopicPartitions(group, partitions)]
            answer = admin.list_consumer_group_offsets(request, request_timeout=_SECONDS)
            return list(answer[group].result().topic_partitions)
        except KafkaException as error:
            if error.args[0].code() not in _LOADING or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _offsets(admin: AdminClient, partitions: list[TopicPartition], spec: Any) -> dict[Place, Any]:
    if not partitions:
        return {}
    futures = admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=_SECONDS)
    return {(at.topic, at.partition): future.result() for at, future in futures.items()}


def _newest(admin: AdminClient, partitions: list[TopicPartition]) -> datetime | None:
    times = [found.timestamp for found in _offsets(admin, partitions, _NEWEST).values()]
    newest = max(times, default=-1)
    return _moment(newest) if newest >= 0 else None


def _append_times(servers: str, waiting: list[Position]) -> dict[Place, datetime]:
    """The append time of the first record that waits in each partition."""
    if not waiting:
        return {}
    more: dict[str, object] = {
        "group.id": "audit-doctor",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
        # One record of each partition is all that is wanted.
        "fetch.message.max.bytes": 1024,
        "queued.min.messages": 1,
    }
    with closing(Consumer(client_config(servers, **more))) as consumer:
        consumer.assign([TopicPartition(at.topic, at.partition, at.next) for at in waiting])
        return _first_times(consumer, {(at.topic, at.partition) for at in waiting})


def _first_times(consumer: Consumer, unread: set[Place]) -> dict[Place, datetime]:
    """Raises Unreachable where a partition hands out neither a record nor its end in time."""
    times: dict[Place, datetime] = {}
    deadline = time.monotonic() + _SECONDS
    while unread:
        if time.monotonic() > deadline:
            names = ", ".join(sorted({topic for topic, _ in unread}))
            raise Unreachable(f"Kafka does not hand out records of {names}", remedy="check its brokers")
        message = consumer.poll(0.2)
        if message is None or _passing(message.error()):
            continue
        place = (str(message.topic()), int(message.partition() or 0))
        if message.error() is None:
            times.setdefault(place, _moment(message.timestamp()[1]))
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


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
