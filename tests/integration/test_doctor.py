"""`audit doctor` on real servers, each fault made by hand: a stack of its own, since it spoils settings."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from command import AUDIT
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # not in __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from kafka_records import records_of
from sinking import publish, wait_until

from audit_deploy.stack import running
from audit_schemas import topics
from audit_schemas.offset_note import OffsetNote
from audit_schemas.settings import ClickHouse
from audit_sinks.clickhouse import connect
from audit_sinks.doctor.kafka_facts import read


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Any]:
    with running(workers=False) as stack:
        for command in (["topics", "apply"], ["migrate", "up"]):
            _audit(stack, *command).check_returncode()
        yield stack


def test_a_fresh_stack_has_nothing_broken(own_stack: Any) -> None:
    answer = _audit(own_stack, "doctor")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "safe for 7 d (Kafka's retention of audit.contact-changes.v1)" in " ".join(answer.stdout.split())


def test_each_spoilt_setting_is_named_with_its_remedy(own_stack: Any) -> None:
    _alter_topic(own_stack, topics.EVENTS.name, "retention.ms", "3600000")
    _alter_topic(own_stack, topics.CHANGES.name, "message.timestamp.type", "CreateTime")
    with connect(ClickHouse.from_url(own_stack.clickhouse)) as client:
        client.execute("ALTER TABLE audit_events RESET SETTING non_replicated_deduplication_window")
        client.execute("ALTER TABLE accounts MODIFY SETTING fsync_after_insert = 0")
    found = _broken(own_stack)
    assert {check: remedy for check, (_, remedy) in found.items()} == {
        "append time": "run `audit topics apply`",
        "retention": "run `audit topics apply`",
        "deduplication": "ALTER TABLE audit.audit_events MODIFY SETTING "
        "non_replicated_deduplication_window = 9600",
        "durability": "ALTER TABLE audit.accounts MODIFY SETTING fsync_after_insert = 1",
    }
    _do(own_stack, found["deduplication"][1], found["durability"][1])
    assert _broken(own_stack) == {}


def test_lost_and_impossible_offsets_are_told_with_their_numbers(own_stack: Any) -> None:
    admin = AdminClient({"bootstrap.servers": own_stack.kafka, "log_level": 2})
    publish(own_stack.kafka, topics.CHANGES.name, [b"{}"] * 5, key="same")
    publish(own_stack.kafka, topics.PRODUCERS.name, [b"{}"] * 5, key="same")
    changes = _filled(own_stack, topics.CHANGES.name)
    for deletion in admin.delete_records([TopicPartition(*changes, 4)]).values():
        deletion.result()
    _commit(admin, topics.PROCESSOR_GROUP, TopicPartition(*changes, 1))
    producers = _filled(own_stack, topics.PRODUCERS.name)
    _commit(admin, topics.SINK_GROUP, TopicPartition(*producers, 9))
    found = _broken(own_stack)
    assert {check: text for check, (text, _) in found.items()} == {
        topics.PROCESSOR_GROUP: "3 records left Kafka before they were done: "
        f"audit.changes.v1 [{changes[1]}] at 1 of 4-5",
        topics.SINK_GROUP: "the offset is beyond the end, so the topic was made anew: "
        f"audit.producers.v1 [{producers[1]}] at 9 of 0-5",
    }
    assert all("--reset-offsets" in remedy for _, remedy in found.values())


def test_an_offset_of_a_topic_that_was_made_anew_and_has_grown_past_it_is_told(own_stack: Any) -> None:
    topic, admin = (
        topics.DEAD_LETTERS.name,
        AdminClient({"bootstrap.servers": own_stack.kafka, "log_level": 2}),
    )
    first = read(own_stack.kafka).topics[topic].id
    admin.delete_topics([topic])[topic].result()
    wait_until(lambda: topic not in read(own_stack.kafka).topics, seconds=20, about="the topic away")
    _audit(own_stack, "topics", "apply").check_returncode()
    second = read(own_stack.kafka).topics[topic].id
    publish(own_stack.kafka, topic, [b"{}"] * 5, key="same")
    place = _filled(own_stack, topic)

    _commit(admin, topics.SINK_GROUP, TopicPartition(*place, 2, metadata=OffsetNote(topic=second).text()))
    assert "another topic" not in _broken(own_stack).get(topics.SINK_GROUP, ("", ""))[0]

    _commit(admin, topics.SINK_GROUP, TopicPartition(*place, 2, metadata=OffsetNote(topic=first).text()))
    text, remedy = _broken(own_stack)[topics.SINK_GROUP]
    assert text.endswith(f"made anew, or is a mirror: {topic} [{place[1]}] at 2 of 0-5")
    assert "--to-earliest" in remedy
    _commit(admin, topics.SINK_GROUP, TopicPartition(*place, 5))


def test_offsets_of_a_group_without_members_run_out_from_its_last_work_on(own_stack: Any) -> None:
    facts = read(own_stack.kafka)

    assert facts.groups[topics.SINK_GROUP].members == 0
    worked, now = facts.groups[topics.SINK_GROUP].worked_at, datetime.now(UTC)
    assert worked is not None
    assert timedelta(0) < now - worked < timedelta(minutes=5)
    assert facts.groups[topics.WINDOWS_GROUP].worked_at is None, "it has never worked"


def test_a_group_waits_since_the_append_of_its_first_record_that_is_not_done(own_stack: Any) -> None:
    topic, admin = (
        topics.CONTACT_BATCHES.name,
        AdminClient({"bootstrap.servers": own_stack.kafka, "log_level": 2}),
    )
    for content in (b"x" * topics.MIB, b"{}"):
        publish(own_stack.kafka, topic, [content], key="same")
    first, second = (record.timestamp()[1] for record in records_of(own_stack.kafka, topic))
    assert first < second
    place = _filled(own_stack, topic)
    assert _waits_since(own_stack, place) == first
    _commit(admin, topics.SINK_GROUP, TopicPartition(*place, 1))
    assert _waits_since(own_stack, place) == second
    _commit(admin, topics.SINK_GROUP, TopicPartition(*place, 2))
    assert _waits_since(own_stack, place) is None


def _waits_since(stack: Any, place: tuple[str, int]) -> int | None:
    """In milliseconds, as Kafka has it."""
    (at,) = (at for at in read(stack.kafka).positions if (at.topic, at.partition) == place)
    return round(at.waits_since.timestamp() * 1000) if at.waits_since else None


def _audit(stack: Any, *command: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **stack.environment}
    return subprocess.run([AUDIT, *command], env=environment, capture_output=True, text=True, check=False)


def _broken(stack: Any) -> dict[str, tuple[str, str]]:
    """Text and remedy by check; the exit code says whether there is any."""
    answer = _audit(stack, "doctor", "--json")
    document = json.loads(answer.stdout)
    found = {
        finding["check"]: (finding["text"], finding["remedy"])
        for finding in document["findings"]
        if finding["level"] == "broken"
    }
    assert (answer.returncode, document["broken"]) == (int(bool(found)), bool(found))
    return found


def _do(stack: Any, *statements: str) -> None:
    """What the remedies say."""
    _audit(stack, "topics", "apply").check_returncode()
    with connect(ClickHouse.from_url(stack.clickhouse)) as client:
        for statement in statements:
            client.execute(statement)


def _alter_topic(stack: Any, topic: str, setting: str, value: str) -> None:
    entry = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": stack.kafka, "log_level": 2})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


def _filled(stack: Any, topic: str) -> tuple[str, int]:
    """The one partition of a topic that has records."""
    (place,) = {
        (at.topic, at.partition) for at in read(stack.kafka).positions if at.topic == topic and at.end
    }
    return place


def _commit(admin: AdminClient, group: str, offset: TopicPartition) -> None:
    request = [ConsumerGroupTopicPartitions(group, [offset])]
    for future in admin.alter_consumer_group_offsets(request).values():
        future.result()
