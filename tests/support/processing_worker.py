"""Runs `audit processor run` on a real Kafka, and reads what it has made."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from command import AUDIT
from confluent_kafka import (
    Consumer,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from audit_deploy.control import Stack
from audit_deploy.programs import KAFKA
from audit_schemas.committed_offsets import CommittedOffsets
from audit_schemas.kafka import client_config
from audit_schemas.mark import is_mark
from audit_schemas.topics import CHANGES, CONTACT_CHANGES, DEAD_LETTERS, EVENTS, PROCESSOR_GROUP

PARTITIONS = 4
EVENT = {"account": "acme", "occurred_at": "2026-03-02T09:59:00Z", "action": "update"}
ROLE = {**EVENT, "target": {"type": "role", "id": "1"}}
CONTACT = {**EVENT, "target": {"type": "contact", "id": "c-1"}}


def audit(kafka: Stack, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AUDIT, *command], env=environment(kafka), capture_output=True, text=True, timeout=30, check=False
    )


def environment(kafka: Stack, **more: str) -> dict[str, str]:
    return {**os.environ, "AUDIT_KAFKA": kafka.kafka, **more}


class Worker:
    """One `audit processor run`."""

    def __init__(self, kafka: Stack, log: Path, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = log
        defaults = {"AUDIT_HTTP_PORT": str(self.port), "AUDIT_PROCESSOR_RUN_RECORDS": "500"}
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [AUDIT, "processor", "run"],
                env=environment(kafka, **{**defaults, **settings}),
                stdout=output,
                stderr=output,
                cwd=log.parent,
            )

    def ready(self) -> str:
        """What /readyz says; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return str(answer.read().decode().strip())
        except urllib.error.HTTPError as refused:
            with refused:
                return str(refused.read().decode().strip())
        except OSError:
            return ""

    def until_ready(self) -> "Worker":
        eventually(lambda: self.ready() == "ok", lambda: f"{self.ready()}\n{self.log.read_text()}")
        return self

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Send a signal and wait for the end; the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=20)
        return time.monotonic() - began


@contextmanager
def worker(kafka: Stack, folder: Path, **settings: str) -> Iterator[Worker]:
    """A worker for as long as the block runs; settings are AUDIT_… variables."""
    started = Worker(kafka, folder / "worker.log", **settings)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.stop()


def eventually(holds: Callable[[], bool], otherwise: Callable[[], object] = str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.05)


Places = dict[tuple[str, int], int]
OUTPUTS = (EVENTS.name, CONTACT_CHANGES.name, DEAD_LETTERS.name)


@cache
def reader(servers: str) -> Consumer:
    """A consumer without a group of its own, quiet while Kafka is away."""
    return Consumer(
        {"bootstrap.servers": servers, "group.id": "unused", "enable.auto.commit": False, "log_level": 2}
    )


def ends(kafka: Stack, names: Sequence[str] = OUTPUTS) -> Places:
    """The ends of topics now."""
    consumer = reader(kafka.kafka)
    return {
        (name, number): consumer.get_watermark_offsets(TopicPartition(name, number), timeout=10)[1]
        for name in names
        for number in range(PARTITIONS)
    }


def since(kafka: Stack, places: Places) -> dict[str, list[Message]]:
    """What was appended to the topics since then, by topic, in each partition's order; but no ticks."""
    now = ends(kafka, sorted({name for name, _ in places}))
    wanted = {place for place, end in now.items() if end > places[place]}
    consumer = reader(kafka.kafka)
    consumer.assign([TopicPartition(*place, places[place]) for place in wanted])
    found: dict[str, list[Message]] = {name: [] for name, _ in places}
    while wanted:
        for message in consumer.consume(10_000, timeout=1):
            assert message.error() is None
            name, number, offset = message.topic(), message.partition(), message.offset()
            assert name is not None
            assert number is not None
            assert offset is not None
            if message.value() and not is_mark(value(message)):
                found[name].append(message)
            if offset + 1 >= now[name, number]:
                wanted.discard((name, number))
    consumer.unassign()
    return found


def value(message: Message) -> bytes:
    data = message.value()
    assert isinstance(data, bytes)
    return data


def publish(kafka: Stack, records: Sequence[dict[str, Any]]) -> None:
    producer = Producer({"bootstrap.servers": kafka.kafka, "linger.ms": 5})
    for record in records:
        producer.produce(CHANGES.name, **record)
        producer.poll(0)
    assert not producer.flush(20)


def start_again(kafka: Stack) -> None:
    kafka.start(KAFKA)
    kafka.wait_ready(KAFKA)
    eventually(lambda: leads(kafka))


def leads(kafka: Stack) -> bool:
    """Whether Kafka leads all partitions: it answers a little earlier."""
    try:
        return bool(ends(kafka))
    except KafkaException:
        return False


def commit(kafka: Stack, places: list[TopicPartition]) -> None:
    """Set the group's offsets as an operator does, once its last member's session is over."""
    consumer = Consumer({"bootstrap.servers": kafka.kafka, "group.id": PROCESSOR_GROUP, "log_level": 2})

    def is_done() -> bool:
        try:
            results = consumer.commit(offsets=places, asynchronous=False)
        except KafkaException:
            return False
        return not any(place.error for place in results or ())

    eventually(is_done, lambda: "the group still has members")
    consumer.close()


def is_caught_up(kafka: Stack) -> bool:
    """Whether the group has committed all of the changes."""
    wanted = {place: end for place, end in ends(kafka, [CHANGES.name]).items() if end}
    with closing(CommittedOffsets(client_config(kafka.kafka))) as offsets:
        found = offsets.of(PROCESSOR_GROUP, [TopicPartition(*place) for place in wanted])
    return {(place.topic, place.partition): place.offset for place in found} == wanted
