"""Records that retention takes from a worker that was away: told, never skipped, and nothing else is lost."""

import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from sinking import wait_until

from audit_schemas.topics import CHANGES, CONTACT_CHANGES, EVENTS

from .groups import members
from .log import Places, offset_of, partition_of
from .point_cases import GROUPS
from .rig import Rig
from .traffic import Mix, Traffic
from .verdict import in_report, verified
from .workers import PARTS

SOURCES = {"processor": CHANGES.name, "windows": CONTACT_CHANGES.name, "sink": EVENTS.name}
SAID = {
    "processor": "Kafka no longer has the next record to process",
    "windows": "Kafka no longer has the next record to process",
    "sink": "Kafka does not have the next record to store",
}
MISSING = {
    "processor": {"acknowledged, not in the log", "missing"},
    "windows": {"missing"},
    "sink": {"acknowledged, not in the log"},
}
"""Where it shows, in the oracle's words."""
TOLD_BY = {"processor": ("producers",), "windows": ("contacts",), "sink": ("producers", "offsets")}
"""The checks of `audit verify` that name what is missing."""


def take(rig: Rig, part: str) -> set[UUID]:
    """Delete the first half of what waits for a worker; returns the events in it."""
    topic = SOURCES[part]
    records = rig.judge.keep(topic)
    committed = rig.judge.committed(GROUPS[part], {(topic, partition_of(record)) for record in records})
    waiting = [record for record in records if offset_of(record) >= committed[topic, partition_of(record)]]
    bounds: Places = {}
    for place in committed:
        offsets = [offset_of(record) for record in waiting if partition_of(record) == place[1]]
        if offsets:
            bounds[place] = offsets[len(offsets) // 2]
    admin = AdminClient({"bootstrap.servers": rig.stack.kafka})
    for deleted in admin.delete_records(
        [TopicPartition(*place, to) for place, to in bounds.items()]
    ).values():
        deleted.result(timeout=30)
    return ids([record for record in waiting if offset_of(record) < bounds[topic, partition_of(record)]])


def ids(records: Sequence[Message]) -> set[UUID]:
    """Of the events among some records: neither ticks nor marks have one."""
    found = [json.loads(record.value() or b"{}").get("id") for record in records]
    return {UUID(id_) for id_ in found if id_}


def go_on_at_the_earliest(rig: Rig, part: str) -> None:
    """What `kafka-consumer-groups.sh --reset-offsets --to-earliest --execute` does, as the worker told.

    Like that it is refused while the group has members: one that has ended is one for the time of a session.
    """
    topic, group = SOURCES[part], GROUPS[part]
    wait_until(lambda: not members(rig.stack.kafka, group), seconds=60, about=f"nobody in {group}")
    admin = AdminClient({"bootstrap.servers": rig.stack.kafka})
    earliest = [TopicPartition(*place, offset) for place, offset in rig.judge.starts(topic).items()]
    (done,) = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, earliest)]).values()
    assert [place.error for place in done.result(timeout=30).topic_partitions if place.error] == []


@pytest.mark.slow
@pytest.mark.spare
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", PARTS)
def test_retention_passes_the_committed_offset_of_a_worker_that_was_away(rig: Rig, part: str) -> None:
    with in_report(rig) as row:
        with Traffic(rig.stack.kafka, rig.choose, Mix(resends=0, backfill=0)) as traffic:
            rig.complete()
            rig.pause(3.0, 4.0)
            rig.crew.any(part).stop()
            rig.pause(4.0, 6.0)
            taken = take(rig, part)
            for _ in range(2):
                stopped = rig.start(part)
                assert stopped.ended(120) == 1
                assert SAID[part] in stopped.said()
                assert "--reset-offsets" in stopped.said()
            go_on_at_the_earliest(rig, part)
            rig.complete()
            time.sleep(1)
        row.events = traffic.acknowledged
        found = rig.judge.found(traffic)
        assert rig.crew.fallen() == []
        faults = {what: set(where) for what, where in found.faults(traffic, [rig.length]).items()}
        print({what: len(where) for what, where in faults.items()}, f"{len(taken):,} taken")
        assert faults.keys() <= MISSING[part]
        missing = set().union(*faults.values())
        # What the worker had handed on, and could not commit when it was stopped, is there.
        assert missing
        assert missing <= taken
        checks = json.loads(verified(rig, found).stdout)["checks"]
        for name in TOLD_BY[part]:
            assert told(checks[name]) == len(missing)


def told(check: Any) -> int:
    """How many are missing, or may be: what Kafka has deleted might have been repeats of what is stored."""
    notes = check["notes"].get("no_longer_in_kafka", {"events": 0})
    return int(check["faults"]["missing"]["events"] + notes["events"])
