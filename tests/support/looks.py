"""Looks at a pipeline that is well, each with something else about it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from audit_schemas.topics import CHANGES, CONTACT_CHANGES, EVENTS, PROCESSOR_GROUP, SINK_GROUP, WINDOWS_GROUP
from audit_sinks.doctor.facts import ClickHouseFacts, Disk, KafkaFacts, TopicFacts
from audit_sinks.doctor.positions import Position
from audit_sinks.monitoring.observer import Look, Stored
from audit_sinks.sync import Sync
from audit_sinks.verification.completeness import Completeness

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_ONE_REPLICA = {"min.insync.replicas": "1"}
_SERVER = {"offsets.retention.minutes": "43200", "auto.create.topics.enable": "false"}


def waiting(records: int, since: datetime | None = None, **more: Any) -> Position:
    """So many records of audit.events wait for the sink."""
    given = {"group": SINK_GROUP, "topic": EVENTS.name, "partition": 0, **more}
    return Position(committed=7, start=0, end=7 + records, waits_since=since, **given)


def kafka(*positions: Position) -> KafkaFacts:
    return KafkaFacts(
        brokers={"1": _SERVER},
        topics={
            topic.name: TopicFacts(
                id=topic.name, partitions=4, replication=1, config={**_ONE_REPLICA, **topic.config()}
            )
            for topic in (CHANGES, EVENTS, CONTACT_CHANGES)
        },
        groups={},
        positions=(
            waiting(0, group=PROCESSOR_GROUP, topic=CHANGES.name),
            waiting(5, NOON - timedelta(hours=2), group=WINDOWS_GROUP, topic=CONTACT_CHANGES.name),
            *positions,
        ),
        newest_append=NOON,
    )


def clickhouse(**more: Any) -> ClickHouseFacts:
    disks = (Disk(name="default", free=50, total=100),)
    return ClickHouseFacts(version="26.9.1.1", ahead=timedelta(0), tables={}, disks=disks, **more)


def stored(through: datetime | None = NOON - timedelta(seconds=4), **more: Any) -> Stored:
    completeness = Completeness(complete_through=through, partitions=4, slowest_partition=2)
    given = {"completeness": completeness, "sync": Sync(), "dead_letters": 3, "rows": {"accounts": 1}, **more}
    return Stored(**given)


def look(*positions: Position, **more: Any) -> Look:
    return Look(
        **{"at": NOON, "kafka": kafka(*positions), "clickhouse": clickhouse(), "stored": stored(), **more}
    )
