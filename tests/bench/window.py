"""The window worker: how fast it empties a large window, and what it costs the processor beside it."""

import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import broker
import load
from confluent_kafka import Producer
from results import Result
from workers import AUDIT, Worker, worker

from audit_deploy import ports
from audit_schemas.topics import CONTACT_BATCHES, CONTACT_CHANGES, EVENTS, PROCESSOR_GROUP, WINDOWS_GROUP

_LENGTH = 10_800
_OF_PROCESSOR = 0.5
"""Three hours' changes are a part of three hours' events: half the rate empties them in time."""
_BESIDE = 0.9
"""What the processor must keep of its rate while a window worker follows it."""


def measure(
    kafka: str, environment: Mapping[str, str], *, changes: int, contacts: int, enriching: float
) -> list[Result]:
    """Let a window with so many changes be closed, from the worker's readiness to its last batch.

    Args:
        kafka: bootstrap servers.
        environment: of the commands.
        changes: how many wait.
        contacts: of so many contacts.
        enriching: the processor's rate in the same run.
    """
    pending = broker.Topic(kafka, CONTACT_CHANGES.name)
    _begin_here(kafka, pending)
    start = int(time.time()) // _LENGTH * _LENGTH - _LENGTH
    window = range(start, start + _LENGTH)
    load.send(
        kafka,
        CONTACT_CHANGES.name,
        load.contact_changes(changes, contacts, window),
        window=b"%d-%d" % (window.start, window.stop),
    )
    wanted = pending.ends()
    _tick(kafka, wanted, window.stop)
    made = broker.Topic(kafka, CONTACT_BATCHES.name)
    with _windows(environment) as running:
        began = time.time()
        _wait(kafka, wanted, 300)
        rate = changes / (made.last() - began)
    made.close()
    pending.close()
    broker.forget_group(kafka, WINDOWS_GROUP)
    return [
        Result(
            name=f"window of {changes:,} changes of {contacts:,} contacts",
            value=rate,
            unit="changes/s",
            peer="processor",
            peer_value=enriching,
            limit_value=enriching * _OF_PROCESSOR,
        ),
        Result(name="memory of the window worker", value=running.peak_memory / 2**20, unit="MiB"),
    ]


def measure_beside(kafka: str, environment: Mapping[str, str], *, events: int, rounds: int) -> list[Result]:
    """Let the processor enrich the events of `processor.measure`, without a window worker and with one."""
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(rounds):
        alone.append(_enriched(kafka, environment, events))
        changes = broker.Topic(kafka, CONTACT_CHANGES.name)
        _begin_here(kafka, changes)
        with _windows(environment):
            beside.append(_enriched(kafka, environment, events))
        changes.close()
        broker.forget_group(kafka, WINDOWS_GROUP)
    without = statistics.median(alone)
    return [
        Result(
            name="processor with a window worker",
            value=statistics.median(beside),
            unit="events/s",
            peer="without it",
            peer_value=without,
            limit_value=without * _BESIDE,
        )
    ]


def _enriched(kafka: str, environment: Mapping[str, str], events: int) -> float:
    made = broker.Topic(kafka, EVENTS.name)
    with worker([AUDIT, "processor", "run"], {**environment, "AUDIT_HTTP_PORT": "0"}):
        made.wait(events, 120)
        rate = made.rate()
    made.close()
    broker.forget_group(kafka, PROCESSOR_GROUP)
    return rate


@contextmanager
def _windows(environment: Mapping[str, str]) -> Iterator[Worker]:
    """A window worker that is ready."""
    port = ports.choose(["windows"], given={}, last={})["windows"]
    with worker([AUDIT, "windows", "run"], {**environment, "AUDIT_HTTP_PORT": str(port)}) as running:
        running.until_ready(port)
        yield running


def _begin_here(kafka: str, changes: broker.Topic) -> None:
    """Leave out what earlier measurements have left in the topic."""
    broker.commit(kafka, WINDOWS_GROUP, CONTACT_CHANGES.name, changes.ends())


def _tick(kafka: str, partitions: broker.Ends, start: int) -> None:
    """Show in each partition that what lies before is over."""
    producer = Producer({"bootstrap.servers": kafka})
    headers: list[tuple[str, str | bytes | None]] = [
        ("window", b"%d-%d" % (start, start + _LENGTH)),
        ("tick", b""),
    ]
    for number in partitions:
        producer.produce(CONTACT_CHANGES.name, b"", partition=number, headers=headers)
    producer.flush()


def _wait(kafka: str, wanted: broker.Ends, seconds: float) -> None:
    """Wait until the worker has done with all before these offsets."""
    end = time.monotonic() + seconds
    while not _is_done(broker.committed(kafka, WINDOWS_GROUP, CONTACT_CHANGES.name, wanted), wanted):
        if time.monotonic() > end:
            raise TimeoutError(f"the windows are not closed after {seconds} s")
        time.sleep(0.2)


def _is_done(committed: broker.Ends, wanted: broker.Ends) -> bool:
    return all(committed[number] >= offset for number, offset in wanted.items())
