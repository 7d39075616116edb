"""Catching up with what has piled up while the workers were away, and the memory that it takes."""

import time
from collections.abc import Callable, Mapping

import broker
import load
from clickhouse_driver import Client
from results import Result
from workers import AUDIT, Worker, worker

from audit_schemas.settings import ClickHouse
from audit_schemas.topics import CHANGES, EVENTS

_MEMORY_MIB = 400.0
_PATIENCE = 1800


def measure(kafka: str, clickhouse: str, environment: Mapping[str, str], *, events: int) -> list[Result]:
    """Let the processor, and then the sink, work off so many events that lay in audit.changes before.

    The peers of the rates are those of the first tenth: a backlog shall cost what its events cost.

    Args:
        kafka: bootstrap servers.
        clickhouse: its URL.
        environment: of the commands.
        events: how many.
    """
    load.publish(kafka, CHANGES.name, events)
    made = broker.Topic(kafka, EVENTS.name)
    enriched = _work_off("processor", made.appended, environment, events)
    made.close()
    server = ClickHouse.from_url(clickhouse)
    with Client(
        server.host, server.port, server.database, server.user, server.password.get_secret_value()
    ) as client:
        return enriched + _work_off("sink", lambda: _stored(client), environment, events)


def _stored(client: Client) -> int:
    """Rows; repeats of a crash would count twice, but nothing crashes here."""
    return int(client.execute("SELECT count() FROM audit_events")[0][0])


def _work_off(
    part: str, done: Callable[[], int], environment: Mapping[str, str], events: int
) -> list[Result]:
    with worker([AUDIT, part, "run"], {**environment, "AUDIT_HTTP_PORT": "0"}) as running:
        _reach(running, done, 1)
        began, first = time.monotonic(), done()
        _reach(running, done, events // 10)
        early, early_memory = (done() - first) / (time.monotonic() - began), running.peak_memory
        _reach(running, done, events)
        rate = (done() - first) / (time.monotonic() - began)
    return [
        Result(
            name=f"{part} catching up with {events:,} events",
            value=rate,
            unit="events/s",
            peer="its first tenth",
            peer_value=early,
        ),
        Result(
            name=f"memory of the {part} meanwhile",
            value=running.peak_memory / 2**20,
            unit="MiB",
            peer="its first tenth",
            peer_value=early_memory / 2**20,
            limit_value=_MEMORY_MIB,
        ),
    ]


def _reach(running: Worker, done: Callable[[], int], wanted: int) -> None:
    end = time.monotonic() + _PATIENCE
    while done() < wanted:
        if running.process.poll() is not None:
            raise RuntimeError(f"{running.process.args!r} ended with {running.process.returncode}")
        if time.monotonic() > end:
            raise TimeoutError(f"{done():,} of {wanted:,} after {_PATIENCE} s")
        time.sleep(0.1)
