"""The sink, beside row tuples by the driver and beside ClickHouse reading JSON lines by HTTP."""

import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import broker
import msgspec
from clickhouse_driver import Client
from confluent_kafka import Consumer
from results import Result
from workers import AUDIT, worker

from audit_schemas.settings import ClickHouse
from audit_schemas.topics import EVENTS, SINK_GROUP
from audit_sinks import tables

_BLOCK = 100_000
_PEER_TABLE = "bench_peer"


def measure(kafka: str, clickhouse: str, environment: Mapping[str, str], *, rounds: int) -> list[Result]:
    """Store what lies in audit.events, round by round; needs the events of `processor.measure`."""
    server = ClickHouse.from_url(clickhouse)
    client = Client(
        server.host,
        server.port,
        server.database,
        server.user,
        server.password.get_secret_value(),
    )
    messages = _messages(kafka)
    ours, memory, tuples, lines = [], [], [], []
    for _ in range(rounds):
        rate, peak = _ours(client, kafka, environment, len(messages))
        ours.append(rate)
        memory.append(peak)
        tuples.append(_peer(client, messages[:_BLOCK], lambda block: _insert_tuples(client, block)))
        lines.append(_peer(client, messages, lambda block: _insert_lines(server, block)))
    return [
        Result(
            name="sink",
            value=statistics.median(ours),
            unit="rows/s",
            peer="row tuples",
            peer_value=statistics.median(tuples),
            limit_value=statistics.median(lines),
        ),
        Result(name="memory of the sink", value=max(memory) / 2**20, unit="MiB"),
    ]


def _messages(kafka: str) -> list[bytes]:
    """What the processor made, once each."""
    consumer = Consumer(
        {"bootstrap.servers": kafka, "group.id": "bench-read", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([EVENTS.name])
    found: dict[bytes, bytes] = {}
    while batch := consumer.consume(10_000, timeout=5.0):
        for message in batch:
            value = message.value() or b""
            found.setdefault(value[:50], value)  # it begins with the id
    consumer.close()
    return list(found.values())


def _ours(client: Client, kafka: str, environment: Mapping[str, str], events: int) -> tuple[float, int]:
    """Rows per second from the first insert to the last, without the first block."""
    client.execute("TRUNCATE TABLE audit_events")
    with worker([AUDIT, "sink", "run"], {**environment, "AUDIT_HTTP_PORT": "0"}) as running:
        _wait(client, events)
    [(first, last, early, all_)] = client.execute(
        "WITH (SELECT min(stored_at) FROM audit_events) AS begin "
        "SELECT begin, max(stored_at), countIf(stored_at = begin), count() FROM audit_events"
    )
    broker.forget_group(kafka, SINK_GROUP)
    return (all_ - early) / (last - first).total_seconds(), running.peak_memory


def _wait(client: Client, events: int) -> None:
    end = time.monotonic() + 180
    while (stored := client.execute("SELECT uniqExact(event_id) FROM audit_events")[0][0]) < events:
        if time.monotonic() > end:
            raise TimeoutError(f"{stored:,} of {events:,} are stored")
        time.sleep(0.5)


def _peer(client: Client, messages: Sequence[bytes], insert: Callable[[Sequence[bytes]], object]) -> float:
    client.execute(f"DROP TABLE IF EXISTS {_PEER_TABLE}")
    client.execute(f"CREATE TABLE {_PEER_TABLE} AS audit_events")
    began = time.monotonic()
    for at in range(0, len(messages), _BLOCK):
        insert(messages[at : at + _BLOCK])
    seconds = time.monotonic() - began
    [(stored,)] = client.execute(f"SELECT count() FROM {_PEER_TABLE}")
    if stored != len(messages):
        raise RuntimeError(f"the peer stored {stored:,} of {len(messages):,}")
    return len(messages) / seconds


def _insert_lines(server: ClickHouse, block: Sequence[bytes]) -> None:
    """ClickHouse reads the JSON lines and makes the same columns of them."""
    feed = tables.EVENTS
    expressions = ", ".join(expression.replace("m.", "") for expression in feed.columns.values())
    query = (
        f"INSERT INTO {_PEER_TABLE} ({', '.join(feed.columns)}) SELECT {expressions} "
        f"FROM input('{feed.structure}') FORMAT JSONEachRow"
    )
    settings = {"query": query, "database": server.database, "async_insert": 0}
    http = HTTPConnection(server.host, server.http_port, timeout=120)
    credentials = {"X-ClickHouse-User": server.user, "X-ClickHouse-Key": server.password.get_secret_value()}
    http.request("POST", f"/?{urlencode(settings)}", b"\n".join(block), credentials)
    answer = http.getresponse()
    said = answer.read()
    http.close()
    if answer.status != 200:
        raise RuntimeError(said.decode())


def _insert_tuples(client: Client, block: Sequence[bytes]) -> None:
    """The usual way: decode, make a tuple of Python values for each row, let the driver write them."""
    columns = ", ".join(tables.EVENTS.columns)
    client.execute(
        f"INSERT INTO {_PEER_TABLE} ({columns}) VALUES", [_row(msgspec.json.decode(m)) for m in block]
    )


def _row(event: dict[str, Any]) -> tuple[Any, ...]:
    return tuple([convert(_at(event, path)) for path, convert in _PATHS])


def _at(event: Any, path: Sequence[str]) -> Any:
    for name in path:
        event = event and event.get(name)
    return event


def _text(value: Any) -> Any:
    return "" if value is None else value


def _targets(value: list[dict[str, Any]] | None) -> list[tuple[str, ...]]:
    return [
        tuple(_text(target.get(name)) for name in ("type", "id", "name", "url")) for target in value or []
    ]


def _changes(value: list[dict[str, Any]] | None) -> list[tuple[str, ...]]:
    return [
        tuple(_text(change.get(name)) for name in ("field", "label", "old", "new")) for change in value or []
    ]


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "event_id": UUID,
    "occurred_at": datetime.fromisoformat,
    "received_at": datetime.fromisoformat,
    "window_start": _moment,
    "window_end": _moment,
    "related": _targets,
    "changes": _changes,
    "producer_sequence": lambda value: value or 0,
    "notes": lambda value: value or [],
    "metadata": lambda value: value or "{}",
    "recorded": lambda value: value or "live",
}
_PATHS = [
    (re.search(r"m\.([a-z_.]+)", expression)[1].split("."), _CONVERSIONS.get(column, _text))  # type: ignore[index]
    for column, expression in tables.EVENTS.columns.items()
]
