"""Runs `audit sink run` for the tests, and waits for what it does."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from command import AUDIT
from confluent_kafka import Producer


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
            "log_level": 2,
        }
    )
    for number, message in enumerate(messages):
        producer.produce(topic, key=key or str(number), value=message)
        producer.poll(0)
    assert producer.flush(60) == 0


def wait_until(condition: Callable[[], bool], *, seconds: float, about: str) -> None:
    """Wait for something, and say what was missing where it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds} s still not: {about}"
        time.sleep(0.05)
