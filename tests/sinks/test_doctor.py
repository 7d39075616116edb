"""Each check of `audit doctor`, with facts as they must be and with one of them wrong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit_schemas.offset_note import OffsetNote
from audit_schemas.topics import (
    ACCOUNTS,
    CHANGES,
    CONTACT_CHANGES,
    DEAD_LETTERS,
    EVENTS,
    PROCESSOR_GROUP,
    SINK_GROUP,
    TOPICS,
    WINDOWS_GROUP,
)
from audit_sinks.doctor import Facts, Finding, Level, examine, shortest
from audit_sinks.doctor.clickhouse_facts import settings_of
from audit_sinks.doctor.facts import ClickHouseFacts, Disk, GroupFacts, KafkaFacts, TableFacts, TopicFacts
from audit_sinks.doctor.finding import duration
from audit_sinks.doctor.positions import Position

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SAFE = {
    "non_replicated_deduplication_window": "28800",
    "replicated_deduplication_window": "10000",
    "replicated_deduplication_window_seconds": "2592000",
    "fsync_after_insert": "1",
    "fsync_part_directory": "1",
}
GOOD = Facts(
    now=NOON,
    kafka=KafkaFacts(
        brokers={"1": {"offsets.retention.minutes": "43200", "auto.create.topics.enable": "false"}},
        topics={
            topic.name: TopicFacts(
                id=f"id of {topic.name}",
                partitions=12,
                replication=3,
                config={"min.insync.replicas": "2", "retention.ms": "604800000", **topic.config()},
            )
            for topic in TOPICS.values()
        },
        groups={
            PROCESSOR_GROUP: GroupFacts(members=1),
            WINDOWS_GROUP: GroupFacts(members=0, worked_at=NOON - timedelta(days=3)),
            SINK_GROUP: GroupFacts(members=0),
        },
        positions=(
            Position(
                group=PROCESSOR_GROUP,
                topic=CHANGES.name,
                partition=0,
                committed=7,
                start=7,
                end=7,
                note=OffsetNote(topic=f"id of {CHANGES.name}", refused=999),
            ),
            Position(group=SINK_GROUP, topic=EVENTS.name, partition=0, committed=None, start=0, end=0),
            Position(
                group=WINDOWS_GROUP,
                topic=CONTACT_CHANGES.name,
                partition=0,
                committed=5,
                start=5,
                end=9,
                waits_since=NOON - timedelta(days=2),
            ),
        ),
        newest_append=NOON,
    ),
    clickhouse=ClickHouseFacts(
        version="26.3.1.1",
        ahead=timedelta(0),
        tables={
            "audit.audit_events": TableFacts(topic=EVENTS.name, replicated=False, partitions=3, settings=SAFE)
        },
        disks=(Disk(name="default", free=50, total=100),),
    ),
)


def kafka(**wrong: Any) -> Facts:
    return replace(GOOD, kafka=replace(GOOD.kafka, **wrong))


def clickhouse(**wrong: Any) -> Facts:
    return replace(GOOD, clickhouse=replace(GOOD.clickhouse, **wrong))


def topic(name: str, *, config: dict[str, str] | None = None, **wrong: Any) -> Facts:
    was = GOOD.kafka.topics[name]
    changed = replace(was, config={**was.config, **(config or {})}, **wrong)
    return kafka(topics={**GOOD.kafka.topics, name: changed})


def table(
    *, replicated: bool = False, partitions: int = 3, inserts_a_minute: float = 1, **settings: str
) -> Facts:
    changed = TableFacts(
        topic=EVENTS.name,
        replicated=replicated,
        partitions=partitions,
        settings={**SAFE, **settings},
        inserts_a_minute=inserts_a_minute,
    )
    return clickhouse(tables={"audit.audit_events": changed})


def group(**facts: Any) -> Facts:
    return kafka(groups={**GOOD.kafka.groups, PROCESSOR_GROUP: GroupFacts(**facts)})


def broker(setting: str, value: str) -> Facts:
    return kafka(brokers={"1": {**GOOD.kafka.brokers["1"], setting: value}})


def position(**wrong: Any) -> Facts:
    first, *others = GOOD.kafka.positions
    return kafka(positions=(replace(first, **wrong), *others))


def complaints(facts: Facts) -> list[Finding]:
    return [finding for finding in examine(facts) if finding.level is not Level.OK]


def test_nothing_is_said_of_servers_that_are_as_they_must_be() -> None:
    assert complaints(GOOD) == []


BROKEN = [
    (
        kafka(topics={k: v for k, v in GOOD.kafka.topics.items() if k != ACCOUNTS.name}),
        "topics",
        ACCOUNTS.name,
    ),
    (
        topic(CHANGES.name, config={"message.timestamp.type": "CreateTime"}),
        "append time",
        "audit topics apply",
    ),
    (topic(DEAD_LETTERS.name, config={"retention.ms": "3600000"}), "retention", "1 h, not 30 d"),
    (topic(EVENTS.name, config={"retention.bytes": "1000"}), "retention", "retention.bytes 1000"),
    (topic(ACCOUNTS.name, config={"cleanup.policy": "delete"}), "cleanup policy", ACCOUNTS.name),
    (topic(EVENTS.name, config={"max.message.bytes": "1048588"}), "record sizes", "not 4194304"),
    (topic(CONTACT_CHANGES.name, partitions=13), "partitions", "audit.contact-changes.v1 has 13"),
    (topic(CHANGES.name, config={"min.insync.replicas": "1"}), "replication", CHANGES.name),
    (
        topic(CHANGES.name, config={"unclean.leader.election.enable": "true"}),
        "leader election",
        "audit topics apply",
    ),
    (broker("offsets.retention.minutes", "10080"), "offsets retention", "to 43200 or more"),
    (kafka(newest_append=NOON + timedelta(seconds=6)), "clocks", "6 s in the future"),
    (clickhouse(pending_migrations=("0008_more",)), "migrations", "audit migrate up"),
    (clickhouse(changed_migration="0001 was changed"), "migrations", "restore the file"),
    (
        table(non_replicated_deduplication_window="0"),
        "deduplication",
        "ALTER TABLE audit.audit_events MODIFY SETTING non_replicated_deduplication_window = 28800",
    ),
    (table(fsync_after_insert="0"), "durability", "MODIFY SETTING fsync_after_insert = 1"),
    (position(committed=3), PROCESSOR_GROUP, "4 records left Kafka before they were done"),
    (position(committed=None), PROCESSOR_GROUP, "7 records left Kafka before they were done"),
    (position(committed=8), PROCESSOR_GROUP, "beyond the end"),
    (position(note=OffsetNote(topic="another")), PROCESSOR_GROUP, "made anew, or is a mirror"),
    (position(waits_since=NOON - timedelta(days=14)), "outage", "retention of audit.changes.v1 is over"),
    (group(members=0, worked_at=NOON - timedelta(days=30)), "outage", "offsets of audit-processor is over"),
]
WARNED = [
    (topic(EVENTS.name, config={"max.message.bytes": "9999999"}), "record sizes", "dead letter"),
    (topic(EVENTS.name, replication=1, config={"min.insync.replicas": "1"}), "replication", "not of a disk"),
    (topic(EVENTS.name, config={"min.insync.replicas": "3"}), "replication", "while one broker is away"),
    (broker("auto.create.topics.enable", "true"), "topic creation", "auto.create.topics.enable=false"),
    (clickhouse(ahead=timedelta(seconds=-6)), "clocks", "differ by 6 s"),
    (clickhouse(version="25.12.1.1"), "ClickHouse", "run 26.3 or newer"),
    (table(partitions=9), "deduplication", "= 32400"),
    (table(replicated=True), "deduplication", "SETTING replicated_deduplication_window = 28800"),
    (
        table(replicated=True, replicated_deduplication_window="28800", fsync_after_insert="0"),
        "durability",
        "insert_quorum = 2",
    ),
    (clickhouse(disks=(Disk(name="cold", free=9, total=100),)), "disk space", "cold has 9% left"),
    (
        position(waits_since=NOON - timedelta(days=13, hours=1)),
        "outage",
        "safe for 23 h (Kafka's retention of audit.changes",
    ),
    (
        group(members=0, worked_at=NOON - timedelta(days=29, hours=1)),
        "outage",
        "safe for 23 h (Kafka's memory of the offsets of audit-processor); start a worker of audit-processor",
    ),
    (
        position(note=OffsetNote(topic=f"id of {CHANGES.name}", refused=9_999)),
        "refusals",
        "9,999 in a row in audit.changes.v1 [0]",
    ),
    (
        table(inserts_a_minute=28_800),
        "deduplication",
        "remembers 1 min of tokens; ALTER TABLE audit.audit_events MODIFY SETTING non_",
    ),
    (
        table(
            replicated=True,
            replicated_deduplication_window="28800",
            replicated_deduplication_window_seconds="3600",
        ),
        "deduplication",
        "replicated_deduplication_window_seconds = 1209600",
    ),
]


@pytest.mark.parametrize(
    ("facts", "check", "said", "level"),
    [(*case, Level.BROKEN) for case in BROKEN] + [(*case, Level.WARNING) for case in WARNED],
)
def test_one_wrong_fact_is_one_complaint_with_its_remedy(
    facts: Facts, check: str, said: str, level: Level
) -> None:
    (complaint,) = complaints(facts)
    assert (complaint.check, complaint.level) == (check, level)
    assert complaint.remedy
    assert said in f"{complaint.text}; {complaint.remedy}"


def test_longer_retention_than_ours_is_no_fault() -> None:
    assert complaints(topic(EVENTS.name, config={"retention.ms": "-1"})) == []


def safe(facts: Facts) -> tuple[str, timedelta] | None:
    limit = shortest(facts.kafka, facts.now)
    return limit and (limit.what, limit.left)


def test_the_topic_whose_oldest_waiting_record_is_nearest_to_its_end_limits_an_outage() -> None:
    assert safe(GOOD) == (f"Kafka's retention of {CONTACT_CHANGES.name}", timedelta(days=5))


def test_of_two_partitions_that_wait_the_older_record_limits_an_outage() -> None:
    younger = GOOD.kafka.positions[-1]
    older = replace(younger, partition=1, waits_since=NOON - timedelta(days=6))
    facts = kafka(positions=(*GOOD.kafka.positions, older))
    assert safe(facts) == (f"Kafka's retention of {CONTACT_CHANGES.name}", timedelta(days=1))


def test_an_idle_groups_offsets_limit_an_outage_where_they_are_forgotten_first() -> None:
    facts = broker("offsets.retention.minutes", "10080")  # seven days, Kafka's default
    assert safe(facts) == (f"Kafka's memory of the offsets of {WINDOWS_GROUP}", timedelta(days=4))


def test_offsets_of_a_group_with_members_are_not_forgotten_while_they_are_there() -> None:
    busy = {WINDOWS_GROUP: GroupFacts(members=1, worked_at=NOON - timedelta(days=3))}
    facts = broker("offsets.retention.minutes", "10080")
    facts = replace(facts, kafka=replace(facts.kafka, groups=busy))
    assert safe(facts) == (f"Kafka's retention of {CONTACT_CHANGES.name}", timedelta(days=5))


def test_an_outage_has_no_limit_where_nothing_is_forgotten_by_age() -> None:
    assert safe(kafka(positions=(), groups={SINK_GROUP: GroupFacts(members=0)})) is None


def test_an_offset_without_a_note_is_believed() -> None:
    assert complaints(position(note=None)) == []


def test_a_tables_own_settings_hide_the_servers_defaults() -> None:
    engine = "MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 5, fsync_after_insert = 1"
    defaults = {**dict.fromkeys(SAFE, "0"), "replicated_deduplication_window": "10000"}
    assert settings_of("MergeTree ORDER BY a", defaults) == defaults
    assert settings_of(engine, defaults) == {
        "non_replicated_deduplication_window": "5",
        "replicated_deduplication_window": "10000",
        "replicated_deduplication_window_seconds": "0",
        "fsync_after_insert": "1",
        "fsync_part_directory": "0",
    }


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(days=5, hours=3, minutes=59), "5 d 3 h"),
        (timedelta(minutes=1, seconds=1), "1 min 1 s"),
        (timedelta(0), "0 s"),
    ],
)
def test_a_span_is_said_in_its_two_largest_units(span: timedelta, said: str) -> None:
    assert duration(span) == said
