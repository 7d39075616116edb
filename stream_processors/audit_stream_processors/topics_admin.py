"""Brings the topics of a Kafka cluster to what `audit_schemas.topics` says, without ever losing a record.

A plan is a pure function of what is there. Nothing is deleted and no partition count is changed:
keys would move to other partitions and lose their order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined] # imported there, not exported
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from audit_schemas.errors import Misconfigured
from audit_schemas.topics import SAME_PARTITIONS, TOPICS, Topic
from audit_stream_processors.kafka import reachable

TIMEOUT = 10.0
"""Seconds to wait for the cluster."""


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is in the cluster."""

    partitions: int
    replication: int
    config: Mapping[str, str]
    id: str = ""
    """A topic that is made anew under the same name has another."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about one topic."""

    topic: Topic
    partitions: int
    replication: int
    create: bool
    drift: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Setting -> (as it is, as it must be)."""

    def __str__(self) -> str:
        if self.create:
            return "created"
        if self.drift:
            return "corrected " + ", ".join(
                f"{name} {was} -> {wanted}" for name, (was, wanted) in self.drift.items()
            )
        return "unchanged"


def wanted_config(topic: Topic, replication: int) -> dict[str, str]:
    """A topic's settings; with three replicas a write needs two, so that one may be away."""
    return {**topic.config(), "min.insync.replicas": str(max(1, replication - 1))}


def plan(found: Mapping[str, Found], *, partitions: int, replication: int) -> tuple[Step, ...]:
    """Decide what to do about each topic.

    Args:
        found: the topics of the cluster by name.
        partitions: of a topic that is created, unless it must equal that of another one.
        replication: of a topic that is created.

    Raises:
        Misconfigured: topics between which records keep their partition differ in their counts.
    """
    shared = shared_partitions(found) or partitions
    return tuple(
        _step(topic, found.get(topic.name), shared if topic in SAME_PARTITIONS else partitions, replication)
        for topic in TOPICS.values()
    )


def shared_partitions(found: Mapping[str, Found]) -> int | None:
    """The number of partitions that the topics of SAME_PARTITIONS have; nothing where none exists.

    Raises:
        Misconfigured: they differ.
    """
    counts = {topic.name: found[topic.name].partitions for topic in SAME_PARTITIONS if topic.name in found}
    if len(set(counts.values())) > 1:
        raise Misconfigured(
            "records keep their partition from topic to topic, but the counts differ: "
            + ", ".join(f"{name} has {count}" for name, count in counts.items()),
            remedy="delete those without records and run: audit topics apply",
        )
    return next(iter(counts.values()), None)


def _step(topic: Topic, there: Found | None, partitions: int, replication: int) -> Step:
    if there is None:
        return Step(topic, partitions, replication, create=True)
    return Step(topic, there.partitions, there.replication, create=False, drift=drift(topic, there))


def drift(topic: Topic, there: Found) -> dict[str, tuple[str, str]]:
    """The settings of a topic that are not as they must be."""
    return {
        name: (there.config.get(name, "unset"), value)
        for name, value in wanted_config(topic, there.replication).items()
        if there.config.get(name) != value
    }


def describe(admin: AdminClient, *, timeout: float = TIMEOUT) -> dict[str, Found]:
    """The topics of ours that the cluster has, by name.

    Args:
        admin: a client.
        timeout: seconds to wait for an answer.

    Raises:
        Unreachable: Kafka does not answer.
    """
    with reachable():
        metadata = {
            name: topic for name, topic in admin.list_topics(timeout=timeout).topics.items() if name in TOPICS
        }
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in metadata]
        described = admin.describe_configs(resources, request_timeout=timeout) if resources else {}
        configs = {resource.name: future.result() for resource, future in described.items()}
        ids = ids_of(admin, list(metadata), timeout)
    return {
        name: Found(
            partitions=len(topic.partitions),
            replication=min(len(partition.replicas) for partition in topic.partitions.values()),
            config={entry.name: entry.value for entry in configs[name].values()},
            id=ids[name],
        )
        for name, topic in metadata.items()
    }


def ids_of(admin: AdminClient, names: list[str], timeout: float) -> dict[str, str]:
    """The ids of topics by name; `timeout` is in seconds.

    Raises:
        KafkaException: Kafka does not answer, or has no such topic.
    """
    if not names:
        return {}
    futures = admin.describe_topics(TopicCollection(names), request_timeout=timeout)
    return {name: str(future.result().topic_id) for name, future in futures.items()}


def apply(admin: AdminClient, steps: Iterable[Step]) -> None:
    """Do what a plan says; doing it twice is doing it once.

    Raises:
        Unreachable: Kafka does not answer.
        Misconfigured: it refuses, as with more replicas than it has brokers.
    """
    steps = tuple(steps)
    with reachable():
        created = [_new(step) for step in steps if step.create]
        _finish(admin.create_topics(created, request_timeout=TIMEOUT) if created else {})
        altered = [_altered(step) for step in steps if step.drift]
        _finish(admin.incremental_alter_configs(altered, request_timeout=TIMEOUT) if altered else {})


def _new(step: Step) -> NewTopic:
    return NewTopic(
        step.topic.name,
        num_partitions=step.partitions,
        replication_factor=step.replication,
        config=wanted_config(step.topic, step.replication),
    )


def _altered(step: Step) -> ConfigResource:
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, (_, value) in step.drift.items()
    ]
    return ConfigResource(ResourceType.TOPIC, step.topic.name, incremental_configs=entries)


def _finish(futures: Mapping[Any, Any]) -> None:
    for future in futures.values():
        future.result()
