"""The sink as a process, between the real Kafka and the real ClickHouse."""

import json
import os
import random
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from enriching import event_id, message
from sinking import AUDIT, publish, running_sink, start_sink, wait_until

from audit_schemas import topics
from audit_schemas.settings import ClickHouse
from audit_schemas.wire import encode
from audit_sinks.batches import Place
from audit_sinks.clickhouse import connect
from audit_sinks.errors import Fenced
from audit_sinks.journal import Position
from audit_sinks.membership import Membership, consumer_config
from audit_sinks.settings import SinkSettings


@pytest.fixture
def client(stack: Any) -> Iterator[Any]:
    with connect(ClickHouse.from_url(stack.clickhouse)) as client:
        yield client


def stored(client: Any, account: str) -> int:
    """Rows before any merging by FINAL: a repeat would count."""
    return int(
        client.execute("SELECT count() FROM audit_events WHERE account_id = %(a)s", {"a": account})[0][0]
    )


def audit(stack: Any, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **stack.environment}
    return subprocess.run([AUDIT, *arguments], env=environment, capture_output=True, text=True, check=False)


def test_a_bad_message_becomes_a_dead_letter_and_the_others_are_stored(stack: Any, client: Any) -> None:
    good = [message(number, account="drift") for number in range(1, 41)]
    bad = [
        b"no json",
        None,
        message(41, account="drift", occurred_at=datetime(1970, 1, 1, tzinfo=UTC)),
        message(42, account="drift")[:-1],
        encode({"account": "drift"}),
    ]
    begin = datetime.now(UTC)
    with running_sink(stack.environment):
        publish(stack.kafka, topics.EVENTS.name, [*good[:20], *bad, *good[20:]], key="one partition")
        wait_until(lambda: stored(client, "drift") == 40, seconds=30, about="40 events stored")
        letters = (
            "SELECT reason, count() FROM dead_letters FINAL "
            f"WHERE stage = 'sink' AND received_at >= '{begin:%F %T}' GROUP BY reason"
        )
        expected = {"malformed": 3, "invalid": 1, "rejected": 1}
        wait_until(lambda: dict(client.execute(letters)) == expected, seconds=10, about="5 dead letters")
    listed = [json.loads(line) for line in audit(stack, "dead-letters", "list", "--json").stdout.splitlines()]
    (unreadable,) = [letter for letter in listed if "malformed" in letter["detail"]]
    shown = audit(stack, "dead-letters", "view", unreadable["id"], "--value")
    assert shown.stdout == "no json"
    assert "audit.events.v1" in audit(stack, "dead-letters", "list").stdout


def test_a_dead_letter_that_is_itself_refused_does_not_loop(stack: Any, client: Any) -> None:
    def ends() -> int:
        consumer = Consumer({"bootstrap.servers": stack.kafka, "group.id": "ends"})
        try:
            known = consumer.list_topics(topics.DEAD_LETTERS.name).topics[topics.DEAD_LETTERS.name]
            places = [TopicPartition(topics.DEAD_LETTERS.name, number) for number in known.partitions]
            return sum(consumer.get_watermark_offsets(place)[1] for place in places)
        finally:
            consumer.close()

    publish(stack.kafka, topics.DEAD_LETTERS.name, [b"not even a dead letter"])
    before = ends()
    with running_sink(stack.environment):
        publish(stack.kafka, topics.EVENTS.name, [message(1, account="after the loop")])
        wait_until(lambda: stored(client, "after the loop") == 1, seconds=30, about="the next event stored")
        time.sleep(1)
    assert ends() == before


def test_directory_and_producers_reach_their_tables(stack: Any, client: Any) -> None:
    at = "2026-03-02T09:00:00Z"
    account = {"id": "dir", "name": "Old", "zone": "Europe/Berlin", "updated_at": at}
    newer = {**account, "name": "New", "updated_at": "2026-03-02T10:00:00Z"}
    actor = {
        "account": "dir",
        "id": "7",
        "permissions": ["View Audit logs"],
        "active": False,
        "updated_at": at,
    }
    record = {"service": "helpdesk", "instance": "dir-1", "kind": "stop", "sequence": 9, "at": at}
    publish(stack.kafka, topics.ACCOUNTS.name, [encode(newer), encode(account), None], key="dir")
    publish(stack.kafka, topics.ACTORS.name, [encode(actor)])
    publish(stack.kafka, topics.PRODUCERS.name, [encode(record)])
    count = "SELECT count() FROM {} WHERE {}"
    with running_sink(stack.environment):
        wait_until(
            lambda: (
                client.execute(count.format("producer_records", "instance = 'dir-1'")) == [(1,)]
                and client.execute(count.format("actors", "account_id = 'dir'")) == [(1,)]
                and client.execute(count.format("accounts", "account_id = 'dir'"))[0][0] >= 1
            ),
            seconds=30,
            about="the directory stored",
        )
    assert client.execute("SELECT name, zone FROM accounts FINAL WHERE account_id = 'dir'") == [
        ("New", "Europe/Berlin")
    ]
    assert client.execute("SELECT permissions, active FROM actors FINAL WHERE account_id = 'dir'") == [
        (["View Audit logs"], False)
    ]


def test_a_single_event_does_not_wait_for_others_and_the_sink_leaves_in_order(
    stack: Any, client: Any
) -> None:
    with running_sink(stack.environment, http_port="19471") as sink:

        def ready() -> bool:
            try:
                with urllib.request.urlopen("http://127.0.0.1:19471/readyz") as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        wait_until(ready, seconds=30, about="the sink ready")
        for number in range(5):
            publish(stack.kafka, topics.EVENTS.name, [message(number, account="latency")])
            wait_until(lambda n=number: stored(client, "latency") > n, seconds=10, about="stored")
        with urllib.request.urlopen("http://127.0.0.1:19471/metrics") as answer:
            metrics = answer.read().decode()
        assert 'audit_events_total{outcome="passed",stage="sink"}' in metrics
        assert 'audit_build_info{part="sink",' in metrics
        sink.send_signal(signal.SIGTERM)
        assert sink.wait(timeout=10) == 0
    lags = json.loads(audit(stack, "status", "--json").stdout)["lags"]
    assert sum(lag["records"] for lag in lags if lag["group"] == topics.SINK_GROUP) == 0


def test_trace_follows_an_event_and_says_where_a_missing_one_is(stack: Any, client: Any) -> None:
    now = datetime.now(UTC)
    found, waiting = event_id(1, now), event_id(2, now)
    raw = {"id": str(found), "producer": {"service": "helpdesk", "instance": "i-1", "sequence": 12}}
    publish(stack.kafka, topics.CHANGES.name, [encode(raw), encode({"id": str(waiting)})], key="x")
    # The processor keeps the partition, and says where it read the event.
    consumer = Consumer({"bootstrap.servers": stack.kafka, "group.id": "places"})
    place, offset = _find(consumer, str(found).encode())
    event = message(
        1,
        id=found,
        account="trace",
        occurred_at=now,
        received_at=now - timedelta(seconds=1),
        source_partition=place,
        source_offset=offset,
    )
    publish(stack.kafka, topics.EVENTS.name, [event], key="x")
    with running_sink(stack.environment):
        wait_until(lambda: stored(client, "trace") == 1, seconds=30, about="the event stored")
    traced = audit(stack, "trace", str(found), "--json")
    assert traced.returncode == 0, traced.stdout + traced.stderr
    assert json.loads(traced.stdout)["missing"] == []
    assert "published by helpdesk/i-1, its number 12" in audit(stack, "trace", str(found)).stdout
    lost = audit(stack, "trace", str(waiting), "--json")
    assert (lost.returncode, json.loads(lost.stdout)["missing"][0]) == (3, topics.EVENTS.name)
    timeless = audit(stack, "trace", str(UUID(int=1)))
    assert (timeless.returncode, "--since" in timeless.stderr) == (1, True)


def _find(consumer: Consumer, wanted: bytes) -> tuple[int, int]:

    known = consumer.list_topics(topics.CHANGES.name).topics[topics.CHANGES.name]
    consumer.assign([TopicPartition(topics.CHANGES.name, n, OFFSET_BEGINNING) for n in known.partitions])
    try:
        for record in consumer.consume(100_000, 3.0):
            if wanted in (record.value() or b""):
                return record.partition() or 0, record.offset() or 0
    finally:
        consumer.close()
    raise AssertionError("not published")


def test_kill_9_at_random_loses_and_doubles_nothing(stack: Any, client: Any) -> None:
    total, chance = 100_000, random.Random(7)
    sink = start_sink(stack.environment, sink_instance="killed", sink_rows="5000")
    for part in range(10):
        numbers = range(part * total // 10, (part + 1) * total // 10)
        publish(stack.kafka, topics.EVENTS.name, (message(n, account="killed") for n in numbers))
        if part % 2:
            time.sleep(chance.uniform(0, 0.6))
            sink.kill()
            sink.wait()
            sink = start_sink(stack.environment, sink_instance="killed", sink_rows="5000")
    try:
        wait_until(lambda: stored(client, "killed") >= total, seconds=60, about="all events stored")
        time.sleep(1.5)
    finally:
        sink.terminate()
        sink.wait()
    distinct = client.execute("SELECT uniqExact(event_id) FROM audit_events WHERE account_id = 'killed'")
    assert (stored(client, "killed"), distinct) == (total, [(total,)])


def test_a_zombies_commit_is_refused(stack: Any) -> None:
    settings = SinkSettings.load(kafka=stack.kafka, clickhouse=stack.clickhouse, sink_instance="zombie")
    joined: list[Any] = []
    consumers = [Consumer(consumer_config(settings)) for _ in range(2)]
    try:
        for number, consumer in enumerate(consumers):
            consumer.subscribe(
                [topics.EVENTS.name], on_assign=lambda _, partitions, n=number: joined.append((n, partitions))
            )

            def turned(consumer: Consumer = consumer, number: int = number) -> bool:
                consumer.poll(0.1)
                return any(n == number and partitions for n, partitions in joined)

            wait_until(turned, seconds=30, about="the consumer joined")
        zombie = Membership(consumers[0], AdminClient({"bootstrap.servers": stack.kafka}))
        zombie.find_topics([topics.EVENTS.name])
        with pytest.raises(Fenced):
            zombie.commit({Place(topics.EVENTS.name, 0): Position(0, end=9)})
    finally:
        for consumer in consumers:
            consumer.close()
