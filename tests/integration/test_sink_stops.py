"""When the sink stops rather than lose or skip something, and when a topic made anew loses nothing."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command import AUDIT
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from enriching import message
from sinking import running_sink, wait_until

from audit_deploy.control import Stack
from audit_deploy.stack import running
from audit_schemas.committed_offsets import CommittedOffsets
from audit_schemas.kafka import client_config
from audit_schemas.offset_note import OffsetNote
from audit_schemas.settings import ClickHouse
from audit_schemas.topics import EVENTS, SINK_GROUP
from audit_sinks.batches import Place
from audit_sinks.clickhouse import connect
from audit_sinks.errors import Misconfigured
from audit_sinks.journal import Position
from audit_sinks.membership import Membership, consumer_config
from audit_sinks.settings import SinkSettings

PARTITION = 0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of our own: its records are deleted and its topics made anew here."""
    with running(data_dir=tmp_path_factory.mktemp("stack"), workers=False) as stack:
        for command in (["topics", "apply"], ["migrate", "up"]):
            audit(stack, *command).check_returncode()
        yield stack


@pytest.fixture
def client(stack: Stack) -> Iterator[Any]:
    with connect(ClickHouse.from_url(stack.clickhouse)) as client:
        client.execute("TRUNCATE TABLE audit_events")
        yield client


@pytest.fixture(autouse=True)
def topic(stack: Stack) -> None:
    """Made anew for each test, whatever the one before did to it."""
    make_anew(stack)


def audit(stack: Stack, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **stack.environment}
    return subprocess.run([AUDIT, *arguments], env=environment, capture_output=True, text=True, check=False)


def admin(stack: Stack) -> AdminClient:
    return AdminClient({"bootstrap.servers": stack.kafka, "log_level": 0})


def make_anew(stack: Stack) -> None:
    """Delete the topic, with which the group's offsets go, and make it again."""
    client = admin(stack)
    client.delete_topics([EVENTS.name])[EVENTS.name].result()
    wait_until(lambda: EVENTS.name not in client.list_topics().topics, seconds=20, about="deleted")
    audit(stack, "topics", "apply").check_returncode()
    wait_until(lambda: leads(client), seconds=20, about="leaders")


def leads(client: AdminClient) -> bool:
    known = client.list_topics(EVENTS.name).topics[EVENTS.name].partitions
    return bool(known) and all(partition.leader >= 0 for partition in known.values())


def topic_id(stack: Stack) -> str:
    client = admin(stack)
    described = client.describe_topics(TopicCollection([EVENTS.name]))[EVENTS.name].result()
    return str(described.topic_id)


def publish(stack: Stack, first: int, count: int) -> None:
    """Publish into one partition."""
    producer = Producer({"bootstrap.servers": stack.kafka, "log_level": 0})
    for number in range(first, first + count):
        producer.produce(EVENTS.name, message(number, account="stops"), partition=PARTITION)
    assert producer.flush(30) == 0


def committed(stack: Stack) -> int:
    place = TopicPartition(EVENTS.name, PARTITION)
    with closing(CommittedOffsets(client_config(stack.kafka))) as offsets:
        return offsets.of(SINK_GROUP, [place])[0].offset


def commit(stack: Stack, offset: int, note: str) -> None:
    """A broker that has not been asked for the group yet needs a moment to load it."""
    place = TopicPartition(EVENTS.name, PARTITION, offset, metadata=note)
    client = admin(stack)

    def is_taken() -> bool:
        answer = client.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(SINK_GROUP, [place])])
        return answer[SINK_GROUP].result().topic_partitions[0].error is None

    wait_until(is_taken, seconds=20, about="the offset committed")


def stored(client: Any) -> tuple[int, int]:
    """Rows before any merging, and distinct events."""
    (counts,) = client.execute("SELECT count(), uniqExact(event_id) FROM audit_events")
    return int(counts[0]), int(counts[1])


def stops(stack: Stack, log: Path, **settings: str) -> str:
    """What a sink says that ends by itself."""
    named = {f"AUDIT_{name.upper()}": value for name, value in settings.items()}
    environment = {**os.environ, **stack.environment, **named}
    with log.open("wb") as output:
        sink = subprocess.Popen([AUDIT, "sink", "run"], env=environment, stderr=output)
        try:
            assert sink.wait(timeout=40) == 1
        finally:
            sink.kill()
            sink.wait()
    return log.read_text()


@pytest.mark.parametrize(
    ("offset", "end"),
    [
        pytest.param(5, None, id="retention has overtaken it"),
        pytest.param(5, 30, id="retention has taken the beginning of a journaled block"),
        pytest.param(1_000, None, id="the log is shorter than what was done"),
    ],
)
def test_an_offset_that_kafka_does_not_have_stops_the_sink(
    offset: int, end: int | None, stack: Stack, client: Any, tmp_path: Path
) -> None:
    publish(stack, 0, 40)
    commit(stack, offset, OffsetNote(topic=topic_id(stack), end=end).text())
    kafka = admin(stack)
    for deleted in kafka.delete_records([TopicPartition(EVENTS.name, PARTITION, 20)]).values():
        deleted.result()
    said = stops(stack, tmp_path / "log")
    assert f"{EVENTS.name}: Kafka does not have the next record to store" in said
    assert "--reset-offsets" in said
    assert (committed(stack), stored(client)) == (offset, (0, 0))


def test_an_offset_of_a_topic_that_was_made_anew_stops_the_sink(
    stack: Stack, client: Any, tmp_path: Path
) -> None:
    before = topic_id(stack)
    make_anew(stack)
    publish(stack, 0, 40)
    commit(stack, 10, OffsetNote(topic=before, end=20).text())
    said = stops(stack, tmp_path / "log")
    assert "was made anew" in said
    assert "--to-earliest" in said
    assert (committed(stack), stored(client)) == (10, (0, 0))


def test_what_a_topic_made_anew_holds_at_the_same_offsets_is_no_repeat(stack: Stack, client: Any) -> None:
    publish(stack, 0, 100)
    with running_sink(stack.environment):
        wait_until(lambda: stored(client) == (100, 100), seconds=30, about="the first topic's events")
    make_anew(stack)
    publish(stack, 100, 100)
    with running_sink(stack.environment):
        wait_until(lambda: stored(client) == (200, 200), seconds=30, about="the second topic's events")


def test_what_was_read_of_a_topic_made_anew_meanwhile_is_not_committed_for_the_old_one(stack: Stack) -> None:
    """Its consumer would read on, from the old one's offset."""
    settings = SinkSettings.load(kafka=stack.kafka, clickhouse=stack.clickhouse)
    consumer = Consumer(consumer_config(settings))
    try:
        running_one = Membership(consumer, admin(stack))
        running_one.find_topics([EVENTS.name])
        make_anew(stack)
        with pytest.raises(Misconfigured, match="was made anew"):
            running_one.commit({Place(EVENTS.name, PARTITION): Position(100, end=399)})
    finally:
        consumer.close()


@pytest.mark.slow
def test_a_journal_that_names_more_than_the_log_has_passes_nothing_that_comes_there(
    stack: Stack, client: Any
) -> None:
    publish(stack, 0, 40)
    commit(stack, 0, OffsetNote(topic=topic_id(stack), end=99).text())
    with running_sink(stack.environment):
        wait_until(lambda: stored(client) == (40, 40), seconds=30, about="what there is")
        wait_until(lambda: committed(stack) == 40, seconds=10, about="its end committed")
    publish(stack, 40, 40)
    with running_sink(stack.environment):
        wait_until(lambda: stored(client) == (80, 80), seconds=30, about="what came there")


@pytest.mark.slow
def test_of_two_sinks_with_one_name_the_first_stops_and_nothing_is_lost_or_doubled(
    stack: Stack, client: Any, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    environment = {**os.environ, **stack.environment, "AUDIT_SINK_INSTANCE": "same"}
    with log.open("wb") as output:
        first = subprocess.Popen([AUDIT, "sink", "run"], env=environment, stderr=output)
    try:
        publish(stack, 0, 100)
        wait_until(lambda: stored(client) == (100, 100), seconds=30, about="the first sink's events")
        with running_sink(stack.environment, sink_instance="same"):
            publish(stack, 100, 100)
            assert first.wait(timeout=40) == 1
            publish(stack, 200, 100)
            wait_until(lambda: stored(client)[1] == 300, seconds=30, about="the second sink's events")
            time.sleep(1.5)
    finally:
        first.kill()
        first.wait()
    assert "its own AUDIT_SINK_INSTANCE" in log.read_text()
    assert stored(client) == (300, 300)
