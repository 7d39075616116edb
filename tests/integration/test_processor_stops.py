"""When the processor stops rather than lose, skip or drain something, and how it goes on."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from processing_worker import (
    PARTITIONS,
    ROLE,
    Places,
    audit,
    commit,
    ends,
    eventually,
    is_caught_up,
    leads,
    publish,
    since,
    value,
    worker,
)
from proxy import Proxy

from audit_deploy.control import Stack
from audit_deploy.programs import KAFKA
from audit_deploy.stack import running
from audit_schemas.offset_note import OffsetNote
from audit_schemas.topics import CHANGES, DEAD_LETTERS, EVENTS

EARLY = Path(__file__).parents[1] / "support" / "early_worker.py"


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of our own: its records are deleted and its topics made anew here."""
    with running(data_dir=tmp_path_factory.mktemp("stack"), workers=False) as stack:
        audit(stack, "topics", "apply").check_returncode()
        eventually(lambda: leads(stack))
        yield stack


def test_an_offset_that_kafka_no_longer_has_stops_the_worker(topics: Stack, tmp_path: Path) -> None:
    for number in range(PARTITIONS):
        publish(topics, [{"partition": number, "value": event(), "key": b"k"}] * 2)
    admin = AdminClient({"bootstrap.servers": topics.kafka})
    everything = [
        TopicPartition(name, number, end) for (name, number), end in ends(topics, [CHANGES.name]).items()
    ]
    for deleted in admin.delete_records(everything).values():
        deleted.result()
    commit(topics, [TopicPartition(CHANGES.name, number, 1) for number in range(PARTITIONS)])
    with worker(topics, tmp_path) as stopped:
        assert stopped.process.wait(timeout=20) == 1
        assert "Kafka no longer has the next record to process: audit.changes.v1[" in stopped.log.read_text()
    commit(topics, everything)


def test_a_kafka_that_goes_while_the_worker_starts_is_waited_for(topics: Stack, tmp_path: Path) -> None:
    host, port = topics.kafka.rsplit(":", 1)
    with Proxy(host, int(port)) as proxy:
        proxy.keep_out(b"faust")  # what asks before has been answered; what begins to fetch is cut off
        with worker(topics, tmp_path, AUDIT_KAFKA=f"127.0.0.1:{proxy.port}") as waiting:
            eventually(lambda: "waiting for Kafka" in waiting.log.read_text(), waiting.log.read_text)
            assert waiting.process.poll() is None
            proxy.heal()
            waiting.until_ready()
            proxy.keep_out(b"faust")
        with worker(topics, tmp_path, AUDIT_KAFKA=f"127.0.0.1:{proxy.port}") as waiting:
            said = waiting.log.read_text().count("waiting for Kafka")
            eventually(lambda: waiting.log.read_text().count("waiting for Kafka") > said)
            assert waiting.stop() < 10


def test_partitions_that_kafka_does_not_show_at_first_are_taken_soon(topics: Stack, tmp_path: Path) -> None:
    """As after a start of Kafka, which answers before it shows its topics."""
    name = f"late-{uuid4()}"
    command = [sys.executable, str(EARLY), topics.kafka, name, str(tmp_path)]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as early:
        said = (tmp_path / "log").read_text
        try:
            eventually(lambda: "Ignoring missing topic" in said(), said)
            admin = AdminClient({"bootstrap.servers": topics.kafka})
            admin.create_topics([NewTopic(name, 1, 1)])[name].result()
            eventually(lambda: "assigned" in said(), said, seconds=20)
        finally:
            early.kill()


def event() -> bytes:
    return json.dumps({**ROLE, "id": str(uuid4())}).encode()


def poison(kafka: Stack, count: int) -> None:
    publish(kafka, [{"partition": 1, "value": b"no event", "key": b"k"}] * count)


def drained(kafka: Stack, start: Places) -> set[int]:
    """The offsets that have become dead letters since then, however often."""
    letters = since(kafka, start)[DEAD_LETTERS.name]
    return {json.loads(value(letter))["offset"] for letter in letters}


def test_too_many_refused_in_a_row_stop_the_worker_and_a_restart_drains_no_more(
    topics: Stack, tmp_path: Path
) -> None:
    start = ends(topics)
    limited = {"AUDIT_PROCESSOR_REFUSAL_LIMIT": "20", "AUDIT_PROCESSOR_RUN_RECORDS": "3"}
    poison(topics, 12)
    with worker(topics, tmp_path, **limited) as counting:
        eventually(lambda: is_caught_up(topics), counting.log.read_text)
    assert len(drained(topics, start)) == 12

    poison(topics, 12)
    publish(topics, [{"partition": 1, "value": event(), "key": b"k"}])
    for _ in range(3):
        with worker(topics, tmp_path, **limited) as stopped:
            assert stopped.process.wait(timeout=30) == 1
        assert "20 records in a row are refused" in stopped.log.read_text()
        assert "AUDIT_PROCESSOR_REFUSAL_LIMIT" in stopped.log.read_text()
    # It stops within a run of three, whose first two letters may still be on their way: they come again.
    assert 18 <= len(drained(topics, start)) <= 20

    with worker(topics, tmp_path, AUDIT_PROCESSOR_REFUSAL_LIMIT="0") as going_on:
        eventually(lambda: is_caught_up(topics), going_on.log.read_text)
    assert len(drained(topics, start)) == 24
    assert len(since(topics, start)[EVENTS.name]) == 1


def test_an_event_among_the_refused_ones_begins_the_count_anew(topics: Stack, tmp_path: Path) -> None:
    start = ends(topics)
    for _ in range(3):
        poison(topics, 15)
        publish(topics, [{"partition": 1, "value": event(), "key": b"k"}])
    with worker(topics, tmp_path, AUDIT_PROCESSOR_REFUSAL_LIMIT="20") as going_on:
        eventually(lambda: is_caught_up(topics), going_on.log.read_text)
        assert going_on.process.poll() is None
    assert len(drained(topics, start)) == 45


def test_a_run_that_hangs_makes_the_worker_leave_and_comes_again(topics: Stack, tmp_path: Path) -> None:
    start = ends(topics, [EVENTS.name])
    pid = topics.pid(KAFKA)
    assert pid is not None
    publish(topics, [{"partition": 1, "value": event(), "key": b"k"}] * 60_000)
    settings = {"AUDIT_PROCESSOR_STALL_SECONDS": "2", "AUDIT_PROCESSOR_RUN_RECORDS": "100"}
    with worker(topics, tmp_path, **settings) as hanging:
        eventually(lambda: sum(ends(topics, [EVENTS.name]).values()) > sum(start.values()) + 1000)
        os.kill(pid, signal.SIGSTOP)
        try:
            assert hanging.process.wait(timeout=30) == 1
        finally:
            os.kill(pid, signal.SIGCONT)
        assert "has been in hand for 2 s" in hanging.log.read_text()
    with worker(topics, tmp_path) as going_on:
        eventually(lambda: is_caught_up(topics), going_on.log.read_text)
    offsets = {json.loads(value(message))["source_offset"] for message in since(topics, start)[EVENTS.name]}
    assert len(offsets) == 60_000


def test_a_topic_that_was_made_anew_is_read_from_its_first_record(topics: Stack, tmp_path: Path) -> None:
    publish(topics, [{"partition": 1, "value": event(), "key": b"k"}] * 20)
    with worker(topics, tmp_path) as first:
        eventually(lambda: is_caught_up(topics), first.log.read_text)
    make_anew(topics)
    start = ends(topics)
    publish(topics, [{"partition": 1, "value": event(), "key": b"k"}] * 50)

    with worker(topics, tmp_path) as second:
        eventually(lambda: is_caught_up(topics), second.log.read_text)
    assert len(since(topics, start)[EVENTS.name]) == 50


def test_a_topic_that_is_made_anew_stops_the_worker_that_reads_it(topics: Stack, tmp_path: Path) -> None:
    publish(topics, [{"partition": 1, "value": event(), "key": b"k"}] * 20)
    with worker(topics, tmp_path) as stopped:
        eventually(lambda: is_caught_up(topics), stopped.log.read_text)
        make_anew(topics)
        publish(topics, [{"partition": 1, "value": event(), "key": b"k"}] * 200)
        assert stopped.process.wait(timeout=20) == 1
    assert "was made anew" in stopped.log.read_text()
    commit(topics, [TopicPartition(*place, end) for place, end in ends(topics, [CHANGES.name]).items()])


def make_anew(topics: Stack) -> None:
    """Delete audit.changes and create it again."""
    admin = AdminClient({"bootstrap.servers": topics.kafka})
    admin.delete_topics([CHANGES.name])[CHANGES.name].result()
    eventually(lambda: CHANGES.name not in admin.list_topics(timeout=5).topics)
    audit(topics, "topics", "apply").check_returncode()
    eventually(lambda: leads(topics))


def test_an_offset_of_another_topic_of_that_name_stops_the_worker(topics: Stack, tmp_path: Path) -> None:
    first = ends(topics, [CHANGES.name])[CHANGES.name, 1]
    publish(topics, [{"partition": 1, "value": event(), "key": b"k"}] * 20)
    start, note = ends(topics), OffsetNote("mirrored").text()
    commit(topics, [TopicPartition(CHANGES.name, 1, first + 7, metadata=note)])

    with worker(topics, tmp_path) as stopped:
        assert stopped.process.wait(timeout=30) == 1
    assert "was made anew, or is a mirror" in stopped.log.read_text()
    assert since(topics, start)[EVENTS.name] == []

    commit(topics, [TopicPartition(CHANGES.name, 1, first + 7)])
    with worker(topics, tmp_path) as going_on:
        eventually(lambda: is_caught_up(topics), going_on.log.read_text)
    made = [json.loads(value(message))["source_offset"] for message in since(topics, start)[EVENTS.name]]
    assert made == list(range(first + 7, first + 20))
