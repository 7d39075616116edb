"""What `audit topics apply` decides: create, correct, or refuse; never delete."""

import pytest

from audit_schemas.errors import Misconfigured
from audit_schemas.topics import CHANGES, CONTACT_CHANGES, EVENTS, TOPICS
from audit_stream_processors.topics_admin import Found, plan, wanted_config
from audit_stream_processors.worker import check_topics


def found(partitions: int = 4, replication: int = 1) -> dict[str, Found]:
    """All topics as they must be."""
    return {
        topic.name: Found(partitions, replication, {**wanted_config(topic, replication), "segment.ms": "1"})
        for topic in TOPICS.values()
    }


def test_an_empty_cluster_gets_every_topic() -> None:
    steps = plan({}, partitions=12, replication=3)
    assert list(TOPICS) == [step.topic.name for step in steps]
    assert {(12, 3, True)} == {(step.partitions, step.replication, step.create) for step in steps}


def test_what_is_as_it_must_be_stays() -> None:
    steps = plan(found(), partitions=12, replication=3)
    assert {"unchanged"} == {str(step) for step in steps}
    assert {4} == {step.partitions for step in steps}


def test_a_missing_topic_gets_the_partitions_of_those_that_it_must_equal() -> None:
    there = found(partitions=6)
    del there[EVENTS.name]
    (created,) = [step for step in plan(there, partitions=4, replication=1) if step.create]
    assert (EVENTS.name, 6) == (created.topic.name, created.partitions)


def test_settings_that_drifted_are_corrected() -> None:
    there = found()
    there[CHANGES.name].config["retention.ms"] = "1000"  # type: ignore[index] # a dict, here
    (step,) = [step for step in plan(there, partitions=4, replication=1) if step.drift]
    assert step.drift == {"retention.ms": ("1000", "1209600000")}
    assert str(step) == "corrected retention.ms 1000 -> 1209600000"


def test_unequal_partitions_are_refused_by_name() -> None:
    there = found()
    there[CONTACT_CHANGES.name] = Found(8, 1, {})
    with pytest.raises(Misconfigured, match=r"audit\.contact-changes\.v1 has 8") as refused:
        plan(there, partitions=4, replication=1)
    assert refused.value.remedy


def test_with_three_replicas_a_write_needs_two() -> None:
    assert [wanted_config(CHANGES, count)["min.insync.replicas"] for count in (1, 2, 3)] == ["1", "1", "2"]


def test_the_worker_accepts_topics_as_they_must_be() -> None:
    check_topics(found())


def test_the_worker_refuses_missing_topics() -> None:
    there = found()
    del there[EVENTS.name]
    with pytest.raises(Misconfigured, match=r"missing: audit\.events\.v1"):
        check_topics(there)


def test_the_worker_refuses_the_producers_clock() -> None:
    there = found()
    there[CHANGES.name] = Found(4, 1, {"message.timestamp.type": "CreateTime"})
    with pytest.raises(Misconfigured, match=r"LogAppendTime: audit\.changes\.v1"):
        check_topics(there)
