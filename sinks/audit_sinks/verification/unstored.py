"""Records of audit.changes that have left no trace in ClickHouse, and why that may be right."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from confluent_kafka import Message

from audit_schemas.mark import TICK
from audit_sinks.clickhouse import query
from audit_sinks.records import appended_at, headers
from audit_sinks.verification.changes_log import ChangesLog, Kept, Span
from audit_sinks.verification.checking import Sources, shown, sql_time
from audit_sinks.verification.traces import without_trace

_CHUNK = 500
"""Events that are looked up in one query."""


class Why(StrEnum):
    """Why a record has left no trace."""

    TICK = "tick"
    REPEAT = "repeat"
    """Its event is stored as it was received another time: of the copies one row stays."""
    ON_THE_WAY = "on_the_way"
    MISSING = "missing"


class _Published(msgspec.Struct):
    service: str = ""
    instance: str = ""
    sequence: int = 0


class _Body(msgspec.Struct):
    id: UUID
    account: str
    occurred_at: datetime
    producer: _Published | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unstored:
    """One record without a trace, as people and scripts are told of it."""

    partition: int
    offset: int
    received_at: datetime
    """When Kafka appended it."""
    event_id: UUID | None = None
    """Nothing where it is no event that can be read."""
    account: str = ""
    occurred_at: datetime | None = None
    service: str = ""
    instance: str = ""
    sequence: int = 0
    is_tick: bool = False

    def __str__(self) -> str:
        """Where it lies and whose it is."""
        place = f"partition {self.partition}, offset {self.offset}, received at {shown(self.received_at)}"
        if self.event_id is None:
            return f"{place}: no event that can be read"
        number = f", number {self.sequence} of {self.service} {self.instance}" if self.instance else ""
        return f"{place}: {self.event_id}{number}"

    @property
    def key(self) -> tuple[str, str, str]:
        """As the table's order has it."""
        return self.account, sql_time(self.occurred_at or self.received_at), str(self.event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Untraced:
    """Where audit.changes has no trace in ClickHouse, among what must have one by now."""

    looked_at: int
    """Offsets."""
    waiting: int
    """Offsets behind the newest mark of their partition: on their way."""
    spans: Sequence[Span]


def untraced(
    sources: Sources, kept: Sequence[Kept], marks: Mapping[int, int], since: datetime | None
) -> Untraced:
    """Find the offsets that have left no trace.

    Args:
        sources: ClickHouse is asked.
        kept: what Kafka has of each partition.
        marks: by partition, the newest mark's offset: all below it must be stored.
        since: the earliest receipt, where one is asked for.
    """
    begins = [one.begins_at for one in kept if one.begins_at]
    if not begins:
        return Untraced(looked_at=0, waiting=0, spans=[])
    due = [
        Span(one.partition, one.first, max(one.first, min(one.end, marks.get(one.partition, -1) + 1)))
        for one in kept
    ]
    start = max(min(begins), since) if since else min(begins)
    return Untraced(
        looked_at=sum(span.length for span in due),
        waiting=sum(max(0, one.end - span.end) for one, span in zip(kept, due, strict=True)),
        spans=without_trace(sources.client, due, start),
    )


def explain(
    sources: Sources, log: ChangesLog, spans: Sequence[Span], grace: timedelta
) -> Iterator[tuple[Unstored, Why]]:
    """Read these offsets and say of each record why it has left no trace; a transaction's marks are none.

    Memory is bounded by one fetch. Time grows with the records: some ten thousand a second.
    """
    if spans:
        wanted = sum(span.length for span in spans)
        sources.tell(f"reading {wanted:,} records of audit.changes that have left no trace in ClickHouse")
    for messages in log.read(spans):
        records = [understood(message) for message in messages]
        for first in range(0, len(records), _CHUNK):
            chunk = records[first : first + _CHUNK]
            stored = _stored(sources.client, [one for one in chunk if one.event_id])
            yield from ((one, why(one, stored, sources.now - grace)) for one in chunk)


def why(record: Unstored, stored: set[tuple[str, str, str]], settled: datetime) -> Why:
    """Why a record has left no trace.

    Args:
        record: the record.
        stored: the keys of events that are stored.
        settled: what was received before has had its time to be stored, a dead letter among them.
    """
    if record.is_tick:
        return Why.TICK
    if record.event_id and record.key in stored:
        return Why.REPEAT
    return Why.ON_THE_WAY if record.received_at > settled else Why.MISSING


def understood(message: Message) -> Unstored:
    """What a record says of itself, as far as it can be read."""
    place: dict[str, Any] = {
        "partition": message.partition() or 0,
        "offset": message.offset() or 0,
        "received_at": appended_at(message),
    }
    value = message.value()
    if not value:
        return Unstored(**place, is_tick=any(name == TICK for name, _ in headers(message)))
    try:
        body = msgspec.json.decode(value, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Unstored(**place)
    producer = body.producer or _Published()
    return Unstored(
        **place,
        event_id=body.id,
        account=body.account,
        occurred_at=body.occurred_at if body.occurred_at.tzinfo else None,
        service=producer.service,
        instance=producer.instance,
        sequence=producer.sequence,
    )


def _stored(client: Any, records: Sequence[Unstored]) -> set[tuple[str, str, str]]:
    """Which of these events are stored, whichever copy of them."""
    if not records:
        return set()
    sql = (
        "SELECT DISTINCT account_id, occurred_at, event_id FROM audit_events "
        "WHERE (account_id, occurred_at, event_id) IN %(keys)s"
    )
    rows = query(client, sql, {"keys": tuple({one.key for one in records})})
    return {(row["account_id"], sql_time(row["occurred_at"]), str(row["event_id"])) for row in rows}
