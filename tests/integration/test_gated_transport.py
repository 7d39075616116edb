"""Gated and plain topics in one worker, on a real Kafka: what comes at once, what waits, and until when."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

PROGRAM = Path(__file__).parents[1] / "support" / "gated_worker.py"


class Topics:
    """A plain and a gated topic of one partition each."""

    def __init__(self, servers: str) -> None:
        self.servers = servers
        self.plain, self.gated = (f"{name}-{uuid4()}" for name in ("plain", "gated"))
        config = {"message.timestamp.type": "LogAppendTime"}
        admin = AdminClient({"bootstrap.servers": servers})
        made = admin.create_topics([NewTopic(name, 1, 1, config=config) for name in (self.plain, self.gated)])
        for future in made.values():
            future.result()
        self._producer = Producer({"bootstrap.servers": servers})

    def append(self, topic: str, count: int = 1, *, window: int = 0) -> None:
        """Append records; those of the gated topic carry a window."""
        headers: list[Any] = [("window", b"%d-%d" % (window, window + 10))] if topic == self.gated else []
        for _ in range(count):
            self._producer.produce(topic, b"{}", headers=headers)
        assert not self._producer.flush(10)


class Worker:
    """The worker, with what it has said so far."""

    def __init__(self, topics: Topics, folder: Path) -> None:
        self.errors = folder / "errors.log"
        self._said: list[dict[str, Any]] = []
        with self.errors.open("a") as errors:
            self.process = subprocess.Popen(
                [sys.executable, PROGRAM, topics.servers, topics.plain, topics.gated, folder],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            for line in self.process.stdout:
                if line.startswith("{"):
                    self._said.append(json.loads(line))

    def offsets(self, topic: str) -> list[list[int]]:
        """The runs of a topic so far."""
        return [run["offsets"] for run in self._said if run["topic"] == topic]

    def flat(self, topic: str) -> list[int]:
        """Their offsets, one after the other."""
        return [offset for run in self.offsets(topic) for offset in run]

    def end(self, number: int) -> None:
        """Send a signal and wait."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(20)
        self._listener.join()


def eventually(holds: Callable[[], bool], otherwise: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.05)


@pytest.fixture
def topics(servers: Any) -> Topics:
    return Topics(servers.kafka)


@pytest.fixture
def start(topics: Topics, tmp_path: Path) -> Iterator[Callable[[], Worker]]:
    started: list[Worker] = []

    def begin() -> Worker:
        started.append(Worker(topics, tmp_path))
        return started[-1]

    yield begin
    for worker in started:
        worker.end(signal.SIGKILL)


def wait_for(worker: Worker, topic: str, offsets: list[int]) -> None:
    eventually(lambda: worker.flat(topic) == offsets, lambda: (worker._said, worker.errors.read_text()))


def test_a_plain_topic_goes_on_while_a_gate_beside_it_waits(
    topics: Topics, start: Callable[[], Worker]
) -> None:
    topics.append(topics.gated, 7, window=0)
    worker = start()
    for count in (1, 2, 3):
        topics.append(topics.plain)
        wait_for(worker, topics.plain, list(range(count)))
    assert worker.offsets(topics.gated) == []
    topics.append(topics.gated, 2, window=10)
    wait_for(worker, topics.gated, list(range(7)))
    assert worker.offsets(topics.gated) == [[0, 1, 2], [3, 4, 5], [6]]
    topics.append(topics.gated, window=20)
    wait_for(worker, topics.gated, list(range(9)))


def test_a_worker_that_is_replaced_in_mid_window_begins_at_the_first_that_was_not_delivered(
    topics: Topics, start: Callable[[], Worker]
) -> None:
    topics.append(topics.gated, 2, window=0)
    topics.append(topics.gated, 2, window=10)
    first = start()
    wait_for(first, topics.gated, [0, 1])
    first.end(signal.SIGTERM)
    topics.append(topics.gated, 2, window=10)
    topics.append(topics.gated, window=20)
    wait_for(start(), topics.gated, [2, 3, 4, 5])


def test_a_gate_that_waits_is_not_taken_for_a_livelock(topics: Topics, start: Callable[[], Worker]) -> None:
    topics.append(topics.gated, 5, window=0)
    worker = start()
    topics.append(topics.plain)
    wait_for(worker, topics.plain, [0])
    # Faust warns when it finds more to read and the last run a second old.
    end = time.monotonic() + 4
    while time.monotonic() < end:
        topics.append(topics.gated, 2000, window=0)
    assert "processing" not in worker.errors.read_text().lower()
    assert worker.offsets(topics.gated) == []
