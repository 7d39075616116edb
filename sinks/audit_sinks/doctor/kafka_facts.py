"""Reads the facts of Kafka; it produces nothing and joins no group."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # not in __all__
    AdminClient,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from audit_schemas.committed_offsets import SECONDS, CommittedOffsets
from audit_schemas.kafka import client_config
from audit_schemas.topics import CHANGES, TOPICS
from audit_sinks.doctor.append_times import AppendTimes, moment
from audit_sinks.doctor.facts import GroupFacts, KafkaFacts, TopicFacts
from audit_sinks.doctor.positions import READS, Position, offsets, positions
from audit_sinks.kafka import explained

_NEWEST: Any = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]


def read(servers: str) -> KafkaFacts:
    """Ask the brokers once.

    Raises:
        Unreachable, Misconfigured: Kafka does not answer, or refuses.
    """
    with closing(KafkaReader(servers)) as reader:
        return reader.read()


class KafkaReader:
    """Asks the brokers as often as one likes, over the same connections."""

    def __init__(self, servers: str) -> None:
        """Connect in the background."""
        self._admin = AdminClient(client_config(servers))
        self._committed = CommittedOffsets(client_config(servers))
        self._times = AppendTimes(servers)

    def close(self) -> None:
        """Disconnect."""
        self._committed.close()
        self._times.close()

    def read(self) -> KafkaFacts:
        """Ask.

        Raises:
            Unreachable, Misconfigured: Kafka does not answer, or refuses.
        """
        try:
            return self._read()
        except KafkaException as error:
            raise explained(error.args[0]) from error

    def _read(self) -> KafkaFacts:
        metadata = self._admin.list_topics(timeout=SECONDS)
        topics = _topics(
            self._admin, {name: topic for name, topic in metadata.topics.items() if name in TOPICS}
        )
        counts = {name: topic.partitions for name, topic in topics.items()}
        found = [
            position
            for group, names in READS.items()
            for position in positions(
                self._admin,
                self._committed,
                group,
                {name: counts[name] for name in names if name in counts},
            )
        ]
        since = self._times.of({at.place: at.next for at in found if at.records})
        return KafkaFacts(
            brokers={
                str(broker): _configs(self._admin, ResourceType.BROKER, [str(broker)])[str(broker)]
                for broker in metadata.brokers
            },
            topics=topics,
            groups=self._groups(found),
            positions=tuple(replace(at, waits_since=since.get(at.place)) for at in found),
            newest_append=_newest(self._admin, counts),
        )

    def _groups(self, found: Iterable[Position]) -> dict[str, GroupFacts]:
        members = _members(self._admin, READS)
        done = {
            at.place: (at.group, at.next - 1)
            for at in found
            if at.committed is not None and at.next > at.start and not members[at.group]
        }
        times = self._times.of({place: offset for place, (_, offset) in done.items()})
        return {
            group: GroupFacts(
                members=count,
                worked_at=max((times[at] for at in times if done[at][0] == group), default=None),
            )
            for group, count in members.items()
        }


def _topics(admin: AdminClient, known: Mapping[str, Any]) -> dict[str, TopicFacts]:
    if not known:
        return {}
    configs = _configs(admin, ResourceType.TOPIC, known)
    futures = admin.describe_topics(TopicCollection(list(known)), request_timeout=SECONDS)
    return {
        name: TopicFacts(
            id=str(futures[name].result().topic_id),
            partitions=len(topic.partitions),
            replication=min(len(partition.replicas) for partition in topic.partitions.values()),
            config=configs[name],
        )
        for name, topic in known.items()
    }


def _configs(admin: AdminClient, kind: Any, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """By name; of brokers librdkafka takes one at a time. Secrets come without a value."""
    described = admin.describe_configs(
        [ConfigResource(kind, name) for name in names], request_timeout=SECONDS
    )
    return {
        resource.name: {
            entry.name: entry.value for entry in future.result().values() if entry.value is not None
        }
        for resource, future in described.items()
    }


def _members(admin: AdminClient, groups: Iterable[str]) -> dict[str, int]:
    """How many members each group has; one that is not known has none."""
    found = {}
    for group, future in admin.describe_consumer_groups(list(groups), request_timeout=SECONDS).items():
        try:
            found[group] = len(future.result().members)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
                raise
            found[group] = 0
    return found


def _newest(admin: AdminClient, counts: Mapping[str, int]) -> datetime | None:
    partitions = [TopicPartition(CHANGES.name, number) for number in range(counts.get(CHANGES.name, 0))]
    times = [found.timestamp for found in offsets(admin, partitions, _NEWEST).values()]
    newest = max(times, default=-1)
    return moment(newest) if newest >= 0 else None
