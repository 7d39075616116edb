"""Runs `audit sink run` for the tests and waits for what it does, or inserts as it does, without Kafka."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager

from command import AUDIT
from confluent_kafka import Producer

from audit_schemas.settings import ClickHouse
from audit_schemas.topics import TOPICS
from audit_sinks import migrations
from audit_sinks.batches import Batch, Place, Refusal, Row
from audit_sinks.clickhouse import connect
from audit_sinks.insertion import Inserter
from audit_sinks.tables import FEEDS


def start_sink(environment: Mapping[str, str], **settings: str) -> "subprocess.Popen[bytes]":
    """A sink as a process of its own; the settings are AUDIT_… variables in lower case."""
    named = {f"AUDIT_{name.upper()}": value for name, value in settings.items()}
    return subprocess.Popen(
        [AUDIT, "sink", "run"], env={**os.environ, **environment, **named}, stderr=subprocess.DEVNULL
    )


@contextmanager
def running_sink(environment: Mapping[str, str], **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A sink for as long as the block runs."""
    process = start_sink(environment, **settings)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def publish(servers: str, topic: str, messages: Iterable[bytes | None], *, key: str = "") -> None:
    """Publish messages and wait until all are acknowledged."""
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "linger.ms": 5,
            "queue.buffering.max.messages": 10**6,
            "message.max.bytes": TOPICS[topic].limit,
            "log_level": 2,
        }
    )
    for number, message in enumerate(messages):
        producer.produce(topic, key=key or str(number), value=message)
        producer.poll(0)
    assert producer.flush(60) == 0


@contextmanager
def database(url: str, name: str) -> Iterator[ClickHouse]:
    """A database of one's own with all tables, so that counts are one's own."""
    server = ClickHouse.from_url(url)
    with connect(server, database="default") as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        list(migrations.apply(admin, name))
        yield server.model_copy(update={"database": name})
        admin.execute(f"DROP DATABASE {name}")


def insert(
    clickhouse: ClickHouse, topic: str, *payloads: bytes, first: int = 0, topic_id: str = "t"
) -> list[Refusal]:
    """Insert what lies in a topic from an offset on as one block; returns what is refused, by number."""
    refused: list[Refusal] = []
    inserter = Inserter(clickhouse, refuse=refused.extend, report=lambda _: None, refusal_limit=100)
    rows = [Row(first + index, payload, index) for index, payload in enumerate(payloads)]
    with closing(inserter):
        inserter.insert(FEEDS[topic], topic_id, Place(topic, 0), Batch(first, first + len(rows) - 1, rows))
    return refused


def wait_until(condition: Callable[[], bool], *, seconds: float, about: str) -> None:
    """Wait for something, and say what was missing where it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds} s still not: {about}"
        time.sleep(0.05)
