"""The processor on a real Kafka: what bad input becomes, and what kills and restarts do not lose."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from processing_worker import (
    CONTACT,
    ROLE,
    Places,
    audit,
    ends,
    eventually,
    is_caught_up,
    leads,
    publish,
    since,
    start_again,
    value,
    worker,
)

from audit_deploy.control import Stack
from audit_deploy.programs import KAFKA
from audit_deploy.stack import running
from audit_schemas.dead_letter import DeadLetter
from audit_schemas.directory import actor_key
from audit_schemas.topics import ACTORS, CHANGES, CONTACT_CHANGES, DEAD_LETTERS, EVENTS


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of our own: its Kafka is stopped and killed here."""
    with running(data_dir=tmp_path_factory.mktemp("stack"), workers=False) as stack:
        yield stack


@pytest.fixture(scope="module")
def topics(kafka: Stack) -> Stack:
    audit(kafka, "topics", "apply").check_returncode()
    eventually(lambda: leads(kafka))
    return kafka


def test_unequal_partitions_are_refused_by_the_command_and_by_the_worker(
    kafka: Stack, tmp_path: Path
) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.kafka})
    unequal = [NewTopic(CHANGES.name, 4, 1), NewTopic(EVENTS.name, 3, 1)]
    for future in admin.create_topics(unequal).values():
        future.result()
    try:
        applied = audit(kafka, "topics", "apply")
        assert applied.returncode == 1
        assert "audit.changes.v1 has 4, audit.events.v1 has 3" in applied.stderr
        assert "Traceback" not in applied.stderr
        with worker(kafka, tmp_path) as refused:
            assert refused.process.wait(timeout=20) == 1
            assert "topics are missing" in refused.log.read_text()
    finally:
        for future in admin.delete_topics([CHANGES.name, EVENTS.name]).values():
            future.result()
        eventually(lambda: not {CHANGES.name, EVENTS.name} & set(admin.list_topics(timeout=5).topics))


def test_topics_are_applied_once_and_a_drifted_setting_is_corrected(topics: Stack) -> None:
    again = audit(topics, "topics", "apply")
    assert len(again.stdout.splitlines()) - 1 == again.stdout.count("unchanged")
    listed = [json.loads(line) for line in audit(topics, "topics", "list", "--json").stdout.splitlines()]
    assert [{}] * len(listed) == [topic["drift"] for topic in listed]


def test_each_kind_of_input_becomes_what_it_must_and_the_events_around_it_arrive(
    topics: Stack, tmp_path: Path
) -> None:
    def event(**fields: Any) -> bytes:
        return json.dumps({**ROLE, "id": str(uuid4()), **fields}).encode()

    headers = [("ce_type", b"auditlane.event.v1")]
    changes = [
        {"field": f"f{number % 5000}", "old": number, "new": f"{number}.10"} for number in range(10_000)
    ]
    given: dict[str, dict[str, Any]] = {
        "good": {"value": event(), "key": b"k", "headers": headers},
        "bytes": {"value": b"\xff\x00not json", "key": b"k", "headers": headers},
        "tombstone": {"value": None, "key": b"k"},
        "wrong type": {"value": event(account=7), "key": b"k"},
        "no account": {"value": event(account=""), "key": b"k"},
        "no zone": {"value": event(occurred_at="2026-03-02T09:59:00"), "key": b"k"},
        "null key": {"value": event(), "key": None},
        "unknown field": {"value": event(mood={"is": 1.10}), "key": b"k"},
        "unknown module": {"value": event(module="crm"), "key": b"k"},
        "1970": {"value": event(occurred_at="1970-01-01T00:00:00Z"), "key": b"k"},
        "2199": {"value": event(occurred_at="2199-01-01T00:00:00Z"), "key": b"k"},
        "host name": {"value": event(origin={"address": "app.internal"}), "key": b"k"},
        "port": {"value": event(origin={"address": "[2a00:1450::1]:443"}), "key": b"k"},
        "many": {"value": event(changes=changes), "key": b"k"},
        "twice": {"value": event(changes=[{"field": "a", "new": 1}, {"field": "a", "new": 2}]), "key": b"k"},
        "contact": {"value": event(target={"type": "contact", "id": "c-1"}), "key": b"k", "headers": headers},
        "last": {"value": event(), "key": b"k"},
    }
    refused = {
        "bytes": "malformed",
        "tombstone": "malformed",
        "wrong type": "invalid",
        "no account": "invalid",
        "no zone": "invalid",
    }
    start = ends(topics)
    (first,) = [end for (_, number), end in ends(topics, [CHANGES.name]).items() if number == 2]
    publish(topics, [{"partition": 2, **record} for record in given.values()])
    with worker(topics, tmp_path) as running_worker:
        running_worker.until_ready()
        eventually(lambda: len(since(topics, start)[EVENTS.name]) >= len(given) - len(refused))
        assert running_worker.stop() < 3
    assert [running_worker.log] == list(tmp_path.iterdir()), "the worker leaves something in its folder"
    assert all(json.loads(line)["event"] for line in running_worker.log.read_text().splitlines())
    found = since(topics, start)
    messages = {
        json.loads(value(message))["source_offset"] - first: message for message in found[EVENTS.name]
    }
    names = list(given)
    assert [name for name in names if name not in refused] == [names[place] for place in sorted(messages)]
    made = {names[place]: json.loads(value(message)) for place, message in messages.items()}

    assert {2} == {message.partition() for message in messages.values()}
    assert headers == messages[0].headers()
    assert messages[names.index("null key")].key() == b"acme/role/1"
    assert made["unknown field"]["extra"] == '{"mood":{"is": 1.1}}'
    assert (
        made["unknown module"]["module"],
        made["unknown module"]["notes"],
    ) == ("roles_and_permissions", ["unknown module: crm"])
    for wild in ("1970", "2199"):
        assert made[wild]["claimed_at"].startswith(wild)
        assert made[wild]["received_at"] == made[wild]["occurred_at"]
    assert made["host name"]["origin"] == {"address": "app.internal", "place": "app.internal"}
    assert (made["port"]["origin"]["ip"], made["port"]["origin"]["scope"]) == ("2a00:1450::1", "global")
    assert [(c["old"], c["new"]) for c in made["many"]["changes"][:2]] == [("0", '"0.10"'), ("1", '"1.10"')]
    assert len(made["many"]["changes"]) == 10_000
    assert [change["new"] for change in made["twice"]["changes"]] == ["1", "2"]

    (contact,) = found[CONTACT_CHANGES.name]
    window = made["contact"]["window"]
    assert value(contact) == value(messages[names.index("contact")])
    assert [*headers, ("window", f"{window}-{window + 3 * 3600}".encode())] == contact.headers()
    assert (contact.partition(), window % (3 * 3600)) == (2, 0)

    letters = [DeadLetter.model_validate_json(value(message)) for message in found[DEAD_LETTERS.name]]
    assert refused == {names[letter.offset - first]: letter.reason for letter in letters}
    for letter in letters:
        assert given[names[letter.offset - first]]["value"] == letter.value_bytes()


def test_an_event_larger_than_its_topic_becomes_a_dead_letter(topics: Stack, tmp_path: Path) -> None:
    start = ends(topics)
    big = {**ROLE, "id": str(uuid4()), "reason": "x" * 5_000_000}
    producer = Producer(
        {"bootstrap.servers": topics.kafka, "message.max.bytes": 16_000_000, "compression.type": "zstd"}
    )
    producer.produce(CHANGES.name, json.dumps(big).encode(), b"k")
    assert not producer.flush(20)
    with worker(topics, tmp_path) as running_worker:
        running_worker.until_ready()
        eventually(lambda: bool(since(topics, start)[DEAD_LETTERS.name]))
    (message,) = since(topics, start)[DEAD_LETTERS.name]
    letter = DeadLetter.model_validate_json(value(message))
    assert letter.reason == "too_large"
    assert big == json.loads(letter.value_bytes() or b"")


def test_the_directory_completes_an_actor_and_a_bad_record_of_it_does_no_harm(
    topics: Stack, tmp_path: Path
) -> None:
    ada = {
        "account": "acme",
        "id": "7",
        "name": "Ada",
        "email": "ada@acme.test",
        "updated_at": "2026-01-01T00:00:00Z",
    }
    producer = Producer({"bootstrap.servers": topics.kafka})
    producer.produce(ACTORS.name, b"{", b"acme/6")
    producer.produce(ACTORS.name, json.dumps(ada).encode(), actor_key("acme", "7"))
    assert not producer.flush(20)
    start = ends(topics)
    publish(
        topics, [{"value": json.dumps({**ROLE, "id": str(uuid4()), "actor": {"type": "agent", "id": "7"}})}]
    )
    with worker(topics, tmp_path):
        eventually(lambda: bool(since(topics, start)[EVENTS.name]))
    (message,) = since(topics, start)[EVENTS.name]
    assert json.loads(value(message))["actor"]["name"] == "Ada"


def numbered(count: int) -> dict[UUID, dict[str, Any]]:
    """Records of many targets, by the ids of their events."""
    records = {}
    for number in range(count):
        event = {**CONTACT, "id": str(uuid4()), "target": {"type": "contact", "id": str(number % 997)}}
        records[UUID(str(event["id"]))] = {
            "value": json.dumps(event).encode(),
            "key": f"acme/contact/{number % 997}".encode(),
        }
    return records


def assert_complete(kafka: Stack, start: Places, published: dict[UUID, dict[str, Any]]) -> None:
    """Every event is in both topics, and the first copies keep the order of each partition."""
    found = since(kafka, start)
    for name in (EVENTS.name, CONTACT_CHANGES.name):
        newest: dict[int | None, int] = {}
        seen: set[UUID] = set()
        for message in found[name]:
            event = json.loads(value(message))
            if UUID(event["id"]) in seen:
                continue
            seen.add(UUID(event["id"]))
            assert event["source_partition"] == message.partition()
            assert event["source_offset"] > newest.get(message.partition(), -1)
            newest[message.partition()] = event["source_offset"]
        assert published.keys() == seen
    assert found[DEAD_LETTERS.name] == []


def appended(kafka: Stack, start: Places) -> int:
    """How many records the events got since then, repeats and a few marks included."""
    return sum(end - start[place] for place, end in ends(kafka, [EVENTS.name]).items())


@pytest.mark.slow
def test_nothing_is_lost_when_workers_are_stopped_and_killed(topics: Stack, tmp_path: Path) -> None:
    start, published = ends(topics), numbered(50_000)
    publish(topics, list(published.values()))
    for number, reached in ((signal.SIGTERM, 5_000), (signal.SIGKILL, 15_000), (signal.SIGTERM, 25_000)):
        with worker(topics, tmp_path) as stopped:
            eventually(lambda reached=reached: appended(topics, start) >= reached)  # type: ignore[misc]
            stopped.stop(number)
            assert stopped.process.returncode == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    assert appended(topics, start) < 50_000, "the workers were stopped too late to prove anything"
    with worker(topics, tmp_path):
        eventually(lambda: appended(topics, start) >= 50_000)
        eventually(lambda: is_caught_up(topics))
    assert_complete(topics, start, published)


def test_the_worker_waits_for_a_kafka_that_is_away_and_goes_on(topics: Stack, tmp_path: Path) -> None:
    start, published = ends(topics), numbered(30_000)
    with worker(topics, tmp_path) as waiting:
        waiting.until_ready()
        publish(topics, list(published.values()))
        eventually(lambda: appended(topics, start) > 0)
        topics.kill(KAFKA)
        eventually(lambda: "Kafka does not" in waiting.ready(), waiting.log.read_text)
        start_again(topics)
        waiting.until_ready()
        eventually(lambda: is_caught_up(topics), waiting.log.read_text, seconds=60)
        assert waiting.process.poll() is None
    assert_complete(topics, start, published)


@pytest.mark.slow
def test_a_worker_that_waits_for_kafka_can_be_stopped_and_loses_nothing(
    topics: Stack, tmp_path: Path
) -> None:
    start, published = ends(topics), numbered(20_000)
    with worker(topics, tmp_path) as waiting:
        waiting.until_ready()
        publish(topics, list(published.values()))
        eventually(lambda: appended(topics, start) > 0)
        topics.kill(KAFKA)
        eventually(lambda: "Kafka does not" in waiting.ready(), waiting.log.read_text)
        assert waiting.stop() < 5
    start_again(topics)
    with worker(topics, tmp_path) as going_on:
        eventually(lambda: is_caught_up(topics), going_on.log.read_text, seconds=60)
    assert_complete(topics, start, published)


def test_a_worker_that_starts_before_kafka_waits_and_can_be_stopped(topics: Stack, tmp_path: Path) -> None:
    topics.stop(KAFKA)
    try:
        with worker(topics, tmp_path) as waiting:
            eventually(lambda: "Kafka does not answer" in waiting.ready(), waiting.log.read_text)
            assert waiting.stop() < 2
            assert waiting.process.returncode == 0
    finally:
        start_again(topics)
